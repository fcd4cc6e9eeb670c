"""What is shown is so; and where that is not sure, it is said."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from cp_image.api.payloads import ChargePointState
from launcher.api import ContainerCondition, LauncherState
from supervisor_cli import charge_point_client
from supervisor_cli.client import SimuClient
from supervisor_cli.dashboard.app import Watch
from supervisor_cli.dashboard.columns import NOT_SO
from supervisor_cli.dashboard.filter_line import FilterLine
from supervisor_cli.state import Broker
from tests.unit.supervisor_cli.dashboard.stage import NARROW, NOW, WIDE, dashboard, fleet
from tests.unit.supervisor_cli.world import CHARGING, World


async def test_a_dead_charge_point_does_not_charge() -> None:
    async with dashboard(fleet()) as stage:
        await stage.shows("3 Charging 2")
        (line,) = [line for line in stage.lines if "CP-10" in line]
        assert line.split() == ["CP-10", "Dead", "1", "was", "Charging", "TAG1"]


@pytest.mark.parametrize(
    ("condition", "step"),
    [
        (ContainerCondition.FROZEN, "Z thaws it"),
        (ContainerCondition.CUT, "X gives it its network back"),
    ],
)
async def test_what_cannot_be_heard_is_dim(condition: ContainerCondition, step: str) -> None:
    world = fleet()
    world.container("CP-1", condition)
    async with dashboard(world) as stage:
        await stage.shows(f"next: {step}")
        await stage.shows("cannot be heard: this is how it last was")
        cells = stage.app.fleet_table._lines[1].cells
        styles = {cell.text: cell.style for cell in cells}
        assert styles["Charging"] == styles["3.68"] == NOT_SO
        assert styles[condition] != NOT_SO


async def test_a_battery_fills_while_it_is_looked_at() -> None:
    world, now = World(), [NOW]
    filling = msgspec.structs.replace(
        CHARGING, power_w=36_000.0, metered_at=NOW, soc_pct=20.0, battery_wh=60_000.0
    )
    world.charge_point("CP-1", filling)
    async with dashboard(world, clock=lambda: now[0]) as stage:
        await stage.shows("SoC 20.0 %")
        now[0] += 60
        stage.app.changed()
        await stage.shows("SoC 21.0 %")
        stage.world.container("CP-1", ContainerCondition.FROZEN)
        await stage.shows("SoC 20.0 %")  # as it was last heard


async def test_one_that_crashes_over_and_over_is_started_again_by_itself() -> None:
    world = fleet()
    world.charge_point("CP-1", status=ChargePointState.DEAD)
    world.container("CP-1", ContainerCondition.WAITING, restarts=3)
    async with dashboard(world, size=WIDE) as stage:
        await stage.shows("next: R starts it at once; else the launcher does, soon")
        await stage.shows("and started again 3 times in a row")


async def test_a_dead_launcher_is_shown_at_once() -> None:
    async with dashboard(fleet()) as stage:
        stage.world.launcher(LauncherState.DEAD)
        await stage.shows("the launcher is Dead; simuctl doctor tells how to start it")
        await stage.press("K")
        await stage.shows("✗ the launcher of environment cp-simu is Dead")
        stage.world.launcher(LauncherState.ALIVE)
        await stage.shows("launcher Alive")


async def test_what_could_not_be_read_is_told() -> None:
    async with dashboard(fleet()) as stage:
        stage.world.publish("cp_simu/cps/CP-1/status", b"{nonsense", retain=True)
        await stage.shows("1 unreadable, see m")
        await stage.press("m")
        await stage.shows("messages that could not be read:")
        await stage.shows("cp_simu/cps/CP-1/status: JSON is malformed")


async def test_a_launcher_that_was_never_there() -> None:
    world = World()
    world.launcher(None)
    async with dashboard(world) as stage:
        await stage.shows("the launcher was never started")


async def test_a_launcher_that_dies_meanwhile_ends_the_wait() -> None:
    world = fleet()
    world.launcher_answers = False
    async with dashboard(world) as stage:
        await stage.press("K")
        await stage.shows("killing")
        stage.world.launcher(LauncherState.DEAD)
        await stage.shows("✗ the launcher of environment cp-simu is Dead")


async def test_a_lost_broker_is_shown_at_once_and_its_news_as_old() -> None:
    now = [NOW]
    async with dashboard(fleet(), clock=lambda: now[0]) as stage:
        await stage.shows("Charging")
        stage.world.links[0].lose()
        await stage.shows("this is 0 s old: connection lost; trying again")
        styles = {
            cell.style
            for line in stage.app.fleet_table._lines.values()
            for cell in line.cells
            if cell.text
        }
        assert styles == {NOT_SO}
        energy = next(line for line in stage.lines if "in this session" in line)
        now[0] += 12
        stage.app.changed()
        await stage.shows("this is 12 s old")
        assert energy in stage.lines  # what it is now is not known
        stage.world.links[0].reconnect()
        await stage.shows("✓ the broker is back after 12 s")
        await stage.shows("launcher Alive")
        assert "filling anew" not in stage.text


async def test_a_timeout_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    world = fleet()
    world.charge_points_answer = False
    async with dashboard(world) as stage:
        # What waits for an answer runs out at once, instead of after ten seconds; all else waits
        # as ever.
        at_once = SimpleNamespace(**vars(asyncio) | {"timeout": lambda _s: asyncio.timeout(0)})
        monkeypatch.setattr(charge_point_client, "asyncio", at_once)
        await stage.press("u")
        await stage.shows("✗ CP-1 did not answer within 10 s")


async def test_what_is_typed_into_the_filter_is_no_key() -> None:
    async with dashboard(fleet()) as stage:
        stage.app.action_filter()
        assert stage.app.focused is stage.app.query_one(FilterLine).entry
        await stage.press("z")
        await stage.shows("nothing matches")
        assert stage.world.commands() == []


@pytest.mark.parametrize("size", [(40, 10), (60, 20), NARROW, (119, 29), WIDE, (200, 60)])
async def test_every_size_has_the_table_and_the_way_out(size: tuple[int, int]) -> None:
    async with dashboard(fleet(), size=size) as stage:
        await stage.shows("CP-1")
        assert "? help q quit" in stage.lines[-1]
        assert all(len(line) <= size[0] for line in stage.lines)


async def test_a_terminal_that_changes_its_size() -> None:
    async with dashboard(fleet()) as stage:
        await stage.pilot.resize_terminal(*WIDE)
        await stage.until(lambda: len(stage.lines) == WIDE[1], "high")
        await stage.shows("R restart H stop D remove")
        await stage.pilot.resize_terminal(*NARROW)
        await stage.until(lambda: len(stage.lines) == NARROW[1], "low")
        await stage.shows("CP-1")


async def test_what_a_payload_says_cannot_move_the_cursor() -> None:
    world = World()
    world.charge_point("CP-1", vendor="evil\x1b[2J", central_system="ws://h/[red]x[/red]\x07")
    async with dashboard(world) as stage:
        await stage.shows("ws://h/[red]x[/red]�")
        await stage.shows("evil�[2J")


async def test_what_should_not_happen_is_handed_on_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken_clock() -> float:
        raise ValueError("the clock is broken")

    async with SimuClient(broker=Broker(), link_factory=fleet().link) as client:
        app = Watch(client, clock=broken_clock)
        await app.run_async(headless=True, size=NARROW)
        assert isinstance(app.failure, ValueError)
    assert "Traceback" not in "".join(capsys.readouterr())


async def test_what_comes_while_it_ends_draws_nothing() -> None:
    async with dashboard(fleet()) as stage:
        app = stage.app
    pictures = app.pictures
    app._tick()
    app._show()
    app.begun(1, "too late…")
    app.ended(1, None)
    assert app.pictures == pictures
    assert app.failure is None


async def test_it_ends_while_something_is_pending() -> None:
    world = fleet()
    world.launcher_answers = False
    async with dashboard(world) as stage:
        await stage.press("K")
        await stage.shows("killing")
        await stage.press("q")
        await stage.until(lambda: not stage.app.is_running, "ended")


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_it_ends(key: str) -> None:
    async with dashboard(fleet()) as stage:
        await stage.press(key)
        await stage.until(lambda: not stage.app.is_running, "ended")
        assert stage.app.return_code == 0
        assert stage.app.failure is None


async def test_ctrl_c_ends_it_from_within_a_form() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("p", "ctrl+c")
        await stage.until(lambda: not stage.app.is_running, "ended")
