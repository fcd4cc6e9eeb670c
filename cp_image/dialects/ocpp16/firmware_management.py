"""The FirmwareManagement profile of OCPP 1.6: §4.4, §4.5, §5.9, §5.19."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from cp_image.core import csms_messages, messages
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.conversions import ValueRefusedError, payload_of, to_count, to_epoch
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult
from cp_image.dialects.ocpp16.outgoing import OutgoingAction, empty_answer

OUTGOING: Final[Mapping[type[Any], OutgoingAction[Any]]] = {
    messages.DiagnosticsStatusNotification: OutgoingAction(
        action=Action.DIAGNOSTICS_STATUS_NOTIFICATION,
        to_call=lambda request: payload_of(status=request.status.value),
        to_answer=empty_answer,
    ),
    messages.FirmwareStatusNotification: OutgoingAction(
        action=Action.FIRMWARE_STATUS_NOTIFICATION,
        to_call=lambda request: payload_of(status=request.status.value),
        to_answer=empty_answer,
    ),
}


def _get_diagnostics(payload: Payload) -> csms_messages.GetDiagnostics:
    return csms_messages.GetDiagnostics(
        location=_location(payload),
        retries=_count(payload, "retries"),
        retry_interval_s=_count(payload, "retryInterval"),
        start_at=_instant(payload, "startTime"),
        stop_at=_instant(payload, "stopTime"),
    )


def _update_firmware(payload: Payload) -> csms_messages.UpdateFirmware:
    return csms_messages.UpdateFirmware(
        location=_location(payload),
        retrieve_at=to_epoch("retrieveDate", payload["retrieveDate"]),
        retries=_count(payload, "retries"),
        retry_interval_s=_count(payload, "retryInterval"),
    )


def _location(payload: Payload) -> str:
    return to_location("location", payload["location"])


def to_location(name: str, location: str) -> str:
    """Return the address to fetch from or send to; whether it is spoken here shows later.

    Raises:
        ValueRefusedError: it is no URI.
    """
    try:
        parts = urlsplit(location)
        spelled = bool(parts.scheme) and parts.port != 0 and location.isprintable()
    except ValueError:
        spelled = False
    if not spelled or " " in location:
        raise ValueRefusedError(f"{name} is no URI: {location[:40]!r}")
    return location


def _count(payload: Payload, name: str) -> int | None:
    value = payload.get(name)
    return None if value is None else to_count(name, value)


def _instant(payload: Payload, name: str) -> float | None:
    text = payload.get(name)
    return None if text is None else to_epoch(name, text)


INCOMING: Final[Mapping[Action, ToRequest]] = {
    Action.GET_DIAGNOSTICS: _get_diagnostics,
    Action.UPDATE_FIRMWARE: _update_firmware,
}

ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    csms_messages.GetDiagnosticsAnswer: lambda answer: payload_of(fileName=answer.file_name),
    csms_messages.UpdateFirmwareAnswer: lambda _answer: payload_of(),
}
