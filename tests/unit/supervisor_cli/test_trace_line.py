"""Traced frames as lines for people and objects for programs, and which are wanted."""

import re
from typing import Any

import pytest

from cp_image.api.payloads import Frame, FrameDirection
from supervisor_cli.frame_stream import TracedFrame
from supervisor_cli.trace_line import FrameFilter, json_line, line, message_text


def traced(message: Any, **changes: Any) -> TracedFrame:
    fields: dict[str, Any] = {
        "n": 3,
        "started_at": 1000.0,
        "at": 1769860812.5,
        "direction": FrameDirection.SENT,
        "message": message,
        "action": "Authorize",
        "connection": 1,
    }
    return TracedFrame(charge_point_id="CP-1", frame=Frame(**(fields | changes)))


CALL = traced([2, "a", "Authorize", {"idTag": "TAG1"}], replayed_for="r")
ANSWER = traced([3, "a", {"idTagInfo": {"status": "Accepted"}}], direction=FrameDirection.RECEIVED)
ERROR = traced([4, "a", "GenericError", "no", {}], direction=FrameDirection.RECEIVED)


@pytest.mark.parametrize(
    ("frame", "words", "style"),
    [
        (CALL, "CP-1 → Authorize idTag=TAG1", "cyan"),
        (ANSWER, "CP-1 ← Authorize answered idTagInfo(status=Accepted)", "green"),
        (ERROR, "CP-1 ← Authorize failed GenericError: no", "red"),
        (traced("hello\x1b[2J", action=""), "CP-1 → hello\\x1b[2J", "cyan"),
    ],
)
def test_a_line(frame: TracedFrame, words: str, style: str) -> None:
    text = line(frame)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.500 " + re.escape(words), text.plain)
    arrow = text.plain.index("CP-1") + 5
    assert [span.style for span in text.spans if span.start == arrow] == [style]


def test_an_object() -> None:
    assert json_line(CALL) == {
        "id": "CP-1",
        "n": 3,
        "started_at": 1000.0,
        "at": 1769860812.5,
        "direction": "sent",
        "message": [2, "a", "Authorize", {"idTag": "TAG1"}],
        "action": "Authorize",
        "connection": 1,
    }


@pytest.mark.parametrize(
    ("actions", "grep", "takes"),
    [
        ((), None, True),
        (("authorize",), None, True),
        (("Auth*", "Reset"), None, True),
        (("Reset",), None, False),
        ((), '"idTag":"TAG[0-9]"', True),
        ((), "TAG2", False),
        (("Authorize",), "TAG2", False),
    ],
)
def test_which_are_wanted(actions: tuple[str, ...], grep: str | None, takes: bool) -> None:
    wanted = FrameFilter(actions=actions, text=re.compile(grep) if grep else None)
    assert wanted.takes(CALL) is takes


def test_the_text_of_a_message() -> None:
    assert message_text(CALL) == '[2,"a","Authorize",{"idTag":"TAG1"}]'
    assert message_text(traced("no frame")) == "no frame"
