"""Payloads against the JSON schemas of OCPP 1.6, and the CALLERROR each violation earns."""

import itertools
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from cp_image.api.value import Value
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.frames import CallErrorCode
from cp_image.dialects.ocpp16.schema import Breach, Rule, breaches, exact, read

_MAX_BREACHES: Final = 100
"""A payload of a megabyte may break a rule in every line; this many are looked at."""


class Direction(Enum):
    """Which of the two schemas of an action; the value ends its name."""

    REQUEST = ""
    ANSWER = "Response"


class Violation(Value):
    """What a payload breaks: the code for a CALLERROR and a sentence for people."""

    code: CallErrorCode
    description: str


def find_violation(direction: Direction, action: Action, payload: object) -> Violation | None:
    """Return the gravest violation of the action's schema, or None where there is none.

    Structure comes before types and types before values, so that the first thing to mend is named.
    """
    schema = read(f"{action}{direction.value}")
    try:
        found = list(itertools.islice(breaches(schema, exact(payload)), _MAX_BREACHES))
    except RecursionError:
        return Violation(code=CallErrorCode.FORMATION_VIOLATION, description="nested too deep")
    except ArithmeticError:
        return Violation(
            code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
            description="a number is too large",
        )
    violations = [_violation(breach) for breach in found]
    return min(violations, key=lambda violation: _GRAVITY[violation.code], default=None)


_GRAVITY: Final = {
    CallErrorCode.FORMATION_VIOLATION: 0,
    CallErrorCode.TYPE_CONSTRAINT_VIOLATION: 1,
    CallErrorCode.OCCURENCE_CONSTRAINT_VIOLATION: 2,
    CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION: 3,
}


def _violation(breach: Breach) -> Violation:
    """Return what a breach means in OCPP's words."""
    path = ".".join(str(step) for step in breach.steps)
    if not path and breach.rule is Rule.TYPE:
        # The payload itself is no object: no field has a wrong type, the structure is wrong.
        return Violation(
            code=CallErrorCode.FORMATION_VIOLATION, description="the payload is not an object"
        )
    meaning = _MEANINGS[breach.rule]
    return Violation(code=meaning.code, description=meaning.describe(path, breach))


class _Meaning(Value):
    code: CallErrorCode
    describe: Callable[[str, Breach], str]


def _describe_missing(path: str, breach: Breach) -> str:
    missing = [name for name in breach.limit if name not in breach.value]
    return f"missing: {', '.join(_inside(path, name) for name in missing)}"


def _describe_extra(path: str, breach: Breach) -> str:
    extra = [name for name in breach.value if name not in breach.fields]
    return f"not a field of this message: {', '.join(_inside(path, name) for name in extra)}"


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_MEANINGS: Final[Mapping[Rule, _Meaning]] = {
    Rule.REQUIRED: _Meaning(code=CallErrorCode.FORMATION_VIOLATION, describe=_describe_missing),
    Rule.ADDITIONAL_PROPERTIES: _Meaning(
        code=CallErrorCode.FORMATION_VIOLATION, describe=_describe_extra
    ),
    Rule.TYPE: _Meaning(
        code=CallErrorCode.TYPE_CONSTRAINT_VIOLATION,
        describe=lambda path, breach: f"{path} is not of type {breach.limit}",
    ),
    Rule.MAX_LENGTH: _Meaning(
        code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        describe=lambda path, breach: (
            f"{path} is longer than {breach.limit} characters: {len(breach.value)}"
        ),
    ),
    Rule.ENUM: _Meaning(
        code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        describe=lambda path, breach: f"{path} is none of {', '.join(breach.limit)}",
    ),
    Rule.MULTIPLE_OF: _Meaning(
        code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        describe=lambda path, breach: f"{path} has more than one decimal: {breach.value}",
    ),
    Rule.MIN_ITEMS: _Meaning(
        code=CallErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
        describe=lambda path, breach: f"{path} has fewer than {breach.limit} elements",
    ),
}
