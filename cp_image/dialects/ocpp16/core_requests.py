"""The Core profile of OCPP 1.6: what the CSMS asks of the charge point (§5)."""

from collections.abc import Mapping
from typing import Any, Final

from cp_image.core import csms_messages, messages
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.charging_profile import to_charging_profile
from cp_image.dialects.ocpp16.conversions import payload_of, to_count, to_id_tag, to_integer
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult


def _change_availability(payload: Payload) -> csms_messages.ChangeAvailability:
    return csms_messages.ChangeAvailability(
        connector_id=to_count("connectorId", payload["connectorId"]),
        operative=payload["type"] == "Operative",
    )


def _change_configuration(payload: Payload) -> csms_messages.ChangeConfiguration:
    return csms_messages.ChangeConfiguration(key=payload["key"], value=payload["value"])


def _data_transfer(payload: Payload) -> messages.DataTransfer:
    return messages.DataTransfer(
        vendor_id=payload["vendorId"],
        message_id=payload.get("messageId"),
        data=payload.get("data"),
    )


def _get_configuration(payload: Payload) -> csms_messages.GetConfiguration:
    """Return the keys that are asked for, each once.

    Nothing forbids to name a key twice; it is answered once. Keys are CiStrings (OCPP 1.6 §5.8):
    spellings that differ in case alone name the same key.
    """
    asked: dict[str, str] = {}
    for key in payload.get("key", ()):
        asked.setdefault(key.casefold(), key)
    return csms_messages.GetConfiguration(keys=tuple(asked.values()))


def _remote_start(payload: Payload) -> csms_messages.RemoteStartTransaction:
    connector_id = payload.get("connectorId")
    profile = payload.get("chargingProfile")
    return csms_messages.RemoteStartTransaction(
        id_tag=to_id_tag("idTag", payload["idTag"]),
        connector_id=None if connector_id is None else to_count("connectorId", connector_id),
        charging_profile=(
            None if profile is None else to_charging_profile("chargingProfile", profile)
        ),
    )


def _remote_stop(payload: Payload) -> csms_messages.RemoteStopTransaction:
    transaction_id = to_integer("transactionId", payload["transactionId"])
    return csms_messages.RemoteStopTransaction(transaction_id=transaction_id)


def _unlock_connector(payload: Payload) -> csms_messages.UnlockConnector:
    connector_id = to_count("connectorId", payload["connectorId"])
    return csms_messages.UnlockConnector(connector_id=connector_id)


INCOMING: Final[Mapping[Action, ToRequest]] = {
    Action.CHANGE_AVAILABILITY: _change_availability,
    Action.CHANGE_CONFIGURATION: _change_configuration,
    Action.CLEAR_CACHE: lambda _payload: csms_messages.ClearCache(),
    Action.DATA_TRANSFER: _data_transfer,
    Action.GET_CONFIGURATION: _get_configuration,
    Action.REMOTE_START_TRANSACTION: _remote_start,
    Action.REMOTE_STOP_TRANSACTION: _remote_stop,
    Action.RESET: lambda payload: csms_messages.Reset(hard=payload["type"] == "Hard"),
    Action.UNLOCK_CONNECTOR: _unlock_connector,
}


def _get_configuration_result(
    answer: csms_messages.GetConfigurationAnswer,
) -> dict[str, Any]:
    keys = [
        payload_of(key=item.key, readonly=item.read_only, value=item.value) for item in answer.keys
    ]
    return payload_of(configurationKey=keys or None, unknownKey=list(answer.unknown_keys) or None)


ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    csms_messages.ChangeAvailabilityAnswer: lambda answer: payload_of(status=answer.status.value),
    csms_messages.ChangeConfigurationAnswer: lambda answer: payload_of(status=answer.status.value),
    csms_messages.ClearCacheAnswer: lambda answer: payload_of(status=answer.status.value),
    messages.DataTransferAnswer: lambda answer: payload_of(
        status=answer.status.value, data=answer.data
    ),
    csms_messages.GetConfigurationAnswer: _get_configuration_result,
    csms_messages.RemoteStartTransactionAnswer: lambda answer: payload_of(
        status=answer.status.value
    ),
    csms_messages.RemoteStopTransactionAnswer: lambda answer: payload_of(
        status=answer.status.value
    ),
    csms_messages.ResetAnswer: lambda answer: payload_of(status=answer.status.value),
    csms_messages.UnlockConnectorAnswer: lambda answer: payload_of(status=answer.status.value),
}
