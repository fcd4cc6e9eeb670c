"""A fleet for one test within an event loop: it tells of a failure, and is removed at the end."""

from collections.abc import Callable
from types import TracebackType

from supervisor_cli import post_mortem
from supervisor_cli.async_simu import AsyncSimu
from supervisor_cli.state import Broker

Tell = Callable[[list[tuple[str, str]]], None]
"""Takes what there is to know of a failure, as (title, text)."""


class AsyncFleetOfTest(AsyncSimu):
    """An `AsyncSimu` that removes what it has added when it is left.

    Args:
        environment: its name.
        broker: where its broker is.
        timeout_s: how long to wait where nothing else is said.
        kept: whether the charge points of a failure stay.
        tell: called when it is left by an exception.
    """

    def __init__(
        self, *, environment: str, broker: Broker, timeout_s: float, kept: bool, tell: Tell
    ) -> None:
        super().__init__(environment=environment, broker=broker, timeout_s=timeout_s)
        self._kept = kept
        self._tell = tell

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is not None:
                self._tell(post_mortem.told(self))
            if error is None or not self._kept:
                await self.remove()
        finally:
            await super().__aexit__(kind, error, trace)
