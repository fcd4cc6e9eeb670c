"""How far something has come that has a known length: a bar on stderr, where that is a terminal."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_NARROW_COLUMNS: Final = 60
"""Below this the words and the numbers need the place of the bar."""


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
