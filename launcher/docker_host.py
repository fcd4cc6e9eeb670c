"""The Docker engine as the launcher's `Engine`; the only module of the launcher that knows docker.

docker-py blocks, so it runs in a bounded pool of threads with a client of its own each (requests'
sessions are not meant to be shared). The low-level API is used because the high-level one follows
every call with an inspection.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import CancellableStream, LogConfig, Mount
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from launcher import container, docker_records
from launcher.container import ContainerRequest
from launcher.engine import (
    ContainerRecord,
    EngineError,
    EngineEvent,
    ListeningBegan,
    ListeningBroke,
    Observation,
    PostMortem,
    VolumeRecord,
)

LOG: Final = logging.getLogger(__name__)
_T = TypeVar("_T")

THREADS: Final = 4
_CALL_S: Final = 60
_KILLED_WITHIN_S: Final = 20
_STOP_S: Final = 5
_PIDS: Final = 64
_FIRST_RETRY_S: Final = 0.5
_LAST_RETRY_S: Final = 10.0
_LOG_LINES: Final = 20
_TMPFS: Final = {"/tmp": "size=8m,mode=1777,noexec,nosuid,nodev"}  # noqa: S108 - in the container


class DockerHost:
    """The charge points of one environment on the engine that DOCKER_HOST names.

    Every method raises `EngineError` where the engine refuses or cannot be reached.
    """

    def __init__(self, environment: str, *, threads: int = THREADS) -> None:
        self._environment = environment
        self._labels = [
            f"{key}={value}" for key, value in container.charge_point_labels(environment).items()
        ]
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="docker")
        self._listener = ThreadPoolExecutor(1, thread_name_prefix="docker-events")
        self._local = threading.local()
        self._clients: list[docker.APIClient] = []

    async def check(self) -> str:
        """Return the engine's version: it answers."""
        version = await self._call("the engine's version", lambda client: client.version())
        return str(version["Version"])

    async def ensure_network(self) -> None:
        """Make the environment's network where it is missing."""
        await self._call(f"network {self._environment}", self._ensure_network)

    async def observe(self) -> Observation:
        """Return all charge points of the environment."""
        return await self._call("the list of charge points", self._observe)

    async def find_container(self, charge_point_id: str) -> ContainerRecord | None:
        """Return the container of a charge point, running or not."""
        labels = self._labels_of(charge_point_id)
        found = await self._call(
            f"container of {charge_point_id}", lambda client: _containers(client, labels)
        )
        return found.get(charge_point_id)

    async def find_volume(self, charge_point_id: str) -> VolumeRecord | None:
        """Return the volume of a charge point."""
        labels = self._labels_of(charge_point_id)
        found = await self._call(
            f"volume of {charge_point_id}", lambda client: _volumes(client, labels)
        )
        return found.get(charge_point_id)

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
        """Make the volume of a charge point; one that exists is kept as it is."""
        await self._call(
            f"volume {request.name}",
            lambda client: client.create_volume(request.name, labels=dict(request.volume_labels)),
        )

    async def create_container(self, request: ContainerRequest) -> str:
        """Make the container of a charge point, not yet started; return its id."""
        return await self._call(
            f"container {request.name}", lambda client: _create(client, request)
        )

    async def start(self, container_id: str) -> None:
        """Start a container that is not running."""
        await self._call(
            f"start of container {container_id[:12]}", lambda client: client.start(container_id)
        )

    async def kill(self, container_id: str) -> None:
        """SIGKILL, and wait until the process is gone."""

        def kill(client: docker.APIClient) -> None:
            client.kill(container_id, signal="SIGKILL")
            client.wait(container_id, timeout=_KILLED_WITHIN_S, condition="not-running")

        await self._call(f"kill of container {container_id[:12]}", kill)

    async def remove_container(self, container_id: str) -> None:
        """Remove a container, killing it where it runs; a missing one is no error."""

        def remove(client: docker.APIClient) -> None:
            with contextlib.suppress(NotFound):
                client.remove_container(container_id, force=True)

        await self._call(f"removal of container {container_id[:12]}", remove)

    async def remove_volume(self, name: str) -> None:
        """Remove a volume; a missing one is no error."""

        def remove(client: docker.APIClient) -> None:
            with contextlib.suppress(NotFound):
                client.remove_volume(name)

        await self._call(f"removal of volume {name}", remove)

    async def post_mortem(self, container_id: str) -> PostMortem | None:
        """Return how a container ended, or None where it is gone."""
        return await self._call(
            f"end of container {container_id[:12]}",
            lambda client: _post_mortem(client, container_id),
        )

    async def events(self) -> AsyncGenerator[EngineEvent]:
        """Tell of deaths until closed; `ListeningBegan` comes first and after each break."""
        loop = asyncio.get_running_loop()
        retry_s = _FIRST_RETRY_S
        while True:
            heard: asyncio.Queue[EngineEvent] = asyncio.Queue()

            def tell(
                event: EngineEvent, hear: Callable[[EngineEvent], None] = heard.put_nowait
            ) -> None:
                loop.call_soon_threadsafe(hear, event)

            ear = _Ear(self._labels, tell)
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
        await asyncio.to_thread(self._pool.shutdown)
        self._listener.shutdown(wait=False)
        for client in self._clients:
            client.close()

    async def _call(self, what: str, call: Callable[[docker.APIClient], _T]) -> _T:
        def work() -> _T:
            with _translated(what):
                return call(self._client())

        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _client(self) -> docker.APIClient:
        client: docker.APIClient | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = _connect()
            self._clients.append(client)
        return client

    def _labels_of(self, charge_point_id: str) -> list[str]:
        return [*self._labels, f"{container.ID_LABEL}={charge_point_id}"]

    def _ensure_network(self, client: docker.APIClient) -> None:
        # The engine matches names by substring.
        found = client.networks(names=[self._environment])
        if self._environment not in {network["Name"] for network in found}:
            client.create_network(
                self._environment,
                driver="bridge",
                check_duplicate=True,
                labels={container.ENVIRONMENT_LABEL: self._environment},
            )

    def _observe(self, client: docker.APIClient) -> Observation:
        return Observation(
            containers=_containers(client, self._labels), volumes=_volumes(client, self._labels)
        )


class _Ear:
    """Listens, in a thread of its own, for charge points that die."""

    def __init__(self, labels: list[str], tell: Callable[[EngineEvent], object]) -> None:
        self._labels = labels
        self._tell = tell
        self._lock = threading.Lock()
        self._stream: CancellableStream[dict[str, Any]] | None = None
        self._stopped = False

    def listen(self) -> None:
        """Tell of deaths until stopped or until the engine breaks off, which is told, too."""
        reason = "the Docker engine ended the stream of events"
        try:
            with _translated("the stream of events"), contextlib.closing(_connect()) as client:
                filters = {"type": "container", "event": "die", "label": self._labels}
                stream = client.events(filters=filters, decode=True)
                with self._lock:
                    self._stream = stream
                    if self._stopped:
                        stream.close()
                self._tell(ListeningBegan())
                for event in stream:
                    self._tell(docker_records.death(event))
        except EngineError as exc:
            reason = str(exc)
        self._tell(ListeningBroke(reason=reason))

    def stop(self) -> None:
        """Make `listen` return soon."""
        with self._lock:
            self._stopped = True
            if self._stream is not None:
                with contextlib.suppress(OSError):  # it has broken off by itself
                    self._stream.close()


def _connect() -> docker.APIClient:
    return docker.APIClient(timeout=_CALL_S, **kwargs_from_env())


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except APIError as exc:
        reason = exc.explanation or str(exc)
        raise EngineError(f"{what}: the Docker engine refused: {reason}") from exc
    except (DockerException, RequestException, OSError) as exc:
        raise EngineError(f"{what}: the Docker engine does not answer: {exc}") from exc


def _containers(client: docker.APIClient, labels: list[str]) -> dict[str, ContainerRecord]:
    listing = client.containers(all=True, filters={"label": labels})
    return docker_records.container_records(listing)


def _volumes(client: docker.APIClient, labels: list[str]) -> dict[str, VolumeRecord]:
    return docker_records.volume_records(client.volumes(filters={"label": labels}))


def _create(client: docker.APIClient, request: ContainerRequest) -> str:
    host_config = client.create_host_config(
        mounts=[Mount(container.STATE_DIRECTORY, request.name, type="volume")],
        network_mode=request.network,
        restart_policy={"Name": "no"},
        read_only=True,
        tmpfs=_TMPFS,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        pids_limit=_PIDS,
        log_config=LogConfig(type="json-file", config={"max-size": "1m", "max-file": "2"}),
    )
    made = client.create_container(
        request.image,
        name=request.name,
        hostname=request.hostname,
        environment=dict(request.variables),
        labels=dict(request.labels),
        host_config=host_config,
        stop_timeout=_STOP_S,
        # The proxies of ~/.docker/config.json are the launcher's, not the charge point's.
        use_config_proxy=False,
    )
    return str(made["Id"])


def _post_mortem(client: docker.APIClient, container_id: str) -> PostMortem | None:
    try:
        inspection = client.inspect_container(container_id)
        log = client.logs(container_id, tail=_LOG_LINES)
    except NotFound:
        return None
    return docker_records.post_mortem(inspection, log)
