"""Set-up files, loaded and saved from the dashboard."""

from pathlib import Path

import pytest

from supervisor_cli.fleets import load_fleet
from tests.unit.supervisor_cli.dashboard.stage import Stage, dashboard
from tests.unit.supervisor_cli.world import World, connector_status

FILE = """
defaults: {type: AC, central_system: "ws://localhost:9000"}
charge_points:
  - {id: "NEW-{n}", count: 2}
"""


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def load_file(stage: Stage, name: str, *keys: str) -> None:
    await stage.press("L")
    await stage.shows("Load a set-up")
    await stage.press(*name, *keys, "enter")


async def test_a_file_is_loaded_after_it_was_said_what_goes(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(FILE)
    world = World()
    world.charge_point("OLD-1", connector_status())
    async with dashboard(world) as stage:
        await load_file(stage, "f.yaml")
        await stage.shows("remove 1: OLD-1")
        await stage.shows("start 2: NEW-1, NEW-2")
        await stage.press("y")
        await stage.shows("load: all 3 done")
        await stage.until(lambda: stage.ids == ["NEW-1", "NEW-2"], "the fleet of the file")
        assert [each["type"] for each in stage.world.commands()] == ["remove", "start"]
        await load_file(stage, "f.yaml", "down", "right")
        await stage.shows("nothing has to be done: the fleet is as the file says")


async def test_no_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(FILE)
    async with dashboard(World()) as stage:
        await load_file(stage, "f.yaml")
        await stage.shows("start 2: NEW-1, NEW-2")
        await stage.press("n")
        await stage.shows("nothing was changed")
        assert stage.world.commands() == []


async def test_a_faulty_file_is_told_in_the_form(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("charge_points: [{id: 'a b', type: AC}]")
    async with dashboard(World()) as stage:
        await load_file(stage, "nowhere.yaml")
        await stage.shows("cannot read nowhere.yaml: No such file")
        await stage.press(*["backspace"] * 12, *"f.yaml", "enter")
        await stage.shows("f.yaml:1")


async def test_save_and_not_over_what_is_there(tmp_path: Path) -> None:
    world = World()
    world.charge_point("CP-1", connector_status())
    async with dashboard(world) as stage:
        await stage.press("W", *"f.json", "enter")
        await stage.shows("1 charge points saved to f.json")
        (saved,) = load_fleet(tmp_path / "f.json").specifications
        assert saved.id == "CP-1"
        await stage.press("W", "enter")
        await stage.shows("f.json is there already")
        await stage.press("down", "right", "enter")
        await stage.until(lambda: len(stage.app.records) == 2, "saved once more")
