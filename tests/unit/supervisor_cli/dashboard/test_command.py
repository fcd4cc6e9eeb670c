"""The command: where it can run, and how it leaves a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.supervisor_cli.conftest import Simuctl

WITHIN_S = 30


def on_a_terminal(*words: str, term: str = "xterm-256color") -> tuple[int, str]:
    """Run simuctl on a terminal of its own; return its exit code and all it showed."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "supervisor_cli", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": term},
            cwd=Path(__file__).parents[4],
        )
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:
            pass  # how Linux says that the other side is closed
        return process.wait(WITHIN_S), shown.decode(errors="replace")
    finally:
        os.close(ours)


def test_without_a_terminal_it_says_so(simuctl: Simuctl) -> None:
    said = simuctl("watch")
    assert said.code == 2
    assert said.out == ""
    assert "error: watch needs a terminal" in said.err
    assert "hint: simuctl ls shows the fleet once" in said.err


def test_a_terminal_without_a_cursor_is_none() -> None:
    code, shown = on_a_terminal("watch", term="dumb")
    assert code == 2
    assert "TERM is dumb" in shown


def test_without_an_environment_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMU_BROKER", "127.0.0.1:1")
    code, shown = on_a_terminal("watch")
    assert code == 3
    assert "broker 127.0.0.1:1: connection refused" in shown
    assert "simuctl up starts one" in shown
    assert "\x1b[?1049h" not in shown  # the other screen was never entered
