"""Real file transfers: a firmware file comes, a diagnostics file goes.

`http.client` and `ftplib` block, so each transfer has one daemon thread; a charge point has two
at most, one for firmware and one for diagnostics. Cancelling breaks the sockets under the thread.
Nothing is written to the disk: of a firmware file its size, digest and first line are enough, and
a diagnostics file is small. This module is imported with the first transfer only.
"""

import asyncio
import gzip
import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from ftplib import Error as FtpError
from http.client import BadStatusLine, HTTPException, RemoteDisconnected, UnknownProtocol
from typing import Final, TypeVar

from cp_image.core.effects import Download, Upload
from cp_image.core.events import TransferEnded
from cp_image.core.firmware_image import FirmwareImage
from cp_image.core.transfer_faults import TransferFault
from cp_image.shell import ftp_transfer, http_transfer
from cp_image.shell.csms_failures import why_not_connected
from cp_image.shell.transfer_line import (
    Line,
    Location,
    LocationError,
    Terms,
    TransferError,
    parse,
)

T = TypeVar("T")

_FIRST_LINE_BYTES: Final = 200
_FAILURES: Final = (TransferError, OSError, EOFError, HTTPException, FtpError, ValueError)
"""ValueError is what the libraries raise of a path they cannot send."""


async def download(effect: Download, terms: Terms) -> TransferEnded:
    """Fetch a file; returns what came of it."""

    def work(line: Line) -> FirmwareImage:
        location = parse(effect.location)
        digest = _Digest(location.file_name, terms.max_bytes)
        _protocol(location).download(location, line, terms, digest.take)
        return digest.image()

    try:
        image = await _in_thread(work, terms)
    except _FAILURES as exc:
        return _failed(effect.number, exc)
    return TransferEnded(number=effect.number, ok=True, image=image)


async def upload(effect: Upload, terms: Terms, log_lines: list[str] | None) -> TransferEnded:
    """Send a file, with these log lines where there are any; returns what came of it."""

    def work(line: Line) -> None:
        location = parse(effect.location)
        log = () if log_lines is None else ("[log]", *log_lines, "")
        text = "\n".join((effect.report, *log))
        content = gzip.compress(text.encode(errors="replace"), mtime=0)
        _protocol(location).upload(location, line, terms, effect.file_name, content)

    try:
        await _in_thread(work, terms)
    except _FAILURES as exc:
        return _failed(effect.number, exc)
    return TransferEnded(number=effect.number, ok=True)


class _Digest:
    """Takes the bytes of a file in and keeps what is remembered of it."""

    def __init__(self, file_name: str, max_bytes: int) -> None:
        self._file_name = file_name
        self._max_bytes = max_bytes
        self._sha256 = hashlib.sha256()
        self._head = b""
        self._size_bytes = 0

    def take(self, chunk: bytes) -> None:
        self._size_bytes += len(chunk)
        if self._size_bytes > self._max_bytes:
            raise TransferError(
                f"the file has more than the {self._max_bytes} bytes that are taken"
            )
        self._sha256.update(chunk)
        if len(self._head) < _FIRST_LINE_BYTES:
            self._head = (self._head + chunk)[:_FIRST_LINE_BYTES]

    def image(self) -> FirmwareImage:
        return FirmwareImage(
            file_name=self._file_name,
            size_bytes=self._size_bytes,
            sha256=self._sha256.hexdigest(),
            first_line=self._head.partition(b"\n")[0].decode(errors="ignore"),
        )


def _protocol(location: Location) -> "type[_Http] | type[_Ftp]":
    return _Ftp if location.scheme in {"ftp", "ftps"} else _Http


class _Http:
    download = staticmethod(http_transfer.download)
    upload = staticmethod(http_transfer.upload)


class _Ftp:
    download = staticmethod(ftp_transfer.download)
    upload = staticmethod(ftp_transfer.upload)


def _failed(number: int, exc: Exception) -> TransferEnded:
    return TransferEnded(
        number=number,
        ok=False,
        reason=_reason(exc),
        fault=_fault(exc),
        hopeless=isinstance(exc, LocationError),
    )


def _fault(exc: Exception) -> TransferFault | None:
    match exc:
        case TransferError():
            return exc.fault
        case FtpError():
            return ftp_transfer.fault_of(exc)
        case RemoteDisconnected():
            return None  # no answer at all
        case BadStatusLine() | UnknownProtocol():
            return TransferFault.BAD_MESSAGE
        case _:
            return None


def _reason(exc: Exception) -> str:
    if isinstance(exc, HTTPException):
        return f"not an HTTP server: {exc or type(exc).__name__}"
    if isinstance(exc, (TransferError, FtpError)):
        return " ".join(str(exc).split())
    return why_not_connected(exc, None)


async def _in_thread(work: Callable[[Line], T], terms: Terms) -> T:
    """Run blocking work; whoever cancels it waits no longer, and the work fails soon."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    line = Line()

    def conclude(result: T | None, exc: Exception | None) -> None:
        if done.done():
            return
        if exc is not None:
            done.set_exception(exc)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # it is a T where exc is None

    def run() -> None:
        result, failure = None, None
        try:
            result = work(line)
        except Exception as exc:  # noqa: BLE001 - it is raised where it is awaited
            failure = exc
        with suppress(RuntimeError):  # the event loop is closed: nobody waits any more
            loop.call_soon_threadsafe(conclude, result, failure)

    threading.Thread(target=run, name="transfer", daemon=True).start()
    try:
        async with asyncio.timeout(terms.total_s):
            return await done
    finally:
        line.break_off()
