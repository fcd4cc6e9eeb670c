"""The pictures of the dashboard in the README: ``make pictures`` draws them anew.

They are made by the dashboard itself, on a fleet in memory and a clock that stands.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from cp_image.api.payloads import ChargePointState, ChargePointType, ConnectorState
from supervisor_cli import dashboard as package
from tests.unit.supervisor_cli.dashboard.stage import NOW, Stage, dashboard
from tests.unit.supervisor_cli.dashboard.tracing import TracingWorld, frame, tracing
from tests.unit.supervisor_cli.world import CHARGING, World, connector_status

PICTURES: Final = Path(package.__file__).parent / "pictures"
SIZE: Final = (110, 32)
CSMS: Final = "ws://localhost:9000/ocpp"

FAST: Final = msgspec.structs.replace(
    CHARGING,
    id_tag="DAVE",
    max_setpoint=150_000.0,
    ocpp_setpoint=150_000.0,
    setpoint=150_000.0,
    car_consumption_l1=120_000.0,
    car_cable_capacity=250_000.0,
    consumption_l1=120_000.0,
    transaction_id=12,
    power_w=120_000.0,
    session_wh=18_321.0,
    register_wh=420_321.0,
    soc_pct=57.0,
)
THREE_PHASES: Final = msgspec.structs.replace(
    CHARGING,
    id_tag="ALICE",
    car_consumption_l2=16.0,
    car_consumption_l3=16.0,
    consumption_l2=16.0,
    consumption_l3=16.0,
    power_w=11_040.0,
)


def fleet() -> World:
    """Return a car park."""
    world = World()
    two = {"nb_connectors": 2, "max_setpoint": 64.0, "central_system": CSMS}
    idle = connector_status()
    plugged = connector_status(
        status=ConnectorState.PREPARING, car_cable_capacity=32.0, car_ready=True, setpoint=32.0
    )
    suspended = msgspec.structs.replace(
        THREE_PHASES, status=ConnectorState.SUSPENDED_EV, power_w=0.0, id_tag="BOB", soc_pct=100.0
    )
    world.charge_point("PARK-01", THREE_PHASES, idle, **two)
    world.charge_point("PARK-02", plugged, suspended, **two)
    world.charge_point("PARK-03", idle, idle, **two)
    broken = connector_status(status=ConnectorState.FAULTED, error_code="GroundFailure")
    world.charge_point("PARK-04", broken, idle, **two)
    world.charge_point("PARK-05", THREE_PHASES, idle, status=ChargePointState.DEAD, **two)
    for number in range(6, 10):
        world.charge_point(f"PARK-{number:02}", idle, idle, **two)
    world.charge_point(
        "FAST-1",
        FAST,
        type=ChargePointType.DC,
        nb_phases=1,
        voltage=400.0,
        max_setpoint=300_000.0,
        central_system=CSMS,
    )
    return world


async def _fleet(stage: Stage, now: list[float]) -> None:
    for power_w in (40_000.0, 90_000.0, 150_000.0, 150_000.0, 135_000.0, 120_000.0):
        told = msgspec.structs.replace(FAST, power_w=power_w, consumption_l1=power_w)
        stage.world.connector("FAST-1", 1, told)
        stage.app.changed()
        await stage.shows(f"{power_w / 1000:.2f}")
        now[0] += 40.0
    await stage.press("space", "space", "home")
    await stage.shows("2 marked")


async def _frames(stage: Stage, _now: list[float]) -> None:
    await stage.press("down", "o")
    world = stage.world
    assert isinstance(world, TracingWorld)
    await stage.until(world.traced, "asked for frames")
    accepted = {"status": "Accepted"}
    said = (
        (True, [2, "7", "Authorize", {"idTag": "ALICE"}], "Authorize"),
        (False, [3, "7", {"idTagInfo": accepted}], "Authorize"),
        (
            True,
            [2, "8", "StartTransaction", {"connectorId": 1, "idTag": "ALICE", "meterStart": 20000}],
            "StartTransaction",
        ),
        (False, [3, "8", {"transactionId": 7, "idTagInfo": accepted}], "StartTransaction"),
        (
            True,
            [
                2,
                "9",
                "StatusNotification",
                {"connectorId": 1, "errorCode": "NoError", "status": "Charging"},
            ],
            "StatusNotification",
        ),
        (False, [3, "9", {}], "StatusNotification"),
        (
            False,
            [2, "a1", "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": {}}],
            "SetChargingProfile",
        ),
        (True, [3, "a1", accepted], "SetChargingProfile"),
    )
    for number, (sent, message, action) in enumerate(said, 1):
        world.say("PARK-01", frame(number, message, action, sent=sent))
    await stage.shows("SetChargingProfile status=Accepted")


async def _new(stage: Stage, _now: list[float]) -> None:
    await stage.press("n", *"PARK-{n:02}", "down", *"20")
    await stage.shows("PARK-{n:02}")


SCENES: Final[dict[str, Callable[[Stage, list[float]], Awaitable[None]]]] = {
    "fleet": _fleet,
    "frames": _frames,
    "new": _new,
}


async def picture(name: str) -> tuple[str, list[str]]:
    """Return a picture as SVG, and the lines that stand on it."""
    now = [NOW]
    world = tracing(fleet())
    async with dashboard(world, size=SIZE, clock=lambda: now[0]) as stage:
        await SCENES[name](stage, now)
        await stage.pilot.pause()
        return stage.app.export_screenshot(title="simuctl watch"), stage.lines


def main() -> None:
    """Draw all pictures."""
    os.environ.pop("NO_COLOR", None)
    os.environ["TZ"] = "UTC"
    time.tzset()
    PICTURES.mkdir(exist_ok=True)
    for name in SCENES:
        svg, _lines = asyncio.run(picture(name))
        (PICTURES / f"{name}.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    main()
