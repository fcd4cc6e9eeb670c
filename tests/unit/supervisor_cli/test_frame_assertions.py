"""Frames found, paired, waited for and asserted on from Python."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from cp_image.api import topics
from cp_image.api.payloads import Frame, FrameDirection, InputErrorCode, Result, encode
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.frame_log import FrameKind, FrameLog, SeenFrame, Wanted, matches
from supervisor_cli.simu import Frames, Simu
from supervisor_cli.state import Broker
from tests.unit.supervisor_cli.world import ROOT, World

SENT, RECEIVED = FrameDirection.SENT, FrameDirection.RECEIVED
URL = "ws://localhost:9000/ocpp"


def frame(
    n: int, message: Any, action: str, direction: FrameDirection = SENT, **more: Any
) -> Frame:
    fields: dict[str, Any] = {"started_at": 1000.0, "at": 1000.0 + n, "connection": 1, **more}
    return Frame(n=n, direction=direction, message=message, action=action, **fields)


SESSION = (
    frame(1, [2, "1", "BootNotification", {"chargePointModel": "M"}], "BootNotification"),
    frame(2, [3, "1", {"status": "Accepted"}], "BootNotification", RECEIVED),
    frame(3, [2, "2", "StartTransaction", {"idTag": "ABC", "meterStart": 0}], "StartTransaction"),
    frame(
        4,
        [3, "2", {"transactionId": 7, "idTagInfo": {"status": "Accepted", "parentIdTag": "P"}}],
        "StartTransaction",
        RECEIVED,
    ),
    frame(
        5,
        [2, "2", "RemoteStopTransaction", {"transactionId": 7}],
        "RemoteStopTransaction",
        RECEIVED,
    ),
    frame(6, [4, "2", "InternalError", "why", {}], "RemoteStopTransaction"),
)


def log(*frames: Frame) -> FrameLog:
    made = FrameLog()
    for each in frames:
        made.add(each)
    return made


def wanted(action: str | None = None, **fields: Any) -> Wanted:
    return Wanted(action=action, fields=fields)


# -- pure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "there", "fits"),
    [
        ("ABC", "ABC", True),
        (1, 1.0, True),
        (1, True, False),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": None}, {}, False),
        ({"a": 1}, [1], False),
        ([{"a": 1}], [{"a": 2}, {"a": 1, "b": 3}], True),
        ([1, 4], [1, 2, 3], False),
        ([], "ABC", False),
        (lambda wh: wh > 3, 4, True),
        (lambda wh: wh > 3, 3, False),
    ],
)
def test_a_value_matches(wish: object, there: object, fits: bool) -> None:
    assert matches(wish, there) is fits


def test_calls_are_found_and_answers_are_not() -> None:
    found = log(*SESSION).all(wanted())
    assert [each.action for each in found] == [
        "BootNotification",
        "StartTransaction",
        "RemoteStopTransaction",
    ]
    assert log(*SESSION).all(wanted("StartTransaction", idTag="ABC"))
    assert not log(*SESSION).all(wanted("StartTransaction", idTag="XYZ"))


def test_an_answer_goes_the_other_way_with_the_same_id() -> None:
    session = log(*SESSION)
    _, start, remote_stop = session.all(wanted())
    answer, error = session.answer(start), session.answer(remote_stop)
    assert answer is not None
    assert answer.payload["transactionId"] == 7
    assert error is not None
    assert error.kind is FrameKind.ERROR
    assert error.payload == {
        "errorCode": "InternalError",
        "errorDescription": "why",
        "errorDetails": {},
    }


def test_an_answer_of_another_connection_is_none() -> None:
    other = frame(2, [3, "1", {}], "BootNotification", RECEIVED, connection=2)
    session = log(SESSION[0], other)
    assert session.answer(session.all(wanted())[0]) is None


@pytest.mark.parametrize("message", ["not JSON", [], [2], [True, "x"], [9, "x"], [2, "1", "A", []]])
def test_what_is_no_ocpp_harms_nothing(message: Any) -> None:
    seen = SeenFrame(position=0, frame=frame(1, message, ""))
    assert seen.payload == {}
    assert str(seen).startswith("00:16:41.000 →")


def test_frames_are_told_a_line_each() -> None:
    lines = log(*SESSION).told(3).splitlines()
    assert lines == [
        "  … 3 earlier",
        '  00:16:44.000 ← StartTransaction answered {"transactionId":7,"idTagInfo":'
        '{"status":"Accepted","parentIdTag":"P"}}',
        '  00:16:45.000 ← RemoteStopTransaction {"transactionId":7}',
        "  00:16:46.000 → RemoteStopTransaction failed "
        '{"errorCode":"InternalError","errorDescription":"why","errorDetails":{}}',
    ]
    assert log().told(3) == "  no frames"
    assert "\\x1b" in str(SeenFrame(position=0, frame=frame(1, "\x1b[2J", "")))
    assert str(SeenFrame(position=0, frame=frame(1, "x" * 200, ""))).endswith("x…")


def test_a_log_of_days_keeps_the_newer_half() -> None:
    long = log(*(frame(n, [2, str(n), "Heartbeat", {}], "Heartbeat") for n in range(20_001)))
    assert len(long) == 10_001
    assert long.last is not None
    assert long.last.position == 20_000
    assert long.told(1).splitlines()[0] == "  … 20000 earlier"


# -- on a world in memory --------------------------------------------------------------------------


class Recorded:
    """A charge point that was added, and what it says."""

    def __init__(self, simu: Simu, world: World) -> None:
        self.simu, self.world = simu, world
        self.cp = simu.add(central_system=URL, id="CP-1")
        self.frames: Frames = self.cp.frames

    def say(self, *frames: Frame) -> None:
        async def there() -> None:
            for each in frames:
                self.world.publish(topics.CP_FRAMES.build(ROOT, "CP-1"), encode(each))

        self.simu._loop.run(there())


@pytest.fixture
def recorded(world: World) -> Iterator[Recorded]:
    with Simu(broker=Broker(), link_factory=world.link, timeout_s=60) as simu:
        yield Recorded(simu, world)


def test_frames_are_recorded_from_the_first_on(recorded: Recorded) -> None:
    recorded.say(*SESSION)
    assert recorded.frames.wait_for("BootNotification", direction="sent").payload == {
        "chargePointModel": "M"
    }
    assert (
        recorded.frames.wait_for_answer("StartTransaction", idTag="ABC").payload["transactionId"]
        == 7
    )
    assert len(recorded.frames.heard) == 6
    assert recorded.frames.last == recorded.frames.heard[-1]


def test_a_frame_that_comes_later_is_waited_for(recorded: Recorded) -> None:
    waiting = recorded.cp._twin.frames.wait_for("StartTransaction")

    async def both() -> str:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(waiting)
            await asyncio.sleep(0)
            for each in SESSION[:3]:
                recorded.world.publish(topics.CP_FRAMES.build(ROOT, "CP-1"), encode(each))
        return task.result().message_id

    assert recorded.simu._loop.run(both()) == "2"


def test_an_error_lists_what_came_instead(recorded: Recorded) -> None:
    recorded.say(*SESSION[:2])
    with pytest.raises(SimuError) as caught:
        recorded.frames.wait_for("StopTransaction", reason="Local", timeout_s=0.01)
    assert caught.value.exit_code is ExitCode.TIMEOUT
    assert str(caught.value) == (
        "CP-1: no StopTransaction with reason='Local' within 0.01 s; there are:\n"
        '  00:16:41.000 → BootNotification {"chargePointModel":"M"}\n'
        '  00:16:42.000 ← BootNotification answered {"status":"Accepted"}'
    )
    with pytest.raises(SimuError, match=r"not Faulted; last frames:\n  00:16:41\.000 → Boot"):
        recorded.cp.connector(1).wait_for("Faulted", timeout_s=0.01)


def test_an_answer_that_does_not_come_is_told(recorded: Recorded) -> None:
    recorded.say(SESSION[0])
    with pytest.raises(SimuError, match=r"CP-1: no answer to 00:16:41\.000 → BootNotification"):
        recorded.frames.wait_for_answer("BootNotification", timeout_s=0.01)


def test_only_what_comes_after_counts(recorded: Recorded) -> None:
    recorded.say(*SESSION)
    start = recorded.frames.wait_for("StartTransaction")
    with pytest.raises(
        SimuError, match=r"no BootNotification after 00:16:43\.000 → StartTransaction"
    ):
        recorded.frames.wait_for("BootNotification", after=start, timeout_s=0.01)
    assert len(recorded.frames.all(after=start)) == 1
    assert recorded.frames.all("RemoteStopTransaction", direction="sent") == []


def test_that_there_is_none_is_asserted_on_all_that_has_passed(recorded: Recorded) -> None:
    recorded.frames.none("StartTransaction")
    recorded.say(*SESSION)
    recorded.frames.none("StartTransaction", idTag="XYZ")
    with pytest.raises(SimuError, match="CP-1 has 1 StartTransaction, wanted is none:\n  00:16:43"):
        recorded.frames.none("StartTransaction")


def test_a_wrong_direction_is_told(recorded: Recorded) -> None:
    with pytest.raises(SimuError, match="'out' is none of sent, received"):
        recorded.frames.all("StartTransaction", direction="out")


def test_a_charge_point_of_somebody_else_is_recorded_when_asked_for(world: World) -> None:
    with Simu(broker=Broker(), link_factory=world.link, timeout_s=60) as simu:

        async def appear() -> None:
            world.charge_point("CP-2")

        async def say() -> None:
            for each in SESSION:
                world.publish(topics.CP_FRAMES.build(ROOT, "CP-2"), encode(each))

        simu._loop.run(appear())
        theirs = simu.charge_point("CP-2")
        assert theirs.frames.told() == ""
        theirs.frames.none("StartTransaction")
        simu._loop.run(say())
        assert theirs.frames.wait_for("StartTransaction").payload["idTag"] == "ABC"


def test_recording_can_be_left_out(world: World) -> None:
    with Simu(broker=Broker(), link_factory=world.link, record_frames=False) as simu:
        simu.add(central_system=URL)
        assert world.inputs(topics.CP_CMD) == []


def test_a_charge_point_that_tells_no_frames_says_why(recorded: Recorded) -> None:
    with Simu(broker=Broker(), link_factory=recorded.world.link, timeout_s=60) as simu:
        refused = Result(request_id="", ok=False, code=InputErrorCode.MALFORMED, text="no trace")
        recorded.world.refuse_input = refused
        theirs = simu.charge_point("CP-1")
        with pytest.raises(SimuError, match="not told: CP-1 does not tell its frames: no trace"):
            theirs.frames.wait_for("StartTransaction", timeout_s=0.2)
