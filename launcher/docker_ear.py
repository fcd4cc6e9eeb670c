"""Listens to the Docker engine's events, in a thread of its own."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Final

import docker
from docker.types import CancellableStream

from launcher.docker_connection import connect, translated
from launcher.engine import Change, EngineError, EngineEvent, ListeningBegan, ListeningBroke

_HEARD: Final = ("die", *Change)
"""Of these a network has its end alone: `Change.DESTROY`."""

ReadEvent = Callable[[dict[str, Any]], EngineEvent | None]


class DockerEar:
    """Tells of what happens to the containers of charge points.

    Args:
        read: turns the engine's event into ours; None where it is nothing to us.
        tell: called in the ear's thread with each event.
    """

    def __init__(self, read: ReadEvent, tell: Callable[[EngineEvent], object]) -> None:
        self._read = read
        self._tell = tell
        self._lock = threading.Lock()
        self._stream: CancellableStream[dict[str, Any]] | None = None
        self._stopped = False

    def listen(self) -> None:
        """Tell until stopped or until the engine breaks off, which is told, too."""
        reason = "the Docker engine ended the stream of events"
        try:
            with translated("the stream of events"), contextlib.closing(connect()) as client:
                self._listen(client)
        except EngineError as exc:
            reason = str(exc)
        self._tell(ListeningBroke(reason=reason))

    def _listen(self, client: docker.APIClient) -> None:
        filters: dict[str, Any] = {"type": ["container", "network"], "event": list(_HEARD)}
        stream = client.events(filters=filters, decode=True)
        with self._lock:
            self._stream = stream
            if self._stopped:
                stream.close()
        self._tell(ListeningBegan())
        for raw in stream:
            event = self._read(raw)
            if event is not None:
                self._tell(event)

    def stop(self) -> None:
        """Make `listen` return soon."""
        with self._lock:
            self._stopped = True
            if self._stream is not None:
                with contextlib.suppress(OSError):  # it has broken off by itself
                    self._stream.close()
