"""The dashboard on a world in memory, with a clock that stands until it is moved."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from cp_image.api.payloads import ChargePointState, ChargePointType, ConnectorState
from supervisor_cli.client import SimuClient
from supervisor_cli.dashboard.app import Watch
from supervisor_cli.state import Broker
from tests.unit.supervisor_cli.world import CHARGING, World, connector_status

NARROW = (80, 24)
WIDE = (140, 40)
NOW = 1_800_000_000.0
# Far more than a busy machine needs; only what never comes waits as long.
PATIENCE_S = 30.0


async def no_rest() -> None:
    """Rest not at all between two pictures."""


class Stage:
    """A dashboard that runs, and the keys to it."""

    def __init__(self, world: World, client: SimuClient, app: Watch, pilot: Pilot[None]) -> None:
        self.world = world
        self.client = client
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys, and let everything happen that is due."""
        await self.pilot.press(*keys)
        await self.until(lambda: self.app.keys_are_done or not self.app.is_running, "pressed")
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*text)

    async def until(self, predicate: Callable[[], object], what: str) -> None:
        """Let things happen until it is so."""
        ends = time.monotonic() + PATIENCE_S
        while not predicate():
            if time.monotonic() > ends:
                raise AssertionError(f"not {what}:\n{self.text}")
            await self.pilot.pause()

    async def shows(self, words: str) -> None:
        """Wait until the screen shows some words."""
        await self.until(lambda: words in self.text, f"shown: {words}")

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without what is blank at the ends."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def ids(self) -> list[str]:
        """The charge points of the table, row by row."""
        return [row.place.charge_point_id for row in self.app.fleet_table.picture.rows]


@asynccontextmanager
async def dashboard(
    world: World, *, size: tuple[int, int] = NARROW, **options: Any
) -> AsyncIterator[Stage]:
    """Run a dashboard on a world."""
    async with SimuClient(broker=Broker(), link_factory=world.link) as client:
        made = {"clock": lambda: NOW, "rest": no_rest, "settle": no_rest} | options
        app = Watch(client, **made)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            stage = Stage(world, client, app, pilot)
            # A key that is pressed before the table stands acts on nothing.
            await stage.until(lambda: set(stage.ids) >= set(client.view.by_id), "drawn")
            yield stage


def fleet() -> World:
    """Return a world with a bit of everything."""
    world = World()
    world.charge_point("CP-1", CHARGING, connector_status(), nb_connectors=2)
    world.charge_point("CP-2", connector_status())
    world.charge_point(
        "CP-3", connector_status(status=ConnectorState.FAULTED, error_code="GroundFailure")
    )
    world.charge_point("CP-10", CHARGING, status=ChargePointState.DEAD)
    world.charge_point(
        "FAST-1",
        connector_status(
            status=ConnectorState.CHARGING,
            id_tag="DAVE",
            max_setpoint=150_000.0,
            ocpp_setpoint=150_000.0,
            setpoint=150_000.0,
            car_consumption_l1=120_000.0,
            car_cable_capacity=250_000.0,
            car_ready=True,
            consumption_l1=120_000.0,
            transaction_id=12,
            power_w=120_000.0,
            session_wh=8_321.0,
            register_wh=20_321.0,
            soc_pct=57.3,
        ),
        type=ChargePointType.DC,
        nb_phases=1,
        voltage=400.0,
        max_setpoint=300_000.0,
        central_system="wss://csms.example.com/ocpp",
    )
    return world
