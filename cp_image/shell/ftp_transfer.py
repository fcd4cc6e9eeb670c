"""FTP and explicit FTPS (RFC 4217): RETR and STOR. Blocking: it runs in a thread of its own.

Always passive, always binary. A path is relative to the login directory, as RFC 1738 §3.2.2 has
it; one that begins with ``%2F`` is absolute.
"""

import ftplib
import io
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import unquote

from cp_image.core.transfer_faults import TransferFault
from cp_image.shell.transfer_line import Line, Location, LocationError, Terms

_CHUNK_BYTES: Final = 64 * 1024
_IMPLICIT_PORT: Final = 990
_FAULTS: Final[Mapping[str, TransferFault]] = {
    "500": TransferFault.BAD_MESSAGE,
    "501": TransferFault.BAD_MESSAGE,
    "502": TransferFault.NOT_SUPPORTED,
    "504": TransferFault.NOT_SUPPORTED,
    "530": TransferFault.DENIED,
    "532": TransferFault.DENIED,
}
_DENYING_WORDS: Final = ("permission", "privileges", "access denied")


class _Ftp(ftplib.FTP):
    """An FTP connection whose data sockets can be broken, too."""

    line: Line

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        connection, size_bytes = super().ntransfercmd(cmd, rest)
        self.line.opened(connection)
        return connection, size_bytes


class _Ftps(ftplib.FTP_TLS):
    """The same over TLS, control and data connections alike."""

    line: Line

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        connection, size_bytes = super().ntransfercmd(cmd, rest)
        self.line.opened(connection)
        return connection, size_bytes


def download(location: Location, line: Line, terms: Terms, sink: Callable[[bytes], None]) -> None:
    """Get a file and give its bytes to `sink`.

    Raises:
        TransferError: FTP cannot go there.
        OSError, EOFError, ftplib.Error: the connection failed, or the server refuses.
    """
    with _connected(location, line, terms) as ftp:
        ftp.retrbinary(f"RETR {_path(location)}", sink, _CHUNK_BYTES)


def upload(location: Location, line: Line, terms: Terms, file_name: str, content: bytes) -> None:
    """Put a file into a directory.

    Raises:
        TransferError: FTP cannot go there.
        OSError, EOFError, ftplib.Error: the connection failed, or the server refuses.
    """
    directory = _path(location)
    separator = "/" if directory and not directory.endswith("/") else ""
    with _connected(location, line, terms) as ftp:
        ftp.storbinary(f"STOR {directory}{separator}{file_name}", io.BytesIO(content), _CHUNK_BYTES)


def fault_of(exc: ftplib.Error) -> TransferFault | None:
    """Return what a server's refusal comes to, by its code (RFC 959 §4.2)."""
    if isinstance(exc, ftplib.error_proto):
        return TransferFault.BAD_MESSAGE
    text = str(exc)
    # 550 and 553 are said of files that are not there, too: the words tell.
    if any(word in text.lower() for word in _DENYING_WORDS):
        return TransferFault.DENIED
    return _FAULTS.get(text[:3])


@contextmanager
def _connected(location: Location, line: Line, terms: Terms) -> Iterator[_Ftp | _Ftps]:
    if terms.proxy is not None and location.on_loopback:
        # Its data connections would need ports of their own through the proxy.
        raise LocationError("FTP does not reach this machine's own loopback: use HTTP")
    if location.port == _IMPLICIT_PORT:
        raise LocationError(
            "implicit FTPS (port 990) is not spoken, explicit FTPS is", TransferFault.NOT_SUPPORTED
        )
    secure = location.scheme == "ftps"
    ftp = _Ftps(context=terms.make_tls()) if secure else _Ftp()
    ftp.line = line
    ftp.encoding = "utf-8"
    try:
        ftp.connect(location.host, location.port or ftplib.FTP_PORT, timeout=terms.connect_s)
        _log_in(ftp, location, line, terms)
        yield ftp
        with suppress(OSError, EOFError, ftplib.Error):
            ftp.quit()  # a server that has the file need not say goodbye
    finally:
        ftp.close()


def _log_in(ftp: _Ftp | _Ftps, location: Location, line: Line, terms: Terms) -> None:
    if isinstance(ftp, _Ftps):
        ftp.auth()  # TLS first: no password goes over the wire in the clear
    if ftp.sock is None:
        raise EOFError
    line.opened(ftp.sock)
    ftp.sock.settimeout(terms.stall_s)
    ftp.timeout = terms.stall_s
    ftp.login(location.user or "anonymous", location.password or "anonymous@")
    if isinstance(ftp, _Ftps):
        ftp.prot_p()


def _path(location: Location) -> str:
    return unquote(location.path.removeprefix("/"))
