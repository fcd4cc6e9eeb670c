"""The one table of keys, and all that is made of it."""

from pathlib import Path

import pytest
from textual.app import App

from supervisor_cli.dashboard import keys
from supervisor_cli.dashboard.app import Watch
from supervisor_cli.dashboard.footer import footer
from supervisor_cli.dashboard.keys import KEYS, Key
from tests.unit.supervisor_cli.dashboard.stage import dashboard, fleet

README = Path(__file__).parents[4] / "README.md"


@pytest.mark.parametrize("key", [key for key in KEYS if key.action], ids=lambda key: key.shown)
def test_every_key_does_something(key: Key) -> None:
    assert callable(getattr(Watch, f"action_{key.action}", None))


def test_no_key_does_two_things() -> None:
    names = [name for key in KEYS for name in key.names.split(",")]
    assert len(names) == len(set(names))


def test_every_action_has_a_key() -> None:
    inherited = set(dir(App))
    own = {name for name in dir(Watch) if name.startswith("action_")} - inherited
    assert {f"action_{key.action}" for key in KEYS if key.action} >= own


def test_the_readme_has_the_table() -> None:
    assert keys.markdown() in README.read_text("utf-8")


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_the_footer_fits_and_always_tells_the_way_out(columns: int) -> None:
    text = footer(columns).plain
    assert len(text) == columns
    assert "? help" in text
    assert "q quit" in text


async def test_the_help_shows_every_key() -> None:
    async with dashboard(fleet(), size=(100, 60)) as stage:
        await stage.press("question_mark")
        await stage.shows("At a connector")
        shown = " ".join(stage.text.replace("│", " ").split())
        for key in KEYS:
            assert f"{key.shown} {key.text.split()[0]}" in shown
        await stage.press("escape")
        assert "At a connector" not in stage.text


async def test_a_key_in_the_footer_can_be_clicked() -> None:
    async with dashboard(fleet()) as stage:
        line = stage.lines[-1]
        await stage.pilot.click(offset=(line.index("? help"), len(stage.lines) - 1))
        await stage.shows("At a connector")
