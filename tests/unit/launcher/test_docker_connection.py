"""Connections to the engine are kept for the next calls, over a socket and over TCP."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from launcher.docker_connection import connect

TOGETHER = 6
PATIENCE_S = 60.0


class Engine:
    """Answers HTTP/1.1, and counts who has called it.

    Pings are answered when as many as are expected together have come.
    """

    def __init__(self) -> None:
        self.callers: list[socket.socket] = []
        self.together = threading.Barrier(TOGETHER)

    def hang_up(self) -> None:
        self.together.abort()
        for each in self.callers:
            with suppress(OSError):  # who has hung up already
                each.shutdown(socket.SHUT_RDWR)


class Answers(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: "Door"

    def setup(self) -> None:
        self.server.engine.callers.append(self.request)
        super().setup()

    def do_GET(self) -> None:
        if self.path.endswith("/_ping"):
            self.server.engine.together.wait(PATIENCE_S)
            body = b"OK"
        else:
            body = b'{"ApiVersion": "1.41", "Version": "20.10.24"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "caller"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Door(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Where the engine is called."""

    daemon_threads = True
    engine: Engine


class SocketDoor(Door):
    """The same as a file."""

    address_family = socket.AF_UNIX


@contextmanager
def opened(door: Door) -> Iterator[Engine]:
    door.engine = Engine()
    with door:
        serving = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield door.engine
        finally:
            door.engine.hang_up()
            door.shutdown()
            serving.join()


@pytest.fixture(params=["unix", "tcp"])
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    for variable in ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(variable, raising=False)
    if request.param == "unix":
        path = tmp_path / "engine"
        door: Door = SocketDoor(str(path), Answers)  # type: ignore[arg-type]  # as AF_UNIX has it
        where = f"unix://{path}"
    else:
        door = Door(("127.0.0.1", 0), Answers)
        where = f"tcp://127.0.0.1:{door.server_address[1]!s}"
    monkeypatch.setenv("DOCKER_HOST", where)
    with opened(door) as answering:
        yield answering


def test_calls_one_after_the_other_share_a_connection(engine: Engine) -> None:
    with closing(connect()) as client:
        to_agree_on_a_version = len(engine.callers)
        for _ in range(5):
            assert client.version()["Version"] == "20.10.24"
        assert len(engine.callers) == to_agree_on_a_version + 1


def test_calls_side_by_side_leave_their_connections_to_the_next(engine: Engine) -> None:
    with closing(connect(connections=TOGETHER)) as client, ThreadPoolExecutor(TOGETHER) as pool:
        to_agree_on_a_version = len(engine.callers)
        for _ in range(3):
            assert all(pool.map(lambda _: client.ping(), range(TOGETHER)))
        assert len(engine.callers) == to_agree_on_a_version + TOGETHER
