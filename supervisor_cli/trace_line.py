"""A traced frame for people and for programs, and which frames are wanted. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec
from rich.text import Text

from cp_image.api.payloads import FrameDirection
from supervisor_cli.frame_line import Direction, FrameRecord
from supervisor_cli.frame_stream import TracedFrame
from supervisor_cli.ocpp_frames import Error, FrameError, parse

_ARROWS: Final = {
    FrameDirection.SENT: Direction.TO_CSMS,
    FrameDirection.RECEIVED: Direction.TO_CHARGE_POINT,
}
_STYLES: Final = {Direction.TO_CSMS: "cyan", Direction.TO_CHARGE_POINT: "green"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFilter:
    """Which frames are wanted.

    Attributes:
        actions: patterns of the action, in whatever case; none is all. Answers have the action of
            their call.
        text: is to be found in the message, as JSON; None is any.
    """

    actions: Sequence[str] = ()
    text: re.Pattern[str] | None = None

    def takes(self, traced: TracedFrame) -> bool:
        """Whether a frame is wanted."""
        action = traced.frame.action.casefold()
        if self.actions and not any(fnmatchcase(action, each.casefold()) for each in self.actions):
            return False
        return self.text is None or self.text.search(message_text(traced)) is not None


def message_text(traced: TracedFrame) -> str:
    """Return the frame as it was on the wire, but for the blanks."""
    message = traced.frame.message
    return message if isinstance(message, str) else msgspec.json.encode(message).decode()


def record(traced: TracedFrame) -> FrameRecord:
    """Return the frame as the one who writes lines knows it."""
    text = message_text(traced)
    try:
        frame = parse(text)
    except FrameError:
        frame = None
    return FrameRecord(
        at_utc=datetime.fromtimestamp(traced.frame.at, UTC),
        charge_point_id=traced.charge_point_id,
        direction=_ARROWS[traced.frame.direction],
        text=text,
        frame=frame,
        action=traced.frame.action,
    )


def line(traced: TracedFrame) -> Text:
    """Return the line for people: coloured by direction, an error red."""
    known = record(traced)
    text = Text(str(known))
    style = "red" if isinstance(known.frame, Error) else _STYLES[known.direction]
    clock, charge_point_id, arrow, what = (*text.plain.split(" ", 3), "", "")[:4]
    head = len(clock) + 1
    text.stylize("dim", 0, len(clock))
    text.stylize("bold", head, head + len(charge_point_id))
    begins = head + len(charge_point_id) + 1
    ends = begins + len(arrow) + 1 + len(what.partition(" ")[0])
    text.stylize(style, begins, ends)
    return text


def json_line(traced: TracedFrame) -> dict[str, Any]:
    """Return what a program gets of a frame: its payload, and whose it is."""
    fields = msgspec.to_builtins(traced.frame)
    fields.pop("replayed_for", None)
    return {"id": traced.charge_point_id, **fields}
