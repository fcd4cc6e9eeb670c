"""What a test takes out of the README is read in its source."""

import pytest

from tests.support.readme import snippet
from tests.support.taken_snippets import taken

SOURCE = '''
HEADING = "Every day"

def block(having):
    return snippet(HEADING, "sh", having).text

def test_one():
    word = "ci-42"
    run(snippet(HEADING, "sh", word).text)

def test_by_another():
    run(block("SOAK-1"))

@pytest.mark.parametrize(("file", "said"), [("static", "a"), ("scaled", "b")])
def test_several(file, said):
    run(snippet("Docker Compose", "sh", f"{file}-fleet.yaml --profile").text)

def test_none():
    """Of "Every day", "sh", "ci-42"."""
    run("Every day", having())

def test_no_such():
    run(snippet("Every day", "sh", "no such command").text)
'''


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("test_one", [("Every day", "ci-42")]),
        ("test_by_another", [("Every day", "SOAK-1")]),
        (
            "test_several",
            [
                ("Docker Compose", "static-fleet.yaml --profile"),
                ("Docker Compose", "scaled-fleet.yaml --profile"),
            ],
        ),
        ("test_none", []),
    ],
)
def test_what_is_taken(name: str, blocks: list[tuple[str, str]]) -> None:
    found = {each.line for each in taken(SOURCE, name)}
    assert found == {snippet(heading, "sh", having).line for heading, having in blocks}


def test_a_block_that_is_not_there() -> None:
    with pytest.raises(LookupError, match="0 sh blocks"):
        taken(SOURCE, "test_no_such")
