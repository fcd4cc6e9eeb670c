"""How far something is that has several stages: a bar for each, or a few lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from supervisor_cli.progress import bar
from supervisor_cli.terminal import talk_console

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_LINES: Final = 10
"""About as many for each kind of step where there is no terminal."""
_WORTH_LINES: Final = 10
"""Fewer steps than these are over before anybody wonders."""


class Stages(Protocol):
    """Shows steps, kind by kind; on stderr."""

    def show(self, what: str, done: int, total: int) -> None:
        """Show how often a step was done.

        Args:
            what: the kind of step: "starting".
            done: 0 announces it.
            total: how often it is to be done.
        """


class _Bars:
    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show(self, what: str, done: int, total: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)


class _Lines:
    def __init__(self, console: "Console") -> None:
        self._console = console
        self._announced: set[str] = set()

    def show(self, what: str, done: int, total: int) -> None:
        if what not in self._announced:
            self._announced.add(what)
            self._say(f"{what} {total} charge point{'s' if total != 1 else ''}")
        elif (
            total >= _WORTH_LINES
            and done
            and done * _LINES // total > ((done - 1) * _LINES // total)
        ):
            self._say(f"{what}: {done} of {total}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


@contextmanager
def stages() -> Iterator[Stages]:
    """Show steps while the block runs; on a terminal nothing is left of them.

    Who interrupts the block ends what is shown, not what the launcher does, and is told so.
    """
    import asyncio  # noqa: PLC0415 - costs 50 ms that --help need not pay

    console = talk_console()
    try:
        if console.is_terminal:
            with bar(console) as progress:
                yield _Bars(progress)
        else:
            yield _Lines(console)
    except asyncio.CancelledError:
        said = "what the launcher was asked for already it still does: simuctl ls shows it"
        console.print(said, markup=False, soft_wrap=True)
        raise
