"""Shell lines of the README as somebody types them: what goes on runs in a terminal of its own."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Final

_GOES_ON: Final = re.compile(r"simuctl (csms\b.*|(trace|logs)\b.* -f)\Z")
_COMMENT: Final = re.compile(r"\s+# .*\Z")
_FORETOLD: Final = re.compile(r"\s+# exit code (\d+)\b")
_INTERRUPTED: Final = 130


def typed(text: str) -> Iterator[tuple[str, int]]:
    """Yield what is typed at once, and its exit code: the one that its comment begins with, or 0.

    Lines that are continued are joined, comments left out.

    Of several commands that go on, each is typed by itself, for the second would never begin.
    """
    for whole in text.replace("\\\n", " ").splitlines():
        line = _COMMENT.sub("", whole)
        foretold = _FORETOLD.search(whole)
        commands = line.split("; ")
        if all(map(_GOES_ON.match, commands)):
            yield from ((command, 0) for command in commands)
        elif line.strip():
            yield line, int(foretold[1]) if foretold else 0


class _GoingOn:
    """A command that goes on until Ctrl-C."""

    def __init__(self, line: str, process: subprocess.Popen[bytes]) -> None:
        self._line = line
        self._process = process
        self._said = b""
        # A pipe that nobody empties would hold it up.
        self._reader = Thread(target=self._read)

    def hear(self, within_s: float) -> None:
        """Wait for its first words."""
        assert self._process.stdout is not None
        heard, _, _ = select.select([self._process.stdout], [], [], within_s)
        if heard:
            self._said = os.read(self._process.stdout.fileno(), 65536)
        self._reader.start()
        assert heard, f"nothing was heard of: {self._line}"
        assert self._said, f"exit code {self._process.wait(within_s)} of: {self._line}"
        assert b"error: " not in self._said, f"{self._line}\n{self._said.decode()}"

    def interrupt(self, within_s: float) -> str:
        """Press Ctrl-C; return what is wrong with how it ended, if anything."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            code = self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        said = self._said.decode()
        return "" if code in (0, _INTERRUPTED) else f"exit code {code} of: {self._line}\n{said}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said += line


class Terminals:
    """A desk with as many terminals as are needed, all in one folder.

    Args:
        directory: where the lines are typed.
        variables: the environment, beside that of this process.
    """

    def __init__(self, directory: Path, variables: Mapping[str, str]) -> None:
        self._directory = directory
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._variables = {"NO_COLOR": "1", **os.environ, **variables, "PATH": path}
        self._going_on: list[_GoingOn] = []
        self._keyboards: list[int] = []

    def type(self, text: str, *, within_s: float = 240.0) -> str:
        """Type lines one by one, and `y` where one asks; return what the ended ones said.

        One that goes on has been heard of before the next line is typed.

        Raises:
            AssertionError: a line failed, or said nothing in time; says which.
        """
        said: list[str] = []
        for line, code in typed(text):
            process = self._start(line)
            if _GOES_ON.match(line):
                self._going_on.append(_GoingOn(line, process))
                self._going_on[-1].hear(within_s)
                continue
            try:
                out, _ = process.communicate(timeout=within_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, _ = process.communicate()
                raise AssertionError(f"has not ended: {line}\n{out.decode()}") from None
            ended = f"exit code {process.returncode} of: {line}\n{out.decode()}"
            assert process.returncode == code, ended
            said.append(out.decode())
        return "".join(said)

    def _start(self, line: str) -> subprocess.Popen[bytes]:
        keyboard, screen = os.openpty()
        try:
            os.write(keyboard, b"y\n")
            return subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", line],
                cwd=self._directory,
                env=self._variables,
                stdin=screen,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            os.close(screen)
            self._keyboards.append(keyboard)

    def close(self) -> None:
        """Press Ctrl-C in each terminal in which something goes on.

        Raises:
            AssertionError: something had ended before, or did not end by it.
        """
        wrong = [ended for each in self._going_on if (ended := each.interrupt(120))]
        for keyboard in self._keyboards:
            os.close(keyboard)
        assert wrong == [], "\n".join(wrong)


@contextmanager
def terminals(directory: Path, variables: Mapping[str, str]) -> Iterator[Terminals]:
    """Lend terminals; nothing that was started in them outlives them."""
    lent = Terminals(directory, variables)
    try:
        yield lent
    finally:
        lent.close()
