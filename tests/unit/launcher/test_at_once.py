"""Who is killed together dies together, after all that has to be done before."""

import asyncio
from collections.abc import Callable

import pytest

from launcher.at_once import AtOnce
from tests.unit.shell.peers import run


class Preparation:
    """Something that is done when the test says so."""

    def __init__(self, at_once: AtOnce) -> None:
        self._at_once = at_once
        self.begun = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def make(self, *, refused: bool = False) -> None:
        with self._at_once.preparing():
            self.begun.set()
            await self.goes_on.wait()
            if refused:
                raise OSError("refused")


class Dead:
    """Who is dead, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def strike(self, name: str) -> Callable[[], bool]:
        def strike() -> bool:
            self.names.append(name)
            return True

        return strike


async def turns_of_the_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_deaths_wait_for_what_is_under_way_and_happen_in_the_same_instant() -> None:
    async def scenario() -> None:
        at_once = AtOnce()
        dead = Dead()

        async def die(name: str) -> None:
            await at_once.die(dead.strike(name))
            heard.append((name, tuple(dead.names)))

        heard: list[tuple[str, tuple[str, ...]]] = []
        first, second = Preparation(at_once), Preparation(at_once)
        async with asyncio.TaskGroup() as group:
            for each in (first, second):
                group.create_task(each.make())
                await each.begun.wait()
            for name in ("A", "B", "C"):
                group.create_task(die(name))
            first.goes_on.set()
            await turns_of_the_loop()
            assert dead.names == []
            second.goes_on.set()
        assert dead.names == ["A", "B", "C"]
        assert {seen for _, seen in heard} == {("A", "B", "C")}, "one went on before all were dead"

    run(scenario())


def test_a_look_that_follows_a_mark_is_waited_for_although_it_begins_later() -> None:
    async def scenario() -> None:
        at_once = AtOnce()
        mark, look = Preparation(at_once), Preparation(at_once)
        dead = Dead()

        async def mark_look_and_die() -> None:
            await mark.make()
            await look.make()
            await at_once.die(dead.strike("late"))

        async with asyncio.TaskGroup() as group:
            group.create_task(mark_look_and_die())
            await mark.begun.wait()
            group.create_task(at_once.die(dead.strike("early")))
            mark.goes_on.set()
            await look.begun.wait()
            await turns_of_the_loop()
            assert dead.names == []
            look.goes_on.set()
        assert dead.names == ["early", "late"]

    run(scenario())


@pytest.mark.parametrize("result", [True, False])
def test_alone_one_dies_without_waiting_and_hears_what_came_of_it(result: bool) -> None:
    async def scenario() -> None:
        assert await AtOnce(longest_wait_s=3600).die(lambda: result) is result

    run(scenario())


def test_a_preparation_that_is_refused_keeps_nobody_waiting() -> None:
    async def scenario() -> None:
        at_once = AtOnce()
        mark = Preparation(at_once)
        making = asyncio.create_task(mark.make(refused=True))
        await mark.begun.wait()
        death = asyncio.create_task(at_once.die(lambda: True))
        mark.goes_on.set()
        assert await death
        with pytest.raises(OSError, match="refused"):
            await making

    run(scenario())


def test_preparations_without_end_are_not_waited_for_for_ever() -> None:
    async def scenario() -> None:
        at_once = AtOnce(longest_wait_s=0.01)
        endless = Preparation(at_once)
        async with asyncio.TaskGroup() as group:
            group.create_task(endless.make())
            await endless.begun.wait()
            for _ in range(2):
                assert await at_once.die(lambda: True)
            endless.goes_on.set()

    run(scenario())


def test_a_strike_that_fails_is_the_trouble_of_one_alone() -> None:
    async def scenario() -> None:
        def fail() -> bool:
            raise OSError("no such call")

        at_once, dead = AtOnce(), Dead()
        results = await asyncio.gather(
            at_once.die(dead.strike("A")),
            at_once.die(fail),
            at_once.die(dead.strike("B")),
            return_exceptions=True,
        )
        assert results[0] is results[2] is True
        assert isinstance(results[1], OSError)
        assert dead.names == ["A", "B"]

    run(scenario())


def test_a_death_that_is_called_off_does_not_happen() -> None:
    async def scenario() -> None:
        at_once = AtOnce()
        mark = Preparation(at_once)
        dead = Dead()
        async with asyncio.TaskGroup() as group:
            group.create_task(mark.make())
            await mark.begun.wait()
            called_off = group.create_task(at_once.die(dead.strike("called off")))
            group.create_task(at_once.die(dead.strike("other")))
            await turns_of_the_loop()
            called_off.cancel()
            await turns_of_the_loop()
            mark.goes_on.set()
        assert dead.names == ["other"]

    run(scenario())
