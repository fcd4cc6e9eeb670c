"""What takes snippets out of the README takes them as they stand there."""

from pathlib import Path

import pytest

from tests.support.readme import Snippet, read, run_shell, snippet, snippets

TEXT = """\
# Title
```sh
a    # first
# not a heading
```
## Further ##
~~~~yaml title
b: |
  ```
~~~~
```
plain
```
"""


def test_blocks_are_read_as_they_stand() -> None:
    assert list(read(TEXT)) == [
        Snippet(heading="Title", language="sh", text="a    # first\n# not a heading\n", line=3),
        Snippet(heading="Further", language="yaml", text="b: |\n  ```\n", line=8),
        Snippet(heading="Further", language="", text="plain\n", line=12),
    ]


def test_a_fence_that_is_never_closed() -> None:
    with pytest.raises(ValueError, match="below 'A' is never closed"):
        list(read("# A\n```sh\nls\n"))


def test_the_readme_has_snippets() -> None:
    assert "simuctl up" in snippet("Every day", "sh", "simuctl up").text
    assert len(snippets("Every day")) > 1
    with pytest.raises(LookupError, match="0 sh blocks"):
        snippet("Every day", "sh", "no such command")


def test_shell_lines_are_run(tmp_path: Path) -> None:
    out = run_shell(
        "pwd\nsimuctl --help >&2\necho $WORD", directory=tmp_path, environment={"WORD": "a"}
    )
    assert out.startswith(f"{tmp_path}\n")
    assert "Usage: simuctl" in out
    assert out.endswith("a\n")


def test_the_first_line_that_fails_ends_it(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"exit code 3 of:(?s:.*)\nheard\n"):
        run_shell("echo heard | cat\n(exit 3)\ntouch after", directory=tmp_path)
    assert list(tmp_path.iterdir()) == []
