"""Power fails for all at once: who is killed together dies together."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class AtOnce:
    """Gathers deaths until nothing more is to be done before them, and lets them all happen then.

    In a power cut of all, each charge point is marked, looked at, and killed. What the engine has
    to do for one that died costs it more than the mark of another: once it buries the first of
    fifty, it is slow to mark the last.

    Args:
        longest_wait_s: for preparations that follow each other without end.
    """

    def __init__(self, *, longest_wait_s: float = 5.0) -> None:
        self._longest_wait_s = longest_wait_s
        self._under_way = 0
        self._gathered: list[tuple[Callable[[], bool], asyncio.Future[bool]]] = []
        self._latest: asyncio.TimerHandle | None = None

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Something is done in the body that deaths have to wait for."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._look()

    async def die(self, strike: Callable[[], bool]) -> bool:
        """Wait for the instant, and strike.

        Args:
            strike: does not block.

        Returns:
            What `strike` does.
        """
        struck: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._gathered.append((strike, struck))
        if self._latest is None:
            loop = asyncio.get_running_loop()
            self._latest = loop.call_later(self._longest_wait_s, self._strike)
        self._look()
        return await struck

    def _look(self) -> None:
        # Not now: who has made a mark begins to look, and who has looked is about to die.
        if self._under_way == 0 and self._gathered:
            asyncio.get_running_loop().call_soon(self._strike_if_all_is_done)

    def _strike_if_all_is_done(self) -> None:
        if self._under_way == 0:
            self._strike()

    def _strike(self) -> None:
        if self._latest is not None:
            self._latest.cancel()
            self._latest = None
        gathered, self._gathered = self._gathered, []
        for strike, struck in gathered:  # who waits for one goes on after the last
            if struck.done():
                continue
            try:
                struck.set_result(strike())
            except Exception as exc:  # noqa: BLE001 - is raised where that one is waited for
                struck.set_exception(exc)
