"""Why the CSMS cannot be reached or was lost, in a few words for people."""

import os
import re
import socket
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxyStatus,
    InvalidStatus,
    NegotiationError,
    ProxyError,
    WebSocketException,
)

CONNECT_ERRORS: Final = (OSError, WebSocketException, EOFError, UnicodeError)
"""What an attempt to connect may end with; TimeoutError is an OSError."""

_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""What OpenSSL, depending on its version, says of an answer that is no TLS."""
_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")


class SubprotocolError(WebSocketException):
    """The CSMS did not agree to speak our OCPP version (OCPP-J 1.6 §3.1.2)."""


def why_not_connected(exc: Exception, proxy: str | None) -> str:
    """Return why an attempt failed, for example ``connection refused`` or ``HTTP 404``."""
    for kind, words in _reasons():
        if isinstance(exc, kind):
            return words(exc, f"proxy {proxy}: " if proxy else "")
    return str(exc) or type(exc).__name__


def why_lost(exc: ConnectionClosed) -> str:
    """Return why a connection ended."""
    if exc.rcvd is not None and not exc.rcvd_then_sent and exc.sent is not None:
        return exc.sent.reason or "closed by the charge point"
    if exc.rcvd is not None:
        words = f"the CSMS closed the connection with code {int(exc.rcvd.code)}"
        return f"{words}: {exc.rcvd.reason}" if exc.rcvd.reason else words
    if exc.sent is not None:
        return exc.sent.reason or f"closed with code {int(exc.sent.code)}"
    return "the connection broke without a farewell"


def _status(code: int) -> str:
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def _proxy_reason(exc: InvalidProxyStatus, via: str) -> str:
    status = exc.response.status_code
    # What proxies say when the other end does not take the connection.
    if status in {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY}:
        return "connection refused"
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}:
        return "no answer in time"
    return f"{via}HTTP {_status(status)}"


def _tls_reason(exc: ssl.SSLError) -> str:
    reason = exc.reason or str(exc)
    if reason in _NO_TLS:
        return "what answers there speaks no TLS"
    return reason.lower().replace("_", " ")


def _os_reason(exc: OSError) -> str:
    number = exc.errno
    if number is None:
        # asyncio tried several addresses; it tells their errors in one text.
        found = _ERRNO.search(str(exc))
        number = int(found[1]) if found else None
    if isinstance(exc, ConnectionResetError) and number is None:
        return "TLS: hung up on during the handshake"  # asyncio leaves it at that
    return str(exc) if number is None else os.strerror(number).lower()


def _reasons() -> tuple[tuple[type[Exception], Callable[[Any, str], str]], ...]:
    """Return how each error is said; the first kind that fits counts.

    Anew each time: `ssl` may have been loaded in between, see `late_modules`.
    """
    return (
        (InvalidStatus, lambda exc, _via: f"HTTP {_status(exc.response.status_code)}"),
        (InvalidProxyStatus, _proxy_reason),
        (ProxyError, lambda exc, via: f"{via}{exc}"),
        (SubprotocolError, lambda exc, _via: str(exc)),
        (NegotiationError, lambda exc, _via: f"the CSMS picks what was not offered: {exc}"),
        (WebSocketException, lambda exc, _via: f"not a WebSocket server: {exc}"),
        (TimeoutError, lambda _exc, via: f"{via}no answer in time"),
        (
            ssl.SSLCertVerificationError,
            lambda exc, _via: f"TLS: the certificate does not verify: {exc.verify_message}",
        ),
        (ssl.SSLError, lambda exc, _via: f"TLS: {_tls_reason(exc)}"),
        (socket.gaierror, lambda _exc, via: f"{via}name not known"),
        (OSError, lambda exc, via: f"{via}{_os_reason(exc)}"),
        (UnicodeError, lambda _exc, _via: "name not known: it is no host name"),
        (EOFError, lambda _exc, via: f"{via}the connection ended during the handshake"),
    )
