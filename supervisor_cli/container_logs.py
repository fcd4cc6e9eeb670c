"""Logs of charge points, one at a time, for who must not be held up: the dashboard."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final

import docker

from supervisor_cli import engine
from supervisor_cli.errors import SimuError
from supervisor_cli.log_line import LogLine
from supervisor_cli.log_stream import LogStream, container_of, refusals

_LAST_LINES: Final = 200


class ContainerLogs:
    """The logs of an environment's charge points.

    Args:
        environment: its name.
        connect: returns the engine's client, when it is first needed.
        last: how many of the lines that are there already come first.
    """

    def __init__(
        self,
        environment: str,
        *,
        connect: Callable[[], docker.DockerClient] = engine.connect,
        last: int = _LAST_LINES,
    ) -> None:
        self._environment = environment
        self._connect = connect
        self._last = last
        self._client: docker.DockerClient | None = None

    async def follow(self, charge_point_id: str) -> AsyncGenerator[LogLine, None]:
        """Yield the last lines of a log, and then each further one, until the process ends.

        Raises:
            SimuError: the engine does not answer (exit code 3), or has no such container.
        """
        stream = await asyncio.to_thread(self._open, charge_point_id)
        lines = iter(stream)
        try:
            while (line := await asyncio.to_thread(next, lines, None)) is not None:
                yield line
        finally:
            stream.close()  # a thread that still reads comes back at once

    def close(self) -> None:
        """Let the engine go."""
        if self._client is not None:
            self._client.close()

    def _open(self, charge_point_id: str) -> LogStream:
        with refusals():
            if self._client is None:
                self._client = self._connect()
            container = container_of(self._client, self._environment, charge_point_id)
        if container is None:
            raise SimuError(
                f"the engine has no container of {charge_point_id}",
                hint="docker ps -a shows those it has",
            )
        return LogStream(container, charge_point_id, tail=self._last)
