"""Payloads against the JSON schemas of OCPP 1.6, and the CALLERROR each violation earns."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from ocpp.messages import MessageType, get_validator
from ocpp.v16.enums import Action

from cp_image.dialects.ocpp16.frames import CallErrorCode

_MAX_ERRORS: Final = 100
"""A payload of a megabyte may break a rule in every line; this many are looked at."""


class Direction(Enum):
    """Which of the two schemas of an action."""

    REQUEST = MessageType.Call
    ANSWER = MessageType.CallResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What a payload breaks: the code for a CALLERROR and a sentence for people."""

    code: CallErrorCode
    description: str


def find_violation(direction: Direction, action: Action, payload: object) -> Violation | None:
    """Return the gravest violation of the action's schema, or None where there is none.

    Structure comes before types and types before values, so that the first thing to mend is named.
    """
    # OCPP limits are decimals: 0.3 is a multiple of 0.1, which binary floats cannot say.
    validator = get_validator(direction.value, action.value, "1.6", parse_float=Decimal)
    try:
        errors = list(itertools.islice(validator.iter_errors(_exact(payload)), _MAX_ERRORS))
    except RecursionError:
        return Violation(code=CallErrorCode.FORMATION_VIOLATION, description="nested too deep")
    except ArithmeticError:
        return Violation(
            code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
            description="a number is too large",
        )
    violations = [_violation(error) for error in errors]
    return min(violations, key=lambda violation: _GRAVITY[violation.code], default=None)


_GRAVITY: Final = {
    CallErrorCode.FORMATION_VIOLATION: 0,
    CallErrorCode.TYPE_CONSTRAINT_VIOLATION: 1,
    CallErrorCode.OCCURENCE_CONSTRAINT_VIOLATION: 2,
    CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION: 3,
}


def _violation(error: Any) -> Violation:
    """Return what a `jsonschema.ValidationError` means in OCPP's words."""
    path = ".".join(str(step) for step in error.absolute_path)
    if not path and error.validator == "type":
        # The payload itself is no object: no field has a wrong type, the structure is wrong.
        return Violation(
            code=CallErrorCode.FORMATION_VIOLATION, description="the payload is not an object"
        )
    rule = _RULES.get(error.validator, _OTHER_RULE)
    return Violation(code=rule.code, description=rule.describe(path, error))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    code: CallErrorCode
    describe: Callable[[str, Any], str]


def _describe_missing(path: str, error: Any) -> str:
    missing = [name for name in error.validator_value if name not in error.instance]
    return f"missing: {', '.join(_inside(path, name) for name in missing)}"


def _describe_extra(path: str, error: Any) -> str:
    known = error.schema.get("properties", {})
    extra = [name for name in error.instance if name not in known]
    return f"not a field of this message: {', '.join(_inside(path, name) for name in extra)}"


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_RULES: Final[Mapping[str, _Rule]] = {
    "required": _Rule(code=CallErrorCode.FORMATION_VIOLATION, describe=_describe_missing),
    "additionalProperties": _Rule(code=CallErrorCode.FORMATION_VIOLATION, describe=_describe_extra),
    "type": _Rule(
        code=CallErrorCode.TYPE_CONSTRAINT_VIOLATION,
        describe=lambda path, error: f"{path} is not of type {error.validator_value}",
    ),
    "maxLength": _Rule(
        code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        describe=lambda path, error: (
            f"{path} is longer than {error.validator_value} characters: {len(error.instance)}"
        ),
    ),
    "enum": _Rule(
        code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        describe=lambda path, error: f"{path} is none of {', '.join(error.validator_value)}",
    ),
    "multipleOf": _Rule(
        code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        describe=lambda path, error: f"{path} has more than one decimal: {error.instance}",
    ),
    "minItems": _Rule(
        code=CallErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
        describe=lambda path, error: f"{path} has fewer than {error.validator_value} elements",
    ),
}
_OTHER_RULE: Final = _Rule(
    code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    describe=lambda path, error: f"{path} breaks the rule {error.validator}",
)


def _exact(value: object) -> object:
    """Return a payload with its floats as the decimals that were written."""
    match value:
        case float():
            return Decimal(repr(value))
        case dict():
            return {name: _exact(item) for name, item in value.items()}
        case list():
            return [_exact(item) for item in value]
        case _:
            return value
