"""One look at the engine answers all who ask for one meanwhile."""

import asyncio

import pytest

from launcher.engine import EngineError, Found
from launcher.shared_look import SharedLook


class Engine:
    """Tells when it is looked at, and answers when it may."""

    def __init__(self) -> None:
        self.looks: list[list[str]] = []
        self.is_looked_at = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.refuses = ""
        self.is_nothing = Found(container=None, volume=None)

    async def look(self, charge_point_ids: frozenset[str]) -> dict[str, Found]:
        self.looks.append(sorted(charge_point_ids))
        self.is_looked_at.set()
        await self.may_answer.wait()
        if self.refuses:
            raise EngineError(self.refuses)
        return dict.fromkeys(charge_point_ids, self.is_nothing)


async def test_those_who_ask_at_the_same_time_share_a_look() -> None:
    engine = Engine()
    shared = SharedLook(engine.look)
    engine.may_answer.set()
    ids = [f"CP-{number}" for number in range(5)]
    answers = await asyncio.gather(*(shared.find(each) for each in ids))
    assert engine.looks == [ids]
    assert answers == [engine.is_nothing] * 5


async def test_those_who_ask_while_it_looks_share_the_next_look() -> None:
    engine = Engine()
    shared = SharedLook(engine.look)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(shared.find("CP-0"))]
        await engine.is_looked_at.wait()
        asked += [group.create_task(shared.find(f"CP-{number}")) for number in range(1, 5)]
        await asyncio.sleep(0)
        assert engine.looks == [["CP-0"]]
        engine.may_answer.set()
    assert engine.looks == [["CP-0"], ["CP-1", "CP-2", "CP-3", "CP-4"]]
    assert [each.result() for each in asked] == [engine.is_nothing] * 5


async def test_nobody_is_answered_by_a_look_that_began_before_the_question() -> None:
    engine = Engine()
    shared = SharedLook(engine.look)
    async with asyncio.TaskGroup() as group:
        group.create_task(shared.find("CP-1"))
        await engine.is_looked_at.wait()
        group.create_task(shared.find("CP-1"))
        await asyncio.sleep(0)
        engine.may_answer.set()
    assert engine.looks == [["CP-1"], ["CP-1"]]


async def test_a_refusal_is_everybodys_and_the_next_look_is_a_new_one() -> None:
    engine = Engine()
    engine.refuses = "the list of charge points: the Docker engine refused"
    shared = SharedLook(engine.look)
    engine.may_answer.set()
    asked = [asyncio.create_task(shared.find(f"CP-{number}")) for number in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(each) for each in answers] == [engine.refuses] * 3
    assert len(engine.looks) == 1
    engine.refuses = ""
    assert await shared.find("CP-0") == engine.is_nothing
    assert len(engine.looks) == 2


async def test_who_gives_up_while_looking_takes_nobody_along() -> None:
    engine = Engine()
    shared = SharedLook(engine.look)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(shared.find("CP-1"))
        await engine.is_looked_at.wait()
        second = group.create_task(shared.find("CP-2"))
        third = group.create_task(shared.find("CP-3"))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        third.cancel()
        engine.may_answer.set()
    assert second.result() == engine.is_nothing
    assert engine.looks[0] == ["CP-1"]
    assert all("CP-1" not in look for look in engine.looks[1:])
