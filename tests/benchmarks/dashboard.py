"""How fluid the dashboard is with 500 charge points: ``python -m tests.benchmarks.dashboard``.

Prints the share of a core it takes while 50 statuses a second arrive (what makes them included),
and the time from a key to the picture. Nothing is drawn on a terminal, and there is no broker.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from typing import Final

import msgspec
from textual.events import Key

from cp_image.api.payloads import ConnectorState, ConnectorStatus
from supervisor_cli.client import SimuClient
from supervisor_cli.dashboard.app import Watch
from supervisor_cli.state import Broker
from tests.unit.supervisor_cli.world import CHARGING, World, connector_status

CHARGE_POINTS: Final = 500
STATUSES_PER_S: Final = 50
SIZE: Final = (140, 40)
KEYS: Final = (*("down",) * 30, *("s",) * 11, *("1", "0") * 10)
STORM_S: Final = 10.0


def status(chance: random.Random) -> ConnectorStatus:
    """Return what a connector might say."""
    if chance.random() < 0.7:
        return msgspec.structs.replace(
            CHARGING, power_w=chance.uniform(1000, 22_000), session_wh=chance.uniform(0, 9000)
        )
    return connector_status(status=chance.choice(list(ConnectorState)))


async def storm(world: World, chance: random.Random) -> None:
    """Let statuses arrive until cancelled."""
    due = time.monotonic()
    while True:
        name = f"CP-{chance.randrange(CHARGE_POINTS):04}"
        world.connector(name, 1, status(chance))
        due += 1 / STATUSES_PER_S
        await asyncio.sleep(max(0.0, due - time.monotonic()))


class Drawing:
    """Tells when the screen has been drawn."""

    def __init__(self, app: Watch) -> None:
        self._drawn = asyncio.Event()
        self._draw: Callable[..., None] = app._display
        app._display = self  # type: ignore[assignment, method-assign]

    def __call__(self, *args: object) -> None:
        """Draw."""
        self._draw(*args)
        self._drawn.set()

    async def next(self) -> None:
        """Wait until it is drawn once more."""
        self._drawn.clear()
        await self._drawn.wait()


async def key_to_picture_s(app: Watch, drawing: Drawing, key: str) -> float:
    """Return how long a key takes until its effect is drawn."""

    def effect() -> object:
        return app.selected.place if app.selected is not None else None, app.choice

    before, begun = effect(), time.perf_counter()
    app.post_message(Key(key, key if len(key) == 1 else None))
    while effect() == before:
        await drawing.next()
    return time.perf_counter() - begun


async def main() -> None:
    """Measure and print."""
    chance, world = random.Random(1), World()
    for number in range(CHARGE_POINTS):
        world.charge_point(f"CP-{number:04}", status(chance))
    async with SimuClient(broker=Broker(), link_factory=world.link) as client:
        app = Watch(client)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            arriving = asyncio.create_task(storm(world, chance))
            cpu_s, begun, pictures = time.process_time(), time.monotonic(), app.pictures
            await asyncio.sleep(STORM_S)
            elapsed_s = time.monotonic() - begun
            print(f"core: {(time.process_time() - cpu_s) / elapsed_s:.1%}")  # noqa: T201
            print(f"pictures: {(app.pictures - pictures) / elapsed_s:.1f}/s")  # noqa: T201
            drawing, taken_s = Drawing(app), []
            for key in KEYS:
                await asyncio.sleep(chance.uniform(0.02, 0.1))
                taken_s.append(await key_to_picture_s(app, drawing, key))
            arriving.cancel()
            median, late = statistics.median(taken_s), sorted(taken_s)[int(0.95 * len(taken_s))]
            print(f"key to picture: {median * 1000:.0f} ms, 95th {late * 1000:.0f} ms")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
