"""What charge points have logged, from their containers, past and present."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import docker
from docker.errors import NotFound

from supervisor_cli.compose_project import charge_point_id_of
from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ID, LABEL_ROLE, connect
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.log_line import LogLine, split
from supervisor_cli.log_stream import LogStream, container_of, refusals

_TOLD_WITHIN_S: Final = 10.0
"""The engine tells of a start, in whole seconds, when lines may have been printed already; those of
a former life are known by then."""


def recent(
    client: docker.DockerClient, environment: str, charge_point_ids: Sequence[str], tail: int
) -> list[LogLine]:
    """Return the newest lines of each charge point, all in the order of time.

    Raises:
        SimuError: the engine refuses.
    """
    found: list[LogLine] = []
    with refusals():
        for each in charge_point_ids:
            container = container_of(client, environment, each)
            if container is not None and tail > 0:
                found += split(each, container.logs(timestamps=True, tail=tail))
    return sorted(found, key=LogLine.said_at)


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
                with refusals():
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
                told_at = event.get("time")
                since = float(told_at) - _TOLD_WITHIN_S if isinstance(told_at, int) else None
                self._start(charge_point_id, partial(self._read, charge_point_id, since=since))
        raise SimuError("the engine tells no events any more", exit_code=ExitCode.UNREACHABLE)

    def _read(
        self, charge_point_id: str, *, tail: int | None = None, since: float | None = None
    ) -> None:
        container = container_of(connect(), self._environment, charge_point_id)
        if container is None:
            return  # its start will be told
        for line in LogStream(container, charge_point_id, tail=tail, since=since):
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
