"""Terminals on another machine: what is typed here is typed there, and heard here.

The other side is this module as a program, which reads an order per line and answers each.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.support.readme import run_shell
from tests.support.terminals import Terminals, terminals

_WITHIN_S: Final = 240.0


class FarDesk:
    """Terminals on another machine.

    Args:
        way: words that run a command there.
        home: folder there that becomes the home of who types; what is typed, is in `work` in it.
        variables: the whole environment there.
    """

    def __init__(self, way: Sequence[str], home: str, variables: Mapping[str, str]) -> None:
        self._agent = subprocess.Popen(
            [*way, sys.executable, "-m", "tests.support.far_desk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask(home=home, variables=dict(variables))

    def type(self, text: str, *, within_s: float = _WITHIN_S) -> str:
        """Type lines one by one, as `Terminals.type` does."""
        return self._ask(type=text, within_s=within_s)

    def run(
        self,
        text: str,
        *,
        directory: Path | None = None,
        variables: Mapping[str, str] | None = None,
        within_s: float = _WITHIN_S,
    ) -> str:
        """Run shell lines as one script, as `run_shell` does."""
        where = None if directory is None else str(directory)
        return self._ask(
            run=text, directory=where, variables=dict(variables or {}), within_s=within_s
        )

    def write(self, name: str, text: str) -> None:
        """Write a file in the folder in which one types."""
        self.run(f"cat >{name} <<'END OF FILE'\n{text}END OF FILE\n")

    def close(self) -> None:
        """Press Ctrl-C in each terminal in which something goes on.

        Raises:
            AssertionError: as `Terminals.close` does; what was wrong is on stderr.
        """
        self._agent.communicate(timeout=_WITHIN_S)
        assert self._agent.returncode == 0

    def _ask(self, **order: Any) -> str:
        assert self._agent.stdin is not None
        assert self._agent.stdout is not None
        self._agent.stdin.write(f"{json.dumps(order)}\n")
        self._agent.stdin.flush()
        line = self._agent.stdout.readline()
        assert line, f"nobody is there any more: exit code {self._agent.wait(_WITHIN_S)}"
        answer: dict[str, str] = json.loads(line)
        assert "wrong" not in answer, answer["wrong"]
        return answer["said"]


def main() -> None:
    """Do what is asked for on stdin, until it is closed."""
    hello = json.loads(sys.stdin.readline())
    os.environ.clear()
    os.environ.update(hello["variables"], HOME=hello["home"])
    (work := Path(hello["home"]) / "work").mkdir(parents=True)
    with terminals(work, {}) as desk:
        _answer({"said": ""})
        for line in sys.stdin:
            _answer(_done(desk, work, json.loads(line)))


def _done(desk: Terminals, work: Path, order: Any) -> dict[str, str]:
    try:
        if "type" in order:
            return {"said": desk.type(order["type"], within_s=order["within_s"])}
        said = run_shell(
            order["run"],
            directory=Path(order["directory"] or work),
            environment=order["variables"],
            within_s=order["within_s"],
        )
    except (AssertionError, subprocess.TimeoutExpired) as exc:
        return {"wrong": str(exc)}
    return {"said": said}


def _answer(answer: Mapping[str, str]) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
