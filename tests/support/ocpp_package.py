"""What the `ocpp` package and jsonschema say of a frame: the dialect must say the same.

The charge point reads frames and schemas by itself, because these two cost more memory than all
the rest of it. Here they are the measure of what it says.
"""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NoReturn

from ocpp.exceptions import OCPPError
from ocpp.messages import Call, CallError, CallResult, MessageType, get_validator, unpack

from cp_image.dialects.ocpp16.frames import (
    MAX_DESCRIPTION,
    MAX_MESSAGE_ID,
    BrokenFrame,
    CallErrorCode,
    CallFrame,
    ErrorFrame,
    Frame,
    ResultFrame,
)
from cp_image.dialects.ocpp16.validation import Direction, Violation

_MESSAGE_TYPES: Final = {
    Direction.REQUEST: MessageType.Call,
    Direction.ANSWER: MessageType.CallResult,
}
_MAX_ERRORS: Final = 100
"""A payload of a megabyte may break a rule in every line; this many are looked at."""


def find_violation(direction: Direction, action: str, payload: object) -> Violation | None:
    """Return the gravest violation of the action's schema, or None where there is none.

    Structure comes before types and types before values, so that the first thing to mend is named.
    """
    # OCPP limits are decimals: 0.3 is a multiple of 0.1, which binary floats cannot say.
    validator = get_validator(_MESSAGE_TYPES[direction], action, "1.6", parse_float=Decimal)
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


def decode(text: str) -> Frame:
    """Return the frame in `text`; what is broken comes back as `BrokenFrame`, nothing raises."""
    try:
        _refuse_what_json_is_not(text)
        frame = unpack(text)
    except (OCPPError, ValueError, RecursionError) as exc:
        return _broken(text, exc)
    if not _usable(frame.unique_id):
        return BrokenFrame(
            message_type=frame.message_type_id,
            reason=f"the message id is not a string of 1 to {MAX_MESSAGE_ID} characters",
        )
    return _typed(frame)


def _typed(frame: Call | CallResult | CallError) -> Frame:
    if isinstance(frame, Call):
        if isinstance(frame.action, str):
            return CallFrame(message_id=frame.unique_id, action=frame.action, payload=frame.payload)
        return BrokenFrame(
            message_type=MessageType.Call,
            message_id=frame.unique_id,
            reason="the action is not a string",
        )
    if isinstance(frame, CallResult):
        if frame.action is not None:  # where `unpack` puts a fourth element
            return BrokenFrame(
                message_type=MessageType.CallResult,
                message_id=frame.unique_id,
                reason="4 elements instead of 3",
            )
        return ResultFrame(message_id=frame.unique_id, payload=frame.payload)
    return ErrorFrame(
        message_id=frame.unique_id,
        error_code=_shortened(frame.error_code, 50),
        description=_shortened(frame.error_description, MAX_DESCRIPTION),
    )


def _broken(text: str, exc: Exception) -> BrokenFrame:
    """Look at a frame that `unpack` refused again, for the id an answer needs."""
    try:
        frame = json.loads(text, parse_constant=_not_a_number)
    except RecursionError:
        return BrokenFrame(reason="nested too deep")
    except ValueError as cause:
        return BrokenFrame(reason=f"not JSON: {_shortened(cause, 80)}")
    if _has_lone_surrogate(text, frame):
        return BrokenFrame(reason="not JSON: a \\u escape is half a character")
    if not isinstance(frame, list) or not frame:
        return BrokenFrame(reason="not a JSON array with elements")
    return _broken_array(frame, exc)


def _broken_array(frame: list[Any], exc: Exception) -> BrokenFrame:
    message_type = frame[0]
    # True == 1 and 2.0 == 2 for Python, not for OCPP.
    if type(message_type) is not int or message_type not in _ARITIES:
        return BrokenFrame(reason=f"unknown message type {_shortened(message_type, 20)}")
    message_id = frame[1] if len(frame) > 1 and _usable(frame[1]) else None
    arity = _ARITIES[message_type]
    reason = (
        f"{len(frame)} elements instead of {arity}" if len(frame) != arity else _shortened(exc, 80)
    )
    return BrokenFrame(message_type=message_type, message_id=message_id, reason=reason)


_ARITIES: Final = {MessageType.Call: 4, MessageType.CallResult: 3, MessageType.CallError: 5}


def _refuse_what_json_is_not(text: str) -> None:
    """Raise ValueError for what `unpack` lets through although RFC 8259 does not."""
    if "NaN" in text or "Infinity" in text:
        json.loads(text, parse_constant=_not_a_number)
    if _has_lone_surrogate(text):
        raise ValueError("a \\u escape is half a character")


def _has_lone_surrogate(text: str, frame: object = None) -> bool:
    """Return whether a string could be written neither to MQTT nor to the log nor back."""
    if "\\ud" not in text and "\\uD" not in text:
        return False
    try:
        json.dumps(json.loads(text) if frame is None else frame, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _usable(message_id: object) -> bool:
    return isinstance(message_id, str) and 1 <= len(message_id) <= MAX_MESSAGE_ID


def _shortened(value: object, length: int) -> str:
    """Return what the other side sent as text of a bearable length."""
    match value:
        case None:
            text = ""
        case list() | dict():
            text = type(value).__name__
        case _:
            text = str(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"
