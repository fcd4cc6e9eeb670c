"""What simuctl prints: data on stdout, talk on stderr. Rich is loaded only when needed."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from rich.console import Console

_FILE_WIDTH: Final = 200
"""Columns where no terminal limits them: nothing is cut off for `grep`."""


def data_console() -> "Console":
    """Return where data goes: stdout."""
    return _console(to_stderr=False)


def talk_console() -> "Console":
    """Return where talk goes: stderr."""
    return _console(to_stderr=True)


def printable(text: str) -> str:
    """Return `text` on one line, without what could move the cursor of a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def print_json(value: Any) -> None:
    """Print builtin types as indented JSON on stdout."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(f"{text}\n")


def say(text: str) -> None:
    """Say something to the person at the terminal."""
    talk_console().print(text, markup=False, soft_wrap=True)


def complain(error: str, hint: str = "") -> None:
    """Say what is wrong, and how to mend it."""
    from rich.text import Text  # noqa: PLC0415

    console = talk_console()
    console.print(Text.assemble(("error: ", "bold red"), _lines(error)), soft_wrap=True)
    if hint:
        console.print(Text.assemble(("hint: ", "bold cyan"), _lines(hint)), soft_wrap=True)


def say_interrupted() -> None:
    """Say that a command ends because somebody wished so: no error of anything."""
    console = talk_console()
    if console.is_terminal:
        console.line()  # below the ^C that it echoes
    console.print("interrupted")


@contextmanager
def doing(text: str, *, steps: bool = False) -> Iterator[Callable[[str], None]]:
    """Show what takes a while; yields what changes the words.

    On a terminal a spinner, gone at the end; elsewhere a line of stderr.

    Args:
        text: the first words.
        steps: whether the words that follow are few and each worth a line where there is no
            terminal, rather than a count that moves.
    """
    console = talk_console()
    if not console.is_terminal:

        def line(words: str) -> None:
            console.print(words, markup=False, soft_wrap=True)

        line(text)
        yield line if steps else lambda _text: None
        return
    from rich.text import Text  # noqa: PLC0415

    with console.status(Text(text)) as status:
        yield lambda words: status.update(Text(words))


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _console(*, to_stderr: bool) -> "Console":
    from rich.console import Console  # noqa: PLC0415

    stream = sys.stderr if to_stderr else sys.stdout
    limited = stream.isatty() or "COLUMNS" in os.environ
    return Console(
        file=stream, highlight=False, emoji=False, width=None if limited else _FILE_WIDTH
    )
