"""What is to be done later: one alarm per key, and no polling."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable

Act = Callable[[], Awaitable[None]]


class Alarms:
    """Does things at their times, while `run` runs."""

    def __init__(self) -> None:
        self._due: dict[Hashable, tuple[float, Act]] = {}
        self._changed = asyncio.Event()

    def set(self, key: Hashable, after_s: float, act: Act) -> None:
        """Do something after a time; what was to be done for the key is not done any more."""
        self._due[key] = (asyncio.get_running_loop().time() + after_s, act)
        self._changed.set()

    def clear(self, key: Hashable) -> None:
        """Do nothing for a key; what is being done is not stopped."""
        self._due.pop(key, None)

    async def run(self) -> None:
        """Wait, and do what is due, side by side; what is being done ends with it."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                next_at = min((at for at, _ in self._due.values()), default=None)
                try:
                    async with asyncio.timeout_at(next_at):
                        await self._changed.wait()
                except TimeoutError:
                    now = loop.time()
                    for key in [key for key, (at, _) in self._due.items() if at <= now]:
                        _, act = self._due.pop(key)
                        group.create_task(_await(act), name=f"alarm {key}")


async def _await(act: Act) -> None:
    await act()
