"""For how long the broker has been away. Pure."""


class Connection:
    """Whether what is shown is told by a broker that is there."""

    def __init__(self) -> None:
        self._down_since: float | None = None

    def down_s(self, now: float) -> float:
        """Return for how long it has been away; 0 while it is there."""
        return 0.0 if self._down_since is None else now - self._down_since

    def as_of(self, now: float) -> float:
        """Return the moment of which what is shown is true: while it is away, when it went."""
        return now if self._down_since is None else self._down_since

    def heed(self, *, is_down: bool, is_stale: bool, now: float) -> str:
        """Take note of how it is; return what is to be told of it, mostly nothing."""
        if is_down:
            self._down_since = now if self._down_since is None else self._down_since
        elif self._down_since is not None and not is_stale:
            text = f"the broker is back after {self.down_s(now):.0f} s"
            self._down_since = None
            return text
        return ""
