"""What was asked for stays so: stop, freeze, cut, crash policies, calling off, asking twice."""

import asyncio
from dataclasses import replace

import msgspec
import pytest

from cp_image.api.payloads import ChargePointState
from launcher.api import (
    CP_CONTAINER,
    Claim,
    ContainerCondition,
    ContainerStatus,
    Died,
    ErrorCode,
    GaveUp,
    Progress,
    Restarted,
    Unheard,
)
from launcher.container import Mark
from launcher.engine import Change, ContainerState, ListeningBegan, ListeningBroke
from tests.unit.launcher.fakes import ROOT, FakeBroker, FakeEngine, launched
from tests.unit.launcher.test_daemon import entry, retained_of, run


async def until_state(
    broker: FakeBroker, state: ContainerCondition, charge_point_id: str = "CP-1"
) -> ContainerStatus:
    def there() -> ContainerStatus | None:
        condition = broker.condition(charge_point_id)
        return condition if condition is not None and condition.state is state else None

    return await broker.until(there)


# -- stop, freeze, cut ------------------------------------------------------------------------


def test_stop_is_orderly_and_stays() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        assert (await broker.command("stop", {"id": "CP-1"})).ok
        assert "stop CP-1" in engine.calls
        assert "kill CP-1" not in engine.calls
        condition = await until_state(broker, ContainerCondition.EXITED)
        assert condition.exit_code == 0
        assert Mark.OFF in engine.marks["CP-1"]
        again = await broker.command("stop", {"id": "CP-1"})
        assert again.results[0].code is ErrorCode.NOT_RUNNING
        looks = engine.looks
        broker.reconnect()
        await broker.until(lambda: engine.looks > looks)
        assert not engine.containers["CP-1"].alive

    run(body)


def test_a_frozen_one_is_thawed_before_it_is_stopped() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        assert (await broker.command("freeze", {"id": "CP-1"})).ok
        assert engine.containers["CP-1"].state is ContainerState.PAUSED
        await until_state(broker, ContainerCondition.FROZEN)
        assert (await broker.command("thaw", {"id": "CP-1"})).ok
        await until_state(broker, ContainerCondition.RUNNING)
        await broker.command("freeze", {"id": "CP-1"})
        assert (await broker.command("stop", {"id": "CP-1"})).ok
        assert engine.calls.index("stop CP-1") > engine.calls.index("unpause CP-1")
        for type_ in ("freeze", "thaw"):
            dead = await broker.command(type_, {"id": "CP-1"})
            assert dead.results[0].code is ErrorCode.NOT_RUNNING

    run(body)


def test_a_cut_outlives_the_power_until_it_is_mended() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        assert (await broker.command("cut", {"id": "CP-1"})).ok
        assert not engine.containers["CP-1"].connected
        await until_state(broker, ContainerCondition.CUT)
        await broker.command("restart", entry(nb_connectors=2))  # a container of its own
        assert not engine.containers["CP-1"].connected
        await until_state(broker, ContainerCondition.CUT)
        assert (await broker.command("mend", {"id": "CP-1"})).ok
        assert engine.containers["CP-1"].connected
        assert engine.containers["CP-1"].address == "172.18.0.9"
        condition = await until_state(broker, ContainerCondition.RUNNING)
        assert not condition.cut

    run(body)


@pytest.mark.parametrize("command", ["freeze", "cut"])
def test_the_will_of_one_that_lives_is_put_right(command: str) -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        await broker.command(command, {"id": "CP-1"})
        engine.say_status("CP-1", ChargePointState.DEAD)  # as the broker does, not hearing it

        def unreachable() -> bool:
            status = broker.status("CP-1")
            return status is not None and status.status is ChargePointState.DISCONNECTED

        await broker.until(unreachable)

    run(body)


def test_one_on_the_engines_own_network_cannot_be_cut() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(networking="host"))
        assert engine.requests["CP-1"].network == "host"
        assert engine.requests["CP-1"].variables["SIMU_BROKER"] == "127.0.0.1:1883"
        answer = await broker.command("cut", {"id": "CP-1"})
        assert answer.results[0].code is ErrorCode.NOT_POSSIBLE
        assert not engine.marks.get("CP-1")

    run(body)


# -- networks and templates -------------------------------------------------------------------


def test_a_fleet_that_outgrows_a_network_gets_another() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", *[entry(f"CP-{n}") for n in range(5)])
        networks = sorted(each.network for each in engine.containers.values())
        assert networks == ["ci-7", "ci-7", "ci-7_2", "ci-7_2", "ci-7_3"]
        assert sorted(engine.networks) == ["ci-7", "ci-7_2", "ci-7_3"]
        in_first = next(id_ for id_, it in engine.containers.items() if it.network == "ci-7")
        await broker.command("remove", {"id": in_first})
        await broker.command("start", entry("CP-9"))
        assert engine.containers["CP-9"].network == "ci-7"
        await broker.command("restart", *[{"id": id_} for id_ in engine.containers])
        assert sorted(each.network for each in engine.containers.values()) == networks

    run(body, {"SIMU_LARGEST_BRIDGE": "2"})


def test_defaults_are_for_all_and_overridden_by_each() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        defaults = {
            "type": "AC",
            "central_system": "ws://192.0.2.1",
            "nb_connectors": 2,
            "configuration": {"HeartbeatInterval": "60", "MeterValueSampleInterval": "5"},
        }
        entries = [
            {"id": "CP-1"},
            {"id": "CP-2", "nb_connectors": 1, "configuration": {"HeartbeatInterval": "9"}},
        ]
        assert (await broker.command("start", *entries, defaults=defaults)).ok
        first, second = (engine.containers[each].specification for each in ("CP-1", "CP-2"))
        assert first is not None
        assert second is not None
        assert (first.nb_connectors, second.nb_connectors) == (2, 1)
        assert first.configuration == defaults["configuration"]
        assert second.configuration == {"HeartbeatInterval": "9", "MeterValueSampleInterval": "5"}

    run(body)


# -- asked twice, called off ------------------------------------------------------------------


def test_the_same_request_is_done_once_and_answered_each_time() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        first = await broker.command("start", entry(), request_id="same")
        again = await broker.command("start", entry(), request_id="same")
        assert again == first
        assert engine.calls.count("create_container CP-1") == 1

        engine.hold["CP-1"] = asyncio.Event()
        broker.send("restart", {"id": "CP-1"}, request_id="both")
        broker.send("restart", {"id": "CP-1"}, request_id="both")
        await broker.until(lambda: engine.calls.count("find CP-1") > 1)
        engine.hold["CP-1"].set()
        await broker.until(lambda: len(broker.answers()) == 3)
        await broker.command("kill", {"id": "CP-1"})
        assert len(broker.answers()) == 4
        assert engine.calls.count("start CP-1") == 2

    run(body)


@pytest.mark.parametrize("command", ["kill", "stop", "remove"])
def test_a_mass_start_is_called_off_for_those_that_are_named(command: str) -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        ids = [f"CP-{n}" for n in range(8)]
        held = ids[:4]  # as many as are started at a time
        engine.hold_at_start = {each: asyncio.Event() for each in held}
        start = broker.send("start", *[entry(each) for each in ids])
        await broker.until(lambda: all(f"create_container {each}" in engine.calls for each in held))
        named = [{"id": each} for each in ids[6:]]
        ending = broker.send(command, *named)
        cancelled = await broker.until(
            lambda: [
                event
                for event in broker.events()
                if isinstance(event, Progress) and event.request_id == start
            ][1:]
        )
        assert len(cancelled) == 1
        for event in engine.hold_at_start.values():
            event.set()
        await broker.until(lambda: len(broker.answers()) == 2)
        by_request = {each.request_id: each for each in broker.answers()}
        assert by_request[ending].ok
        codes = [each.code for each in by_request[start].results]
        assert codes == [None] * 6 + [ErrorCode.CANCELLED] * 2
        alive = sorted(id_ for id_, it in engine.containers.items() if it.alive)
        assert alive == ids[:6]
        if command == "remove":
            assert sorted(engine.volumes) == ids[:6]
            assert retained_of(broker, "CP-7") == []
        else:
            assert Mark.OFF in engine.marks["CP-7"]
            condition = broker.condition("CP-7")
            assert condition is not None
            assert condition.state is ContainerCondition.EXITED

    run(body)


def test_all_that_is_asked_for_is_written_down_before_the_first_is_started() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", *[entry(f"CP-{n}") for n in range(20)])
        last = max(i for i, call in enumerate(engine.calls) if call.startswith("create_volume"))
        made = [call for call in engine.calls if call.startswith("create_volume")]
        first = min(i for i, call in enumerate(engine.calls) if call.startswith("start"))
        assert len(made) >= 20
        written = {c for c in engine.calls[:first] if c.startswith("create_volume")}
        assert len(written) == 20, last

    run(body)


# -- crashes ----------------------------------------------------------------------------------


def test_a_crash_is_reported_and_stays_unless_it_is_to_be_started_again() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(), entry("CP-2", on_crash="restart"))
        engine.die("CP-1", 1)
        engine.die("CP-2", 1)
        await broker.until(
            lambda: [event for event in broker.events() if isinstance(event, Restarted)]
        )
        died = sorted(event.id for event in broker.events() if isinstance(event, Died))
        assert died == ["CP-1", "CP-2"]
        assert not engine.containers["CP-1"].alive
        assert Mark.OFF in engine.marks["CP-1"]
        assert engine.containers["CP-2"].alive
        condition = await until_state(broker, ContainerCondition.RUNNING, "CP-2")
        assert condition.restarts == 1

    run(body)


def test_a_crash_loop_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launcher.crashes.FIRST_WAIT_S", 0.001)
    monkeypatch.setattr("launcher.crashes.LONGEST_WAIT_S", 0.001)

    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(on_crash="restart"))
        for number in range(1, 7):
            engine.die("CP-1", 3)
            if number < 6:
                await broker.until(
                    lambda n=number: [  # type: ignore[misc]
                        event
                        for event in broker.events()
                        if isinstance(event, Restarted) and event.restarts == n
                    ]
                )
        gave_up = await broker.until(
            lambda: [event for event in broker.events() if isinstance(event, GaveUp)]
        )
        assert (gave_up[0].id, gave_up[0].crashes) == ("CP-1", 6)
        condition = await until_state(broker, ContainerCondition.EXITED)
        assert "crash loop" in condition.text
        assert Mark.OFF in engine.marks["CP-1"]
        assert (await broker.command("restart", {"id": "CP-1"})).ok
        assert (await until_state(broker, ContainerCondition.RUNNING)).restarts == 0

    run(body)


def test_a_look_at_everything_counts_no_crash_twice() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(on_crash="restart"), entry("CP-2"))
        for charge_point_id in ("CP-1", "CP-2"):
            engine.die(charge_point_id, 1)
        waiting = await until_state(broker, ContainerCondition.WAITING)
        reported = await until_state(broker, ContainerCondition.EXITED, "CP-2")
        for _ in range(2):
            looks = engine.looks
            broker.reconnect()
            await broker.until(lambda n=looks: engine.looks > n)  # type: ignore[misc]
            await broker.command("thaw", {"id": "NOBODY"})
        assert broker.condition("CP-1") == waiting
        assert broker.condition("CP-2") == reported
        died = sorted(event.id for event in broker.events() if isinstance(event, Died))
        assert died == ["CP-1", "CP-2"]

    run(body)


def test_one_that_is_to_be_started_again_can_be_killed_meanwhile() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(on_crash="restart"))
        engine.die("CP-1", 1)
        condition = await until_state(broker, ContainerCondition.WAITING)
        assert condition.restart_at is not None
        assert (await broker.command("kill", {"id": "CP-1"})).ok
        await until_state(broker, ContainerCondition.EXITED)
        looks = engine.looks
        broker.reconnect()
        await broker.until(lambda: engine.looks > looks)
        assert not engine.containers["CP-1"].alive

    run(body)


def test_who_fell_with_the_engine_runs_again() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(), entry("CP-2"), entry("CP-3"))
        await broker.command("kill", {"id": "CP-2"})
        engine.die("CP-1", 0)
        engine.die("CP-3", 137)
        await broker.until(lambda: Mark.OFF in engine.marks.get("CP-3", {}))
        engine.tell(ListeningBroke(reason="the engine goes down"))
        engine.tell(ListeningBegan())
        await broker.until(
            lambda: engine.containers["CP-1"].alive and engine.containers["CP-3"].alive
        )
        assert not engine.containers["CP-2"].alive

    run(body)


def test_a_container_that_is_removed_by_hand_is_made_again() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(), entry("CP-2"))
        for charge_point_id in ("CP-1", "CP-2"):
            engine.change(charge_point_id, Change.DESTROY)
            del engine.containers[charge_point_id]
        del engine.volumes["CP-2"]
        await broker.until(
            lambda: len([each for each in engine.containers.values() if each.alive]) == 2
        )
        assert sorted(engine.volumes) == ["CP-1", "CP-2"]

    run(body)


def test_what_was_started_by_hand_leaves_nothing_behind() -> None:
    async def main() -> None:
        broker = FakeBroker()
        engine = FakeEngine(broker)
        async with launched(broker, engine):
            await broker.command("start", entry())
        by_hand = FakeEngine(broker)  # as if somebody had made it, without our labels and volume
        by_hand.containers = {"CP-1": replace(engine.containers["CP-1"], by_hand=True)}
        async with launched(broker, by_hand):
            assert (await broker.command("kill", {"id": "CP-1"})).ok
            again = await broker.command("kill", {"id": "CP-1"})
            assert again.results[0].code is ErrorCode.NOT_RUNNING
            assert (await broker.command("restart", {"id": "CP-1"})).ok
            assert by_hand.containers["CP-1"].alive
            assert (await broker.command("stop", {"id": "CP-1"})).ok
        async with launched(broker, by_hand):
            assert not by_hand.containers["CP-1"].alive
            by_hand.change("CP-1", Change.DESTROY)
            del by_hand.containers["CP-1"]
            await broker.until(lambda: not retained_of(broker, "CP-1"))
        assert not by_hand.marks.get("CP-1")
        assert not by_hand.containers

    asyncio.run(main())


def test_what_is_made_anew_by_hand_is_not_cut_like_the_one_before() -> None:
    def is_cut(broker: FakeBroker) -> bool:
        condition = broker.condition("CP-1")
        assert condition is not None
        return condition.cut

    async def main() -> None:
        broker = FakeBroker()
        engine = FakeEngine(broker)
        async with launched(broker, engine):
            await broker.command("start", entry())
        made = replace(engine.containers["CP-1"], by_hand=True)
        by_hand = FakeEngine(broker)
        by_hand.containers = {"CP-1": made}
        async with launched(broker, by_hand):
            assert (await broker.command("cut", {"id": "CP-1"})).ok
            assert not by_hand.containers["CP-1"].connected
            assert (await broker.command("mend", {"id": "CP-1"})).ok
            # At its old address its connections go on.
            assert by_hand.containers["CP-1"].address == made.address
            assert (await broker.command("cut", {"id": "CP-1"})).ok
            assert (await broker.command("restart", {"id": "CP-1"})).ok
            assert not by_hand.containers["CP-1"].connected
            assert is_cut(broker)
        assert not by_hand.marks.get("CP-1")
        del broker.retained[CP_CONTAINER.build(ROOT, "CP-1")]
        async with launched(broker, by_hand):  # a launcher that comes anew leaves it cut
            await broker.until(lambda: broker.condition("CP-1"))
            assert is_cut(broker)
            assert not by_hand.containers["CP-1"].connected
        by_hand.containers = {"CP-1": replace(made, container_id="another")}
        del broker.retained[CP_CONTAINER.build(ROOT, "CP-1")]
        async with launched(broker, by_hand):
            await broker.until(lambda: broker.condition("CP-1"))
            assert not is_cut(broker)
            assert by_hand.containers["CP-1"].connected

    asyncio.run(main())


def test_who_was_in_hand_during_a_look_is_looked_at_again() -> None:
    async def main() -> None:
        broker = FakeBroker()
        engine = FakeEngine(broker)
        async with launched(broker, engine):
            await broker.command("start", entry())
        engine.die("CP-1", 137)
        successor = FakeEngine(broker)
        successor.containers, successor.volumes = engine.containers, engine.volumes
        successor.marks, successor.observing = engine.marks, asyncio.Event()
        async with launched(broker, successor):
            assert (await broker.command("mend", {"id": "CP-1"})).ok
            successor.observing.set()
            await broker.until(lambda: successor.containers["CP-1"].alive)

    asyncio.run(main())


def test_one_that_says_nothing_is_told() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        engine.mute = True
        await broker.command("start", entry())
        (event,) = await broker.until(broker.events)
        assert event == Unheard(id="CP-1", after_s=1, last_log=["last words"])
        condition = await until_state(broker, ContainerCondition.RUNNING)
        assert condition.unheard
        engine.say_status("CP-1", ChargePointState.ACCEPTED)

        def heard() -> bool:
            now = broker.condition("CP-1")
            return now is not None and not now.unheard

        await broker.until(heard)

    run(body, {"SIMU_HEARD_WITHIN": "1"})


# -- one launcher at a time -------------------------------------------------------------------


def claim(launcher: str, *, serves: bool, since: float) -> bytes:
    return msgspec.json.encode(
        Claim(launcher=launcher, since=since, where="elsewhere, process 7", serves=serves)
    )


def claims(broker: FakeBroker) -> list[Claim]:
    return [msgspec.json.decode(each, type=Claim) for each in broker.heard("launcher/claim")]


def test_a_launcher_that_serves_says_so_when_it_is_asked() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        broker.say("launcher/claim", claim("other", serves=False, since=0))
        await broker.until(lambda: [each for each in claims(broker) if each.serves])
        assert broker.retained[f"{ROOT}/launcher/status"] == b"Alive"
        assert (await broker.command("start", entry())).ok

    run(body)


def test_a_newcomer_is_refused_and_touches_nothing() -> None:
    async def main() -> None:
        broker = FakeBroker()
        engine = FakeEngine(broker)
        broker.retained[f"{ROOT}/launcher/status"] = b"Alive"
        broker.on_claim = lambda: broker.say(
            "launcher/claim", claim("incumbent", serves=True, since=0)
        )
        async with launched(broker, engine, wait=False) as daemon:
            await broker.until(lambda: daemon.refused)
            assert "elsewhere, process 7" in daemon.refused
        assert engine.calls == []
        assert broker.retained[f"{ROOT}/launcher/status"] == b"Alive"

    asyncio.run(main())


def test_of_two_that_serve_the_older_one_stays() -> None:
    async def main() -> None:
        broker = FakeBroker()
        async with launched(broker, FakeEngine(broker)) as daemon:
            broker.say("launcher/claim", claim("younger", serves=True, since=9e9))
            await broker.until(lambda: [each for each in claims(broker) if each.serves][1:])
            assert not daemon.refused
            broker.say("launcher/claim", claim("older", serves=True, since=1))
            await broker.until(lambda: daemon.refused)

    asyncio.run(main())


def test_the_will_of_a_former_life_is_contradicted() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        broker.say("launcher/status", b"Dead", retain=True)
        await broker.until(lambda: broker.retained[f"{ROOT}/launcher/status"] == b"Alive")

    run(body)
