"""The only clock of a charge point: the computer's, or a simulated one that runs faster."""

import time
from typing import Final, Protocol

import msgspec

from cp_image.api.value import Value
from cp_image.core.effects import Persist
from cp_image.shell.store import Store

ORIGIN_KEY: Final = "simulated-clock"


class Clock(Protocol):
    """Tells the instant that goes into the core."""

    def now(self) -> float:
        """Return epoch seconds; they never run backwards."""

    def real_s(self, seconds: float) -> float:
        """Return how long `seconds` of this clock last for the world outside."""

    def wall_at(self, instant: float) -> float:
        """Return when, by the computer's clock, this one showed `instant`; epoch seconds."""


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

    def real_s(self, seconds: float) -> float:
        """Return the same: it is the world's clock."""
        return seconds

    def wall_at(self, instant: float) -> float:
        """Return the same: it is the world's clock."""
        return instant


class Origin(Value):
    """The instant at which a simulated clock and the wall's met, both epoch seconds."""

    wall_at: float
    simulated_at: float


class SimulatedClock:
    """Runs `rate` times as fast as the wall's clock from an origin on, also without power."""

    def __init__(self, wall: Clock, origin: Origin, rate: float) -> None:
        self._wall = wall
        self._origin = origin
        self._rate = rate

    def now(self) -> float:
        """Return simulated epoch seconds."""
        elapsed_s = self._wall.now() - self._origin.wall_at
        return self._origin.simulated_at + max(0.0, elapsed_s) * self._rate

    def real_s(self, seconds: float) -> float:
        """Return how long simulated seconds last."""
        return seconds / self._rate

    def wall_at(self, instant: float) -> float:
        """Return when this clock showed `instant`."""
        return self._origin.wall_at + self.real_s(instant - self._origin.simulated_at)


def make_clock(store: Store, *, rate: float, start_at: float | None) -> Clock:
    """Return the clock that is asked for.

    A simulated one begins once, with the life of the charge point: where it began is stored, so
    that a power cut does not set it back.

    Args:
        store: keeps the origin.
        rate: simulated seconds per second.
        start_at: simulated epoch seconds to begin with; None is now.
    """
    wall = WallClock()
    if rate == 1.0 and start_at is None:
        return wall
    stored = store.load().get(ORIGIN_KEY)
    if stored is not None:
        origin = msgspec.json.decode(stored, type=Origin)
    else:
        begun_at = wall.now()
        origin = Origin(wall_at=begun_at, simulated_at=begun_at if start_at is None else start_at)
        store.commit([Persist(key=ORIGIN_KEY, value=msgspec.json.encode(origin))])
    return SimulatedClock(wall, origin, rate)
