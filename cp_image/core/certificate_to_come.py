"""A certificate that was taken before it is valid: it is used from then on (Whitepaper A02)."""

from collections.abc import Callable, Mapping
from typing import Final

from cp_image.api.value import Value
from cp_image.core.effects import ForgetKey
from cp_image.core.identity import Identity
from cp_image.core.outbox import Outbox
from cp_image.core.station_clock import StationClock

_KEY: Final = "security/certificate-to-come"


class _Kept(Value):
    identity: Identity
    begins_at: float


class CertificateToCome:
    """Keeps one certificate until it is valid; until then the present one stays in use.

    Args:
        use: called with the certificate and `now` when its time has come.
    """

    def __init__(
        self,
        *,
        stored: Mapping[str, bytes],
        clock: StationClock,
        outbox: Outbox,
        use: Callable[[Identity, float], None],
    ) -> None:
        self._clock = clock
        self._outbox = outbox
        self._use = use
        self._kept = outbox.recall(stored, _KEY, _Kept)

    @property
    def is_awaited(self) -> bool:
        """Whether there is one."""
        return self._kept is not None

    def take(self, identity: Identity, begins_at: float, now: float) -> None:
        """Use a certificate as soon as it is valid, instead of one that was to come."""
        if self._kept is not None:
            self._outbox.put(ForgetKey(number=self._kept.identity.number))
        self._kept = _Kept(identity=identity, begins_at=begins_at)
        self._outbox.keep(_KEY, self._kept)
        self.tick(now)

    def tick(self, now: float) -> None:
        """Use it when it is time."""
        kept = self._kept
        if kept is not None and self._clock.at(now) >= kept.begins_at:
            self._kept = None
            self._outbox.forget(_KEY)
            self._use(kept.identity, now)

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do; None when it has not."""
        return None if self._kept is None else self._clock.instant(self._kept.begins_at)
