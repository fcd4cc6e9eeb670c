"""OCPP-J 1.6 §4.2: the array around every message, read tolerantly and written strictly."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn

import msgspec
from ocpp.exceptions import OCPPError
from ocpp.messages import Call, CallError, CallResult, MessageType, unpack

MAX_MESSAGE_ID: Final = 36
"""OCPP-J 1.6 §4.1.4: the length of a UUID."""
MAX_DESCRIPTION: Final = 255
"""OCPP-J 1.6 §4.2.3."""


class CallErrorCode(StrEnum):
    """OCPP-J 1.6 §4.2.3, two of them spelled as the specification (mis)spells them."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMATION_VIOLATION = "FormationViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    GENERIC_ERROR = "GenericError"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFrame:
    """A request of the CSMS; its payload is not looked at yet."""

    message_id: str
    action: str
    payload: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFrame:
    """An answer; its payload is not looked at yet."""

    message_id: str
    payload: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFrame:
    """A request was refused."""

    message_id: str
    error_code: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenFrame:
    """What OCPP-J does not allow.

    Attributes:
        message_type: 2, 3 or 4 where it can be read, else None.
        message_id: where it can be read and answered with, else None.
        reason: for people.
    """

    reason: str
    message_type: int | None = None
    message_id: str | None = None


Frame = CallFrame | ResultFrame | ErrorFrame | BrokenFrame


def encode_call(message_id: str, action: str, payload: dict[str, Any]) -> str:
    """Return a CALL frame, compact."""
    return _compact([MessageType.Call, message_id, action, payload])


def encode_call_result(message_id: str, payload: dict[str, Any]) -> str:
    """Return a CALLRESULT frame, compact."""
    return _compact([MessageType.CallResult, message_id, payload])


def encode_call_error(message_id: str, code: CallErrorCode, description: str) -> str:
    """Return a CALLERROR frame: five elements, the description cut to what OCPP-J allows."""
    text = description[:MAX_DESCRIPTION]
    return _compact([MessageType.CallError, message_id, code, text, {}])


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


def _compact(frame: list[Any]) -> str:
    return msgspec.json.encode(frame).decode()
