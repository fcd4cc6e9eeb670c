"""What the processes of charge points print, as the engine keeps it and as it comes."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final

import docker
import requests
from docker.errors import DockerException
from docker.types.daemon import CancellableStream

from supervisor_cli import engine
from supervisor_cli.charge_point_logs import container_of
from supervisor_cli.errors import ExitCode, SimuError

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

    async def follow(self, charge_point_id: str) -> AsyncGenerator[str, None]:
        """Yield the last lines of a log, and then each further one, until the process ends.

        Raises:
            SimuError: the engine does not answer (exit code 3), or has no such container.
        """
        stream = await asyncio.to_thread(self._open, charge_point_id)
        rest = b""
        try:
            while chunk := await asyncio.to_thread(next, stream, b""):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace").rstrip("\r")
            if rest:
                yield rest.decode(errors="replace")
        except (DockerException, requests.RequestException) as exc:
            raise self._lost(charge_point_id, exc) from exc
        finally:
            stream.close()  # a thread that still reads comes back at once

    def close(self) -> None:
        """Let the engine go."""
        if self._client is not None:
            self._client.close()

    def _open(self, charge_point_id: str) -> "CancellableStream[bytes]":
        try:
            if self._client is None:
                self._client = self._connect()
            container = container_of(self._client, self._environment, charge_point_id)
            if container is None:
                raise SimuError(
                    f"the engine has no container of {charge_point_id}",
                    hint="docker ps -a shows those it has",
                )
            return container.logs(stream=True, follow=True, tail=self._last)
        except (DockerException, requests.RequestException) as exc:
            raise self._lost(charge_point_id, exc) from exc

    def _lost(self, charge_point_id: str, exc: Exception) -> SimuError:
        return SimuError(
            f"the log of {charge_point_id} cannot be read: {engine.explain(exc)}",
            hint="simuctl doctor looks at the engine",
            exit_code=ExitCode.UNREACHABLE,
        )
