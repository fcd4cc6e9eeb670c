"""The floor: containers of the same image, made by the same engine, that do next to nothing."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import docker

from launcher.config import SIDE_BY_SIDE

SLEEP = ("sleep", "infinity")
LIBRARIES = (
    "python3",
    "-c",
    "import asyncio, sqlite3, msgspec, paho.mqtt.client, websockets.asyncio.client, signal;"
    "signal.pause()",
)
"""What a charge point cannot do without, and nothing of ours."""


class Sleepers:
    """Containers without a purpose, in an environment's network."""

    def __init__(self, engine: docker.DockerClient, environment: str, image: str) -> None:
        self._engine = engine
        self._environment = environment
        self._image = image
        self._ids: list[str] = []

    def start(self, number: int, command: Sequence[str] = SLEEP) -> float:
        """Start some side by side, as a launcher does; return the seconds it took."""
        began = time.monotonic()
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            self._ids += pool.map(lambda _: self._start(command), range(number))
        return time.monotonic() - began

    def kill(self) -> float:
        """Kill all side by side; return the seconds until none runs."""
        began = time.monotonic()
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            list(pool.map(self._kill, self._ids))
        return time.monotonic() - began

    def pids(self) -> list[int]:
        """Return their processes."""
        return [int(self._engine.containers.get(each).attrs["State"]["Pid"]) for each in self._ids]

    def remove(self) -> None:
        """Remove all."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            list(pool.map(self._remove, self._ids))
        self._ids.clear()

    def _start(self, command: Sequence[str]) -> str:
        container = self._engine.containers.create(
            self._image,
            entrypoint=list(command[:1]),
            command=list(command[1:]),
            network=self._environment,
            labels={"cp-simu.environment": self._environment},
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            healthcheck={"test": ["NONE"]},
        )
        container.start()
        return str(container.id)

    def _kill(self, container_id: str) -> None:
        container = self._engine.containers.get(container_id)
        container.kill()
        container.wait(condition="not-running")

    def _remove(self, container_id: str) -> None:
        self._engine.containers.get(container_id).remove(force=True, v=True)


@contextmanager
def sleepers(engine: docker.DockerClient, environment: str, image: str) -> Iterator[Sleepers]:
    """Have containers that sleep, and none of them afterwards."""
    some = Sleepers(engine, environment, image)
    try:
        yield some
    finally:
        some.remove()
