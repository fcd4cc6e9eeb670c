"""simuctl on a world in memory."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from supervisor_cli.__main__ import run
from supervisor_cli.context import Seams
from tests.unit.supervisor_cli.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    code: int
    out: str
    err: str


Simuctl = Callable[..., Said]


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in [each for each in os.environ if each.startswith("SIMU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setattr("supervisor_cli.published_broker.published_broker", lambda _name: None)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def simuctl(world: World, capsys: pytest.CaptureFixture[str]) -> Simuctl:
    def invoke(*words: str, interactive: bool = False) -> Said:
        seams = Seams(link_factory=world.link, interactive=lambda: interactive)
        code = run(words, seams)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Said(code=code, out=out, err=err)

    return invoke
