"""Messages the CSMS asks for: ExtendedTriggerMessage of the Security Whitepaper."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from cp_image.core.csms_messages import MessageTrigger, TriggerMessage, TriggerMessageAnswer
from cp_image.core.desk import Handler, Reply
from cp_image.core.security_messages import (
    ExtendedTrigger,
    ExtendedTriggerMessage,
    ExtendedTriggerMessageAnswer,
    ExtendedTriggerStatus,
)

_PLAIN: Final[Mapping[ExtendedTrigger, MessageTrigger]] = MappingProxyType(
    {
        ExtendedTrigger.BOOT_NOTIFICATION: MessageTrigger.BOOT_NOTIFICATION,
        ExtendedTrigger.HEARTBEAT: MessageTrigger.HEARTBEAT,
        ExtendedTrigger.METER_VALUES: MessageTrigger.METER_VALUES,
        ExtendedTrigger.STATUS_NOTIFICATION: MessageTrigger.STATUS_NOTIFICATION,
    }
)
"""What TriggerMessage triggers as well."""


class ExtendedTriggers:
    """Sends what the CSMS wants to hear, after the answer.

    Args:
        plain: what answers TriggerMessage.
        senders: send what TriggerMessage knows nothing of.
    """

    def __init__(
        self, *, plain: Handler, senders: Mapping[ExtendedTrigger, Callable[[float], None]]
    ) -> None:
        self._plain = plain
        self._senders = senders

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what answers the CSMS."""
        return {ExtendedTriggerMessage: self._trigger}

    def _trigger(self, request: ExtendedTriggerMessage, now: float) -> Reply:
        sender = self._senders.get(request.requested)
        if sender is not None:
            return _reply(ExtendedTriggerStatus.ACCEPTED, sender)
        plain = self._plain(
            TriggerMessage(requested=_PLAIN[request.requested], connector_id=request.connector_id),
            now,
        )
        if not isinstance(plain.answer, TriggerMessageAnswer):
            raise TypeError(f"TriggerMessage is answered with {type(plain.answer).__name__}")
        return _reply(ExtendedTriggerStatus(plain.answer.status.value), plain.then)


def _reply(status: ExtendedTriggerStatus, then: Callable[[float], None] | None) -> Reply:
    return Reply(answer=ExtendedTriggerMessageAnswer(status=status), then=then)
