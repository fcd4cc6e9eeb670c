"""Counted work: many messages make few pictures, and a picture draws what has changed alone."""

import asyncio

import pytest
from textual.geometry import Region

from cp_image.api.payloads import ConnectorState
from supervisor_cli.dashboard.pace import Pace
from supervisor_cli.dashboard.roster import Place
from supervisor_cli.dashboard.table import FleetTable
from tests.unit.supervisor_cli.dashboard.stage import WIDE, dashboard
from tests.unit.supervisor_cli.world import CHARGING, World, connector_status


class Gate:
    """A rest that lasts until it is ended."""

    def __init__(self) -> None:
        self.resting = asyncio.Event()
        self._over = asyncio.Event()

    async def rest(self) -> None:
        self.resting.set()
        await self._over.wait()
        self._over.clear()
        self.resting.clear()

    def end(self) -> None:
        self._over.set()


def crowd(number: int) -> World:
    world = World()
    for each in range(number):
        world.charge_point(f"CP-{each:04}", connector_status())
    return world


async def test_the_first_change_is_shown_at_once_and_the_others_together() -> None:
    gate, shown = Gate(), []
    pace = Pace(lambda: shown.append(1), gate.rest)
    task = asyncio.create_task(pace.run())
    pace.changed()
    await gate.resting.wait()
    assert len(shown) == 1
    for _ in range(100):
        pace.changed()
    gate.end()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await gate.resting.wait()
    assert len(shown) == 2
    gate.end()
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(shown) == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_thousand_messages_are_one_picture() -> None:
    gate = Gate()
    async with dashboard(crowd(500), size=WIDE, rest=gate.rest) as stage:
        await gate.resting.wait()
        before = stage.app.pictures
        for number in range(1000):
            stage.world.connector(f"CP-{number % 500:04}", 1, CHARGING)
        await stage.pilot.pause()
        assert stage.app.pictures == before
        gate.end()
        await stage.until(lambda: stage.app.pictures > before, "a picture more")
        assert stage.app.pictures == before + 1
        gate.end()


async def test_a_picture_draws_the_cells_that_changed_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard(crowd(500), size=WIDE) as stage:
        table = stage.app.fleet_table
        await stage.until(lambda: len(table.picture.rows) == 500, "complete")
        await stage.pilot.pause()
        drawn: list[Region] = []
        refresh = table.refresh

        def watched(*regions: Region, **options: bool) -> FleetTable:
            drawn.extend(regions or [table.region])
            return refresh(*regions, **options)

        monkeypatch.setattr(table, "refresh", watched)
        before = table.cells_drawn
        stage.world.connector("CP-0003", 1, connector_status(status=ConnectorState.PREPARING))
        await stage.shows("Preparing 1")
        assert table.cells_drawn == before + 1
        assert len(drawn) == 1
        (region,) = drawn
        assert region.height == 1
        assert region.width < 20


async def test_what_is_out_of_sight_is_not_drawn() -> None:
    async with dashboard(crowd(500), size=WIDE) as stage:
        table = stage.app.fleet_table
        await stage.until(lambda: len(table.picture.rows) == 500, "complete")
        await stage.pilot.pause()
        before = table.cells_drawn
        for number in range(300, 500):
            stage.world.connector(f"CP-{number:04}", 1, CHARGING)
        await stage.shows("Charging 200")
        assert table.cells_drawn == before


async def test_a_message_that_says_nothing_new_makes_no_picture() -> None:
    async with dashboard(crowd(3)) as stage:
        await stage.shows("CP-0002")
        before = stage.app.pictures
        stage.world.publish("cp_simu/launcher/status", b"Alive", retain=True)
        stage.world.publish("cp_simu/cps/CP-0001/event", b"{}")
        await stage.pilot.pause()
        assert stage.app.pictures == before


async def test_the_cursor_stays_with_its_row_when_others_come_and_go() -> None:
    async with dashboard(crowd(20)) as stage:
        await stage.press("down", "down", "down")
        assert stage.app.selected is not None
        assert stage.app.selected.place == Place("CP-0003", 1)
        stage.world.charge_point("AA-1", connector_status())
        await stage.until(lambda: "AA-1" in stage.ids, "AA-1 in the table")
        assert stage.app.selected.place == Place("CP-0003", 1)
        stage.world.publish("cp_simu/cps/CP-0003/status", b"", retain=True)
        await stage.until(lambda: "CP-0003" not in stage.ids, "CP-0003 gone")
        assert stage.app.selected is not None
