"""Marks come before deaths: an engine that buries the first of fifty is slow to mark the last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class MarksFirst:
    """Lets whoever takes power away wait for the marks that are being made.

    In a power cut of all, each charge point is marked and then killed, and what the engine has to
    do for one that died costs it more than the mark and the signal of another.
    """

    def __init__(self) -> None:
        self._under_way: set[asyncio.Event] = set()

    @asynccontextmanager
    async def making(self) -> AsyncIterator[None]:
        """A mark is made in the body."""
        made = asyncio.Event()
        self._under_way.add(made)
        try:
            yield
        finally:
            self._under_way.discard(made)
            made.set()

    async def made(self) -> None:
        """Wait for the marks that are under way now; those that come later wait for nobody."""
        for mark in tuple(self._under_way):
            await mark.wait()
