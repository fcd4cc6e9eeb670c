"""An environment for a story: broker by testcontainers, launcher as a process, a checking CSMS."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import docker
import msgspec
from docker.models.containers import Container
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from cp_image.api.payloads import (
    CarInput,
    ChargePointState,
    ChargePointType,
    ConnectorState,
    IdTagInput,
)
from launcher.api import Answer, CommandType, LauncherState, Specification
from launcher.fleet import read_specification
from supervisor_cli import environment, images
from supervisor_cli.client import Input, SimuClient
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.state import Broker

WITHIN_S = 120.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a story plays: an environment's network and its broker.

    Attributes:
        gateway: address of this machine that the charge points reach.
    """

    name: str
    gateway: str
    broker_container: DockerContainer
    broker: Broker
    engine: docker.DockerClient

    def container(self, charge_point_id: str) -> Container:
        """Return the container of a charge point."""
        return self.engine.containers.get(f"{self.name}.{charge_point_id}")

    async def simuctl(self, *words: str) -> str:
        """Run a command on the environment that must succeed; return what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "supervisor_cli", *words),
            env={
                **os.environ,
                "SIMU_ENVIRONMENT": self.name,
                "SIMU_BROKER": str(self.broker),
            },
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out.decode()

    def volumes(self) -> list[str]:
        """Return the volumes of the environment."""
        mine = {"label": f"cp-simu.environment={self.name}"}
        return sorted(volume.name for volume in self.engine.volumes.list(filters=mine))

    def client(self) -> SimuClient:
        """Return a client of the environment, not yet connected."""
        return SimuClient(broker=self.broker, environment=self.name)


@contextmanager
def stage(engine: docker.DockerClient, name: str, port: int) -> Iterator[Stage]:
    """Set a stage up; take its broker away afterwards (the rest carries the name's label)."""
    gateway, _ = environment.addresses(environment.ensure_network(engine, name))
    aliases = {name: docker.types.EndpointConfig("1.40", aliases=["broker"])}
    container = (
        DockerContainer(images.reference(images.BROKER))
        .with_bind_ports(1883, port)
        .with_kwargs(network=name, networking_config=aliases)
        .waiting_for(LogMessageWaitStrategy("mosquitto version .* running"))
    )
    with container:
        yield Stage(
            name=name,
            gateway=gateway,
            broker_container=container,
            broker=Broker(port=port),
            engine=engine,
        )


class LauncherProcess:
    """`simu-launcher` as a process of this machine."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def kill(self) -> None:
        """SIGKILL: nothing is said any more."""
        self._process.send_signal(signal.SIGKILL)

    async def end(self) -> int:
        """Wait for its end, asking for it where it still runs; return the exit code."""
        if self._process.returncode is None:
            self._process.terminate()
        return await self.wait()

    async def wait(self) -> int:
        """Wait for its end; return the exit code."""
        async with asyncio.timeout(WITHIN_S):
            return await self._process.wait()


@asynccontextmanager
async def launcher(where: Stage, **variables: str) -> AsyncIterator[LauncherProcess]:
    """Run a launcher on a stage; `variables` are further ones of its environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "launcher",
        env={
            **os.environ,
            "SIMU_ENVIRONMENT": where.name,
            "SIMU_BROKER": str(where.broker),
            **variables,
        },
    )
    running = LauncherProcess(process)
    try:
        yield running
    finally:
        await running.end()


class Story:
    """What a story can do and see: the fleet by its client, the CSMS, the engine."""

    def __init__(self, where: Stage, simu: SimuClient, csms: DemoCsms) -> None:
        self.stage = where
        self.simu = simu
        self.csms = csms

    @property
    def url(self) -> str:
        """The CSMS as the charge points reach it."""
        return self.csms.url

    def specification(self, charge_point_id: str, **fields: object) -> Specification:
        """Return an AC charge point, or what `fields` make of it."""
        asked = {
            "id": charge_point_id,
            "type": ChargePointType.AC,
            "central_system": self.url,
            **fields,
        }
        return read_specification(msgspec.json.encode(asked))

    async def add(self, charge_point_id: str, **fields: object) -> None:
        """Start a charge point and wait until it is Accepted."""
        answer = await self.simu.start([self.specification(charge_point_id, **fields)])
        assert answer.ok, answer
        await self.until_state(charge_point_id, ChargePointState.ACCEPTED)

    async def command(self, kind: CommandType, *charge_point_ids: str) -> Answer:
        """Send a command to the launcher."""
        return await self.simu.command(kind, charge_point_ids)

    async def put(self, charge_point_id: str, payload: Input, connector_id: int = 1) -> None:
        """Give an input that must be taken."""
        result = await self.simu.send_input(charge_point_id, payload, connector_id=connector_id)
        assert result.ok, result

    async def charge(self, charge_point_id: str, id_tag: str, connector_id: int = 1) -> None:
        """Plug a car, present a tag and wait until it charges."""
        car = CarInput(cable=32.0, ready=True, consumption_l1=16.0)
        await self.put(charge_point_id, car, connector_id)
        await self.put(charge_point_id, IdTagInput(id=id_tag), connector_id)
        await self.until_connector(charge_point_id, ConnectorState.CHARGING, connector_id)

    async def until(self, predicate: Callable[[FleetView], bool], what: str) -> None:
        """Wait until the retained topics say so."""
        await self.simu.wait_for(predicate, timeout_s=WITHIN_S, what=what)

    async def until_state(self, charge_point_id: str, state: ChargePointState) -> None:
        """Wait until a charge point says that state of itself."""

        def there(view: FleetView) -> bool:
            charge_point = view.get(charge_point_id)
            return charge_point is not None and charge_point.state is state

        await self.until(there, f"{charge_point_id} {state}")

    async def until_connector(
        self, charge_point_id: str, state: ConnectorState, connector_id: int = 1
    ) -> None:
        """Wait until a connector has that status."""

        def there(view: FleetView) -> bool:
            charge_point = view.get(charge_point_id)
            connector = charge_point.connector(connector_id) if charge_point else None
            return connector is not None and connector.state is state

        await self.until(there, f"{charge_point_id} connector {connector_id} {state}")

    async def until_launcher(self, state: LauncherState) -> None:
        """Wait until the launcher says so, or its will."""
        await self.until(lambda view: view.launcher is state, f"launcher {state}")

    async def csms_sees(self, predicate: Callable[[DemoCsms], T]) -> T:
        """Wait until the CSMS has seen something."""
        return await self.csms.wait_for(predicate, WITHIN_S)


@asynccontextmanager
async def story(where: Stage) -> AsyncIterator[Story]:
    """A CSMS that checks every frame, and a client; at the end no frame may have broken a rule."""
    async with DemoCsms(where.gateway) as csms, where.client() as simu:
        yield Story(where, simu, csms)
    assert csms.violations == []
