"""`simuctl images --list` needs no engine: it says what the files of this installation make."""

import json

from supervisor_cli import images
from tests.unit.supervisor_cli.conftest import Simuctl


def test_the_list(simuctl: Simuctl) -> None:
    said = simuctl("images", "--list")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [source.reference() for source in images.SOURCES]


def test_the_list_as_json(simuctl: Simuctl) -> None:
    said = simuctl("images", "--list", "--json")
    assert json.loads(said.out) == [
        {"name": source.name, "reference": source.reference(), "built": False}
        for source in images.SOURCES
    ]
