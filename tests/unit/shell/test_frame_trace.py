"""Frames are told while somebody wants them, counted without a gap, and kept in bounds."""

import json
from typing import Any

import msgspec
import pytest

from cp_image.api.payloads import Frame, FrameDirection
from cp_image.shell.clock import Origin, SimulatedClock
from cp_image.shell.frame_trace import FrameTrace
from tests.support.hand_clock import HandClock
from tests.unit.shell.test_control import BASE, RESULT, Bench

BOOT = '[2,"a","BootNotification",{"chargePointVendor":"V"}]'
BOOTED = '[3,"a",{"status":"Accepted"}]'
FRAMES = f"{BASE}/frames"


class Traced:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.trace = FrameTrace(self.clock)
        self.told: list[Frame] = []
        self.trace.open(self.told.append)
        self.trace.connected()

    @property
    def numbers(self) -> list[int]:
        return [frame.n for frame in self.told]


@pytest.fixture
def traced() -> Traced:
    return Traced()


def test_nothing_is_told_before_it_is_wanted(traced: Traced) -> None:
    traced.trace.sent(BOOT)
    assert traced.told == []


def test_it_is_told_for_as_long_as_it_is_wanted(traced: Traced) -> None:
    traced.trace.want(60.0)
    traced.trace.sent(BOOT)
    traced.clock.at += 59.9
    traced.trace.received(BOOTED)
    traced.clock.at += 0.1
    traced.trace.sent(BOOT)
    assert traced.numbers == [1, 2]


def test_who_wants_it_longest_has_it(traced: Traced) -> None:
    traced.trace.want(60.0)
    traced.trace.want(5.0)
    traced.clock.at += 50
    traced.trace.sent(BOOT)
    assert traced.numbers == [1]


def test_the_time_it_is_wanted_is_real(traced: Traced) -> None:
    wall = HandClock()
    clock = SimulatedClock(wall, Origin(wall_at=1000.0, simulated_at=5000.0), rate=60.0)
    trace = FrameTrace(clock)
    trace.open(traced.told.append)
    trace.want(60.0)
    wall.at += 59
    trace.sent(BOOT)
    (frame,) = traced.told
    assert (frame.at, frame.started_at) == (5000.0 + 59 * 60, 1000.0)
    wall.at += 2
    trace.sent(BOOT)
    assert traced.numbers == [1]


def test_it_can_be_unwanted(traced: Traced) -> None:
    traced.trace.want(60.0)
    traced.trace.unwant()
    traced.trace.sent(BOOT)
    assert traced.told == []


def test_a_frame_and_its_answer(traced: Traced) -> None:
    traced.trace.want(60.0)
    traced.trace.sent(BOOT)
    traced.trace.received(BOOTED)
    call, answer = traced.told
    assert (call.direction, call.action) == (FrameDirection.SENT, "BootNotification")
    assert (answer.direction, answer.action) == (FrameDirection.RECEIVED, "BootNotification")
    assert (answer.connection, answer.replayed_for, answer.length) == (1, None, None)


def test_both_sides_may_use_the_same_message_id(traced: Traced) -> None:
    traced.trace.want(60.0)
    traced.trace.sent('[2,"a","Heartbeat",{}]')
    traced.trace.received('[2,"a","Reset",{"type":"Soft"}]')
    traced.trace.sent('[3,"a",{"status":"Accepted"}]')
    traced.trace.received('[4, "a" ,"GenericError","",{}]')
    traced.trace.received('[3,"a",{}]')
    assert [frame.action for frame in traced.told] == [
        "Heartbeat",
        "Reset",
        "Reset",
        "Heartbeat",
        "",
    ]


def test_an_answer_does_not_come_on_another_connection(traced: Traced) -> None:
    traced.trace.want(60.0)
    traced.trace.sent(BOOT)
    traced.trace.connected()
    traced.trace.received(BOOTED)
    assert [(each.connection, each.action) for each in traced.told] == [
        (1, "BootNotification"),
        (2, ""),
    ]


def test_calls_without_answers_are_forgotten(traced: Traced) -> None:
    for number in range(1000):
        traced.trace.sent(f'[2,"{number}","Heartbeat",{{}}]')
    traced.trace.want(60.0)
    traced.trace.received('[3,"0",{}]')
    traced.trace.received('[3,"999",{}]')
    assert [frame.action for frame in traced.told] == ["", "Heartbeat"]


@pytest.mark.parametrize("text", ["", "hello", "[2,", '{"a":1}', "[2,7,8,9]", '[2,"a",7,{}]'])
def test_what_is_no_frame_is_told_as_text_or_as_it_is(traced: Traced, text: str) -> None:
    traced.trace.want(60.0)
    traced.trace.received(text)
    (frame,) = traced.told
    assert frame.action == ""
    assert json.loads(_encoded(frame.message)) == (json.loads(text) if text[-1:] == "]" else text)


def test_the_newest_are_told_again(traced: Traced) -> None:
    for _ in range(5):
        traced.trace.sent(BOOT)
    traced.trace.replay(2, "r1")
    assert traced.numbers == [4, 5]
    assert {frame.replayed_for for frame in traced.told} == {"r1"}
    assert traced.told[0].action == "BootNotification"
    traced.told.clear()
    traced.trace.replay(1000, None)
    assert traced.numbers == [1, 2, 3, 4, 5]
    assert {frame.replayed_for for frame in traced.told} == {""}
    traced.told.clear()
    traced.trace.replay(0, None)
    assert traced.told == []


def test_what_is_kept_has_bounds(traced: Traced) -> None:
    for _ in range(1000):
        traced.trace.sent(BOOT)
    traced.trace.replay(1000, None)
    assert traced.numbers == list(range(801, 1001))
    traced.told.clear()
    for _ in range(100):
        traced.trace.sent("x" * 10_000)
    traced.trace.replay(1000, None)
    assert traced.numbers == list(range(1075, 1101))


def test_a_long_frame_leaves_the_others_their_place(traced: Traced) -> None:
    traced.trace.sent(BOOT)
    traced.trace.want(60.0)
    long = json.dumps([3, "b", {"data": "x" * 300_000}])
    traced.trace.sent(long)
    assert traced.told[0].length is None
    assert json.loads(_encoded(traced.told[0].message)) == json.loads(long)
    traced.trace.replay(2, "r")
    kept = traced.told[-1]
    assert (traced.numbers, kept.length) == ([2, 1, 2], len(long))
    assert kept.message == long[:1000]


def test_of_a_very_long_frame_the_beginning_is_told(traced: Traced) -> None:
    traced.trace.want(60.0)
    password = "geheim" * 200
    text = f'[2,"a","DataTransfer",{{"data":"ftp://me:{password}@host/{"x" * 2_000_000}"}}]'
    traced.trace.received(text)
    (frame,) = traced.told
    assert (frame.action, frame.length) == ("DataTransfer", len(text))
    assert frame.message.startswith('[2,"a","DataTransfer",{"data":"ftp://me:***@host/xxx')
    assert len(frame.message) == 1000


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.control.start()
    bench.link.messages.clear()
    return bench


def ask(bench: Bench, **fields: Any) -> None:
    bench.receive("cmd", {"type": "trace", "request_id": "r1"} | fields)


def test_without_the_command_nothing_is_published(bench: Bench) -> None:
    bench.trace.sent(BOOT)
    assert bench.link.messages == []


def test_the_command_tells_the_newest_first_then_answers(bench: Bench) -> None:
    bench.trace.sent(BOOT)
    ask(bench, for_s=60, last=100)
    bench.trace.received(BOOTED)
    assert [m.topic for m in bench.link.messages] == [FRAMES, RESULT, FRAMES]
    assert not any(m.retain for m in bench.link.messages)
    assert bench.link.on(FRAMES) == [
        {
            "n": 1,
            "started_at": 1000.0,
            "at": 1000.0,
            "direction": "sent",
            "message": [2, "a", "BootNotification", {"chargePointVendor": "V"}],
            "action": "BootNotification",
            "connection": 0,
            "replayed_for": "r1",
        },
        {
            "n": 2,
            "started_at": 1000.0,
            "at": 1000.0,
            "direction": "received",
            "message": [3, "a", {"status": "Accepted"}],
            "action": "BootNotification",
            "connection": 0,
        },
    ]


def test_looking_back_alone_starts_nothing(bench: Bench) -> None:
    bench.trace.sent(BOOT)
    ask(bench, last=1)
    bench.trace.sent(BOOT)
    assert [frame["n"] for frame in bench.link.on(FRAMES)] == [1]


def test_the_command_ends_it(bench: Bench) -> None:
    ask(bench, for_s=60)
    ask(bench, for_s=0)
    bench.trace.sent(BOOT)
    assert bench.link.on(FRAMES) == []


def test_it_ends_with_the_connection_to_the_broker(bench: Bench) -> None:
    ask(bench, for_s=60)
    bench.link.callbacks.on_connection(False, "gone")
    bench.trace.sent(BOOT)
    assert bench.link.on(FRAMES) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "`for_s` or `last`"),
        ({"for_s": -1}, "$.for_s"),
        ({"for_s": 86_401}, "$.for_s"),
        ({"for_s": "60"}, "$.for_s"),
        ({"last": -1}, "$.last"),
        ({"last": 1.5}, "$.last"),
    ],
)
def test_a_command_that_is_none(bench: Bench, fields: dict[str, Any], words: str) -> None:
    ask(bench, **fields)
    (result,) = bench.link.on(RESULT)
    assert (result["ok"], result["code"]) == (False, "malformed")
    assert words in result["text"]


def _encoded(message: Any) -> bytes:
    return msgspec.json.encode(message)
