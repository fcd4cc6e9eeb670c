"""Reset: OCPP 1.6 §5.14. The transactions are stopped, then the charge point reboots."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cp_image.api.payloads import StopReason
from cp_image.core import csms_messages
from cp_image.core.connector import Connector
from cp_image.core.csms_messages import AcceptanceStatus, ResetAnswer
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import Reboot
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue
from cp_image.core.sessions import Sessions

PATIENCE_S: Final = 60.0
"""How many real seconds a soft reset waits for the CSMS to take the StopTransactions; the rest is
said after the reboot."""


class Resets:
    """Reboots: at once, or in peace.

    Args:
        patience_s: how long a soft reset waits for the CSMS, by the station's clock.
    """

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        sessions: Sessions,
        queue: RequestQueue,
        outbox: Outbox,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._patience_s = patience_s
        self._connectors = connectors
        self._sessions = sessions
        self._queue = queue
        self._outbox = outbox
        self._reason = ""
        self._reboot_at: float | None = None
        self._rebooted = False

    @property
    def under_way(self) -> bool:
        """Whether the charge point is about to reboot, and begins nothing new."""
        return self._reboot_at is not None

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what it answers."""
        return {csms_messages.Reset: self._reset}

    def soft(self, reason: str, now: float) -> None:
        """Stop the transactions, tell the CSMS, then reboot; `reason` is for people."""
        self._stop_all(StopReason.SOFT_RESET, now)
        if self._reboot_at is None:
            self._reason = reason
            self._reboot_at = now + self._patience_s

    def hard(self, reason: str, now: float) -> None:
        """Stop the transactions and reboot; the CSMS is told of them afterwards."""
        self._stop_all(StopReason.HARD_RESET, now)
        self._reason = reason
        self._reboot_at = now

    def settle(self, now: float) -> bool:
        """Reboot if it is time; returns whether it was."""
        if self._reboot_at is None or self._rebooted:
            return False
        if now < self._reboot_at and self._queue.delivering:
            return False
        self._rebooted = True
        self._outbox.put(Reboot(reason=self._reason))
        return True

    def next_deadline(self) -> float | None:
        """Return when patience ends; None when nothing is under way."""
        return self._reboot_at

    def _reset(self, request: csms_messages.Reset, _now: float) -> Reply:
        reset = self.hard if request.hard else self.soft
        kind = "hard" if request.hard else "soft"
        return Reply(
            answer=ResetAnswer(status=AcceptanceStatus.ACCEPTED),
            then=lambda now: reset(f"{kind} reset by the CSMS", now),
        )

    def _stop_all(self, reason: StopReason, now: float) -> None:
        for connector in self._connectors:
            connector.checking = None
            if connector.authorization is not None:
                self._sessions.withdraw(connector, now)
            if connector.transaction is not None:
                self._sessions.stop(connector, reason, now)
