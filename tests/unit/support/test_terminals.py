"""What is typed into terminals runs as a reader would run it."""

from pathlib import Path

import pytest

from tests.support.terminals import Terminals, terminals, typed

TEXT = """\
simuctl csms                   # a comment; not a command
simuctl add CP-1 \\
    --count 2                  # two

simuctl ls; simuctl show CP-1
simuctl trace --all -f; simuctl logs --all -f
simuctl stop CP-1              # exit code 3: why
echo '# no comment'
"""


def test_what_is_typed_at_once() -> None:
    assert [(" ".join(line.split()), code) for line, code in typed(TEXT)] == [
        ("simuctl csms", 0),
        ("simuctl add CP-1 --count 2", 0),
        ("simuctl ls; simuctl show CP-1", 0),
        ("simuctl trace --all -f", 0),
        ("simuctl logs --all -f", 0),
        ("simuctl stop CP-1", 3),
        ("echo '# no comment'", 0),
    ]


def test_lines_are_typed_one_by_one(tmp_path: Path) -> None:
    with terminals(tmp_path, {"WORD": "a"}) as desk:
        out = desk.type("read answer; echo $answer$WORD\nexit 3   # exit code 3\n")
        assert out == "ya\n"
        with pytest.raises(AssertionError, match="exit code 1 of: false"):
            desk.type("false\ntouch after")
    assert list(tmp_path.iterdir()) == []


def test_what_goes_on_is_heard_and_interrupted(tmp_path: Path) -> None:
    with terminals(tmp_path, {}) as desk:
        desk.type("simuctl csms --port 0")


def test_what_ends_at_once_does_not_go_on(tmp_path: Path) -> None:
    desk = Terminals(tmp_path, {})
    with pytest.raises(AssertionError, match="simuctl csms --port nine"):
        desk.type("simuctl csms --port nine 2>/dev/null")
    with pytest.raises(AssertionError, match="exit code 2 of: simuctl csms"):
        desk.close()
