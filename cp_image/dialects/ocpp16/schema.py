"""The JSON schemas of OCPP 1.6, and what in a payload breaks the rules of one.

The schemas are those that the `ocpp` package ships, each read when it is first needed. Neither that
package nor `jsonschema`, which it validates with, is imported: together they cost a process 4 MiB.
What stands here obeys JSON Schema draft 4, as far as OCPP 1.6 makes use of it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Final

from cp_image.api.value import Value

Schema = Mapping[str, Any]
Steps = tuple[str | int, ...]
"""Leads from a payload to a value in it."""


class Rule(StrEnum):
    """A keyword of JSON Schema that something can break."""

    TYPE = "type"
    REQUIRED = "required"
    ADDITIONAL_PROPERTIES = "additionalProperties"
    MAX_LENGTH = "maxLength"
    MIN_ITEMS = "minItems"
    ENUM = "enum"
    MULTIPLE_OF = "multipleOf"


class Breach(Value):
    """A value that breaks a rule.

    Attributes:
        rule: which.
        steps: lead from the payload to the value.
        value: what breaks it.
        limit: what the schema says to the rule.
        fields: what may stand in the value where it is an object.
    """

    rule: Rule
    steps: Steps
    value: Any
    limit: Any
    fields: Mapping[str, Schema]


@cache
def read(name: str) -> Schema:
    """Return a schema: ``Reset`` is the request, ``ResetResponse`` the answer to it."""
    text = (_directory() / f"{name}.json").read_text(encoding="utf-8-sig")
    schema: Schema = json.loads(text, parse_float=Decimal)
    return schema


def breaches(schema: Schema, value: object) -> Iterator[Breach]:
    """Yield what in a value breaks a schema, in the order in which the schema tells its rules.

    Args:
        schema: a whole one, as `read` returns it.
        value: JSON with its floats as decimals.

    Raises:
        ArithmeticError: a number is too large to be divided.
    """
    return _breaches(schema, schema, value, ())


def _breaches(root: Schema, schema: Schema, value: Any, steps: Steps) -> Iterator[Breach]:
    while (reference := schema.get("$ref")) is not None:
        schema = root["definitions"][reference.removeprefix("#/definitions/")]
    fields = schema.get("properties", {})
    for keyword, limit in schema.items():
        if keyword in _PARTS:
            for step, part in _PARTS[keyword](value, limit):
                yield from _breaches(root, part, value[step], (*steps, step))
        elif keyword in _COUNTS:
            rule = Rule(keyword)
            for _ in range(_COUNTS[rule](value, limit, schema)):
                yield Breach(rule=rule, steps=steps, value=value, limit=limit, fields=fields)


Parts = Iterator[tuple[str | int, Schema]]


def _fields(value: Any, schemas: Mapping[str, Schema]) -> Parts:
    if isinstance(value, dict):
        yield from ((name, part) for name, part in schemas.items() if name in value)


def _elements(value: Any, schema: Schema) -> Parts:
    if isinstance(value, list):
        yield from ((index, schema) for index in range(len(value)))


_PARTS: Final[Mapping[str, Callable[[Any, Any], Parts]]] = {
    "properties": _fields,
    "items": _elements,
}
"""Which parts of a value are looked at by a schema of their own."""


def _has_type(value: object, name: str) -> bool:
    if isinstance(value, bool):  # an int for Python, not for JSON
        return name == "boolean"
    if name == "number":
        return isinstance(value, int | Decimal)
    return isinstance(value, _TYPES[name])


_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "object": dict,
    "string": str,
}


def _count_missing(value: Any, names: Any, _schema: Schema) -> int:
    return sum(name not in value for name in names) if isinstance(value, dict) else 0


def _count_extra(value: Any, _allowed: Any, schema: Schema) -> int:
    known = schema.get("properties", {})
    return int(isinstance(value, dict) and any(name not in known for name in value))


_COUNTS: Final[Mapping[str, Callable[[Any, Any, Schema], int]]] = {
    Rule.TYPE: lambda value, name, _schema: int(not _has_type(value, name)),
    Rule.REQUIRED: _count_missing,
    Rule.ADDITIONAL_PROPERTIES: _count_extra,
    Rule.MAX_LENGTH: lambda value, most, _: int(isinstance(value, str) and len(value) > most),
    Rule.MIN_ITEMS: lambda value, least, _: int(isinstance(value, list) and len(value) < least),
    Rule.ENUM: lambda value, words, _schema: int(value not in words),
    Rule.MULTIPLE_OF: lambda value, step, _schema: int(
        _has_type(value, "number") and value % step != 0
    ),
}
"""How often a value breaks each rule."""


def exact(value: object) -> object:
    """Return JSON with its floats as the decimals that were written.

    OCPP limits are decimals: 0.3 is a multiple of 0.1, which binary floats cannot say.
    """
    match value:
        case float():
            return Decimal(repr(value))
        case dict():
            return {name: exact(item) for name, item in value.items()}
        case list():
            return [exact(item) for item in value]
        case _:
            return value


def _directory() -> Path:
    # Found, not imported.
    spec = PathFinder.find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package ocpp, which has the schemas, is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "v16" / "schemas"
