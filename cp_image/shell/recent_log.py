"""The newest log lines, for a diagnostics file."""

import logging
from collections import deque
from datetime import UTC, datetime
from typing import Final

from cp_image.shell.clock import Clock

_MAX_LINES: Final = 500
_MAX_CHARACTERS: Final = 500


class RecentLog(logging.Handler):
    """Remembers the newest lines, never those below INFO: there whole frames are logged.

    At most 500 lines of 500 characters: a quarter of a megabyte when all are as long as they can
    be, some 50 KiB in practice.

    Args:
        clock: tells the time of each line; the station's, once there is one.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(logging.INFO)
        self.clock = clock
        self._lines: deque[tuple[float, str]] = deque(maxlen=_MAX_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a line."""
        try:
            text = record.getMessage()[:_MAX_CHARACTERS]
        except Exception:  # noqa: BLE001 - as every logging handler does
            self.handleError(record)
            return
        at = self.clock.now()
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        line = f"{moment} {record.levelname} {record.name}: {text}"
        self._lines.append((at, " | ".join(line.splitlines())))

    def lines(self, begins_at: float | None, ends_at: float | None) -> list[str]:
        """Return the lines of a time, in epoch seconds; None is unlimited."""
        return [
            line
            for at, line in self._lines
            if (begins_at is None or at >= begins_at) and (ends_at is None or at <= ends_at)
        ]
