"""The Core profile of OCPP 1.6: what the charge point asks of the CSMS.

What the CSMS asks in return is in `core_requests`.
"""

from collections.abc import Mapping
from typing import Any, Final

from cp_image.core import messages
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.conversions import (
    ValueRefusedError,
    payload_of,
    to_epoch,
    to_id_tag_status,
    to_integer,
    to_meter_value,
    to_timestamp,
)
from cp_image.dialects.ocpp16.outgoing import OutgoingAction, Payload, empty_answer

_LAST_YEAR_AT: Final = 32_503_680_000
"""3000-01-01. Beyond 9999 there are no timestamps, and a clock set there would run into it."""

_LONGEST_INTEGER_TEXT: Final = 20
_LONGEST_ID_TAG: Final = 20


def _csms_time(payload: Payload) -> float:
    """Return what the CSMS takes for now: the charge point will count on from there."""
    text = payload["currentTime"]
    at = to_epoch("currentTime", text)
    if not 0 <= at < _LAST_YEAR_AT:
        raise ValueRefusedError(f"currentTime is not in the years 1970 to 2999: {text[:40]!r}")
    return at


def _boot_call(request: messages.BootNotification) -> dict[str, Any]:
    return payload_of(
        chargePointVendor=request.vendor,
        chargePointModel=request.model,
        chargePointSerialNumber=request.serial or None,
        firmwareVersion=request.firmware_version or None,
    )


def _boot_answer(payload: Payload) -> messages.BootAnswer:
    return messages.BootAnswer(
        status=messages.RegistrationStatus(payload["status"]),
        csms_at=_csms_time(payload),
        interval_s=to_integer("interval", payload["interval"]),
    )


def _heartbeat_answer(payload: Payload) -> messages.HeartbeatAnswer:
    return messages.HeartbeatAnswer(csms_at=_csms_time(payload))


def _status_call(request: messages.StatusNotification) -> dict[str, Any]:
    return payload_of(
        connectorId=request.connector_id,
        errorCode=request.error_code,
        status=request.status.value,
        timestamp=to_timestamp(request.at),
    )


def _authorize_answer(payload: Payload) -> messages.AuthorizeAnswer:
    return messages.AuthorizeAnswer(id_tag_status=to_id_tag_status(payload["idTagInfo"]))


def _start_call(request: messages.StartTransaction) -> dict[str, Any]:
    return payload_of(
        connectorId=request.connector_id,
        idTag=request.id_tag,
        meterStart=request.meter_start_wh,
        timestamp=to_timestamp(request.at),
        reservationId=request.reservation_id,
    )


def _start_answer(payload: Payload) -> messages.StartTransactionAnswer:
    return messages.StartTransactionAnswer(
        transaction_id=to_integer("transactionId", payload["transactionId"]),
        id_tag_status=to_id_tag_status(payload["idTagInfo"]),
    )


def _salvaged_start(payload: object) -> messages.StartTransactionAnswer | None:
    """Return what can be read of an answer that breaks the rules; None without an id.

    The CSMS has opened a transaction: to ask again would open another one, and to forget the id
    would leave this one open for ever. A status that cannot be read is no acceptance: the tag
    counts as Invalid, and StopTransactionOnInvalidId rules, so that nobody charges unasked.
    """
    if not isinstance(payload, Mapping):
        return None
    transaction_id = _salvaged_integer(payload.get("transactionId"))
    if transaction_id is None:
        return None
    found = payload.get("idTagInfo")
    id_tag_info: Payload = found if isinstance(found, Mapping) else {}
    return messages.StartTransactionAnswer(
        transaction_id=transaction_id, id_tag_status=_salvaged_status(id_tag_info)
    )


def _salvaged_integer(value: object) -> int | None:
    """Return an integer, also one that is written as a text or with a fraction of nought."""
    if isinstance(value, str) and len(value) <= _LONGEST_INTEGER_TEXT:
        digits = value.strip().removeprefix("-")
        value = int(value) if digits.isascii() and digits.isdigit() else None
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    try:
        return to_integer("transactionId", value)
    except ValueRefusedError:
        return None


def _salvaged_status(id_tag_info: Payload) -> messages.IdTagStatus:
    status = id_tag_info.get("status")
    parent_id_tag = id_tag_info.get("parentIdTag")
    known = {each.value for each in messages.AuthorizationStatus}
    if not isinstance(status, str) or status not in known:
        return messages.IdTagStatus(status=messages.AuthorizationStatus.INVALID)
    sound = isinstance(parent_id_tag, str) and 0 < len(parent_id_tag) <= _LONGEST_ID_TAG
    return messages.IdTagStatus(
        status=messages.AuthorizationStatus(status),
        parent_id_tag=parent_id_tag if sound else None,
    )


def _meter_values_call(request: messages.MeterValues) -> dict[str, Any]:
    return payload_of(
        connectorId=request.connector_id,
        transactionId=request.transaction_id,
        meterValue=[to_meter_value(value) for value in request.meter_values],
    )


def _stop_call(request: messages.StopTransaction) -> dict[str, Any]:
    return payload_of(
        transactionId=request.transaction_id,
        meterStop=request.meter_stop_wh,
        timestamp=to_timestamp(request.at),
        reason=request.reason.value,
        idTag=request.id_tag,
        transactionData=[to_meter_value(value) for value in request.transaction_data] or None,
    )


def _stop_answer(payload: Payload) -> messages.StopTransactionAnswer:
    id_tag_info = payload.get("idTagInfo")
    return messages.StopTransactionAnswer(
        id_tag_status=None if id_tag_info is None else to_id_tag_status(id_tag_info)
    )


def _data_transfer_call(request: messages.DataTransfer) -> dict[str, Any]:
    return payload_of(vendorId=request.vendor_id, messageId=request.message_id, data=request.data)


def _data_transfer_answer(payload: Payload) -> messages.DataTransferAnswer:
    return messages.DataTransferAnswer(
        status=messages.DataTransferStatus(payload["status"]), data=payload.get("data")
    )


OUTGOING: Final[Mapping[type[Any], OutgoingAction[Any]]] = {
    messages.BootNotification: OutgoingAction(
        action=Action.BOOT_NOTIFICATION, to_call=_boot_call, to_answer=_boot_answer
    ),
    messages.Heartbeat: OutgoingAction(
        action=Action.HEARTBEAT,
        to_call=lambda _request: payload_of(),
        to_answer=_heartbeat_answer,
    ),
    messages.StatusNotification: OutgoingAction(
        action=Action.STATUS_NOTIFICATION, to_call=_status_call, to_answer=empty_answer
    ),
    messages.Authorize: OutgoingAction(
        action=Action.AUTHORIZE,
        to_call=lambda request: payload_of(idTag=request.id_tag),
        to_answer=_authorize_answer,
    ),
    messages.StartTransaction: OutgoingAction(
        action=Action.START_TRANSACTION,
        to_call=_start_call,
        to_answer=_start_answer,
        salvage=_salvaged_start,
    ),
    messages.MeterValues: OutgoingAction(
        action=Action.METER_VALUES, to_call=_meter_values_call, to_answer=empty_answer
    ),
    messages.StopTransaction: OutgoingAction(
        action=Action.STOP_TRANSACTION, to_call=_stop_call, to_answer=_stop_answer
    ),
    messages.DataTransfer: OutgoingAction(
        action=Action.DATA_TRANSFER,
        to_call=_data_transfer_call,
        to_answer=_data_transfer_answer,
    ),
}
