"""Registration with the CSMS: OCPP 1.6 §4.2."""

from collections.abc import Callable
from random import Random
from typing import Final

from cp_image.core.messages import BootAnswer, RegistrationStatus

OWN_RETRY_S: Final = 30.0
"""Real seconds between two BootNotifications where the CSMS names no interval or does not
answer."""

OWN_JITTER_S: Final = 15.0
"""Real seconds by which that may be longer: a CSMS that comes up again is not to be met by a whole
fleet at once."""

SHORTEST_RETRY_S: Final = 1.0
"""Real seconds; a fast clock would make a flood of a short interval."""


class Registration:
    """Whether the CSMS has accepted the charge point, and when to ask again.

    Args:
        real_s: turns real seconds into those of the station's clock.
        random: makes the delays of a fleet different.

    Attributes:
        status: the last answer; None before the first one.
        retry_at: when to send the next BootNotification; None while one is under way, and once
            accepted.
    """

    __slots__ = ("_random", "_real_s", "retry_at", "status")

    def __init__(self, real_s: Callable[[float], float], random: Random) -> None:
        self._real_s = real_s
        self._random = random
        self.status: RegistrationStatus | None = None
        self.retry_at: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether the charge point is registered."""
        return self.status is RegistrationStatus.ACCEPTED

    def due(self, now: float) -> bool:
        """Return whether a BootNotification is to be sent now."""
        return self.retry_at is not None and now >= self.retry_at

    def connected(self, now: float) -> None:
        """Ask, but not sooner than the CSMS wanted."""
        if not self.accepted and self.retry_at is None:
            self.retry_at = now

    def asked(self) -> None:
        """A BootNotification is under way."""
        self.retry_at = None

    def answered(self, answer: BootAnswer, now: float) -> float:
        """Take an answer; returns the seconds until the next BootNotification."""
        self.status = answer.status
        # Interval 0 leaves the delay to the charge point, which must not flood.
        wait_s = float(answer.interval_s) if answer.interval_s > 0 else self._own_wait_s()
        wait_s = max(self._real_s(SHORTEST_RETRY_S), wait_s)
        self.retry_at = None if self.accepted else now + wait_s
        return wait_s

    def failed(self, now: float) -> float:
        """The CSMS gave no usable answer; returns the seconds until the next attempt."""
        wait_s = self._own_wait_s()
        self.retry_at = now + wait_s
        return wait_s

    def _own_wait_s(self) -> float:
        return self._real_s(OWN_RETRY_S + self._random.uniform(0.0, OWN_JITTER_S))
