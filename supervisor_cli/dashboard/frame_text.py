"""An OCPP frame as a line, and as JSON. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from rich.text import Text

from cp_image.api.payloads import FrameDirection
from supervisor_cli.frame_line import gist
from supervisor_cli.frame_stream import TracedFrame
from supervisor_cli.terminal import printable

_STATUS_STYLES: Final = {"Accepted": "green", "Rejected": "yellow", "Invalid": "yellow"}


def frame_line(traced: TracedFrame, *, with_id: bool) -> Text:
    """Return a frame on one line.

    Args:
        traced: the frame.
        with_id: whether to say whose it is.
    """
    frame = traced.frame
    at = datetime.fromtimestamp(frame.at, UTC).astimezone()
    sent = frame.direction is FrameDirection.SENT
    line = Text.assemble(
        (f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} ", "dim"),
        (f"{printable(traced.charge_point_id)} ", "bold") if with_id else "",
        ("→ " if sent else "← ", "cyan" if sent else "magenta"),
    )
    match frame.message:
        case [2, _, _, dict() as payload]:
            line.append(printable(frame.action), "bold")
            line.append(f" {printable(gist(frame.action, payload))}")
        case [3, _, dict() as payload]:
            line.append(f"{printable(frame.action)} ", "dim")
            line.append_text(_answer(payload))
        case [4, _, code, description, *_]:
            line.append(f"{printable(frame.action)} failed ", "red")
            line.append(printable(f"{code}: {description}"), "red")
        case other:
            line.append(printable(other if isinstance(other, str) else _json(other)), "yellow")
    if frame.length is not None:
        line.append(f" … {frame.length} characters in all", "dim")
    return line


def frame_json(traced: TracedFrame) -> str:
    """Return a frame as indented JSON, or as it was where it is none."""
    message = traced.frame.message
    if isinstance(message, str):
        return message
    return msgspec.json.format(msgspec.json.encode(message), indent=2).decode()


def _answer(payload: Mapping[str, Any]) -> Text:
    text = printable(gist("", payload))
    status = payload.get("status") or _nested_status(payload)
    return Text(text or "answered", _STATUS_STYLES.get(str(status), ""))


def _nested_status(payload: Mapping[str, Any]) -> object:
    tag = payload.get("idTagInfo")
    return tag.get("status") if isinstance(tag, dict) else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
