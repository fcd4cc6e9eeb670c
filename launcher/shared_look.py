"""One look at the engine for all who want one: each of fifty orders asks about its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from launcher.engine import EngineError, Found


class _Question:
    """What somebody wants to know.

    Attributes:
        charge_point_id: of which.
        found: the answer; None: there is none yet.
        refused: why there is none; empty: nothing is in the way.
    """

    __slots__ = ("charge_point_id", "found", "refused")

    def __init__(self, charge_point_id: str) -> None:
        self.charge_point_id = charge_point_id
        self.found: Found | None = None
        self.refused = ""


class SharedLook:
    """Answers all who ask while a look is under way by the next one.

    No answer is older than its question: a look answers nobody who asked after it began.

    Args:
        look: returns what there is of charge points; raises `EngineError`.
    """

    def __init__(self, look: Callable[[frozenset[str]], Awaitable[Mapping[str, Found]]]) -> None:
        self._look = look
        self._under_way: asyncio.Event | None = None
        self._open: list[_Question] = []

    async def find(self, charge_point_id: str) -> Found:
        """Return all there is of a charge point.

        Raises:
            EngineError: the engine refuses or cannot be reached.
        """
        question = _Question(charge_point_id)
        self._open.append(question)
        try:
            while question in self._open:
                if self._under_way is None:
                    await self._look_for_all()
                else:
                    await self._under_way.wait()
        finally:
            if question in self._open:
                self._open.remove(question)
        if question.found is None:
            raise EngineError(question.refused)
        return question.found

    async def _look_for_all(self) -> None:
        # All whom it answers go on at once: one after the other, the first would be far ahead.
        self._under_way = ended = asyncio.Event()
        try:
            await asyncio.sleep(0)  # orders of one command ask in the same turn of the loop
            await self._answer(tuple(self._open))
        finally:
            self._under_way = None
            ended.set()

    async def _answer(self, questions: tuple[_Question, ...]) -> None:
        try:
            found = await self._look(frozenset(each.charge_point_id for each in questions))
            for each in questions:
                each.found = found[each.charge_point_id]
        except EngineError as exc:
            for each in questions:
                each.refused = str(exc)
        self._open = [each for each in self._open if each not in questions]
