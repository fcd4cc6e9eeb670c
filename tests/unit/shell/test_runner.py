"""The runner with a station that is told what to answer: order of effects, time, endings."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from cp_image.api.payloads import ChargePointState
from cp_image.core import messages
from cp_image.core.effects import (
    Disconnect,
    Effect,
    Log,
    LogLevel,
    Persist,
    PublishConfiguration,
    PublishConnector,
    PublishStation,
    SendCall,
)
from cp_image.core.events import (
    CallAnswered,
    CarChanged,
    CsmsConnected,
    CsmsDisconnected,
    Event,
    Stopped,
)
from cp_image.dialects.ocpp16.dialect import Ocpp16
from cp_image.shell.clock import WallClock
from cp_image.shell.control import Control, LinkCallbacks
from cp_image.shell.csms import CsmsLink, Timing
from cp_image.shell.frame_trace import FrameTrace
from cp_image.shell.key_tasks import KeyTasks
from cp_image.shell.runner import Runner
from cp_image.shell.secret_files import SecretFiles
from cp_image.shell.store import Store, StoreError
from cp_image.shell.transfer_tasks import TransferTasks
from tests.unit.shell.peers import Csms, FakeLink, Watched, door_to, run
from tests.unit.shell.test_control import BASE, CONNECTOR, IDENTITY

TIMING = Timing(first_retry_s=0.01, last_retry_s=0.05, close_s=0.5)


class FakeStation(Watched):
    """Answers events as a test says, and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.ticks: list[float] = []
        self.instants: list[float] = []
        self.deadlines: list[float] = []
        self.keys: dict[str, str] = {}
        self.at_power_up: list[Effect] = []
        self.on_event: Callable[[Event], list[Effect]] = lambda _event: []

    def power_up(self, now: float) -> list[Effect]:
        self.instants.append(now)
        return self.at_power_up

    def handle(self, event: Event, now: float) -> list[Effect]:
        self.instants.append(now)
        self.events.append(event)
        self.changed()
        return self.on_event(event)

    def tick(self, now: float) -> list[Effect]:
        self.ticks.append(now)
        while self.deadlines and self.deadlines[0] <= now:
            self.deadlines.pop(0)
        self.changed()
        return []

    def next_deadline(self) -> float | None:
        return self.deadlines[0] if self.deadlines else None

    def ocpp_config(self) -> dict[str, str]:
        return self.keys

    async def had(self, kind: type[Event]) -> None:
        await self.until(lambda: any(isinstance(event, kind) for event in self.events))


class Bench:
    """A runner with a fake station and broker, a real store and a link to a real CSMS."""

    def __init__(
        self, store: Store, csms_url: str = "ws://127.0.0.1:1", timing: Timing = TIMING
    ) -> None:
        self.stations: list[FakeStation] = []
        self.stored: list[dict[str, bytes]] = []
        self.store = store
        self.made = Watched()
        self.states: list[ChargePointState] = []
        self.clock = WallClock()
        self.link: FakeLink
        door = door_to(csms_url, "CP-1")
        self.runner = Runner(
            make_station=self._make_station,
            store=store,
            clock=self.clock,
            make_csms=lambda on_event: CsmsLink(
                door=door,
                dialect=Ocpp16(),
                on_event=on_event,
                random=Random(1),
                timing=timing,
            ),
            make_control=lambda sink: Control(
                charge_point_id="CP-1",
                identity=IDENTITY,
                make_link=self._make_link,
                station=sink,
                clock=self.clock,
                trace=FrameTrace(self.clock),
            ),
            make_transfers=lambda on_event: TransferTasks(
                on_event=on_event, log_lines=lambda _begins_at, _ends_at: ["a line"]
            ),
            make_keys=lambda on_event: KeyTasks(
                access=door, files=SecretFiles(Path("/nowhere")), on_event=on_event
            ),
            on_state=self.states.append,
        )

    @property
    def station(self) -> FakeStation:
        """The one that lives now."""
        return self.stations[-1]

    def _make_station(self) -> FakeStation:
        self.stations.append(FakeStation())
        self.stored.append(self.store.load())
        self.made.changed()
        return self.station

    def _make_link(self, callbacks: LinkCallbacks) -> FakeLink:
        self.link = FakeLink(callbacks)
        return self.link


def test_power_up_effects_are_carried_out(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Store(tmp_path) as store:
            bench = Bench(store)
            bench.station.at_power_up = [
                PublishConnector(connector_id=1, status=CONNECTOR),
                Persist(key="k", value=b"v"),
            ]
            task = asyncio.create_task(bench.runner.run())
            await bench.link.seen(f"{BASE}/connectors/1/status", status="Available")
            bench.runner.stop("test")
            await task
            assert store.load() == {"k": b"v"}

    run(scenario())


def test_a_changed_configuration_is_published(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Store(tmp_path) as store:
            bench = Bench(store)
            bench.station.keys = {"HeartbeatInterval": "300"}
            task = asyncio.create_task(bench.runner.run())
            await bench.link.seen(f"{BASE}/ocpp_config", HeartbeatInterval="300")
            bench.station.keys = {"HeartbeatInterval": "17"}
            bench.station.on_event = lambda _event: [PublishConfiguration()]
            bench.runner.take(CsmsDisconnected(reason="any event"))
            await bench.link.seen(f"{BASE}/ocpp_config", HeartbeatInterval="17")
            bench.runner.stop("test")
            await task

    run(scenario())


def test_what_must_survive_is_stored_before_anything_is_said(tmp_path: Path) -> None:
    class SpyStore(Store):
        def commit(self, changes: object) -> None:
            spoken_before.append(len(bench.link.messages))
            keys.append([change.key for change in changes])  # type: ignore[attr-defined]

    spoken_before: list[int] = []
    keys: list[list[str]] = []

    async def scenario() -> None:
        def effects(event: Event) -> list[Effect]:
            if not isinstance(event, CarChanged):
                return []
            return [
                PublishConnector(connector_id=1, status=CONNECTOR),
                Persist(key="a", value=b"1"),
                PublishStation(status=ChargePointState.ACCEPTED),
                Persist(key="b", value=None),
            ]

        bench.station.on_event = effects
        bench.link.receive(f"{BASE}/connectors/1/car", b"{}")
        assert spoken_before == [0]
        assert keys == [["a", "b"]]
        assert [m.topic for m in bench.link.messages] == [
            f"{BASE}/connectors/1/status",
            f"{BASE}/status",
        ]

    with SpyStore(tmp_path) as store:
        bench = Bench(store)
        run(scenario())


def test_the_station_talks_with_the_csms(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms:
            with Store(tmp_path) as store:
                bench = Bench(store, csms.url)

                def effects(event: Event) -> list[Effect]:
                    if isinstance(event, CsmsConnected):
                        return [SendCall(message_id="id-1", request=messages.Heartbeat())]
                    if isinstance(event, CallAnswered):
                        return [Disconnect(reason="enough")]
                    return []

                bench.station.on_event = effects
                task = asyncio.create_task(bench.runner.run())
                await bench.station.had(CsmsDisconnected)
                assert csms.calls("Heartbeat") == [{}]
                await csms.until(lambda: csms.closed_with)
                assert csms.closed_with[0] == (1000, "enough")
                bench.runner.stop()
                await task

    run(scenario())


def test_ticks_come_at_the_deadlines(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Store(tmp_path) as store:
            bench = Bench(store)
            due = bench.clock.now() + 0.05
            bench.station.deadlines = [due, due + 0.05, due + 3600]
            task = asyncio.create_task(bench.runner.run())
            await bench.station.until(lambda: len(bench.station.deadlines) == 1)
            first = bench.station.ticks[0]
            assert first >= due - 0.01
            # An event brings the deadline forward: the timer is armed again.
            bench.station.deadlines = [bench.clock.now()]
            bench.link.receive(f"{BASE}/connectors/1/car", b"{}")
            await bench.station.until(lambda: not bench.station.deadlines)
            bench.runner.stop()
            await task
            assert len(bench.station.ticks) < 10

    run(scenario())


def test_stop_says_the_last_words_in_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms:
            with Store(tmp_path) as store:
                bench = Bench(store, csms.url)
                bench.station.on_event = lambda event: (
                    [SendCall(message_id="id-1", request=messages.Heartbeat())]
                    if isinstance(event, CsmsConnected)
                    else []
                )
                task = asyncio.create_task(bench.runner.run())
                await bench.station.had(CsmsConnected)
                bench.runner.stop("signal SIGTERM")
                await task
                assert bench.station.instants == sorted(bench.station.instants)
                kinds = [type(event) for event in bench.station.events]
                assert kinds.index(CallAnswered) < kinds.index(Stopped)
                last = bench.link.on(f"{BASE}/status")[-1]
                assert (last["status"], last["reason"]) == ("Dead", "signal SIGTERM")
                assert bench.link.closed.is_set()
                assert csms.closed_with == [(1000, "the charge point stops")]

    run(scenario())


def test_the_close_command_ends_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Store(tmp_path) as store:
            bench = Bench(store)
            task = asyncio.create_task(bench.runner.run())
            await bench.station.had(CsmsDisconnected)
            bench.link.receive(f"{BASE}/cmd", b'{"type":"close"}')
            await task
            assert isinstance(bench.station.events[-1], (Stopped, CsmsDisconnected))

    run(scenario())


def test_a_store_that_fails_ends_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Store(tmp_path) as store:
            bench = Bench(store)
            store.close()
            bench.station.on_event = lambda _event: [Persist(key="k", value=b"v")]
            with pytest.raises(ExceptionGroup) as caught:
                await bench.runner.run()
            assert caught.group_contains(StoreError, match="cannot be written")

    run(scenario())


def test_a_station_that_fails_ends_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        def fail(event: Event) -> list[Effect]:
            raise RuntimeError("defect")

        with Store(tmp_path) as store:
            bench = Bench(store)
            bench.station.on_event = fail
            with pytest.raises(ExceptionGroup) as caught:
                await bench.runner.run()
            assert caught.group_contains(RuntimeError, match="defect")

    run(scenario())


def test_logs_of_the_station(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        with Store(tmp_path) as store:
            bench = Bench(store)
            bench.station.on_event = lambda _event: [Log(level=LogLevel.WARNING, text="100 % odd")]
            bench.link.receive(f"{BASE}/connectors/1/car", b"{}")

    run(scenario())
    assert ("station", 30, "100 % odd") in caplog.record_tuples
