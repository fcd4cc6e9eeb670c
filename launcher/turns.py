"""Whose turn it is: one order at a time for each charge point, few at a time for all."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from launcher.engine import Found


class CalledOffError(Exception):
    """The turn will not come: it was called off while it was waited for."""


class Turns:
    """Hands out turns.

    Orders for one charge point have their turns in the order in which they came; orders for
    different ones run side by side.

    Args:
        side_by_side: how many turns there are at a time.
    """

    def __init__(self, side_by_side: int) -> None:
        self._free = side_by_side
        self._waiting: deque[tuple[object, asyncio.Future[None]]] = deque()
        self._locks: dict[str, asyncio.Lock] = {}
        self._queued: Counter[str] = Counter()
        self.touched: set[str] = set()
        """Charge points that had a turn, or waited for one, since `watch` was called."""
        self._left: dict[str, Found] = {}
        self._refused: dict[str, set[object]] = {}
        self._can_be_called_off: dict[str, set[object]] = {}

    def watch(self) -> None:
        """Note from now on in `touched` who has a turn or waits for one, now and later."""
        self.touched = set(self._locks)

    def leave(self, charge_point_id: str, found: Found) -> None:
        """Leave word for the next turn of a charge point: this is what there is of it now."""
        self._left[charge_point_id] = found

    def forget_words(self) -> None:
        """Somebody meddles without waiting for a turn: nothing that was left holds any more."""
        self._left.clear()

    @asynccontextmanager
    async def turn(
        self,
        charge_point_id: str,
        *,
        urgent: bool = False,
        lasting: bool = True,
        paced: bool = True,
    ) -> AsyncIterator[Found | None]:
        """Wait for a turn, and have it.

        Args:
            charge_point_id: whose turn.
            urgent: passes by those of other charge points that wait.
            lasting: False: `call_off` ends the waiting.
            paced: False: others may have as many turns as they like at the same time.

        Yields:
            What the turn before has left word of, if it has.

        Raises:
            CalledOffError: it was called off before it began.
        """
        lock = self._locks.setdefault(charge_point_id, asyncio.Lock())
        self._queued[charge_point_id] += 1
        self.touched.add(charge_point_id)
        ticket = object()
        if not lasting:
            self._can_be_called_off.setdefault(charge_point_id, set()).add(ticket)
        try:
            async with lock:
                self._look(charge_point_id, ticket)
                if paced:
                    await self._enter(ticket, urgent=urgent)
                try:
                    self._look(charge_point_id, ticket)
                    self._can_be_called_off.get(charge_point_id, set()).discard(ticket)
                    yield self._left.pop(charge_point_id, None)
                finally:
                    if paced:
                        self._leave()
        finally:
            self._forget(charge_point_id, ticket)

    def call_off(self, charge_point_id: str) -> bool:
        """Call off all turns of a charge point that may be and have not begun.

        Returns:
            Whether there was any.
        """
        tickets = self._can_be_called_off.pop(charge_point_id, set())
        self._refused.setdefault(charge_point_id, set()).update(tickets)
        for ticket, waiter in self._waiting:
            if ticket in tickets and not waiter.done():
                # It looks for itself as soon as it is let in, and leaves at once.
                waiter.set_result(None)
                self._free -= 1
        return bool(tickets)

    def _look(self, charge_point_id: str, ticket: object) -> None:
        if ticket in self._refused.get(charge_point_id, ()):
            raise CalledOffError(charge_point_id)

    async def _enter(self, ticket: object, *, urgent: bool) -> None:
        if self._free > 0:
            self._free -= 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (ticket, waiter)
        if urgent:
            self._waiting.appendleft(entry)
        else:
            self._waiting.append(entry)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._leave()
            raise  # its entry stays in line, is done, and is passed over

    def _leave(self) -> None:
        self._free += 1
        while self._waiting and self._free > 0:
            _, waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self._free -= 1

    def _forget(self, charge_point_id: str, ticket: object) -> None:
        for tickets in (self._refused, self._can_be_called_off):
            if charge_point_id in tickets:
                tickets[charge_point_id].discard(ticket)
                if not tickets[charge_point_id]:
                    del tickets[charge_point_id]
        self._queued[charge_point_id] -= 1
        if not self._queued[charge_point_id]:
            del self._queued[charge_point_id], self._locks[charge_point_id]
