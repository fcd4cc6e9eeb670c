"""The file transfers under way: a task for each."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from cp_image.api.central_system import without_password
from cp_image.core.effects import Download, Upload
from cp_image.core.events import Event

LOG: Final = logging.getLogger(__name__)


class TransferTasks:
    """Starts, ends and cancels transfers.

    What transfers need is imported with the first one: an idle charge point does without.

    Args:
        on_event: called in the event loop with the end of each transfer; what it raises ends the
            task group.
        log_lines: returns the log lines between two instants, None is unlimited.
        proxy: URL of the HTTP proxy through which this machine's own loopback is reached; None
            goes straight.
    """

    def __init__(
        self,
        *,
        on_event: Callable[[Event], None],
        log_lines: Callable[[float | None, float | None], list[str]],
        proxy: str | None = None,
    ) -> None:
        self._on_event = on_event
        self._log_lines = log_lines
        self._proxy = proxy
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def open(self, group: asyncio.TaskGroup) -> None:
        """Let the tasks be born in a group."""
        self._group = group

    def start(self, effect: Download | Upload) -> None:
        """Begin a transfer."""
        if self._group is None:
            raise AssertionError("transfers are not open")
        name = f"transfer {effect.number}"
        self._tasks[effect.number] = self._group.create_task(self._transfer(effect), name=name)

    def cancel(self, number: int) -> None:
        """Break a transfer off; one that is over is none."""
        task = self._tasks.pop(number, None)
        if task is not None:
            task.cancel()

    def cancel_all(self) -> None:
        """Break all transfers off."""
        for number in tuple(self._tasks):
            self.cancel(number)

    async def _transfer(self, effect: Download | Upload) -> None:
        from cp_image.shell import transfers  # noqa: PLC0415 - see the class
        from cp_image.shell.transfer_line import Terms  # noqa: PLC0415

        terms = Terms(proxy=self._proxy)
        location = without_password(effect.location)
        if isinstance(effect, Download):
            LOG.info("downloading %s", location)
            ended = await transfers.download(effect, terms)
        else:
            LOG.info("uploading %s to %s", effect.file_name, location)
            lines = self._log_lines(effect.log_from, effect.log_to) if effect.with_log else None
            ended = await transfers.upload(effect, terms, lines)
        del self._tasks[effect.number]
        self._on_event(ended)
