"""How far something has come that has a known length: a bar on stderr, where that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from supervisor_cli.terminal import doing, talk_console

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_NARROW_COLUMNS: Final = 60
"""Below this the words and the numbers need the place of the bar."""

OnStep = Callable[[int, str], None]
"""Called with how many are done, and with other words where it is not empty."""


@contextmanager
def counting(text: str, total: int) -> Iterator[OnStep]:
    """Show how many of `total` are done; yields what is told of each step.

    On a terminal a bar, gone at the end; elsewhere a line of stderr. Of one thing there is
    nothing to count: a spinner does.

    Args:
        text: the first words.
        total: how many there are.
    """
    console = talk_console()
    if total <= 1 or not console.is_terminal:
        with doing(text) as now:
            yield lambda _done, words: now(words) if words else None
        return
    with bar(console) as shown:
        task = shown.add_task(text, total=total)
        yield lambda done, words: shown.update(task, completed=done, description=words or None)


def bar(console: "Console") -> "Progress":
    """Return what shows bars on a terminal, gone at the end."""
    from rich.progress import (  # noqa: PLC0415 - 30 ms
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    words_column = TextColumn("{task.description}", markup=False)
    columns = [SpinnerColumn(), words_column, MofNCompleteColumn()]
    if console.width >= _NARROW_COLUMNS:
        # Not to the edge: the ^C that a terminal echoes would begin a line of its own there.
        columns[2:2] = [BarColumn(bar_width=console.width // 3)]
        columns.append(TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
