"""Messages the CSMS asks for: OCPP 1.6 §5.17 TriggerMessage."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cp_image.core.connector import Connector
from cp_image.core.csms_messages import (
    MessageTrigger,
    TriggerMessage,
    TriggerMessageAnswer,
    TriggerMessageStatus,
)
from cp_image.core.csms_relation import CsmsRelation
from cp_image.core.desk import Handler, Reply
from cp_image.core.messages import (
    DiagnosticsStatus,
    DiagnosticsStatusNotification,
    FirmwareStatus,
    FirmwareStatusNotification,
)
from cp_image.core.meter_reader import MeterReader
from cp_image.core.request_queue import RequestQueue
from cp_image.core.status_board import StatusBoard

_OF_FIRMWARE_MANAGEMENT: Final = frozenset(
    {MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION, MessageTrigger.FIRMWARE_STATUS_NOTIFICATION}
)


class RemoteTrigger:
    """Sends what the CSMS wants to hear, after the answer; while Pending, too (§4.2).

    Args:
        firmware_status: how the firmware update stands; `diagnostics_status` likewise.
        has_firmware_management: whether it can say either.
    """

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        csms: CsmsRelation,
        board: StatusBoard,
        meters: MeterReader,
        queue: RequestQueue,
        firmware_status: Callable[[], FirmwareStatus],
        diagnostics_status: Callable[[], DiagnosticsStatus],
        has_firmware_management: bool = True,
    ) -> None:
        self._has_firmware_management = has_firmware_management
        self._connectors = connectors
        self._csms = csms
        self._board = board
        self._meters = meters
        self._queue = queue
        self._firmware_status = firmware_status
        self._diagnostics_status = diagnostics_status

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what it answers."""
        return {TriggerMessage: self._trigger}

    def _trigger(self, request: TriggerMessage, _now: float) -> Reply:
        if request.requested in _OF_FIRMWARE_MANAGEMENT and not self._has_firmware_management:
            return Reply(answer=TriggerMessageAnswer(status=TriggerMessageStatus.NOT_IMPLEMENTED))
        send = self._sender(request.requested, request.connector_id)
        if send is None:
            return Reply(answer=TriggerMessageAnswer(status=TriggerMessageStatus.REJECTED))
        return Reply(answer=TriggerMessageAnswer(status=TriggerMessageStatus.ACCEPTED), then=send)

    def _sender(
        self, requested: MessageTrigger, connector_id: int | None
    ) -> Callable[[float], None] | None:
        """Return what sends the message; None where it cannot be sent."""
        match requested:
            case MessageTrigger.BOOT_NOTIFICATION:
                return lambda _now: self._csms.boot_now()
            case MessageTrigger.HEARTBEAT:
                return lambda _now: self._csms.heartbeat_now()
            case MessageTrigger.FIRMWARE_STATUS_NOTIFICATION:
                return self._send_firmware_status
            case MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION:
                return self._send_diagnostics_status
            case MessageTrigger.STATUS_NOTIFICATION:
                return self._status_sender(connector_id)
            case MessageTrigger.METER_VALUES:
                return self._meter_sender(connector_id)

    def _send_firmware_status(self, _now: float) -> None:
        status = self._firmware_status()
        self._queue.push(FirmwareStatusNotification(status=status), triggered=True)

    def _send_diagnostics_status(self, _now: float) -> None:
        status = self._diagnostics_status()
        self._queue.push(DiagnosticsStatusNotification(status=status), triggered=True)

    def _status_sender(self, connector_id: int | None) -> Callable[[float], None] | None:
        # §5.17: without a connector it is about all of them, the charge point itself included.
        known = range(len(self._connectors) + 1)
        wanted = known if connector_id is None else [connector_id]
        if any(number not in known for number in wanted):
            return None

        def send(_now: float) -> None:
            for number in wanted:
                self._board.trigger(number)

        return send

    def _meter_sender(self, connector_id: int | None) -> Callable[[float], None] | None:
        # Connector 0 has no meter of its own.
        wanted = [
            connector
            for connector in self._connectors
            if connector_id in {None, connector.connector_id}
        ]
        if not wanted:
            return None

        def send(now: float) -> None:
            for connector in wanted:
                self._meters.trigger(connector, now)

        return send
