"""How far something is, on a terminal and elsewhere."""

import asyncio
import io

import pytest
from rich.console import Console

from supervisor_cli import stages


def shown(monkeypatch: pytest.MonkeyPatch, total: int, *, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None)
    monkeypatch.setattr(stages, "talk_console", lambda: console)
    with stages.stages() as progress:
        for what in ("removing", "starting"):
            for done in range(total + 1):
                progress.show(what, done, total)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_who_interrupts_is_told_that_the_launcher_goes_on(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None)
    monkeypatch.setattr(stages, "talk_console", lambda: console)

    def interrupted() -> None:
        with stages.stages() as progress:
            progress.show("starting", 3, 20)
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        interrupted()
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert said.endswith(
        "what the launcher was asked for already it still does: simuctl ls shows it\n"
    )


def test_a_terminal_shows_a_bar_for_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    said = shown(monkeypatch, 24, terminal=True)
    last = said.rpartition("removing")[2]
    assert last.count("24/24") == 2
    assert "starting" in last
    assert "━" in last


@pytest.mark.parametrize(("total", "lines"), [(1, 2), (9, 2), (10, 22), (1000, 22)])
def test_elsewhere_there_are_a_few_lines(
    monkeypatch: pytest.MonkeyPatch, total: int, lines: int
) -> None:
    said = shown(monkeypatch, total, terminal=False).splitlines()
    assert len(said) == lines
    assert said[0] == f"removing {total} charge point{'s' if total > 1 else ''}"
    if total >= 10:
        assert said[-1] == f"starting: {total} of {total}"
