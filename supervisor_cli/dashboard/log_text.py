"""A line of a log as the dashboard shows it: short, as the pane's title says whose it is. Pure."""

from datetime import datetime
from typing import Final

from rich.text import Text

from supervisor_cli.log_line import LogLine
from supervisor_cli.terminal import printable

_STYLES: Final = {
    "WARNING": "yellow",
    "ERROR": "red",
    "CRITICAL": "bold red",
    "DEBUG": "dim",
}
_USUAL: Final = "INFO"


def log_text(line: LogLine) -> Text:
    """Return a line with its time of day, its level where that is not the usual one, its text."""
    fields = line.fields()
    level = fields.get("level", _USUAL)
    style = _STYLES.get(level, "")
    at = _time_of_day(line.said_at())
    words = "" if level == _USUAL else f"{level} "
    return Text.assemble((at, "dim"), (f"{words}{printable(fields['text'])}", style))


def _time_of_day(at: str) -> str:
    try:
        moment = datetime.fromisoformat(at).astimezone()
    except ValueError:
        return ""
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d} "
