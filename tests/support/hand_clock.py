"""The computer's clock in a test."""


class HandClock:
    """A wall clock that a test moves by hand, and that runs at the real rate.

    Attributes:
        at: what it shows, in epoch seconds.
    """

    def __init__(self, at: float = 1000.0) -> None:
        self.at = at

    def now(self) -> float:
        """Return what it shows."""
        return self.at

    def real_s(self, seconds: float) -> float:
        """Return how long some of its seconds are."""
        return seconds

    def wall_at(self, instant: float) -> float:
        """Return what the computer's clock shows at an instant."""
        return instant
