"""What was asked for of a charge point stands on a topic of its own, for whoever saves a fleet."""

import asyncio

import msgspec

from launcher.api import CP_SPECIFICATION, ErrorCode, Specification
from launcher.fleet import read_specification
from tests.unit.launcher.fakes import ROOT, FakeBroker, FakeEngine, launched
from tests.unit.launcher.test_daemon import entry, retained_of, run

WHOLE = entry(
    nb_connectors=2,
    configuration={"HeartbeatInterval": "60"},
    on_crash="restart",
    security_profile=2,
    central_system="wss://192.0.2.1",
    secrets=True,
)


def shown(broker: FakeBroker, charge_point_id: str = "CP-1") -> Specification | None:
    payload = broker.retained.get(CP_SPECIFICATION.build(ROOT, charge_point_id))
    return read_specification(payload) if payload else None


def asked(fields: dict[str, object]) -> Specification:
    return read_specification(msgspec.json.encode(fields))


def test_it_stands_there_from_start_to_removal() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", WHOLE)
        assert shown(broker) == asked(WHOLE)
        await broker.command("kill", {"id": "CP-1"})
        assert shown(broker) == asked(WHOLE)
        await broker.command("remove", {"id": "CP-1"})
        assert retained_of(broker, "CP-1") == []

    run(body)


def test_a_restart_with_another_one_changes_it() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        await broker.command("restart", entry(vendor="other"))
        assert shown(broker) == asked(entry(vendor="other"))
        await broker.command("restart", {"id": "CP-1"})
        assert shown(broker) == asked(entry(vendor="other"))

    run(body)


def test_a_refused_start_leaves_none() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        engine.refuse["start"] = "no room"
        answer = await broker.command("start", entry())
        assert answer.results[0].code is ErrorCode.ENGINE
        assert shown(broker) is None

    run(body)


def test_one_that_is_refused_for_it_lives_keeps_its_own() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        await broker.command("start", entry(vendor="other"))
        assert shown(broker) == asked(entry())

    run(body)


def test_a_new_launcher_says_it_of_those_it_finds() -> None:
    async def main() -> None:
        broker = FakeBroker()
        engine = FakeEngine(broker)
        async with launched(broker, engine):
            await broker.command("start", WHOLE, entry("CP-2"))
            await broker.command("kill", {"id": "CP-2"})
        broker.retained.clear()
        successor = FakeEngine(broker)
        successor.containers, successor.volumes = engine.containers, engine.volumes
        successor.marks = engine.marks
        async with launched(broker, successor):
            assert await broker.until(lambda: shown(broker)) == asked(WHOLE)
            assert await broker.until(lambda: shown(broker, "CP-2")) == asked(entry("CP-2"))

    asyncio.run(main())
