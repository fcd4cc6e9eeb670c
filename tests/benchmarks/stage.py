"""A fresh environment with a CSMS of its own, and everything of it gone afterwards."""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import docker

from cp_image.api.payloads import ChargePointState
from launcher.api import Answer, CommandType
from supervisor_cli import engine, environment, images, state
from supervisor_cli.bring_up import bring_up
from supervisor_cli.client import SimuClient
from supervisor_cli.environment import EnvironmentSettings
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.state import Broker

WITHIN_S = 300.0
INTERVAL_S = 5
"""Between the MeterValues of charge points that charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a benchmark plays on.

    Attributes:
        csms: URL for charge points.
    """

    engine: docker.DockerClient
    environment: str
    broker: Broker
    simu: SimuClient
    csms: str

    @property
    def image(self) -> str:
        """The charge points' image."""
        return images.reference(images.CHARGE_POINT)

    def ids(self) -> list[str]:
        """Return the charge points' ids."""
        return sorted(self.simu.view.by_id)

    def pids(self) -> list[int]:
        """Return the charge points' processes."""
        names = [f"{self.environment}.{each}" for each in self.ids()]
        return [int(self.engine.containers.get(name).attrs["State"]["Pid"]) for name in names]

    async def all_are(self, state: ChargePointState, number: int) -> None:
        """Wait until so many charge points are there and all are in a state."""

        def there(view: FleetView) -> bool:
            states = [each.state for each in view.by_id.values()]
            return len(states) == number and set(states) == {state}

        await self.simu.wait_for(there, timeout_s=WITHIN_S, what=f"{number} {state}")

    async def remove_all(self) -> None:
        """Remove the charge points."""
        if self.ids():
            raise_unless_done(await self.simu.command(CommandType.REMOVE, self.ids()))
        await self.simu.wait_for(lambda view: not view.by_id, timeout_s=WITHIN_S)


def raise_unless_done(answer: Answer) -> None:
    """Raise RuntimeError for what a launcher did not do: a figure without it would mean nothing."""
    refused = [f"{each.id}: {each.text}" for each in answer.results if not each.ok]
    if refused:
        raise RuntimeError("; ".join(refused))


@asynccontextmanager
async def stage(*, dense: bool = False) -> AsyncIterator[Stage]:
    """Bring an environment up for a benchmark."""
    name = f"bench-{secrets.token_hex(3)}"
    client = engine.connect()
    settings = EnvironmentSettings(name=name, broker_port=0, dense=dense)
    try:
        broker = await asyncio.to_thread(bring_up, client, settings, lambda _text: None)
        async with _csms() as url, SimuClient(broker=broker, environment=name) as simu:
            yield Stage(engine=client, environment=name, broker=broker, simu=simu, csms=url)
    finally:
        await asyncio.to_thread(environment.down, client, name, lambda _text: None)
        state.forget(name)
        client.close()


@asynccontextmanager
async def _csms() -> AsyncIterator[str]:
    """Run the central system in the box as a process, so that what it uses is not counted here."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "supervisor_cli", "csms", "--port", str(port)),
        env={**os.environ, "NO_COLOR": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield f"ws://localhost:{port}/ocpp"
    finally:
        process.terminate()
        await process.wait()
