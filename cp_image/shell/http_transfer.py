"""HTTP and HTTPS: GET a file, PUT or POST one. Blocking: it runs in a thread of its own."""

import base64
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from cp_image.api.value import replace
from cp_image.core.transfer_faults import TransferFault
from cp_image.shell.transfer_line import (
    Line,
    Location,
    LocationError,
    Terms,
    TransferError,
    parse,
)

_CHUNK_BYTES: Final = 64 * 1024
_MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SAME_METHOD_REDIRECTS: Final = frozenset({307, 308})
_FAULTS: Final[Mapping[int, TransferFault]] = {
    400: TransferFault.BAD_MESSAGE,
    401: TransferFault.DENIED,
    403: TransferFault.DENIED,
    405: TransferFault.NOT_SUPPORTED,
    501: TransferFault.NOT_SUPPORTED,
}
_NO_PUT: Final = frozenset({404, 405, 501})
"""What servers say that take no PUT, or know no file of that name to replace."""


def download(location: Location, line: Line, terms: Terms, sink: Callable[[bytes], None]) -> None:
    """Get a file and give its bytes to `sink`.

    Raises:
        TransferError: the server refuses, or the file is cut short.
        OSError, HTTPException: the connection failed.
    """
    response = _follow("GET", location, line, terms, None, {}, _REDIRECTS)
    with response:
        if not 200 <= response.status < 300:
            raise _refusal(response.status)
        expected = response.length
        if expected is not None and expected > terms.max_bytes:
            raise TransferError(
                f"the file has {expected} bytes, at most {terms.max_bytes} are taken"
            )
        received = 0
        while chunk := response.read(_CHUNK_BYTES):
            received += len(chunk)
            sink(chunk)
        if expected is not None and received < expected:
            raise TransferError(f"the connection ended after {received} of {expected} bytes")


def upload(location: Location, line: Line, terms: Terms, file_name: str, content: bytes) -> None:
    """Put a file into a directory; where that is not taken, post it to the location itself.

    Raises:
        TransferError: the server refuses.
        OSError, HTTPException: the connection failed.
    """
    headers = {"Content-Type": "application/gzip"}
    directory = location.path if location.path.endswith("/") else f"{location.path}/"
    inside = replace(location, path=directory + quote(file_name))
    status = _send("PUT", inside, line, terms, content, headers)
    if status in _NO_PUT:
        headers["Content-Disposition"] = f'attachment; filename="{quote(file_name)}"'
        status = _send("POST", location, line, terms, content, headers)
    if not 200 <= status < 300:
        raise _refusal(status)


def _send(
    method: str,
    location: Location,
    line: Line,
    terms: Terms,
    content: bytes,
    headers: Mapping[str, str],
) -> int:
    response = _follow(method, location, line, terms, content, headers, _SAME_METHOD_REDIRECTS)
    with response:
        return response.status


def _follow(
    method: str,
    location: Location,
    line: Line,
    terms: Terms,
    content: bytes | None,
    headers: Mapping[str, str],
    redirects: frozenset[int],
) -> HTTPResponse:
    for _ in range(_MAX_REDIRECTS + 1):
        response = _request(method, location, line, terms, content, headers)
        target = response.headers.get("Location")
        if response.status not in redirects or target is None:
            return response
        response.close()
        location = _redirected(location, target)
    raise TransferError(f"more than {_MAX_REDIRECTS} redirects")


def _redirected(origin: Location, target: str) -> Location:
    base = f"{origin.scheme}://{_host_and_port(origin)}{origin.path}"
    try:
        location = parse(urljoin(base, target))
    except LocationError as exc:
        # The server may send the next attempt somewhere else.
        raise TransferError(f"redirected: {exc}", exc.fault) from exc
    if location.scheme not in {"http", "https"}:
        raise TransferError(f"redirected to {location.scheme}")
    if origin.scheme == "https" and location.scheme == "http":
        raise TransferError("redirected from https to http")
    same = (location.scheme, location.host, location.port) == (
        origin.scheme,
        origin.host,
        origin.port,
    )
    # A password is for the server it was given for.
    return replace(location, user=origin.user, password=origin.password) if same else location


def _request(
    method: str,
    location: Location,
    line: Line,
    terms: Terms,
    content: bytes | None,
    headers: Mapping[str, str],
) -> HTTPResponse:
    path = quote(location.path, safe="/%:@!$&'()*+,;=~") or "/"
    query = quote(location.query, safe="/%:@!$&'()*+,;=~?")
    connection = _connection(location, terms)
    try:
        connection.connect()
        line.opened(connection.sock)
        connection.sock.settimeout(terms.stall_s)
        connection.request(
            method,
            f"{path}?{query}" if query else path,
            body=content,
            headers={
                "User-Agent": "cp-simu",
                "Connection": "close",
                **_basic("Authorization", location.user, location.password),
                **headers,
            },
        )
        response = connection.getresponse()
    except BaseException:
        connection.close()
        raise
    if connection.sock is not None:
        connection.sock.close()  # in truth when the response is closed, which reads from it
    return response


def _connection(location: Location, terms: Terms) -> HTTPConnection:
    proxy = terms.proxy if location.on_loopback else None
    via = urlsplit(proxy) if proxy else None
    if via is not None and via.scheme != "http":
        raise TransferError(f"the proxy must be an http:// one, it is {via.scheme}://")
    host, port = (via.hostname or "", via.port or 80) if via else (location.host, location.port)
    connection = (
        HTTPSConnection(host, port, timeout=terms.connect_s, context=terms.make_tls())
        if location.scheme == "https"
        else HTTPConnection(host, port, timeout=terms.connect_s)
    )
    if via is not None:
        own_port = 443 if location.scheme == "https" else 80
        user, password = unquote(via.username or ""), unquote(via.password or "")
        connection.set_tunnel(
            location.host,
            location.port or own_port,
            headers=_basic("Proxy-Authorization", user, password),
        )
    return connection


def _basic(header: str, user: str, password: str) -> dict[str, str]:
    if not user and not password:
        return {}
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {header: f"Basic {token}"}


def _host_and_port(location: Location) -> str:
    host = f"[{location.host}]" if ":" in location.host else location.host
    return host if location.port is None else f"{host}:{location.port}"


def _refusal(status: int) -> TransferError:
    try:
        text = f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        text = f"HTTP {status}"
    return TransferError(text, _FAULTS.get(status))
