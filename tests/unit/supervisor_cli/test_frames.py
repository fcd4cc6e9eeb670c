"""Reading frames: charge points with their real control and trace, on a broker in memory."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from cp_image.api import topics
from cp_image.api.payloads import ChargePointCommand, ChargePointState, Result, encode
from cp_image.mqtt_link import BrokerAddress, Message
from cp_image.shell.control import Control, LinkCallbacks
from cp_image.shell.frame_trace import FrameTrace
from supervisor_cli.client import SimuClient
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.frame_stream import FrameStream, TracedFrame
from supervisor_cli.state import Broker
from tests.support.hand_clock import HandClock
from tests.unit.shell.test_control import Sink
from tests.unit.supervisor_cli.test_client import error_on, on, turn
from tests.unit.supervisor_cli.world import ROOT, FakeLink, World, charge_point_status


class TalkingChargePoint:
    """A charge point whose CSMS is the test: `say` makes a frame pass."""

    def __init__(self, world: World, name: str = "CP-1", life: float = 1000.0) -> None:
        """`life` is when its process began, in epoch seconds."""
        self.world, self.name = world, name
        self.said = 0
        self.sink = Sink()
        self.trace = FrameTrace(HandClock(life))
        self.trace.connected()
        self.control = Control(
            charge_point_id=name,
            identity=charge_point_status(),
            make_link=self._make_link,
            station=self.sink,
            clock=HandClock(life),
            trace=self.trace,
        )
        self.link: FakeLink

    def _make_link(self, callbacks: LinkCallbacks) -> FakeLink:
        self.will = callbacks.will
        self.link = self.world.link(
            address=BrokerAddress(host="x", port=1),
            client_id=self.name,
            on_message=callbacks.on_message,
            on_connection=callbacks.on_connection,
        )
        return self.link

    def start(self) -> None:
        self.link.reconnect()
        self.control.start()
        self.control.publish_station(ChargePointState.ACCEPTED, "")

    def die(self) -> None:
        self.link.up = False
        self.world.publish(self.will.topic, self.will.payload, retain=True)

    def say(self, number: int = 1) -> None:
        for _ in range(number):
            self.said += 1
            self.trace.sent(json.dumps([2, f"{self.name}-{self.said}", "Heartbeat", {}]))


class Reader:
    """Reads frames in the background of a test."""

    def __init__(self, simu: SimuClient, *ids: str, last: int = 0, **more: Any) -> None:
        self.read: list[TracedFrame] = []
        self.notes: list[tuple[str, str]] = []
        self._frames = simu.frames(
            ids, last=last, on_note=lambda name, note: self.notes.append((name, note)), **more
        )

    @property
    def told(self) -> list[str]:
        return [each.frame.message[1] for each in self.read]

    async def __aenter__(self) -> "Reader":
        self._task = asyncio.create_task(self._read())
        await turn()
        return self

    async def _read(self) -> None:
        async with aclosing(self._frames) as frames:
            async for traced in frames:
                self.read.append(traced)

    async def __aexit__(self, *_exc: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


def ids(*numbers: int, name: str = "CP-1") -> list[str]:
    return [f"{name}-{number}" for number in numbers]


def test_those_that_passed_and_those_that_pass() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        charge_point = TalkingChargePoint(world)
        charge_point.start()
        charge_point.say(5)
        await turn()
        async with Reader(simu, "CP-1", last=2) as reader:
            charge_point.say(2)
            await turn()
            assert reader.told == ids(4, 5, 6, 7)
            assert {each.charge_point_id for each in reader.read} == {"CP-1"}
        assert world.links[0].filters.count("cp_simu/cps/CP-1/frames") == 0

    on(world, story)


def test_two_readers_each_get_their_own() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        charge_point = TalkingChargePoint(world)
        charge_point.start()
        charge_point.say(5)
        await turn()
        async with Reader(simu, "CP-1") as first, Reader(simu, "CP-1", last=3) as second:
            charge_point.say()
            await turn()
            assert (first.told, second.told) == (ids(6), ids(3, 4, 5, 6))

    on(world, story)


def test_a_restarted_charge_point_is_read_on_from_its_first_frame() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        first = TalkingChargePoint(world)
        first.start()
        await turn()
        async with Reader(simu, "CP-1") as reader:
            first.say(2)
            await turn()
            first.die()
            second = TalkingChargePoint(world, life=2000.0)
            second.said = 10
            second.say(2)
            second.start()
            second.say()
            await turn()
            assert reader.told == ids(1, 2, 11, 12, 13)
            assert reader.notes == [("CP-1", "is gone: waiting for it")]

    on(world, story)


def test_a_dead_charge_point_is_waited_for() -> None:
    world = World(charge_points_answer=False)
    world.charge_point("CP-1", status=ChargePointState.DEAD)

    async def story(simu: SimuClient) -> None:
        async with Reader(simu, "CP-1") as reader:
            assert reader.notes == [("CP-1", "cannot be heard now: waiting for it")]
            charge_point = TalkingChargePoint(world)
            charge_point.say()
            charge_point.start()
            charge_point.say()
            await turn()
            assert reader.told == ids(1, 2)

    on(world, story)


def test_what_passed_while_the_broker_was_away_comes_afterwards() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        charge_point = TalkingChargePoint(world)
        charge_point.start()
        await turn()
        async with Reader(simu, "CP-1") as reader:
            charge_point.say()
            await turn()
            world.links[0].lose()
            charge_point.say(2)
            world.links[0].reconnect()
            await turn()
            charge_point.say()
            await turn()
            assert reader.told == ids(1, 2, 3, 4)
            assert reader.notes == [("", "connection lost"), ("", "the broker is there again")]

    on(world, story)


def test_nothing_from_before_comes_when_the_broker_does() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        charge_point = TalkingChargePoint(world)
        charge_point.start()
        charge_point.say(3)
        await turn()
        async with Reader(simu, "CP-1") as reader:
            assert reader.told == []
            world.links[0].lose()
            charge_point.say(2)
            world.links[0].reconnect()
            await turn()
            charge_point.say()
            await turn()
            assert reader.told == ids(4, 5, 6)

    on(world, story)


@pytest.mark.parametrize(
    ("lost", "told", "notes"),
    [
        (1, ids(1, 2, 3), []),
        (500, ids(1, *range(303, 503)), [("CP-1", "301 frames were missed")]),
    ],
)
def test_lost_frames_are_fetched_and_those_that_are_kept_no_more_are_missed(
    lost: int, told: list[str], notes: list[tuple[str, str]]
) -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        charge_point = TalkingChargePoint(world)
        charge_point.start()
        await turn()
        async with Reader(simu, "CP-1") as reader:
            charge_point.say()
            await turn()
            world.links[0].up = False
            charge_point.say(lost)
            await turn()
            world.links[0].up = True
            charge_point.say()
            await turn()
            assert reader.told == told
            assert reader.notes == notes

    on(world, story)


def test_the_recent_ones_alone() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        charge_point = TalkingChargePoint(world)
        charge_point.start()
        charge_point.say(5)
        await turn()
        frames = await simu.recent_frames("CP-1", last=3)
        assert [each.message[1] for each in frames] == ids(3, 4, 5)
        assert not [each for each in world.links[0].filters if "frames" in each]

    on(world, story)


def test_of_a_charge_point_that_is_not_there() -> None:
    world = World(charge_points_answer=False)
    world.charge_point("CP-1")

    async def read(simu: SimuClient) -> None:
        async for _ in simu.frames(["CP-2"]):
            pytest.fail("a frame of nobody")

    assert "there is no charge point CP-2" in str(error_on(world, read))


def test_those_that_are_added_later_are_read_from_their_first_frame() -> None:
    world = World(charge_points_answer=False)
    world.charge_point("CP-1")

    async def story(simu: SimuClient) -> None:
        later = [TalkingChargePoint(world, name) for name in ("CP-2", "X-1")]
        async with Reader(simu, "CP-1", also=lambda name: name.startswith("CP-")) as reader:
            for each in later:
                each.say(2)  # its first ones pass before anybody can ask
                each.start()
            await turn()
            later[0].say()
            later[1].say()
            await turn()
            assert reader.told == ids(1, 2, 3, name="CP-2")
            assert reader.notes == []
        assert not [each for each in world.links[0].filters if "/CP-2/" in each]

    on(world, story)


def test_one_that_is_added_later_and_does_not_run_yet_is_waited_for_in_silence() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        later = TalkingChargePoint(world)
        async with Reader(simu, also=lambda _name: True) as reader:
            world.charge_point("CP-1", status=ChargePointState.DEAD)
            await turn()
            later.say(2)
            later.start()
            await turn()
            assert (reader.told, reader.notes) == (ids(1, 2), [])

    on(world, story)


# -- time passes: the stream alone --------------------------------------------------------------


class Timers:
    """Timers that go off when the test says so."""

    def __init__(self) -> None:
        self.set: list[_Timer] = []

    def call_later(self, seconds: float, act: Callable[[], None]) -> "_Timer":
        self.set.append(_Timer(self, seconds, act))
        return self.set[-1]

    def next(self) -> float:
        timer = self.set.pop(0)
        timer.act()
        return timer.seconds


class _Timer:
    def __init__(self, timers: Timers, seconds: float, act: Callable[[], None]) -> None:
        self.timers, self.seconds, self.act = timers, seconds, act

    def cancel(self) -> None:
        if self in self.timers.set:
            self.timers.set.remove(self)


class Wire:
    def __init__(self) -> None:
        self.sent: list[ChargePointCommand] = []

    def send_command(self, charge_point_id: str, command: ChargePointCommand) -> None:
        assert charge_point_id == "CP-1"
        self.sent.append(command)

    def is_alive(self, charge_point_id: str) -> bool:
        return charge_point_id == "CP-1"


class Bench:
    def __init__(self) -> None:
        self.wire, self.timers = Wire(), Timers()
        self.notes: list[str] = []
        self.stream = FrameStream(
            self.wire,
            ROOT,
            ["CP-1"],
            last=7,
            on_note=lambda _name, note: self.notes.append(note),
            call_later=self.timers.call_later,
        )

    @property
    def asked(self) -> list[tuple[float | None, int | None]]:
        return [(each.for_s, each.last) for each in self.wire.sent]

    def answer(self, **fields: Any) -> None:
        result = Result(request_id=self.wire.sent[-1].request_id or "", ok=True)
        result = msgspec.structs.replace(result, **fields)
        topic = topics.CP_RESULT.build(ROOT, "CP-1")
        self.stream.hear(Message(topic=topic, payload=encode(result), retain=False))


def test_a_lease_is_renewed_well_before_it_ends() -> None:
    bench = Bench()
    bench.stream.open()
    bench.answer()
    assert bench.timers.next() < 30 / 2
    assert bench.asked == [(30.0, 7), (30.0, None)]
    bench.stream.close()
    assert bench.timers.set == []


def test_a_charge_point_that_does_not_answer_is_asked_again() -> None:
    bench = Bench()
    bench.stream.open()
    for _ in range(4):
        bench.timers.next()
    assert bench.asked == [(30.0, 7)] * 3
    assert bench.notes == ["does not answer: asked again every 10 s"]
    bench.answer()
    bench.timers.next()
    assert bench.asked[3:] == [(30.0, None)]


def test_a_charge_point_that_refuses() -> None:
    async def read(bench: Bench) -> None:
        async for _ in bench.stream.frames():
            pytest.fail("a frame of one that refuses")

    bench = Bench()
    bench.stream.open()
    bench.answer(ok=False, text="Invalid enum value 'trace'")
    with pytest.raises(SimuError, match="CP-1 does not tell its frames: Invalid") as caught:
        asyncio.run(read(bench))
    assert caught.value.exit_code is ExitCode.FAILED


@pytest.mark.parametrize("kind", [topics.CP_FRAMES, topics.CP_RESULT, topics.CP_STATUS])
@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff", b"[" * 100_000])
def test_broken_messages_are_nothing(kind: topics.Topic, payload: bytes) -> None:
    bench = Bench()
    bench.stream.open()
    topic = kind.build(ROOT, "CP-1")
    bench.stream.hear(Message(topic=topic, payload=payload, retain=False))
    assert bench.asked == [(30.0, 7)]


def test_a_client_needs_no_broker_settings_to_read() -> None:
    assert SimuClient(broker=Broker(), link_factory=World().link).root == ROOT
