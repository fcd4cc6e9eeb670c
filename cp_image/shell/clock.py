"""The only clock of a charge point."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the instant that goes into the core."""

    def now(self) -> float:
        """Return epoch seconds; they never run backwards."""


class WallClock:
    """The computer's time when it was made, counted on evenly from there.

    A computer whose time is set back would otherwise stretch every deadline by as much. The clock
    goes on while the computer sleeps.
    """

    def __init__(self) -> None:
        self._offset_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)

    def now(self) -> float:
        """Return epoch seconds."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) + self._offset_s
