"""The station's own clock: the computer's, corrected by what the CSMS says."""

from collections.abc import Callable, Mapping
from typing import Final

from cp_image.core.outbox import Outbox

_KEY: Final = "clock"
_TOLERANCE_S: Final = 1.0
"""The CSMS often says whole seconds: following each would make timestamps jump to and fro."""


class StationClock:
    """Turns the computer's instants into station time. Like a real one it survives a power cut."""

    __slots__ = ("_follows_csms", "_offset_s", "_outbox", "_tell")

    def __init__(
        self, stored: Mapping[str, bytes], outbox: Outbox, *, follows_csms: bool = True
    ) -> None:
        self._outbox = outbox
        self._follows_csms = follows_csms
        self._tell: Callable[[float, float], None] | None = None
        self._offset_s = outbox.recall(stored, _KEY, float) or 0.0

    def at(self, now: float) -> float:
        """Return station time, epoch seconds."""
        return now + self._offset_s

    def instant(self, at: float) -> float:
        """Return the computer's instant of a station time: what `now` will be then."""
        return at - self._offset_s

    def on_set(self, tell: Callable[[float, float], None]) -> None:
        """Call `tell` with by how many seconds and `now`, each time the CSMS sets the clock."""
        self._tell = tell

    def set(self, csms_at: float, now: float) -> None:
        """Take over the CSMS's time (OCPP 1.6 §4.2, §4.6)."""
        if not self._follows_csms:
            return  # a simulated clock goes its own way
        by_s = csms_at - self.at(now)
        if abs(by_s) > _TOLERANCE_S:
            self._offset_s = csms_at - now
            self._outbox.keep(_KEY, self._offset_s)
            if self._tell is not None:
                self._tell(by_s, now)
