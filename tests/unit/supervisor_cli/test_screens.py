"""What is shown on narrow terminals, without colours, and without any; Ctrl-C at any moment."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

WITHIN_S = 30.0
WORLD = """
import asyncio, sys
from supervisor_cli.__main__ import run
from supervisor_cli.context import Seams
from tests.unit.supervisor_cli.world import World
world = World(configuration={"HeartbeatInterval": "300"})
for number in range(3):
    world.charge_point(f"CP-{number}")
%s
sys.exit(run(sys.argv[1:], Seams(link_factory=world.link)))
"""
SILENT_LAUNCHER = "world.launcher_answers = False"
SILENT_CHARGE_POINTS = "world.charge_points_answer = False"


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return {**kept, "TERM": "xterm-256color", **more}


class Screen:
    """A process on a terminal of its own."""

    def __init__(self, *words: str, setting: str = "", **variables: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORLD % setting, *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(**variables),
            start_new_session=True,
        )
        os.close(slave)
        self.shown = b""

    def until(self, words: bytes) -> None:
        """Read until the terminal has been shown these words, or the process ends."""
        deadline = time.monotonic() + WITHIN_S
        while words not in self.shown and time.monotonic() < deadline:
            if not self._read(deadline):
                break
        assert words in self.shown, self.shown

    def end(self) -> int:
        """Read to the end; return the exit code."""
        deadline = time.monotonic() + WITHIN_S
        while self._read(deadline):
            pass
        os.close(self._master)
        return self.process.wait(WITHIN_S)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        try:
            chunk = os.read(self._master, 65536) if ready else b""
        except OSError:  # the other side is closed
            chunk = b""
        self.shown += chunk
        return bool(chunk)


@pytest.mark.parametrize(
    ("words", "setting", "shown"),
    [
        (("kill", "--all"), SILENT_LAUNCHER, b"killing"),
        (("restart", "--all"), SILENT_LAUNCHER, b"restarting"),
        (("rm", "--all", "--yes"), SILENT_LAUNCHER, b"removing"),
        (("wait", "CP-9", "Accepted"), "", b"waiting for it"),
        (("trace", "CP-0", "-f"), SILENT_CHARGE_POINTS, b"does not answer"),
    ],
)
def test_ctrl_c_at_a_terminal(words: tuple[str, ...], setting: str, shown: bytes) -> None:
    screen = Screen(*words, setting=setting, COLUMNS="40")
    screen.until(shown)
    screen.process.send_signal(signal.SIGINT)
    assert screen.end() == 130
    assert b"Traceback" not in screen.shown
    # Whatever was hidden, the cursor above all, is there again.
    assert screen.shown.rfind(b"\x1b[?25h") >= screen.shown.rfind(b"\x1b[?25l")


@pytest.mark.parametrize(
    "words", [("fault", "--all"), ("config", "get", "--all"), ("draw", "--all", "5")]
)
def test_no_colour_where_nobody_wants_it(words: tuple[str, ...]) -> None:
    screen = Screen(*words, NO_COLOR="1", COLUMNS="40")
    assert screen.end() == 0
    assert b"CP-2" in screen.shown
    assert b"\x1b[3" not in screen.shown


def test_colour_where_there_is_a_terminal() -> None:
    screen = Screen("fault", "--all")
    assert screen.end() == 0
    assert b"\x1b[32m" in screen.shown


@pytest.mark.parametrize(
    "words", [("fault", "--all"), ("config", "get", "--all"), ("kill", "--all")]
)
def test_without_a_terminal_there_are_plain_lines(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORLD % "", *words],
        env=environment(COLUMNS="40"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 3
