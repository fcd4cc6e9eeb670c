"""What is done about a charge point that crashes. Pure."""

from dataclasses import dataclass, field
from typing import Final

from launcher.api import OnCrash

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
STEADY_S: Final = 60.0
"""Who has lived for so long begins anew: its next crash is its first."""
MOST_CRASHES: Final = 6
"""So many in a row are a crash loop, unless the launcher is told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashes:
    """The crashes of a charge point in a row.

    Attributes:
        times: when they were, oldest first; on any clock that does not jump.
        wait_s: how long the restart after the last one waits; None where there is none.
    """

    times: tuple[float, ...] = field(default=())
    wait_s: float | None = None

    @property
    def in_a_row(self) -> int:
        """How many."""
        return len(self.times)


def crash(
    before: Crashes, policy: OnCrash, *, lived_s: float, now: float, most: int = MOST_CRASHES
) -> Crashes:
    """Return the crashes with one more.

    Args:
        before: as they were.
        policy: of the charge point.
        lived_s: how long the process lived.
        now: seconds on any clock that does not jump.
        most: so many in a row are a crash loop: starting it again has proved to be of no use.
    """
    times = () if lived_s >= STEADY_S else before.times
    after = Crashes(times=(*times, now))
    if policy is OnCrash.REPORT or after.in_a_row >= most:
        return after
    wait_s = min(FIRST_WAIT_S * 2 ** (after.in_a_row - 1), LONGEST_WAIT_S)
    return Crashes(times=after.times, wait_s=wait_s)
