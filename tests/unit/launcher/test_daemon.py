import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from cp_image.api.payloads import ChargePointState
from launcher.api import CommandType, ContainerCondition, Died, ErrorCode, Progress
from launcher.engine import ListeningBegan, ListeningBroke
from tests.unit.launcher.fakes import (
    ENVIRONMENT,
    ROOT,
    FakeBroker,
    FakeEngine,
    a_status,
    launched,
)

Body = Callable[[FakeBroker, FakeEngine], Coroutine[Any, Any, None]]


def entry(charge_point_id: str = "CP-1", **fields: object) -> dict[str, object]:
    base = {"id": charge_point_id, "type": "AC", "central_system": "ws://192.0.2.1"}
    return {**base, **fields}


def run(body: Body, variables: dict[str, str] | None = None) -> tuple[FakeBroker, FakeEngine]:
    async def main() -> tuple[FakeBroker, FakeEngine]:
        broker = FakeBroker()
        engine = FakeEngine(broker)
        async with launched(broker, engine, variables):
            await body(broker, engine)
        return broker, engine

    return asyncio.run(main())


def retained_of(broker: FakeBroker, charge_point_id: str) -> list[str]:
    prefix = f"{ROOT}/cps/{charge_point_id}/"
    return sorted(t.removeprefix(prefix) for t in broker.retained if t.startswith(prefix))


# -- life of the launcher -----------------------------------------------------------------------


def test_it_is_alive_while_it_runs_and_dead_after_an_orderly_end() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        assert broker.retained[f"{ROOT}/launcher/status"] == b"Alive"
        assert broker.will is not None
        assert (broker.will.payload, broker.will.retain) == (b"Dead", True)

    broker, engine = run(body)
    assert broker.retained[f"{ROOT}/launcher/status"] == b"Dead"
    assert broker.closed
    assert engine.closed


def test_close_is_answered_first_and_lets_the_charge_points_live() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        answer = await broker.command("close", request_id="bye")
        assert (answer.ok, answer.type, answer.request_id) == (True, CommandType.CLOSE, "bye")
        await broker.until(lambda: broker.retained[f"{ROOT}/launcher/status"] == b"Dead")

    _, engine = run(body)
    assert engine.containers["CP-1"].alive


def test_close_waits_for_commands_that_run_and_refuses_later_ones() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        engine.hold["CP-1"] = asyncio.Event()
        command = msgspec.json.encode({"type": "start", "charge_points": [entry()]})
        broker.say("launcher/cmd", command)
        await broker.command("close")
        late = await broker.command("start", entry("CP-2"), request_id="late")
        assert (late.code, late.request_id) == (ErrorCode.CLOSING, "late")
        engine.hold["CP-1"].set()
        await broker.until(lambda: broker.answers()[-1].type is CommandType.START)

    broker, engine = run(body)
    assert broker.answers()[-1].ok
    assert list(engine.containers) == ["CP-1"]


# -- commands -----------------------------------------------------------------------------------


def test_start_makes_container_and_volume_and_is_answered() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        answer = await broker.command("start", entry(nb_connectors=2), request_id="abc")
        assert (answer.request_id, answer.type, answer.ok) == ("abc", CommandType.START, True)
        assert [(o.id, o.ok, o.code) for o in answer.results] == [("CP-1", True, None)]
        assert engine.containers["CP-1"].alive
        assert engine.volumes["CP-1"].specification == engine.containers["CP-1"].specification
        assert broker.events() == []

    run(body)


def test_start_of_an_id_that_is_alive_is_refused_and_changes_nothing() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        before = engine.containers["CP-1"]
        answer = await broker.command("start", entry(vendor="other"))
        assert not answer.ok
        assert answer.results[0].code is ErrorCode.ALIVE
        assert "CP-1 is alive" in answer.results[0].text
        assert engine.containers["CP-1"] == before

    run(body)


def test_start_of_a_dead_id_begins_with_a_clean_volume() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(nb_connectors=3))
        await broker.command("kill", {"id": "CP-1"})
        old_volume = engine.volumes["CP-1"]
        old_container = engine.containers["CP-1"].container_id
        assert (await broker.command("start", entry(nb_connectors=1))).ok
        assert engine.volumes["CP-1"] is not old_volume
        assert engine.containers["CP-1"].container_id != old_container
        assert retained_of(broker, "CP-1") == [
            "connectors/1/status",
            "container",
            "ocpp_config",
            "specification",
            "status",
        ]

    run(body)


def test_kill_cuts_the_power_and_keeps_container_and_volume() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        engine.wills = False
        assert (await broker.command("kill", {"id": "CP-1"})).ok
        assert not engine.containers["CP-1"].alive
        assert "CP-1" in engine.volumes
        status = broker.status("CP-1")
        assert status is not None
        assert (status.status, status.reason) == (ChargePointState.DEAD, "killed")
        # A link that remembered it would contradict the living charge point later.
        assert broker.forgotten == [f"{ROOT}/cps/CP-1/status"]
        again = await broker.command("kill", {"id": "CP-1"})
        assert again.results[0].code is ErrorCode.NOT_RUNNING

    broker, _ = run(body)
    assert not [event for event in broker.events() if isinstance(event, Died)]


def test_who_is_killed_is_said_to_be_dead_before_the_engine_has_buried_it() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        engine.hold_at_burial["CP-1"] = asyncio.Event()
        broker.send("kill", {"id": "CP-1"})
        await broker.until(
            lambda: (
                (last := broker.status("CP-1")) is not None and last.status is ChargePointState.DEAD
            )
        )
        assert len(broker.answers()) == 1, "the answer comes when it is buried"
        engine.hold_at_burial["CP-1"].set()
        await broker.until(lambda: len(broker.answers()) == 2)

    run(body)


@pytest.mark.parametrize("type_", ["kill", "restart", "remove"])
def test_an_unknown_charge_point_is_named(type_: str) -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        answer = await broker.command(type_, {"id": "CP-9"})
        assert answer.results[0].code is ErrorCode.UNKNOWN_CHARGE_POINT
        assert "CP-9 is unknown: environment ci-7" in answer.results[0].text

    run(body)


@pytest.mark.parametrize("dead_first", [True, False])
def test_restart_by_id_starts_the_same_container_again(*, dead_first: bool) -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        before = engine.containers["CP-1"]
        volume = engine.volumes["CP-1"]
        if dead_first:
            await broker.command("kill", {"id": "CP-1"})
        assert (await broker.command("restart", {"id": "CP-1"})).ok
        assert engine.containers["CP-1"] == before
        assert engine.volumes["CP-1"] is volume
        assert engine.calls.count("kill CP-1") == 1

    broker, _ = run(body)
    assert not [event for event in broker.events() if isinstance(event, Died)]


@pytest.mark.parametrize("changed", ["specification", "image", "container"])
def test_restart_makes_a_new_container_where_anything_changed_but_keeps_the_volume(
    changed: str,
) -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(nb_connectors=2))
        before, volume = engine.containers["CP-1"], engine.volumes["CP-1"]
        request: dict[str, object] = {"id": "CP-1"}
        if changed == "specification":
            request = entry(nb_connectors=1)
        elif changed == "image":
            engine.image = "image-2"
        else:
            del engine.containers["CP-1"]
        assert (await broker.command("restart", request)).ok
        now = engine.containers["CP-1"]
        assert now.alive
        assert now.container_id != before.container_id
        assert engine.volumes["CP-1"] is volume
        if changed == "specification":
            assert "connectors/2/status" not in retained_of(broker, "CP-1")
        else:
            assert now.specification == before.specification

    run(body)


def test_remove_leaves_nothing_behind() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(nb_connectors=2))
        assert (await broker.command("remove", {"id": "CP-1"})).ok
        assert not engine.containers
        assert not engine.volumes
        assert retained_of(broker, "CP-1") == []
        # The echo of the launcher's own clearing is not taken for somebody's wish.
        assert (await broker.command("start", entry())).ok
        assert (await broker.command("start", entry("CP-2"))).ok
        assert engine.containers["CP-1"].alive

    broker, engine = run(body)
    assert engine.calls.count("remove_container CP-1") == 1
    assert not [event for event in broker.events() if isinstance(event, Died)]


def test_an_emptied_status_removes_the_charge_point() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(nb_connectors=2))
        broker.say("cps/CP-1/status", b"", retain=True)
        await broker.until(lambda: not engine.volumes and not retained_of(broker, "CP-1"))
        assert engine.containers == {}
        assert (await broker.command("kill", {"id": "CP-1"})).results[0].code is (
            ErrorCode.UNKNOWN_CHARGE_POINT
        )

    run(body)


def test_a_will_that_comes_after_the_removal_is_cleared_again() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        await broker.command("remove", {"id": "CP-1"})
        late = a_status(ChargePointState.DEAD, container=f"{ENVIRONMENT}.CP-1")
        broker.say("cps/CP-1/status", late, retain=True)
        await broker.until(lambda: not retained_of(broker, "CP-1"))

    run(body)


def test_one_bad_entry_never_stops_the_good_ones_and_progress_is_told() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        bad = entry("CP-2", nb_phases=9)
        answer = await broker.command("start", entry(), bad, entry("CP-3"), entry(), request_id="r")
        assert [(o.id, o.code) for o in answer.results] == [
            ("CP-1", None),
            ("CP-2", ErrorCode.MALFORMED),
            ("CP-3", None),
            ("CP-1", ErrorCode.DUPLICATE),
        ]
        assert not answer.ok
        assert sorted(engine.containers) == ["CP-1", "CP-3"]
        progress = [event for event in broker.events() if isinstance(event, Progress)]
        assert [(event.done, event.total) for event in progress] == [(n, 4) for n in (1, 2, 3, 4)]
        assert {event.request_id for event in progress} == {"r"}
        assert broker.said[-1].topic == f"{ROOT}/launcher/result"

    run(body)


@pytest.mark.parametrize(
    ("payload", "request_id"),
    [(b"{", None), (b'{"type":"explode","request_id":"x"}', "x"), (b'{"type":"start"}', None)],
)
def test_a_malformed_command_is_answered(payload: bytes, request_id: str | None) -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        broker.say("launcher/cmd", payload)
        await broker.until(broker.answers)
        (answer,) = broker.answers()
        assert (answer.ok, answer.code) == (False, ErrorCode.MALFORMED)
        assert answer.request_id == request_id
        assert answer.text

    run(body)


def test_a_retained_command_is_refused_when_it_comes_again() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        command = msgspec.json.encode({"type": "start", "charge_points": [entry()]})
        broker.say("launcher/cmd", command, retain=True)
        await broker.until(broker.answers)
        broker.reconnect()
        await broker.until(lambda: len(broker.answers()) == 2)
        assert broker.answers()[1].code is ErrorCode.MALFORMED
        assert "without retain" in broker.answers()[1].text

    run(body)


def test_charge_points_are_started_side_by_side_within_bounds() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        answer = await broker.command("start", *[entry(f"CP-{n}") for n in range(20)])
        assert answer.ok
        assert 1 < engine.most_at_once <= 4

    run(body)


def test_orders_for_one_charge_point_keep_their_order_and_do_not_hold_up_others() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        held = engine.hold["CP-1"] = asyncio.Event()
        for type_, request_id in (("freeze", "1"), ("kill", "2"), ("remove", "3")):
            command = {"type": type_, "charge_points": [entry()], "request_id": request_id}
            broker.say("launcher/cmd", msgspec.json.encode(command))
        assert (await broker.command("start", entry("CP-2"), request_id="other")).ok
        held.set()
        await broker.until(lambda: len(broker.answers()) == 5)
        assert [(a.request_id, a.ok) for a in broker.answers()[1:]] == [
            ("other", True),
            ("1", True),
            ("2", True),
            ("3", True),
        ]

    run(body)


# -- the engine refuses -------------------------------------------------------------------------


def test_an_engine_that_refuses_is_an_answer_and_leaves_nothing_half_made() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        engine.refuse["start"] = "container x: the Docker engine refused: no space left"
        answer = await broker.command("start", entry())
        assert answer.results[0].code is ErrorCode.ENGINE
        assert answer.results[0].text.startswith("charge point CP-1: container x")
        assert not engine.containers
        assert not engine.volumes
        engine.refuse.clear()
        assert (await broker.command("start", entry())).ok

    run(body)


def test_a_missing_image_is_named_and_costs_no_volume() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        await broker.command("kill", {"id": "CP-1"})
        engine.image = None
        answer = await broker.command("start", entry())
        assert "image cp-simu/charge-point does not exist" in answer.results[0].text
        assert "CP-1" in engine.volumes
        assert (await broker.command("restart", {"id": "CP-1"})).ok  # its container has the image

    run(body)


def test_a_start_that_cannot_be_undone_still_gets_its_answer() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        engine.refuse = {"start": "no", "remove_container": "neither"}
        answer = await broker.command("start", entry())
        assert answer.results[0].text == "charge point CP-1: no"

    run(body)


# -- deaths -------------------------------------------------------------------------------------


def test_a_death_nobody_asked_for_is_told_and_the_status_is_dead() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        engine.wills = False
        engine.out_of_memory = True
        engine.die("CP-1", 1)
        await broker.until(broker.events)
        assert broker.events() == [
            Died(id="CP-1", exit_code=1, out_of_memory=True, last_log=["last words"])
        ]
        status = broker.status("CP-1")
        assert status is not None
        assert status.status is ChargePointState.DEAD
        assert status.reason == "exit code 1, out of memory"
        condition = broker.condition("CP-1")
        assert condition is not None
        assert condition.state is ContainerCondition.EXITED
        assert (condition.exit_code, condition.out_of_memory) == (1, True)

    run(body)


def test_an_orderly_end_is_no_news() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        engine.die("CP-1", 0)
        await broker.command("start", entry())
        assert broker.events() == []

    run(body)


def test_after_deafness_a_death_is_no_longer_taken_for_the_expected_one() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        await broker.command("kill", {"id": "CP-1"})
        engine.tell(ListeningBroke(reason="engine restarted"))
        engine.tell(ListeningBegan())
        await broker.command("restart", {"id": "CP-1"})
        engine.die("CP-1", 1)
        await broker.until(broker.events)

    run(body)


# -- adoption -----------------------------------------------------------------------------------


def test_a_new_launcher_adopts_what_runs_and_puts_the_broker_right() -> None:
    async def main() -> None:
        broker = FakeBroker()
        engine = FakeEngine(broker)
        async with launched(broker, engine):
            for charge_point_id in ("CP-1", "CP-2", "CP-3"):
                await broker.command("start", entry(charge_point_id))
        engine.wills = False
        engine.die("CP-2", 1)
        del engine.containers["CP-3"], engine.volumes["CP-3"]
        successor = FakeEngine(broker)
        successor.containers, successor.volumes = engine.containers, engine.volumes
        async with launched(broker, successor):
            await broker.until(lambda: not retained_of(broker, "CP-3") and broker.events())
            alive, dead = broker.status("CP-1"), broker.status("CP-2")
            assert alive is not None
            assert alive.status is ChargePointState.ACCEPTED
            assert dead is not None
            assert dead.status is ChargePointState.DEAD
            died = [event for event in broker.events() if isinstance(event, Died)]
            assert [(event.id, event.exit_code) for event in died] == [("CP-2", 1)]
            answer = await broker.command("start", entry())
            assert answer.results[0].code is ErrorCode.ALIVE
            assert (await broker.command("restart", {"id": "CP-2"})).ok

    asyncio.run(main())


def test_after_a_reconnect_what_was_lost_is_said_again() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        await broker.command("kill", {"id": "CP-1"})
        broker.retained.clear()
        broker.reconnect()
        status = await broker.until(lambda: broker.status("CP-1"))
        assert status.status is ChargePointState.DEAD

    run(body)


# -- where the CSMS is --------------------------------------------------------------------------


def test_a_csms_on_loopback_is_reached_through_the_proxy() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry(central_system="ws://localhost:9000"), entry("CP-2"))
        assert engine.requests["CP-1"].variables["SIMU_CSMS_PROXY"] == "http://172.18.0.1:17016"
        assert "SIMU_CSMS_PROXY" not in engine.requests["CP-2"].variables

    run(body, {"SIMU_LOCALHOST_PROXY": "http://172.18.0.1:17016"})
