"""The form of new charge points: what is rarely needed is folded away, and yet there."""

import pytest

from tests.unit.supervisor_cli.dashboard.stage import NARROW, dashboard
from tests.unit.supervisor_cli.world import World


async def test_what_is_rarely_needed_is_behind_a_line() -> None:
    async with dashboard(World(), size=NARROW) as stage:
        await stage.press("n")
        await stage.shows("▸ container  → opens")
        assert "memory" not in stage.text
        await stage.press("up")
        await stage.shows("▸ container")
        await stage.press("right")
        await stage.shows("▾ container")
        await stage.shows("memory")
        await stage.press("down", "right", "down", "down", *"96", "down", *"0.5", "enter")
        await stage.shows("CP-0001: started, Accepted")
        (command,) = stage.world.commands()
        (entry,) = command["charge_points"]
        assert (entry["on_crash"], entry["memory_mb"], entry["cpus"]) == ("restart", 96, 0.5)


async def test_it_closes_again_and_what_was_typed_stays() -> None:
    async with dashboard(World(), size=NARROW) as stage:
        await stage.press("n", "up", "up", "up")
        await stage.press("space", "down", *"HeartbeatInterval=60", "down", *"60", "up", "up")
        await stage.press("left")
        await stage.until(lambda: "clock rate" not in stage.text, "folded")
        await stage.press("enter")
        await stage.shows("CP-0001: started, Accepted")
        (command,) = stage.world.commands()
        (entry,) = command["charge_points"]
        assert entry["configuration"] == {"HeartbeatInterval": "60"}
        assert entry["clock_rate"] == 60.0


@pytest.mark.parametrize("height", [16, 20, 24, 40])
async def test_every_field_and_the_way_out_are_in_sight_once_it_is_opened(height: int) -> None:
    async with dashboard(World(), size=(80, height)) as stage:
        await stage.press("n", "up", "up")
        await stage.press("right")
        await stage.shows("▾ security")
        for label in ("profile", "password", "user name", "root CA", "PKI", "CSMS is checked"):
            for _ in range(10):
                if f"│ {label}" in stage.text:
                    break
                await stage.press("down")
            await stage.shows(f"│ {label}")
            await stage.shows("enter do it")
