"""Real file servers on loopback: HTTP(S) with PUT and POST, an HTTP CONNECT proxy, FTP(S)."""

import shutil
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # asyncore, until Python 3.12
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.servers import FTPServer


@dataclass(kw_only=True)
class Seen:
    """A request to an HTTP server."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class HttpFiles:
    """An HTTP server that a test scripts.

    Attributes:
        files: what GET returns, by path.
        statuses: what a method and path are answered with instead of 200 or 201.
        redirects: where a path is redirected to with 307.
        cut_short: paths whose connection ends after half the file.
        stalls: paths whose answer never comes, until the server ends.
        seen: every request so far.
    """

    url: str = ""
    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[tuple[str, str], int] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    cut_short: set[str] = field(default_factory=set)
    stalls: set[str] = field(default_factory=set)
    seen: list[Seen] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def http_files(tls: ssl.SSLContext | None = None) -> Iterator[HttpFiles]:
    """Serve files over HTTP, or HTTPS with a context."""
    files = HttpFiles()

    class Handler(_FileHandler):
        script = files

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        files.port = server.server_address[1]
        files.url = f"{'https' if tls else 'http'}://localhost:{files.port}"
        with _serving(server):
            yield files
            files.ended.set()


@contextmanager
def connect_proxy() -> Iterator[list[str]]:
    """Run an HTTP CONNECT proxy; yields its URL, then what it was asked for."""
    asked: list[str] = []

    class Handler(_ProxyHandler):
        targets = asked

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _serving(server):
        asked.append(f"http://127.0.0.1:{server.server_address[1]}")
        yield asked


@contextmanager
def ftp_files(directory: Path, tls: tuple[Path, Path] | None = None) -> Iterator[int]:
    """Serve a directory over FTP, or FTPS with a certificate and key; yields the port."""
    authorizer = DummyAuthorizer()
    authorizer.add_user("user", "pass", str(directory), perm="elrw")
    authorizer.add_anonymous(str(directory), perm="elr")
    base: Any = FTPHandler if tls is None else TLS_FTPHandler
    attributes: dict[str, Any] = {"authorizer": authorizer, "auth_failed_timeout": 0}
    if tls is not None:
        certificate, key = tls
        attributes |= {
            "certfile": str(certificate),
            "keyfile": str(key),
            "tls_control_required": True,
            "tls_data_required": True,
        }
    server = FTPServer(("127.0.0.1", 0), type("Handler", (base,), attributes))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            server.serve_forever(timeout=0.05, blocking=False, handle_exit=False)
        server.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.address[1]
    finally:
        ended.set()
        thread.join(10)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority made on the spot, and a certificate for ``localhost``."""

    certificate: Path
    key: Path
    server: ssl.SSLContext
    client: ssl.SSLContext


def authority(directory: Path) -> Authority:
    """Return an authority whose files are in a directory."""
    ca = trustme.CA()
    issued = ca.issue_cert("localhost", "127.0.0.1")
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued.configure_cert(server)
    client = ssl.create_default_context()
    ca.configure_trust(client)
    return Authority(certificate=certificate, key=key, server=server, client=client)


class _FileHandler(BaseHTTPRequestHandler):
    script: HttpFiles
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self._scripted(b""):
            content = self.script.files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.path in self.script.cut_short:
                content = content[: len(content) // 2]
                self.close_connection = True
            self.wfile.write(content)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._scripted(body):
            self.script.files[self.path] = body
            self._answer(201)

    do_POST = do_PUT  # noqa: N815 - the library's name

    def _scripted(self, body: bytes) -> bool:
        """Take note of a request; returns whether it was answered as the script says."""
        self.script.seen.append(
            Seen(method=self.command, path=self.path, headers=dict(self.headers), body=body)
        )
        self.script.arrived.set()
        if self.path in self.script.stalls:
            self.script.ended.wait(30)
        if self.path in self.script.redirects:
            self._answer(307, Location=self.script.redirects[self.path])
            return True
        missing = self.command == "GET" and self.path not in self.script.files
        status = self.script.statuses.get((self.command, self.path), 404 if missing else None)
        if status is not None:
            self._answer(status)
        return status is not None

    def _answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


class _ProxyHandler(BaseHTTPRequestHandler):
    targets: list[str]

    def do_CONNECT(self) -> None:
        self.targets.append(self.path)
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as upstream:
            self.send_response(200)
            self.end_headers()
            with upstream.makefile("rwb", buffering=0) as far:
                back = threading.Thread(target=_pour, args=(far, self.wfile), daemon=True)
                back.start()
                _pour_socket(self.connection, upstream)
                back.join(10)

    def log_message(self, *_args: object) -> None:
        pass


def _pour(source: Any, sink: Any) -> None:
    with suppress(OSError):  # the other end has what it wanted
        shutil.copyfileobj(source, sink, 1)


def _pour_socket(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # the other end has what it wanted
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)
