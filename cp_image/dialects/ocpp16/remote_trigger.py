"""The RemoteTrigger profile of OCPP 1.6: §5.17."""

from collections.abc import Mapping
from typing import Any, Final

from cp_image.core import csms_messages
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.conversions import payload_of, to_count
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult


def _trigger_message(payload: Payload) -> csms_messages.TriggerMessage:
    connector_id = payload.get("connectorId")
    return csms_messages.TriggerMessage(
        requested=csms_messages.MessageTrigger(payload["requestedMessage"]),
        connector_id=None if connector_id is None else to_count("connectorId", connector_id),
    )


INCOMING: Final[Mapping[Action, ToRequest]] = {
    Action.TRIGGER_MESSAGE: _trigger_message,
}

ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    csms_messages.TriggerMessageAnswer: lambda answer: payload_of(status=answer.status.value),
}
