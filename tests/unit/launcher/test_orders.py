"""Orders that come again, that are refused or called off, and those that cut the power of many."""

import msgspec

from launcher.answered import Answered
from launcher.api import Answer, CommandType, ErrorCode
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
