"""Many changes, few pictures: what has become old is shown soon, but not more often than that."""

import asyncio
from collections.abc import Awaitable, Callable


class Pace:
    """Calls `show` soon after `changed`, and not again before `rest` is over.

    The first change after a rest is shown at once; those that come during it are shown together.

    Args:
        show: makes the picture.
        rest: waits between two pictures.
    """

    def __init__(self, show: Callable[[], None], rest: Callable[[], Awaitable[None]]) -> None:
        self._show = show
        self._rest = rest
        self._news = asyncio.Event()

    def changed(self) -> None:
        """Say that what is shown is old."""
        self._news.set()

    async def run(self) -> None:
        """Show what changes until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            self._show()
            await self._rest()
