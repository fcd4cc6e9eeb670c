"""OCPP 1.6J frames as a central system reads them: parsed, and checked against the JSON schemas."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from jsonschema import FormatChecker
from ocpp.messages import MessageType, get_validator

_VERSION: Final = "1.6"
_UNIQUE_ID_CHARACTERS: Final = 36
_DATE_TIME: Final = re.compile(
    r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)\Z", re.ASCII | re.IGNORECASE
)

FROM_CHARGE_POINT: Final = frozenset(
    {
        "Authorize",
        "BootNotification",
        "DataTransfer",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    }
)
"""The actions a charge point may ask for (OCPP 1.6 §4, Security Whitepaper edition 3)."""
TO_CHARGE_POINT: Final = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearCache",
        "ClearChargingProfile",
        "DataTransfer",
        "DeleteCertificate",
        "ExtendedTriggerMessage",
        "GetCompositeSchedule",
        "GetConfiguration",
        "GetDiagnostics",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "InstallCertificate",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SignedUpdateFirmware",
        "TriggerMessage",
        "UnlockConnector",
        "UpdateFirmware",
    }
)
"""The actions a central system may ask for (OCPP 1.6 §5, Security Whitepaper edition 3)."""


class CallErrorCode(StrEnum):
    """OCPP-J 1.6 §4.2.3, in its own spelling."""

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


_CODES: Final = {
    "type": CallErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "required": CallErrorCode.FORMATION_VIOLATION,
    "additionalProperties": CallErrorCode.FORMATION_VIOLATION,
    "minItems": CallErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "maxItems": CallErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
}
"""By the rule of JSON schema that was broken; PropertyConstraintViolation for all others."""

_FORMATS: Final = FormatChecker(formats=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``[2, unique_id, action, payload]``."""

    unique_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """``[3, unique_id, payload]``."""

    unique_id: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """``[4, unique_id, code, description, details]``."""

    unique_id: str
    code: str
    description: str = ""
    details: dict[str, Any] = field(default_factory=dict)


Frame = Call | Result | Error


class FrameError(ValueError):
    """A frame breaks a rule.

    Attributes:
        code: of the CALLERROR it deserves.
        unique_id: of the call to answer with it; None where it was no call or has no usable id.
    """

    def __init__(self, text: str, *, code: CallErrorCode, unique_id: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.unique_id = unique_id


def parse(text: str | bytes) -> Frame:
    """Take a frame apart; payloads are not checked yet.

    Raises:
        FrameError: it is no frame of OCPP-J 1.6 §4.
    """
    if isinstance(text, bytes):
        raise _malformed("a frame is text, not binary")
    parts = _load(text)
    if not isinstance(parts, list) or not parts:
        raise _malformed("a frame is a JSON array that begins with the message type")
    kind = parts[0]
    unique_id = parts[1] if len(parts) > 1 else None
    if type(kind) is not int or not MessageType.Call <= kind <= MessageType.CallError:
        raise _malformed(f"message type {kind!r}: it is 2, 3 or 4")
    if not isinstance(unique_id, str) or not 0 < len(unique_id) <= _UNIQUE_ID_CHARACTERS:
        raise _malformed(f"unique id {unique_id!r}: it is a string of 1 to 36 characters")
    match kind, parts[2:]:
        case MessageType.Call, [str(action), dict(payload)]:
            return Call(unique_id=unique_id, action=action, payload=payload)
        case MessageType.Call, _:
            text = 'a CALL is [2, "id", "action", {payload}]'
            raise _malformed(text, unique_id)
        case MessageType.CallResult, [dict(payload)]:
            return Result(unique_id=unique_id, payload=payload)
        case MessageType.CallError, [str(code), str(description), dict(details)]:
            if code not in {known.value for known in CallErrorCode}:
                raise _malformed(f"CALLERROR code {code!r} is not in the list of OCPP-J 1.6")
            return Error(unique_id=unique_id, code=code, description=description, details=details)
    raise _malformed(
        'an answer is [3, "id", {payload}] or [4, "id", "code", "description", {details}]'
    )


def dump(frame: Frame) -> str:
    """Return the JSON of a frame, compact."""
    match frame:
        case Call():
            parts: list[Any] = [2, frame.unique_id, frame.action, frame.payload]
        case Result():
            parts = [3, frame.unique_id, frame.payload]
        case Error():
            parts = [4, frame.unique_id, frame.code, frame.description, frame.details]
    return json.dumps(parts, separators=(",", ":"))


def check_call(call: Call) -> None:
    """Check a charge point's call.

    Raises:
        FrameError: the action is none of a charge point's, or the payload breaks its schema.
    """
    if call.action not in FROM_CHARGE_POINT:
        known = call.action in TO_CHARGE_POINT
        raise FrameError(
            f"{call.action} is no action of a charge point",
            code=CallErrorCode.NOT_SUPPORTED if known else CallErrorCode.NOT_IMPLEMENTED,
            unique_id=call.unique_id,
        )
    _check(MessageType.Call, call.action, call.payload, call.unique_id)


def check_result(result: Result, action: str) -> None:
    """Check the answer to a call of `action`.

    Raises:
        FrameError: the payload breaks the schema.
    """
    _check(MessageType.CallResult, action, result.payload, None)


def _check(kind: int, action: str, payload: dict[str, Any], unique_id: str | None) -> None:
    schema = f"{action}{'Response' if kind == MessageType.CallResult else ''}"
    # OCPP's limits are decimals: 0.3 is a multiple of 0.1, which binary floats cannot say.
    validator: Any = get_validator(kind, action, _VERSION, parse_float=Decimal)
    instance = json.loads(json.dumps(payload), parse_float=Decimal)
    try:
        error = next(validator.evolve(format_checker=_FORMATS).iter_errors(instance), None)
    except ArithmeticError as exc:
        raise FrameError(
            f"{schema}: a number is out of range",
            code=CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
            unique_id=unique_id,
        ) from exc
    if error is not None:
        where = ".".join(str(step) for step in error.absolute_path) or "payload"
        raise FrameError(
            f"{schema}: {where}: {error.message}",
            code=_CODES.get(error.validator, CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
            unique_id=unique_id,
        )


def _load(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as exc:
        raise _malformed(f"a frame is JSON: {exc}") from exc


def _malformed(text: str, unique_id: str | None = None) -> FrameError:
    return FrameError(text, code=CallErrorCode.FORMATION_VIOLATION, unique_id=unique_id)


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True  # the rule on the type speaks for itself
    return _DATE_TIME.search(value) is not None and bool(datetime.fromisoformat(value.upper()))


_FORMATS.checks("date-time", raises=ValueError)(_is_date_time)
