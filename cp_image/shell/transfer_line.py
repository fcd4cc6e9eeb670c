"""What HTTP and FTP transfers have in common: where to, how much, how long, and how to stop."""

import ipaddress
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Final
from urllib.parse import unquote, urlsplit

from cp_image.api.value import Value
from cp_image.core.transfer_faults import TransferFault

_BAD: Final = TransferFault.BAD_MESSAGE
SCHEMES: Final = ("ftp", "ftps", "http", "https")


class TransferError(Exception):
    """A transfer failed; the text says why in a few words for people.

    Attributes:
        fault: why, where it is one of these; None for all else.
    """

    def __init__(self, text: str, fault: TransferFault | None = None) -> None:
        super().__init__(text)
        self.fault = fault


class LocationError(TransferError):
    """The location is one to which, or from which, no attempt can transfer."""


class Terms(Value):
    """On what terms files are transferred.

    Attributes:
        connect_s: for TCP, proxy and TLS handshakes together.
        stall_s: longest silence of the other side.
        total_s: longest duration of a transfer.
        max_bytes: the largest file that is downloaded.
        make_tls: makes the settings of a verified TLS connection.
        proxy: URL of the HTTP proxy through which this machine's own loopback is reached;
            None goes straight.
    """

    connect_s: float = 10.0
    stall_s: float = 30.0
    total_s: float = 900.0
    max_bytes: int = 64 * 1024 * 1024
    make_tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    proxy: str | None = None


class Location(Value):
    """The parts of a URL.

    Attributes:
        port: None is the scheme's own.
        user: of the credentials in the URL, decoded, likewise `password`; empty without.
        path: as it stands in the URL.
        query: likewise; empty without.
    """

    scheme: str
    host: str
    port: int | None
    user: str
    password: str
    path: str
    query: str

    @property
    def file_name(self) -> str:
        """The last part of the path; empty where it ends with a slash."""
        return unquote(self.path.rpartition("/")[2])

    @property
    def on_loopback(self) -> bool:
        """Whether it is, by its name alone, the loopback of the machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):  # RFC 6761 §6.3
            return True
        try:
            address = ipaddress.ip_address(self.host.partition("%")[0])
        except ValueError:
            return False
        return address.is_loopback or address.is_unspecified


def parse(url: str) -> Location:
    """Return the parts of a URL.

    Raises:
        LocationError: it is none, or of a scheme that is not spoken.
    """
    if not url.isprintable() or " " in url:
        raise LocationError("the location is no URL: it holds blanks or control characters", _BAD)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise LocationError(f"the location is no URL: {exc}", _BAD) from exc
    if not parts.scheme:
        raise LocationError("the location is no URL: it has no scheme", _BAD)
    if parts.scheme not in SCHEMES:
        raise LocationError(
            f"the location begins with '{parts.scheme}', spoken are {', '.join(SCHEMES)}",
            TransferFault.NOT_SUPPORTED,
        )
    if not host:
        raise LocationError("the location names no host", _BAD)
    return Location(
        scheme=parts.scheme,
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        path=parts.path,
        query=parts.query,
    )


class Line:
    """The sockets of a transfer, which another thread may break."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sockets: list[socket.socket] = []
        self._broken = False

    def opened(self, connection: socket.socket) -> None:
        """Take note of a socket.

        Raises:
            TransferError: the line is broken; the socket is closed.
        """
        with self._lock:
            if not self._broken:
                self._sockets.append(connection)
                return
        connection.close()
        raise TransferError("broken off")

    def break_off(self) -> None:
        """Make whoever waits on a socket fail now; without one nothing happens."""
        with self._lock:
            self._broken = True
            for connection in self._sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._sockets.clear()
