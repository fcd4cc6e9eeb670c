"""Frames of the charge point, checked by the OCPP 1.6 schemas independently of the dialect."""

import json
from typing import Any

from ocpp.messages import MessageType, get_validator

CALL_ERROR_CODES = {
    "NotImplemented",
    "NotSupported",
    "InternalError",
    "ProtocolError",
    "SecurityError",
    "FormationViolation",
    "PropertyConstraintViolation",
    "OccurenceConstraintViolation",
    "TypeConstraintViolation",
    "GenericError",
}


def check_call(frame: str) -> dict[str, Any]:
    """Assert that a frame is a valid CALL; return its payload."""
    message_type, message_id, action, payload = json.loads(frame)
    assert message_type == MessageType.Call
    assert 1 <= len(message_id) <= 36
    get_validator(MessageType.Call, action, "1.6").validate(payload)
    assert isinstance(payload, dict)
    return payload


def check_call_error(frame: str) -> tuple[str, str, str]:
    """Assert that a frame is a valid CALLERROR; return message id, code and description."""
    message_type, message_id, code, description, details = json.loads(frame)
    assert message_type == MessageType.CallError
    assert 1 <= len(message_id) <= 36
    assert code in CALL_ERROR_CODES
    assert len(description) <= 255
    assert details == {}
    return message_id, code, description


def check_frame(frame: str) -> None:
    """Assert that a frame is one that a charge point may send."""
    if json.loads(frame)[0] == MessageType.Call:
        check_call(frame)
    else:
        check_call_error(frame)
