"""The floor: containers of the same image, made by the same engine, that do next to nothing."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import docker

from launcher import container
from launcher.config import SIDE_BY_SIDE
from tests.benchmarks import kernel

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
            list(pool.map(lambda _: self._start(command), range(number)))
        return time.monotonic() - began

    def kill(self) -> float:
        """Signal all; return the seconds until the last is gone."""
        pids = self.pids()
        with kernel.deaths(pids) as all_are_gone:
            began = time.monotonic()
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            all_are_gone()
            return time.monotonic() - began

    def pids(self) -> list[int]:
        """Return their processes."""
        return [int(self._engine.containers.get(each).attrs["State"]["Pid"]) for each in self._ids]

    def remove(self) -> None:
        """Remove all."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            list(pool.map(self._remove, self._ids))
        self._ids.clear()

    def _start(self, command: Sequence[str]) -> None:
        # As the launcher does: no inspections, and a role, without which it would take them for
        # charge points started by hand, and look after them.
        api = self._engine.api
        made = api.create_container(
            self._image,
            entrypoint=list(command[:1]),
            command=list(command[1:]),
            labels={container.ROLE_LABEL: "sleeper"},
            host_config=api.create_host_config(
                network_mode=self._environment,
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
            ),
            healthcheck={"test": ["NONE"]},
        )
        container_id = str(made["Id"])
        self._ids.append(container_id)
        api.start(container_id)

    def _remove(self, container_id: str) -> None:
        self._engine.api.remove_container(container_id, force=True, v=True)


@contextmanager
def sleepers(engine: docker.DockerClient, environment: str, image: str) -> Iterator[Sleepers]:
    """Have containers that sleep, and none of them afterwards."""
    some = Sleepers(engine, environment, image)
    try:
        yield some
    finally:
        some.remove()
