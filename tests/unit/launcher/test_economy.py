"""What the launcher asks of the engine: nothing twice, and power cuts all at the same time."""

import asyncio

from launcher.api import ContainerCondition, ErrorCode
from launcher.container import Mark
from launcher.engine import NetworksChanged
from tests.unit.launcher.fakes import FakeBroker, FakeEngine
from tests.unit.launcher.test_daemon import entry, run


def calls_for(engine: FakeEngine, charge_point_id: str) -> list[str]:
    return [call.split()[0] for call in engine.calls if charge_point_id in call.split()]


def calls_of(engine: FakeEngine, kind: str) -> list[str]:
    return [call for call in engine.calls if call.startswith(kind)]


def test_a_start_asks_for_nothing_twice() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        ids = [f"CP-{number}" for number in range(1, 9)]
        assert (await broker.command("start", *map(entry, ids))).ok
        for each in ids:
            assert calls_for(engine, each) == [
                "find",
                "create_volume",
                "create_container",
                "start",
            ]
        assert len(calls_of(engine, "image_id")) == 1
        assert len(calls_of(engine, "ensure_network")) <= 1

    run(body)


def test_a_kill_asks_for_nothing_twice() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        engine.calls.clear()
        assert (await broker.command("kill", {"id": "CP-1"})).ok
        assert engine.calls == ["find CP-1", "mark_off CP-1", "kill CP-1"]
        condition = broker.condition("CP-1")
        assert condition is not None
        assert condition.state is ContainerCondition.EXITED
        assert condition.exit_code == 137

    run(body)


def test_what_happens_between_writing_down_and_starting_is_seen() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        engine.hold["CP-2"] = asyncio.Event()
        broker.send("start", entry("CP-1"), entry("CP-2"))
        await broker.until(lambda: "CP-1" in engine.volumes)
        assert (await broker.command("cut", {"id": "CP-1"})).ok
        assert Mark.CUT in engine.marks["CP-1"]
        engine.hold["CP-2"].set()
        await broker.until(lambda: len(broker.answers()) == 2)
        assert not engine.containers["CP-1"].connected
        assert calls_for(engine, "CP-1").count("find") == 2

    run(body)


def test_a_power_cut_waits_for_no_start() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        living = [f"CP-{number}" for number in range(1, 6)]
        await broker.command("start", *map(entry, living))
        engine.hold_at_start["NEW-1"] = asyncio.Event()
        broker.send("start", entry("NEW-1"))
        await broker.until(lambda: "start NEW-1" in engine.calls)
        answer = await broker.command("kill", *({"id": each} for each in living))
        assert answer.ok
        assert {each.id for each in answer.results} == {*living}
        engine.hold_at_start["NEW-1"].set()
        await broker.until(lambda: len(broker.answers()) == 3)

    run(body, {"SIMU_SIDE_BY_SIDE": "1"})


def test_all_power_cuts_are_at_the_same_time() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        living = [f"CP-{number}" for number in range(1, 21)]
        await broker.command("start", *map(entry, living))
        assert engine.most_at_once <= 2
        engine.hold = {each: asyncio.Event() for each in living}
        broker.send("kill", *({"id": each} for each in living))
        await broker.until(lambda: engine.most_at_once == len(living))
        for each in engine.hold.values():
            each.set()
        await broker.until(lambda: len(broker.answers()) == 2)

    run(body, {"SIMU_SIDE_BY_SIDE": "2"})


def test_networks_are_looked_at_anew_when_one_may_not_be_served_any_more() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry("CP-1"), entry("CP-2"))
        assert engine.networks == ["ci-7", "ci-7_2"]
        broker.reconnect()
        await broker.until(lambda: engine.looks > 2)
        assert engine.networks == ["ci-7", "ci-7_2"]
        engine.tell(NetworksChanged(what="container ci-7_localhost-proxy has started"))
        await broker.until(lambda: engine.calls.count("ensure_network ci-7_2") == 2)
        assert engine.calls.count("ensure_network ci-7") == 2

    run(body, {"SIMU_LARGEST_BRIDGE": "1"})


def test_an_image_that_has_gone_missing_is_named() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry("CP-1"))
        engine.image = None
        answer = await broker.command("start", entry("CP-2"))
        assert answer.results[0].code is ErrorCode.ENGINE
        assert "does not exist" in answer.results[0].text
        assert "CP-2" not in engine.volumes
        await broker.command("kill", {"id": "CP-1"})
        answer = await broker.command("start", entry("CP-1"))
        assert "does not exist" in answer.results[0].text
        assert "CP-1" in engine.containers  # what there was is not given up for nothing

    run(body)
