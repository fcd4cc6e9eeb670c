"""The log of a charge point's container as the engine gives it: what is there, and what comes."""

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import docker
import requests
from docker.errors import APIError, DockerException
from docker.models.containers import Container
from docker.types.daemon import CancellableStream

from supervisor_cli.compose_project import charge_point_id_of
from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ID, LABEL_ROLE, explain
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.log_line import LogLine, split

_REMOVED: Final = frozenset({404, 409})
"""What the engine answers of a container that is gone, or about to go."""


class LogStream:
    """Iterates over the lines of a log until the process ends, or another thread closes it.

    An engine may end its stream before the last lines of a process that ends (Docker 20.10 does),
    so what came after those that were told is read once more then.

    Args:
        container: the charge point's.
        charge_point_id: whose it is.
        tail: how many of the lines that are there already come first; None: all of them.
        since: epoch seconds; older lines do not come.

    Raises:
        SimuError: the engine refuses, or has gone; on iterating, too.
    """

    def __init__(
        self,
        container: Container,
        charge_point_id: str,
        *,
        tail: int | None = None,
        since: float | None = None,
    ) -> None:
        self._container = container
        self._charge_point_id = charge_point_id
        self._wanted: dict[str, Any] = {"tail": "all" if tail is None else tail, "since": since}
        self._opened_at = time.time()
        self._closed = False
        with refusals():
            self._stream: CancellableStream[bytes] = container.logs(
                stream=True, follow=True, timestamps=True, **self._wanted
            )

    def __iter__(self) -> Iterator[LogLine]:
        newest, rest = "", b""
        with refusals():
            for chunk in self._stream:
                *whole, rest = (rest + chunk).split(b"\n")
                for line in split(self._charge_point_id, b"\n".join(whole)):
                    newest = line.at
                    yield line
        if not self._closed:
            yield from self._after(newest) or split(self._charge_point_id, rest)

    def close(self) -> None:
        """Let who reads come back at once."""
        self._closed = True
        self._stream.close()

    def _after(self, newest: str) -> list[LogLine]:
        """Return what was printed after the newest line that was told; empty: after none."""
        wanted = self._wanted
        if newest:
            whole_second = datetime.fromisoformat(f"{newest[:19]}Z").timestamp()
            wanted = {"since": whole_second}
        elif wanted["tail"] == 0:  # what came since would be none of the last none
            wanted = {"since": self._opened_at}
        with refusals():
            try:
                content = self._container.logs(timestamps=True, **wanted)
            except APIError as exc:
                if exc.status_code not in _REMOVED:
                    raise
                return []
        return [each for each in split(self._charge_point_id, content) if each.at > newest]


def container_of(
    client: docker.DockerClient, environment: str, charge_point_id: str
) -> Container | None:
    """Return the container of a charge point, or None where it has none now."""
    ours = f"{LABEL_ENVIRONMENT}={environment}"
    named = _containers(client, ours, f"{LABEL_ID}={charge_point_id}")
    if named:
        return named[0]
    # Of several copies that Docker Compose has made, each knows its id from its host name alone.
    made_elsewhere = (it for it in _containers(client, ours) if LABEL_ROLE not in it.labels)
    return next((it for it in made_elsewhere if charge_point_id_of(it) == charge_point_id), None)


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Say in our words what is wrong with the engine.

    Raises:
        SimuError: instead of what the engine's client raises.
    """
    try:
        yield
    except APIError as exc:
        raise SimuError(f"the engine gives no logs: {explain(exc)}") from exc
    except (DockerException, requests.RequestException) as exc:
        raise SimuError(
            f"the engine has gone: {explain(exc)}",
            hint="simuctl doctor looks at the engine",
            exit_code=ExitCode.UNREACHABLE,
        ) from exc


def _containers(client: docker.DockerClient, *labels: str) -> list[Container]:
    filters: dict[str, str | list[str] | bool] = {"label": list(labels)}
    return client.containers.list(all=True, ignore_removed=True, filters=filters)
