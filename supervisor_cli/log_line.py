"""A line of a charge point's log, and its parts. Pure."""

import re
from dataclasses import dataclass
from typing import Final

_PARTS: Final = re.compile(
    r"(?P<at>\S+Z) (?P<level>[A-Z]+) (?P<id>\S+) (?P<logger>[\w.]+): (?P<text>.*)", re.DOTALL
)
"""As `cp_image.__main__` writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of a charge point's log.

    Attributes:
        at: when the engine took it, RFC 3339 with nanoseconds: they order lines of one container.
        text: the line itself.
    """

    charge_point_id: str
    at: str
    text: str

    def said_at(self) -> str:
        """Return when the charge point said it, as far as milliseconds tell, RFC 3339."""
        own = _PARTS.fullmatch(self.text)
        return own["at"] if own is not None else f"{self.at[:23]}Z"

    def fields(self) -> dict[str, str]:
        """Return what a program gets: the parts of the line, where it has the usual ones."""
        found = _PARTS.fullmatch(self.text)
        parts = found.groupdict() if found is not None else {"at": self.at, "text": self.text}
        return {**parts, "id": self.charge_point_id}


def split(charge_point_id: str, content: bytes) -> list[LogLine]:
    """Return the lines of what the engine gives with its timestamps in front."""
    told = content.decode(errors="replace").split("\n")
    parted = (line.partition(" ") for line in told if line)
    return [
        LogLine(charge_point_id=charge_point_id, at=at, text=text.rstrip("\r"))
        for at, _, text in parted
    ]
