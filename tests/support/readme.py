"""The README's snippets, to be executed as they stand there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[2] / "README.md"

_HEADING: Final = re.compile(r"\A#{1,6} +(.*?) *#*\Z")
_FENCE: Final = re.compile(r"\A(?P<fence>`{3,}|~{3,}) *(?P<language>[^\s`]*)[^`]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A fenced block.

    Attributes:
        heading: the one it stands below, of whatever level, without the #.
        language: first word behind the fence; empty without one.
        text: without the fences, with its last newline.
        line: number of its first line.
    """

    heading: str
    language: str
    text: str
    line: int


def read(text: str) -> Iterator[Snippet]:
    """Yield the fenced blocks of a Markdown text, in order.

    Raises:
        ValueError: a fence is never closed.
    """
    heading = ""
    lines = enumerate(text.splitlines(), start=1)
    for _, line in lines:
        titled = _HEADING.match(line)
        if titled:
            heading = titled[1]
        fence = _FENCE.match(line)
        if fence is None:
            continue
        body: list[str] = []
        for number, inner in lines:
            if inner.rstrip() == fence["fence"]:
                first = number - len(body)
                break
            body.append(inner)
        else:
            raise ValueError(f"a fence below {heading!r} is never closed")
        text_of_it = "".join(f"{each}\n" for each in body)
        yield Snippet(heading=heading, language=fence["language"], text=text_of_it, line=first)


def snippets(heading: str, language: str = "") -> list[Snippet]:
    """Return the README's blocks below a heading, in order; an empty language takes all."""
    return [
        each
        for each in read(README.read_text("utf-8"))
        if each.heading == heading and language in {"", each.language}
    ]


def snippet(heading: str, language: str, having: str = "") -> Snippet:
    """Return the one block below a heading that has a text in it.

    Raises:
        LookupError: there is none, or there are several.
    """
    found = [each for each in snippets(heading, language) if having in each.text]
    if len(found) != 1:
        raise LookupError(
            f"README.md has {len(found)} {language} blocks with {having!r} below {heading!r}"
        )
    return found[0]


def run_shell(
    text: str,
    *,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    within_s: float = 240.0,
    shell: tuple[str, ...] = ("bash", "-euo", "pipefail"),
) -> str:
    """Run shell lines as they stand, with this project's programs on the path.

    Args:
        text: the lines; the first that fails ends it.
        directory: in which they run.
        environment: variables beside those of this process; they win, but the path is led by
            this project's programs.
        within_s: how long it may take.
        shell: and its options.

    Returns:
        What came out, stderr included.

    Raises:
        AssertionError: a line failed; says what came out.
    """
    variables = {**os.environ, **(environment or {})}
    path = [str(Path(sys.executable).parent), variables["PATH"]]
    ran = subprocess.run(
        [*shell, "-c", text],
        cwd=directory,
        env={"NO_COLOR": "1", **variables, "PATH": os.pathsep.join(path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=within_s,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"exit code {ran.returncode} of:\n{text}\n{ran.stdout}"
    return ran.stdout
