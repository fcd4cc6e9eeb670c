"""The Docker engine as the launcher's `Engine`.

docker-py blocks, so it runs in bounded pools of threads. They share one client: making one takes
as long as several calls, and between calls it keeps nothing but its connections, whose pool
(urllib3) is made for threads.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import docker
from docker.errors import ImageNotFound, NotFound

from launcher import (
    container,
    docker_containers,
    docker_networks,
    docker_records,
    host_process,
)
from launcher.at_once import AtOnce
from launcher.container import ContainerRequest, Mark
from launcher.docker_connection import connect, translated
from launcher.docker_ear import DockerEar
from launcher.engine import (
    ContainerRecord,
    Ending,
    EngineEvent,
    Found,
    ListeningBegan,
    ListeningBroke,
    Observation,
    PostMortem,
    VolumeRecord,
)
from launcher.shared_look import SharedLook

_T = TypeVar("_T")

THREADS: Final = 4
_WAITERS: Final = 400
"""The engine answers a kill or a stop when it is done: whoever waits for that keeps nobody busy,
and keeps nobody alive. The launcher may have 512 threads."""
_FIRST_RETRY_S: Final = 0.5
_LAST_RETRY_S: Final = 10.0


class DockerHost:
    """The charge points of one environment on the engine that DOCKER_HOST names.

    Every method raises `EngineError` where the engine refuses or cannot be reached.

    Args:
        environment: its name.
        image: of the charge points; who runs it without our labels was started by hand.
        broker_host: by which the charge points know their broker.
        threads: how many calls run at a time.
    """

    def __init__(
        self,
        environment: str,
        *,
        image: str = "cp-simu/charge-point",
        broker_host: str = "broker",
        threads: int = THREADS,
    ) -> None:
        self._environment = environment
        self._image = image
        self._broker_host = broker_host
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="docker")
        # What comes before a power cut waits for no start, and does not fight for the interpreter.
        self._markers = ThreadPoolExecutor(THREADS, thread_name_prefix="docker-marks")
        self._waiters = ThreadPoolExecutor(_WAITERS, thread_name_prefix="docker-ends")
        self._listener = ThreadPoolExecutor(1, thread_name_prefix="docker-events")
        self._connecting = threading.Lock()
        self._connected: docker.APIClient | None = None
        self._by_hand: dict[str, ContainerRecord] = {}
        self._looks = SharedLook(self._look)
        self._at_once = AtOnce()
        self._number = 0

    async def check(self) -> str:
        """Return the engine's version: it answers."""
        version = await self._call("the engine's version", lambda client: client.version())
        return str(version["Version"])

    async def ensure_network(self, network: str = "") -> None:
        """Make a network of the environment, the first one by default, where it is missing."""
        network = network or self._environment
        await self._call(
            f"network {network}",
            lambda client: docker_networks.ensure_network(
                client, self._environment, network, self._broker_host
            ),
        )

    async def observe(self) -> Observation:
        """Return all charge points of the environment."""
        seen = await self._call(
            "the list of charge points",
            lambda client: docker_containers.observe(client, self._environment, self._image),
        )
        self._number = len(seen.containers)
        self._by_hand = {
            charge_point_id: record
            for charge_point_id, record in seen.containers.items()
            if record.by_hand
        }
        return seen

    async def find(self, charge_point_id: str) -> Found:
        """Return all there is of a charge point."""
        found = await self._looks.find(charge_point_id)
        by_hand = self._by_hand.get(charge_point_id)
        if found.container is not None or by_hand is None:
            return found
        inspection = await self._call(
            f"container {by_hand.name}", lambda client: _inspect(client, by_hand.container_id)
        )
        record = docker_records.by_hand(inspection, self._environment) if inspection else None
        return Found(container=record, volume=found.volume, marks=found.marks)

    async def find_container(self, charge_point_id: str) -> ContainerRecord | None:
        """Return the container of a charge point, running or not."""
        return (await self.find(charge_point_id)).container

    async def find_volume(self, charge_point_id: str) -> VolumeRecord | None:
        """Return the volume of a charge point."""
        return (await self.find(charge_point_id)).volume

    async def set_mark(
        self, charge_point_id: str, mark: Mark, specification: Any, address: str = ""
    ) -> None:
        """Make a mark; one that is there is kept as it is."""
        labels = container.mark_labels(self._environment, charge_point_id, mark, specification)
        if address:
            labels[container.ADDRESS_LABEL] = address
        name = container.mark_name(self._environment, charge_point_id, mark)
        with self._at_once.preparing():
            await self._call(
                f"mark {name}",
                lambda client: client.create_volume(name, labels=labels),
                self._markers,
            )

    async def clear_mark(self, charge_point_id: str, mark: Mark) -> None:
        """Take a mark away; a missing one is no error."""
        await self.remove_volume(container.mark_name(self._environment, charge_point_id, mark))

    async def image_id(self, image: str) -> str | None:
        """Return what an image's name stands for now, or None where there is no such image."""

        def look(client: docker.APIClient) -> str | None:
            inspect: Any = client.inspect_image  # not annotated in the stubs
            try:
                return str(inspect(image)["Id"])
            except ImageNotFound:
                return None

        return await self._call(f"image {image}", look)

    async def create_volume(self, request: ContainerRequest) -> None:
        """Make the volumes of a charge point; one that exists is kept as it is."""
        if request.secrets_volume is not None:
            name, labels = request.secrets_volume, dict(request.secrets_labels)
            await self._call(
                f"volume {name}", lambda client: client.create_volume(name, labels=labels)
            )
        await self._call(
            f"volume {request.name}",
            lambda client: client.create_volume(request.name, labels=dict(request.volume_labels)),
        )

    async def create_container(self, request: ContainerRequest) -> str:
        """Make the container of a charge point, not yet started, and its volumes; return its id."""
        return await self._call(
            f"container {request.name}", lambda client: docker_containers.create(client, request)
        )

    async def start(self, container_id: str) -> None:
        """Start a container that is not running."""
        await self._on(container_id, "start", lambda client: client.start(container_id))

    async def kill(self, container_id: str, on_death: Callable[[], None]) -> Ending:
        """SIGKILL, and wait until the process is gone; one that is gone already is no error."""
        with self._at_once.preparing():
            inspection = await self._call(
                _of("kill", container_id),
                lambda client: _inspect(client, container_id),
                self._markers,
            )
        process = host_process.of_container(inspection) if inspection else None
        end = docker_containers.kill
        if process is None:
            await self._at_once.die(lambda: True)
        else:
            with contextlib.closing(process):
                if await self._at_once.die(process.kill):
                    on_death()
                    # To ask the engine sooner would hold up others that die.
                    if await process.end():
                        end = docker_containers.wait_for_end
        return await self._call(
            _of("kill", container_id), lambda client: end(client, container_id), self._waiters
        )

    async def stop(self, container_id: str) -> Ending:
        """SIGTERM, SIGKILL where that does not help in time, and wait for the end."""
        return await self._call(
            _of("stop", container_id),
            lambda client: docker_containers.stop(client, container_id),
            self._waiters,
        )

    async def pause(self, container_id: str) -> None:
        """Halt every process; one that is halted is no error."""
        await self._on(
            container_id, "freeze", lambda client: docker_containers.pause(client, container_id)
        )

    async def unpause(self, container_id: str) -> None:
        """Let halted processes go on; one that is not halted is no error."""
        await self._on(
            container_id, "thaw", lambda client: docker_containers.unpause(client, container_id)
        )

    async def disconnect(self, found: ContainerRecord) -> None:
        """Take a container's network away; one that has none is no error."""
        await self._on(
            found.container_id, "cut", lambda client: docker_networks.disconnect(client, found)
        )

    async def connect(self, found: ContainerRecord, address: str) -> None:
        """Give a container its network back, with that address if it is still free."""
        await self._on(
            found.container_id,
            "mend",
            lambda client: docker_networks.connect(client, found, address),
        )

    async def remove_container(self, container_id: str) -> None:
        """Remove a container, killing it where it runs; a missing one is no error."""
        await self._on(
            container_id, "removal", lambda client: docker_containers.remove(client, container_id)
        )

    async def remove_volume(self, name: str) -> None:
        """Remove a volume; a missing one is no error."""

        def remove(client: docker.APIClient) -> None:
            with contextlib.suppress(NotFound):
                client.remove_volume(name)

        await self._call(f"removal of volume {name}", remove)

    async def post_mortem(self, container_id: str) -> PostMortem | None:
        """Return how a container ended, or None where it is gone."""
        return await self._on(
            container_id,
            "end",
            lambda client: docker_containers.post_mortem(client, container_id),
        )

    async def events(self) -> AsyncGenerator[EngineEvent]:
        """Tell of deaths and changes until closed; `ListeningBegan` first and after each break."""
        loop = asyncio.get_running_loop()
        retry_s = _FIRST_RETRY_S
        while True:
            heard: asyncio.Queue[EngineEvent] = asyncio.Queue()

            def tell(
                event: EngineEvent, hear: Callable[[EngineEvent], None] = heard.put_nowait
            ) -> None:
                loop.call_soon_threadsafe(hear, event)

            ear = DockerEar(self._read_event, tell)
            listening = loop.run_in_executor(self._listener, ear.listen)
            try:
                while True:
                    event = await heard.get()
                    if isinstance(event, ListeningBegan):
                        retry_s = _FIRST_RETRY_S
                    yield event
                    if isinstance(event, ListeningBroke):
                        break
            finally:
                ear.stop()
                await asyncio.shield(listening)
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, _LAST_RETRY_S)

    async def close(self) -> None:
        """Let go of the engine; calls that run are waited for."""
        for pool in (self._pool, self._markers, self._waiters):
            await asyncio.to_thread(pool.shutdown)
        self._listener.shutdown(wait=False)
        if self._connected is not None:
            self._connected.close()

    def _read_event(self, event: dict[str, Any]) -> EngineEvent | None:
        by_hand = {each.container_id: id_ for id_, each in tuple(self._by_hand.items())}
        return docker_records.event(event, self._environment, self._image, by_hand)

    async def _look(self, charge_point_ids: frozenset[str]) -> dict[str, Found]:
        return await self._call(
            f"charge point {', '.join(sorted(charge_point_ids)[:3])}",
            lambda client: docker_containers.find_some(
                client, self._environment, charge_point_ids, of=self._number
            ),
        )

    async def _on(self, container_id: str, what: str, call: Callable[[docker.APIClient], _T]) -> _T:
        return await self._call(_of(what, container_id), call)

    async def _call(
        self,
        what: str,
        call: Callable[[docker.APIClient], _T],
        pool: ThreadPoolExecutor | None = None,
    ) -> _T:
        def work() -> _T:
            with translated(what):
                return call(self._client())

        return await asyncio.get_running_loop().run_in_executor(pool or self._pool, work)

    def _client(self) -> docker.APIClient:
        with self._connecting:
            if self._connected is None:
                self._connected = connect(connections=_WAITERS)
            return self._connected


def _of(what: str, container_id: str) -> str:
    return f"{what} of container {container_id[:12]}"


def _inspect(client: docker.APIClient, container_id: str) -> dict[str, Any] | None:
    try:
        inspection: dict[str, Any] = client.inspect_container(container_id)
    except NotFound:
        return None
    return inspection
