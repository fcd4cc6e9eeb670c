"""What charge points have logged, from their containers, past and present."""

import contextlib
import queue
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

from supervisor_cli.compose_project import charge_point_id_of
from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ID, LABEL_ROLE, connect, explain
from supervisor_cli.errors import ExitCode, SimuError

_LINE: Final = re.compile(
    r"(?P<at>\S+Z) (?P<level>[A-Z]+) (?P<id>\S+) (?P<logger>[\w.]+): (?P<text>.*)", re.DOTALL
)
"""As `cp_image.__main__` writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of a charge point's log.

    Attributes:
        at: when the engine took it, RFC 3339 with nanoseconds: they order lines of one container.
        text: the line itself.
    """

    charge_point_id: str
    at: str
    text: str

    def said_at(self) -> str:
        """Return when the charge point said it, as far as milliseconds tell, RFC 3339."""
        own = _LINE.fullmatch(self.text)
        return own["at"] if own is not None else f"{self.at[:23]}Z"

    def fields(self) -> dict[str, str]:
        """Return what a program gets: the parts of the line, where it has the usual ones."""
        found = _LINE.fullmatch(self.text)
        parts = found.groupdict() if found is not None else {"at": self.at, "text": self.text}
        return {**parts, "id": self.charge_point_id}


def split(charge_point_id: str, content: bytes) -> list[LogLine]:
    """Return the lines of what the engine gives with its timestamps in front."""
    told = content.decode(errors="replace").split("\n")
    parted = (line.partition(" ") for line in told if line)
    return [
        LogLine(charge_point_id=charge_point_id, at=at, text=text.rstrip("\r"))
        for at, _, text in parted
    ]


def recent(
    client: docker.DockerClient, environment: str, charge_point_ids: Sequence[str], tail: int
) -> list[LogLine]:
    """Return the newest lines of each charge point, all in the order of time.

    Raises:
        SimuError: the engine refuses.
    """
    found: list[LogLine] = []
    with _refusals():
        for each in charge_point_ids:
            container = container_of(client, environment, each)
            if container is not None and tail > 0:
                found += split(each, container.logs(timestamps=True, tail=tail))
    return sorted(found, key=LogLine.said_at)


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


def _containers(client: docker.DockerClient, *labels: str) -> list[Container]:
    filters: dict[str, str | list[str] | bool] = {"label": list(labels)}
    return client.containers.list(all=True, ignore_removed=True, filters=filters)


class LogFollower:
    """Follows the logs of charge points, also through restarts: a thread for each.

    The threads are daemons: a read of the engine's stream cannot be called off, so they end with
    the program.

    Args:
        environment: its name.
        charge_point_ids: whose logs.
        also: whether that of a charge point that starts later is followed, too.
    """

    def __init__(
        self,
        environment: str,
        charge_point_ids: Sequence[str],
        *,
        also: Callable[[str], bool] = lambda _charge_point_id: False,
    ) -> None:
        self._environment = environment
        self._also = also
        self._newest = dict.fromkeys(charge_point_ids, "")
        self._lock = threading.Lock()
        self._queue: queue.Queue[LogLine | SimuError] = queue.Queue()

    def lines(self, tail: int) -> Iterator[LogLine]:
        """Yield lines without end, beginning with the newest of each.

        Raises:
            SimuError: the engine has gone.
        """
        client = connect()
        events = client.events(
            decode=True,
            filters={
                "type": "container",
                "event": "start",
                "label": f"{LABEL_ENVIRONMENT}={self._environment}",
            },
        )
        self._start("starts", partial(self._watch_starts, events))
        for each in tuple(self._newest):
            self._start(each, partial(self._read, each, tail=tail))
        while True:
            item = self._queue.get()
            if isinstance(item, SimuError):
                raise item
            yield item

    def _start(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                with _refusals():
                    work()
            except SimuError as exc:
                self._queue.put(exc)

        threading.Thread(target=guarded, name=f"logs {name}", daemon=True).start()

    def _watch_starts(self, events: Iterator[dict[str, object]]) -> None:
        for event in events:
            actor = event.get("Actor")
            charge_point_id = _started(actor) if isinstance(actor, dict) else ""
            if not charge_point_id:
                continue
            if charge_point_id in self._newest or self._also(charge_point_id):
                since = event.get("time")
                begun_at = float(since) if isinstance(since, int) else None
                self._start(charge_point_id, partial(self._read, charge_point_id, since=begun_at))
        raise SimuError("the engine tells no events any more", exit_code=ExitCode.UNREACHABLE)

    def _read(
        self, charge_point_id: str, *, tail: int | None = None, since: float | None = None
    ) -> None:
        container = container_of(connect(), self._environment, charge_point_id)
        if container is None:
            return  # its start will be told
        stream = container.logs(
            stream=True,
            follow=True,
            timestamps=True,
            tail="all" if tail is None else tail,
            since=since,
        )
        rest = b""
        for chunk in stream:
            *whole, rest = (rest + chunk).split(b"\n")
            for line in split(charge_point_id, b"\n".join(whole)):
                self._tell(line)

    def _tell(self, line: LogLine) -> None:
        """Hand a line on unless another thread has: a restarted container tells its past again."""
        with self._lock:
            if line.at > self._newest.get(line.charge_point_id, ""):
                self._newest[line.charge_point_id] = line.at
                self._queue.put(line)


def _started(actor: dict[str, Any]) -> str:
    """Return the id of the charge point whose container has started; empty for what is none."""
    labels = actor.get("Attributes", {})
    if LABEL_ID in labels or LABEL_ROLE in labels:
        return str(labels.get(LABEL_ID, ""))
    with contextlib.suppress(NotFound):  # it is over already
        return charge_point_id_of(connect().containers.get(actor["ID"]))
    return ""


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except APIError as exc:
        raise SimuError(f"the engine gives no logs: {explain(exc)}") from exc
    except (DockerException, requests.RequestException) as exc:
        raise SimuError(
            f"the engine has gone: {exc}", hint="simuctl doctor", exit_code=ExitCode.UNREACHABLE
        ) from exc
