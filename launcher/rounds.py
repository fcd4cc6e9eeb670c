"""When charge points are looked at and put right: after every start and whatever went by unseen."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from launcher.alarms import Alarms
from launcher.engine import EngineError
from launcher.reconciler import Reconciler

LOG: Final = logging.getLogger(__name__)

_FIRST_RETRY_S: Final = 5.0
_LAST_RETRY_S: Final = 60.0
_LOOK_AGAIN_S: Final = 2.0

Scan = Callable[[], Awaitable[Mapping[str, bytes]]]
"""Returns all that the broker has retained of charge points, by topic; OSError where it cannot."""


class Rounds:
    """Goes round when it is asked to, and again where something failed or was left out.

    Args:
        reconciler: puts right what is not as it was asked for.
        scan: looks at what the broker has retained.
        alarms: for what is to be done later.
        ready: waits until there is somebody to go round for; returns whether this launcher serves.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        scan: Scan,
        alarms: Alarms,
        ready: Callable[[], Awaitable[bool]],
    ) -> None:
        self._reconciler = reconciler
        self._scan = scan
        self._alarms = alarms
        self._ready = ready
        self._due = asyncio.Event()

    def ask(self) -> None:
        """Ask for a round; one that is on its way may have passed by what it is asked for."""
        self._due.set()

    def ask_twice(self) -> None:
        """Ask for a round now, and for another: the engine lists some things late."""
        self.ask()
        # The engine lists a container for a moment as it was before the event.
        self._alarms.set("by hand", _LOOK_AGAIN_S, self._ask_again)

    async def run(self) -> None:
        """Go round, until cancelled."""
        retry_s = _FIRST_RETRY_S
        while True:
            await self._due.wait()
            serves = await self._ready()
            self._due.clear()
            if not serves:
                continue
            try:
                failed = await self._reconciler.put_right(await self._scan())
            except (EngineError, OSError) as exc:
                failed = [f"cannot compare engine and broker now: {exc}"]
            if not failed:
                retry_s = _FIRST_RETRY_S
                if self._reconciler.left_out:
                    self._alarms.set("reconciliation", _LOOK_AGAIN_S, self._ask_again)
                continue
            LOG.warning("%s; trying again in %g s", "; ".join(failed[:3]), retry_s)
            self._alarms.set("reconciliation", retry_s, self._ask_again)
            retry_s = min(2 * retry_s, _LAST_RETRY_S)

    async def _ask_again(self) -> None:
        self.ask()
