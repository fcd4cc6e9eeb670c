"""What was drawn over the last minutes, kept by its changes. Pure."""

from collections import deque
from typing import Final

from supervisor_cli.dashboard.roster import Place

_MOST_CHANGES: Final = 200
_LEAST_STEP_S: Final = 2.0
"""Changes that follow each other faster count as one, so that they reach back far enough."""
_BARS: Final = " ▁▂▃▄▅▆▇█"


class PowerHistory:
    """The power of each connector as it was heard; nothing is recorded while nothing changes."""

    def __init__(self) -> None:
        self._changes: dict[Place, deque[tuple[float, float]]] = {}

    def record(self, place: Place, at: float, power_w: float) -> None:
        """Note the power from `at` on, epoch seconds."""
        changes = self._changes.get(place)
        if changes is None:
            if power_w <= 0:
                return  # never charged: nothing to remember
            changes = self._changes[place] = deque([(at, 0.0)], maxlen=_MOST_CHANGES)
        if changes[-1][1] == power_w:
            return
        if at - changes[-1][0] < _LEAST_STEP_S:
            changes[-1] = (changes[-1][0], power_w)
        else:
            changes.append((at, power_w))

    def is_within(self, place: Place, now: float, past_s: float) -> bool:
        """Whether it drew anything within that time."""
        changes = self._changes.get(place)
        return changes is not None and (changes[-1][1] > 0 or now - changes[-1][0] <= past_s)

    def forget(self, charge_point_id: str) -> None:
        """Forget a charge point that is gone."""
        for place in [each for each in self._changes if each.charge_point_id == charge_point_id]:
            del self._changes[place]

    def samples(self, place: Place, now: float, *, number: int, every_s: float) -> list[float]:
        """Return the power, W, at `number` moments up to `now`, `every_s` apart."""
        changes = list(self._changes.get(place, ()))
        found = []
        for step in range(number):
            at = now - (number - 1 - step) * every_s
            while len(changes) > 1 and changes[1][0] <= at:
                changes.pop(0)
            found.append(changes[0][1] if changes and changes[0][0] <= at else 0.0)
        return found


def sparkline(samples: list[float]) -> str:
    """Return a bar of block characters for each sample; the highest one is full."""
    top = max(samples, default=0.0)
    if top <= 0:
        return "▁" * len(samples)
    last = len(_BARS) - 1
    return "".join(_BARS[max(1, round(each / top * last))] for each in samples)
