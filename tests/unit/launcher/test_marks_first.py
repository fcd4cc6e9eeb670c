"""Marks come before deaths."""

import asyncio

import pytest

from launcher.marks_first import MarksFirst
from tests.unit.shell.peers import run


class Mark:
    """A mark that is made when the test says so."""

    def __init__(self, marks: MarksFirst) -> None:
        self._marks = marks
        self.begun = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def make(self, *, refused: bool = False) -> None:
        async with self._marks.making():
            self.begun.set()
            await self.goes_on.wait()
            if refused:
                raise OSError("refused")


def test_a_death_waits_for_the_marks_that_are_under_way_and_for_no_later_ones() -> None:
    async def scenario() -> None:
        marks = MarksFirst()
        first, second, later = Mark(marks), Mark(marks), Mark(marks)
        async with asyncio.TaskGroup() as group:
            for mark in (first, second):
                group.create_task(mark.make())
                await mark.begun.wait()
            death = group.create_task(marks.made())
            first.goes_on.set()
            group.create_task(later.make())
            await later.begun.wait()
            assert not death.done()
            second.goes_on.set()
            await death
            later.goes_on.set()

    run(scenario())


def test_without_marks_nobody_waits() -> None:
    async def scenario() -> None:
        await MarksFirst().made()

    run(scenario())


def test_a_mark_that_is_refused_keeps_nobody_waiting() -> None:
    async def scenario() -> None:
        marks = MarksFirst()
        mark = Mark(marks)
        making = asyncio.create_task(mark.make(refused=True))
        await mark.begun.wait()
        death = asyncio.create_task(marks.made())
        mark.goes_on.set()
        await death
        with pytest.raises(OSError, match="refused"):
            await making
        await marks.made()

    run(scenario())
