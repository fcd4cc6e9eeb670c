"""OCPP-J 1.6 §4.2: the array around every message, read tolerantly and written strictly."""

import json
from collections.abc import Callable, Mapping
from enum import IntEnum, StrEnum
from typing import Any, Final, NoReturn

import msgspec

from cp_image.api.value import Value

MAX_MESSAGE_ID: Final = 36
"""OCPP-J 1.6 §4.1.4: the length of a UUID."""
MAX_DESCRIPTION: Final = 255
"""OCPP-J 1.6 §4.2.3."""


class MessageType(IntEnum):
    """OCPP-J 1.6 §4.1.3."""

    CALL = 2
    CALL_RESULT = 3
    CALL_ERROR = 4


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


class CallFrame(Value):
    """A request of the CSMS; its payload is not looked at yet."""

    message_id: str
    action: str
    payload: object


class ResultFrame(Value):
    """An answer; its payload is not looked at yet."""

    message_id: str
    payload: object


class ErrorFrame(Value):
    """A request was refused."""

    message_id: str
    error_code: str
    description: str


class BrokenFrame(Value):
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
    return _compact([MessageType.CALL, message_id, action, payload])


def encode_call_result(message_id: str, payload: dict[str, Any]) -> str:
    """Return a CALLRESULT frame, compact."""
    return _compact([MessageType.CALL_RESULT, message_id, payload])


def encode_call_error(message_id: str, code: CallErrorCode, description: str) -> str:
    """Return a CALLERROR frame: five elements, the description cut to what OCPP-J allows."""
    text = description[:MAX_DESCRIPTION]
    return _compact([MessageType.CALL_ERROR, message_id, code, text, {}])


def decode(text: str) -> Frame:
    """Return the frame in `text`; what is broken comes back as `BrokenFrame`, nothing raises."""
    try:
        frame = json.loads(text, parse_constant=_not_a_number)
        half = _has_lone_surrogate(text, frame)
    except RecursionError:
        return BrokenFrame(reason="nested too deep")
    except ValueError as exc:
        return BrokenFrame(reason=f"not JSON: {_shortened(exc, 80)}")
    if half:
        return BrokenFrame(reason="not JSON: a \\u escape is half a character")
    if not isinstance(frame, list) or not frame:
        return BrokenFrame(reason="not a JSON array with elements")
    return _read(frame)


def _read(frame: list[Any]) -> Frame:
    message_type, *elements = frame
    known = isinstance(message_type, int | float) and message_type in _LENGTHS
    if not known or len(elements) not in _LENGTHS[message_type]:
        return _broken(frame)
    kind = MessageType(message_type)
    if not _usable(elements[0]):
        return BrokenFrame(
            message_type=kind,
            reason=f"the message id is not a string of 1 to {MAX_MESSAGE_ID} characters",
        )
    return _READERS[kind](*elements)


_LENGTHS: Final[Mapping[float, tuple[int, ...]]] = {
    MessageType.CALL: (3,),
    MessageType.CALL_RESULT: (2, 3),  # a third element of null is passed over
    MessageType.CALL_ERROR: (3, 4),  # the details, which nobody reads, may be left out
}
"""How many elements are read behind the message type."""


def _read_call(message_id: str, action: object, payload: object) -> Frame:
    if isinstance(action, str):
        return CallFrame(message_id=message_id, action=action, payload=payload)
    return BrokenFrame(
        message_type=MessageType.CALL, message_id=message_id, reason="the action is not a string"
    )


def _read_call_result(message_id: str, payload: object, more: object = None) -> Frame:
    if more is None:
        return ResultFrame(message_id=message_id, payload=payload)
    return BrokenFrame(
        message_type=MessageType.CALL_RESULT,
        message_id=message_id,
        reason="4 elements instead of 3",
    )


def _read_call_error(
    message_id: str, error_code: object, description: object, _details: object = None
) -> Frame:
    return ErrorFrame(
        message_id=message_id,
        error_code=_shortened(error_code, 50),
        description=_shortened(description, MAX_DESCRIPTION),
    )


_READERS: Final[Mapping[MessageType, Callable[..., Frame]]] = {
    MessageType.CALL: _read_call,
    MessageType.CALL_RESULT: _read_call_result,
    MessageType.CALL_ERROR: _read_call_error,
}


def _broken(frame: list[Any]) -> BrokenFrame:
    """Look at an array that cannot be read for the id an answer needs."""
    message_type = frame[0]
    # True == 1 and 2.0 == 2 for Python, not for OCPP.
    if type(message_type) is not int or message_type not in _LENGTHS:
        return BrokenFrame(reason=f"unknown message type {_shortened(message_type, 20)}")
    return BrokenFrame(
        message_type=message_type,
        message_id=frame[1] if len(frame) > 1 and _usable(frame[1]) else None,
        reason=f"{len(frame)} elements instead of {_ARITIES[message_type]}",
    )


_ARITIES: Final[Mapping[int, int]] = {
    MessageType.CALL: 4,
    MessageType.CALL_RESULT: 3,
    MessageType.CALL_ERROR: 5,
}


def _has_lone_surrogate(text: str, frame: object) -> bool:
    """Return whether a string could be written neither to MQTT nor to the log nor back."""
    if "\\ud" not in text and "\\uD" not in text:
        return False
    try:
        json.dumps(frame, ensure_ascii=False).encode()
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
