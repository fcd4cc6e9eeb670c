"""Frames of the charge point, checked by the OCPP 1.6 schemas independently of the dialect."""

import json
from collections.abc import Mapping
from decimal import Decimal
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


def check_call_result(frame: str, action: str) -> tuple[str, dict[str, Any]]:
    """Assert that a frame is a valid CALLRESULT to an action; return message id and payload."""
    # OCPP limits are decimals: 0.3 is a multiple of 0.1, which binary floats cannot say.
    message_type, message_id, exact = json.loads(frame, parse_float=Decimal)
    assert message_type == MessageType.CallResult
    assert 1 <= len(message_id) <= 36
    validator = get_validator(MessageType.CallResult, action, "1.6", parse_float=Decimal)
    validator.validate(exact)
    payload = json.loads(frame)[2]
    assert isinstance(payload, dict)
    return message_id, payload


def check_frame(frame: str, asked: Mapping[str, str]) -> None:
    """Assert that a frame is one that a charge point may send.

    Args:
        asked: the action of each message id that it was asked with.
    """
    message_type, message_id, *_ = json.loads(frame)
    if message_type == MessageType.Call:
        check_call(frame)
    elif message_type == MessageType.CallResult:
        check_call_result(frame, asked[message_id])
    else:
        check_call_error(frame)
