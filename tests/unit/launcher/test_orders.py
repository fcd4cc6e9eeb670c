"""Orders that come again, that are refused or called off, and those that cut the power of many."""

import asyncio

import msgspec
import pytest

from launcher.answered import Answered
from launcher.api import Answer, CommandType, ErrorCode
from launcher.container import Mark
from tests.unit.launcher.fakes import FakeBroker, FakeEngine
from tests.unit.launcher.test_daemon import entry, run


def a_command(type_: str, *entries: object, request_id: str) -> bytes:
    return msgspec.json.encode({"type": type_, "charge_points": entries, "request_id": request_id})


# -- coming again -------------------------------------------------------------------------------


def test_a_command_that_was_retained_and_done_is_answered_again_as_it_was() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        broker.say("launcher/cmd", a_command("start", entry(), request_id="kept"), retain=True)
        await broker.until(broker.answers)
        broker.reconnect()
        await broker.until(lambda: len(broker.answers()) == 2)
        again = await broker.command("start", entry(), request_id="kept")
        assert [each.ok for each in broker.answers()] == [True, True, True]
        assert again == broker.answers()[0]
        assert engine.calls.count("start CP-1") == 1

    run(body)


def test_a_refusal_takes_no_answer_from_another_command_of_the_same_request_id() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        done = await broker.command("start", entry(), request_id="same")
        refused = await broker.command("start", request_id="same")
        assert refused.code is ErrorCode.MALFORMED
        assert await broker.command("start", entry(), request_id="same") == done

    run(body)


def test_a_command_that_was_not_done_may_come_again() -> None:
    answered = Answered()
    assert answered.begin("a")
    assert answered.knows("a")
    answered.forget("a")
    assert not answered.knows("a")
    assert answered.begin("a")
    answered.end(Answer(request_id="a", type=CommandType.KILL, ok=True))
    assert not answered.begin("a")
    assert not answered.knows(None)


# -- calling off --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["kill", "remove"])
def test_what_an_order_called_off_in_vain_excuses_no_later_one(command: str) -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        held = [f"CP-{n}" for n in range(4)]  # as many as have their turn at a time
        engine.hold = {each: asyncio.Event() for each in held}
        start = broker.send("start", *map(entry, [*held, "CP-9"]))
        await broker.until(lambda: all(f"find {each}" in engine.calls for each in held))
        engine.refuse["find"] = "the engine is away"
        failed = broker.send(command, {"id": "CP-9"})
        for each in engine.hold.values():
            each.set()
        await broker.until(lambda: len(broker.answers()) == 2)
        by_request = {each.request_id: each for each in broker.answers()}
        assert by_request[start].results[-1].code is ErrorCode.CANCELLED
        assert by_request[failed].results[0].code is ErrorCode.ENGINE
        engine.refuse.clear()
        later = await broker.command(command, {"id": "CP-9"})
        assert later.results[0].code is ErrorCode.UNKNOWN_CHARGE_POINT

    run(body)


def test_a_start_that_was_refused_is_not_there_to_be_called_off() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        assert (await broker.command("start", entry())).results[0].code is ErrorCode.ALIVE
        assert (await broker.command("remove", {"id": "CP-1"})).ok
        assert (await broker.command("kill", {"id": "CP-1"})).results[0].code is (
            ErrorCode.UNKNOWN_CHARGE_POINT
        )

    run(body)


# -- cutting the power of many ------------------------------------------------------------------


def test_a_restart_cuts_all_power_before_the_first_gets_it_back() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        ids = [f"CP-{n}" for n in range(12)]
        await broker.command("start", *map(entry, ids))
        engine.calls.clear()
        engine.most_at_once = 0
        assert (await broker.command("restart", *[{"id": each} for each in ids])).ok
        kinds = [call.split()[0] for call in engine.calls]
        first_start = kinds.index("start")
        assert kinds[:first_start].count("kill") == kinds.count("kill") == len(ids)
        assert engine.most_at_once == len(ids)
        assert all(engine.containers[each].alive for each in ids)

    run(body)


def test_a_restart_asks_for_nothing_twice() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        engine.calls.clear()
        assert (await broker.command("restart", {"id": "CP-1"})).ok
        assert [call.split()[0] for call in engine.calls] == ["find", "kill", "image_id", "start"]

    run(body)


def test_a_restart_knows_by_the_mark_alone_what_was_there() -> None:
    """Somebody has removed container and volume of one that was off."""

    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        await broker.command("kill", {"id": "CP-1"})
        engine.containers.clear()
        engine.volumes.clear()
        assert (await broker.command("restart", {"id": "CP-1"})).ok
        assert engine.containers["CP-1"].alive
        assert "CP-1" in engine.volumes
        assert engine.observation().of("CP-1").marks == {}

    run(body)


def test_a_restart_is_written_down_for_all_before_the_first_is_started() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        ids = [f"CP-{n}" for n in range(8)]
        await broker.command("start", *map(entry, ids))
        await broker.command("kill", *[{"id": each} for each in ids])
        engine.hold_at_start = {each: asyncio.Event() for each in ids}
        engine.calls.clear()
        broker.send("restart", *[entry(each, vendor="other") for each in ids])
        await broker.until(lambda: any(call.startswith("start CP-") for call in engine.calls))
        assert not any(Mark.OFF in engine.marks[each] for each in ids)
        for each in ids:
            changed = engine.marks[each][Mark.CHANGED].specification
            assert changed is not None
            assert changed.vendor == "other"
        for event in engine.hold_at_start.values():
            event.set()
        await broker.until(lambda: len(broker.answers()) == 3)
        assert broker.answers()[-1].ok

    run(body)


def test_a_restart_that_fails_leaves_a_dead_charge_point_off() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        await broker.command("start", entry())
        await broker.command("kill", {"id": "CP-1"})
        engine.refuse["start"] = engine.refuse["create_container"] = "no space left on device"
        answer = await broker.command("restart", {"id": "CP-1"})
        assert answer.results[0].code is ErrorCode.ENGINE
        assert Mark.OFF in engine.marks["CP-1"]

    run(body)


def test_a_restart_can_be_called_off_between_power_cut_and_start() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        ids = [f"CP-{n}" for n in range(8)]
        await broker.command("start", *map(entry, ids))
        engine.calls.clear()
        engine.hold_at_start = {each: asyncio.Event() for each in ids[:4]}
        restart = broker.send("restart", *[{"id": each} for each in ids])
        await broker.until(lambda: all(f"start {each}" in engine.calls for each in ids[:4]))
        kill = await broker.command("kill", {"id": "CP-7"})
        assert kill.ok
        for event in engine.hold_at_start.values():
            event.set()
        await broker.until(lambda: broker.answers()[-1].request_id == restart)
        results = {each.id: each.code for each in broker.answers()[-1].results}
        assert results.pop("CP-7") is ErrorCode.CANCELLED
        assert set(results.values()) == {None}
        assert not engine.containers["CP-7"].alive
        assert Mark.OFF in engine.marks["CP-7"]

    run(body)
