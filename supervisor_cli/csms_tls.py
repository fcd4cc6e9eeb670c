"""TLS handshakes with the central system in the box, and why they come to nothing, for people."""

import asyncio
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from websockets.asyncio.server import ServerConnection

Tell = Callable[[str, str], None]
"""Called with the address of a charge point, and why its handshake failed."""

_PEER: Final = ContextVar("peer", default="")
"""With whom hands are shaken: the task of a handshake, and what it calls later, has its own."""


class Handshakes:
    """Takes charge points that connect into TLS.

    asyncio's own TLS server says nothing of a handshake that fails, least of all with whom: it
    knows the address only when it is done.

    Args:
        context: of the server. From now on it answers a handshake that fails with an alert, too.
        tell: hears of every handshake that fails.
        within_s: how long a handshake may take.
    """

    def __init__(self, context: ssl.SSLContext, tell: Tell, *, within_s: float = 60.0) -> None:
        context.sslobject_class = _telling(tell)
        self._context = context
        self._tell = tell
        self._within_s = within_s
        self._running: set[asyncio.Task[None]] = set()

    def connection_class(self) -> type[ServerConnection]:
        """Return what a WebSocket server without TLS makes its connections of."""
        shake = self._shake

        class TlsConnection(ServerConnection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                shake(transport, self, super().connection_made)

        return TlsConnection

    async def close(self) -> None:
        """Break off the handshakes that are not done."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _shake(
        self,
        plain: asyncio.BaseTransport,
        connection: ServerConnection,
        made: Callable[[asyncio.BaseTransport], None],
    ) -> None:
        host, port, *_ = plain.get_extra_info("peername")
        peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        work = self._shake_hands(peer, plain, connection, made)
        task = asyncio.get_running_loop().create_task(work, name=f"TLS handshake with {peer}")
        self._running.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            if task.cancelled():  # perhaps before its first step: then nobody else closes it
                plain.abort()  # type: ignore[attr-defined]  # a server's transport writes, too

        task.add_done_callback(ended)

    async def _shake_hands(
        self,
        peer: str,
        plain: asyncio.BaseTransport,
        connection: ServerConnection,
        made: Callable[[asyncio.BaseTransport], None],
    ) -> None:
        _PEER.set(peer)
        early = _Early()
        try:
            transport = await asyncio.get_running_loop().start_tls(
                plain,  # type: ignore[arg-type]  # a server's transport reads and writes
                early,
                self._context,
                server_side=True,
                ssl_handshake_timeout=self._within_s,
            )
        except ConnectionAbortedError:
            self._tell(peer, "TLS: the charge point began a handshake, and did not go on")
            return
        except OSError:
            return  # it has been told, or the charge point has left without a word
        if transport is None:
            return  # it is closed already
        transport.set_protocol(connection)
        made(transport)
        early.replay(connection)


class _Early(asyncio.Protocol):
    """Keeps what comes between the end of a handshake and its being noticed."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._eof = False
        self._lost: list[Exception | None] = []

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)

    def eof_received(self) -> None:
        self._eof = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.append(exc)

    def replay(self, protocol: asyncio.Protocol) -> None:
        for chunk in self._chunks:
            protocol.data_received(chunk)
        if self._eof:
            protocol.eof_received()
        for exc in self._lost:
            protocol.connection_lost(exc)


def _telling(tell: Tell) -> type[ssl.SSLObject]:
    class Telling(ssl.SSLObject):
        _failed = False

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as exc:
                if self._failed:
                    raise
                self._failed = True
                tell(_PEER.get(), why_failed(exc))
                if "ALERT" in (exc.reason or ""):
                    raise  # it is the other end that has said so
                # As if the other end had to say more: the alert is sent then.
                raise ssl.SSLWantReadError from exc

    return Telling


def why_failed(exc: ssl.SSLError) -> str:
    """Return why a handshake failed, seen from the server."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"TLS: the charge point's certificate does not verify: {exc.verify_message}"
    reason = (exc.reason or str(exc)).upper()
    for part, words in _WORDS:
        if part in reason:
            return f"TLS: {words}"
    return f"TLS: {reason.lower().replace('_', ' ')}"


_OURS: Final = "the charge point refuses the certificate of the CSMS"
_WORDS: Final = (
    ("ALERT_UNKNOWN_CA", f"{_OURS}: its root does not vouch for it"),
    ("ALERT_CERTIFICATE_EXPIRED", f"{_OURS}: it has expired, or is not valid yet"),
    ("ALERT_BAD_CERTIFICATE", f"{_OURS}: it is not valid yet, or made out to another name"),
    ("ALERT_CERTIFICATE_UNKNOWN", _OURS),
    ("ALERT_UNSUPPORTED_CERTIFICATE", _OURS),
    ("ALERT_HANDSHAKE_FAILURE", "the charge point takes no cipher suite that is offered"),
    ("DID_NOT_RETURN_A_CERTIFICATE", "the charge point shows no certificate"),
    ("ALERT_PROTOCOL_VERSION", "the charge point takes no version of TLS that is offered"),
    ("UNSUPPORTED_PROTOCOL", "the charge point speaks no version of TLS that is offered"),
    ("VERSION_TOO_LOW", "the charge point speaks no version of TLS that is offered"),
    ("NO_SHARED_CIPHER", "the charge point offers no cipher suite that is taken"),
    ("HTTP_REQUEST", "it speaks ws:// where wss:// is served"),
    ("WRONG_VERSION_NUMBER", "it speaks something else than TLS"),
    ("KEY_TOO_SMALL", "the key of the charge point's certificate is too weak"),
)
"""Parts of OpenSSL's reasons; the first that fits counts."""
