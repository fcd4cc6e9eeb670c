"""The RemoteTrigger profile of OCPP 1.6: §5.17."""

from collections.abc import Mapping
from typing import Any, Final

from ocpp.v16 import call_result, enums

from cp_image.core import csms_messages
from cp_image.dialects.ocpp16.conversions import to_count
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult


def _trigger_message(payload: Payload) -> csms_messages.TriggerMessage:
    connector_id = payload.get("connectorId")
    return csms_messages.TriggerMessage(
        requested=csms_messages.MessageTrigger(payload["requestedMessage"]),
        connector_id=None if connector_id is None else to_count("connectorId", connector_id),
    )


INCOMING: Final[Mapping[enums.Action, ToRequest]] = {
    enums.Action.trigger_message: _trigger_message,
}

ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    csms_messages.TriggerMessageAnswer: lambda answer: call_result.TriggerMessage(
        status=enums.TriggerMessageStatus(answer.status.value)
    ),
}
