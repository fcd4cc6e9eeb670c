"""The JSON Schema (2020-12) of fleet files, for editors that complete and check them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from launcher.api import Specification
from launcher.fleet_file import keys
from launcher.fleet_file.keys import Key

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DEFINITIONS: Final = "#/$defs/{name}"
_ID: Final = (
    r"^(?!\.+$)(?=.)(?:[A-Za-z0-9_.\-]{1,48}"
    r"|[A-Za-z0-9_.\-]*\{n(?::0[1-9])?\}(?:[A-Za-z0-9_.\-]|\{n(?::0[1-9])?\})*)$"
)
_FREE: Final = r"[{}]"
"""A text with placeholders is measured when they are filled in."""


def schema() -> dict[str, Any]:
    """Return the schema, as builtin types."""
    shapes = _shapes()
    return {
        "$schema": _DIALECT,
        "title": "Fleet of cp-simu",
        "description": "Charge points for simuctl add -f and simuctl setup load.",
        "type": "object",
        "required": [keys.CHARGE_POINTS],
        "properties": {
            keys.DEFAULTS: {
                "description": "What holds for every charge point of the file.",
                "$ref": "#/$defs/defaults",
            },
            keys.TEMPLATES: {
                "description": "Named sets of options; an entry names one as its template.",
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/template"},
            },
            keys.CHARGE_POINTS: {
                "description": "The charge points.",
                "type": "array",
                "items": {"$ref": "#/$defs/charge_point"},
            },
        },
        "patternProperties": {f"^{keys.IGNORED_PREFIX}": {"description": "For anchors."}},
        "additionalProperties": False,
        "$defs": {
            "charge_point": {
                **_object(keys.OF_ENTRIES, shapes),
                "required": [keys.ID],
                "dependentRequired": {keys.FIRST: [keys.COUNT]},
            },
            "template": _object(keys.OF_TEMPLATES, shapes),
            "defaults": _object(keys.OPTIONS, shapes),
            keys.CONFIGURATION: _configuration(),
        },
    }


def _object(known: Mapping[str, Key], shapes: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: _property(key, shapes) for name, key in known.items()}
    properties[keys.CONFIGURATION] = {"$ref": _DEFINITIONS.format(name=keys.CONFIGURATION)}
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "not": {"required": [keys.PASSWORD, keys.PASSWORD_FILE]},
    }


def _property(key: Key, shapes: Mapping[str, Any]) -> dict[str, Any]:
    shape = dict(shapes.get(key.name) or msgspec.json.schema(key.type))
    if "pattern" in shape:
        shape["pattern"] = shape["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    if key.name == keys.ID:
        shape["pattern"] = _ID
    if key.is_text:
        # Numbers are taken for texts.
        shape["type"] = ["string", "number"]
        if key.has_placeholders and key.name != keys.ID:
            shape = _with_placeholders(shape)
    if key.name == keys.SERIAL:
        del shape["default"]  # it depends on the id
    return {"description": key.description, **shape}


def _with_placeholders(shape: dict[str, Any]) -> dict[str, Any]:
    rules = {
        name: shape.pop(name) for name in ("minLength", "maxLength", "pattern") if name in shape
    }
    return {**shape, "anyOf": [{"type": "string", "pattern": _FREE}, rules]} if rules else shape


def _shapes() -> dict[str, Any]:
    """Return what msgspec says of the fields of a specification, without references."""
    _, definitions = msgspec.json.schema_components([Specification])
    shapes: dict[str, Any] = {}
    for name, found in definitions[Specification.__name__]["properties"].items():
        shape = found
        if "$ref" in shape:
            referred = definitions[shape["$ref"].rpartition("/")[2]]
            shape = {**{k: v for k, v in shape.items() if k != "$ref"}, "enum": referred["enum"]}
        if "anyOf" in shape:  # None cannot be written: who wants it leaves the key out
            (shape,) = (each for each in shape["anyOf"] if each.get("type") != "null")
        shapes[name] = shape
    return shapes


def _configuration() -> dict[str, Any]:
    key = {
        "anyOf": [
            {"type": "string", "maxLength": 500},
            {"type": ["number", "boolean"]},
            {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
        ]
    }
    return {
        "description": "OCPP configuration keys that differ from their defaults; merged key by "
        "key. Numbers, true and false are texts for OCPP, a list is one with commas.",
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": 50},
        "additionalProperties": key,
    }
