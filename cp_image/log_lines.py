"""What a line of the charge point's log looks like: for people, or for programs."""

import logging
import time
from enum import StrEnum

import msgspec


class LogFormat(StrEnum):
    """How the log is written."""

    TEXT = "text"
    JSON = "json"
    """an object on each line: at, level, charge_point_id, logger, message; exception after one"""


def formatter(kind: LogFormat, charge_point_id: str) -> logging.Formatter:
    """Return what writes the lines of a charge point's log."""
    return JsonLine(charge_point_id) if kind is LogFormat.JSON else OneLine(charge_point_id)


class OneLine(logging.Formatter):
    """One line per event, a traceback included: container logs are read line by line."""

    def __init__(self, charge_point_id: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {charge_point_id} %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002 - logging's own
        """Return the record's time as RFC 3339, UTC."""
        return _instant(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        return " | ".join(super().format(record).splitlines())


class JsonLine(logging.Formatter):
    """One JSON object per event."""

    def __init__(self, charge_point_id: str) -> None:
        super().__init__()
        self._charge_point_id = charge_point_id

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line = {
            "at": _instant(record),
            "level": record.levelname.lower(),
            "charge_point_id": self._charge_point_id,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # What a peer says may be no text that UTF-8 knows.
        text = {key: value.encode(errors="replace").decode() for key, value in line.items()}
        return msgspec.json.encode(text).decode()


def _instant(record: logging.LogRecord) -> str:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{moment}.{int(record.msecs):03d}Z"
