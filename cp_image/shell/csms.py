"""The WebSocket to the CSMS: connects, reconnects with back-off, carries frames both ways."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from cp_image.api.value import Value
from cp_image.core.csms_messages import CsmsAnswer
from cp_image.core.events import CsmsConnected, CsmsDisconnected, Event, InvalidMessageHeard
from cp_image.core.link_faults import LinkFault
from cp_image.core.messages import Request
from cp_image.dialects.dialect import Dialect, Heard, Ignored, Reply
from cp_image.shell.alerted_connection import AlertedConnection
from cp_image.shell.csms_access import Access, AccessError
from cp_image.shell.csms_failures import (
    CONNECT_ERRORS,
    SubprotocolError,
    why_lost,
    why_not_connected,
)
from cp_image.shell.frame_secrets import shown
from cp_image.shell.frame_tap import NoTap, Tap
from cp_image.shell.pings import Pings
from cp_image.shell.trust_anchor import trust_anchor

LOG: Final = logging.getLogger(__name__)

_MAX_FRAME_BYTES: Final = 16 * 1024 * 1024
"""A longer frame closes the connection with code 1009: OCPP-J names no limit, memory does. The
longest local list a charge point takes at once is a fraction of it."""
_MAX_UNSENT: Final = 1000
"""A CSMS that asks without end and reads no answer is hung up on."""

_MAX_CLOSE_REASON_BYTES: Final = 123
"""RFC 6455 §5.5: a control frame has at most 125 bytes, two of them for the code."""


class Timing(Value):
    """How patient the link is.

    Attributes:
        first_retry_s: shortest wait before connecting again.
        last_retry_s: longest wait before connecting again.
        stable_s: a connection that stood this long makes the next wait a short one again.
        open_s: for TCP, TLS and WebSocket handshakes together.
        ping_interval_s: between WebSocket pings, until the station says otherwise.
        pong_s: for the answer to a ping.
        close_s: for the closing handshake.
    """

    first_retry_s: float = 1.0
    last_retry_s: float = 30.0
    stable_s: float = 10.0
    open_s: float = 10.0
    ping_interval_s: float = 60.0
    pong_s: float = 30.0
    close_s: float = 2.0


class _Farewell(Value):
    """Stands in the queue behind the frames that go out before the connection is closed."""

    reason: str


class Door(Protocol):
    """Where the CSMS is, and what each connection to it is made with."""

    @property
    def shown_url(self) -> str:
        """The URL of the next connection as it may be shown."""

    def open(self) -> Access:
        """Return what the next connection is made with; raises `AccessError`."""


class CsmsLink:
    """One charge point's line to its CSMS.

    Args:
        door: leads to the CSMS.
        dialect: makes and reads the frames.
        on_event: called in the event loop with what the station must know; what it raises ends
            `run`.
        random: spreads the reconnects of a fleet.
        tap: hears of what passes; None is nobody.
        proxy: URL of the HTTP proxy to go through; None goes straight, whatever the environment.
    """

    def __init__(
        self,
        *,
        door: Door,
        dialect: Dialect,
        on_event: Callable[[Event], None],
        random: Random,
        tap: Tap | None = None,
        proxy: str | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._door = door
        self._dialect = dialect
        self._on_event = on_event
        self._random = random
        self._tap = tap or NoTap()
        self._proxy = proxy
        self._timing = timing or Timing()
        self._outbox: asyncio.Queue[str | _Farewell] | None = None
        self._connection: ClientConnection | None = None
        self._overflowed = False
        self._nothing_open = asyncio.Event()
        self._nothing_open.set()
        self._disconnected = asyncio.Event()
        self._disconnected.set()
        self._closing = asyncio.Event()
        self._hurry = asyncio.Event()
        self._may_connect = asyncio.Event()
        self._may_connect.set()
        self._failures = 0
        self._silent = False
        self._pings = Pings(interval_s=self._timing.ping_interval_s, pong_s=self._timing.pong_s)

    def send_call(self, message_id: str, request: Request) -> None:
        """Send a request; its answer comes back as an event.

        Without a connection nothing is sent: the station has been told, or is about to be, and
        keeps what must not be lost.
        """
        if self._outbox is None:
            LOG.warning("not connected, %s %s is not sent", type(request).__name__, message_id)
            return
        frame = self._dialect.encode(message_id, request)
        self._nothing_open.clear()
        self._put(frame)

    def send_answer(self, message_id: str, answer: CsmsAnswer) -> None:
        """Answer a request of the CSMS; without its connection there is nobody to answer."""
        self._put(self._dialect.encode_answer(message_id, answer))

    def refuse_call(self, message_id: str) -> None:
        """Say that a request of the CSMS is not supported."""
        self._put(self._dialect.encode_refusal(message_id))

    def disconnect(self, reason: str) -> None:
        """Close the connection behind what is still to be sent, and connect again."""
        self._failures = 0
        if self._outbox is not None:
            self._put(_Farewell(reason=reason))

    def set_ping_interval(self, interval_s: float) -> None:
        """Ping so often from now on, on the connection that stands as well; 0 never pings."""
        self._pings.set_interval(interval_s)

    def set_silence(self, *, silent: bool) -> None:
        """Answer requests that cannot be read from now on, or do not."""
        self._silent = silent

    @asynccontextmanager
    async def held(self, reason: str) -> AsyncIterator[None]:
        """Close the connection in order, stay away for the body, then connect at once."""
        self._may_connect.clear()
        try:
            self.disconnect(reason)
            await self._disconnected.wait()
            yield
        finally:
            self._hurry.set()
            self._may_connect.set()

    async def settle(self, timeout_s: float) -> None:
        """Wait until every request of ours is answered, the connection is gone, or time is up."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._nothing_open.wait()
        except TimeoutError:
            LOG.warning("the CSMS did not answer the last requests within %g s", timeout_s)

    async def close(self, reason: str) -> None:
        """Close the connection in order and end `run`."""
        self._closing.set()
        self._hurry.set()
        self.disconnect(reason)
        await self._disconnected.wait()

    async def run(self) -> None:
        """Keep the link up until it is closed.

        Raises:
            Exception: whatever `on_event` raised.
        """
        while not self._closing.is_set():
            await self._live_once()
            await self._pause()
            await self._may_connect.wait()

    async def _live_once(self) -> None:
        shown_url = self._door.shown_url
        try:
            access = self._door.open()
        except AccessError as exc:
            self._not_connected(shown_url, str(exc), exc.fault)
            return
        try:
            connection = await self._connect(access)
        except CONNECT_ERRORS as exc:
            cause = access.cause(exc)
            failure = access.failure(cause)
            if failure is None:
                self._not_connected(shown_url, why_not_connected(cause, self._proxy), None)
            else:
                self._not_connected(shown_url, failure.reason, failure.fault)
            return
        LOG.info("connected to %s", shown_url)
        if self._closing.is_set():
            await connection.close()
            return
        started = asyncio.get_running_loop().time()
        reason = await self._converse(connection)
        stood_s = asyncio.get_running_loop().time() - started
        self._failures = 0 if stood_s >= self._timing.stable_s else self._failures + 1
        self._tell_down(reason)

    def _not_connected(self, shown_url: str, reason: str, fault: LinkFault | None) -> None:
        self._failures += 1
        self._tell_down(f"cannot connect to {shown_url}: {reason}", fault)

    async def _connect(self, access: Access) -> ClientConnection:
        subprotocol = Subprotocol(self._dialect.subprotocol)
        connection = await connect(
            access.url,
            ssl=access.tls,
            additional_headers=access.headers,
            subprotocols=[subprotocol],
            proxy=self._proxy,
            create_connection=AlertedConnection,
            compression=None,  # frames are small: it would cost memory and save nothing
            user_agent_header="cp-simu",
            open_timeout=self._timing.open_s,
            ping_interval=None,  # see `Pings`
            close_timeout=self._timing.close_s,
            max_size=_MAX_FRAME_BYTES,
        )
        if connection.subprotocol != subprotocol:
            reason = f"the CSMS did not agree to the subprotocol {subprotocol}"
            await connection.close(1002, reason)
            raise SubprotocolError(reason)
        return connection

    async def _converse(self, connection: ClientConnection) -> str:
        """Carry frames until the connection ends; return why it did."""
        outbox: asyncio.Queue[str | _Farewell] = asyncio.Queue(_MAX_UNSENT)
        self._outbox, self._connection, self._overflowed = outbox, connection, False
        self._disconnected.clear()
        try:
            async with asyncio.TaskGroup() as group:
                self._tap.connected()
                writer = group.create_task(
                    _write(connection, outbox, self._tap), name="csms writer"
                )
                pings = group.create_task(self._pings.run(connection), name="csms pings")
                tls = connection.transport.get_extra_info("ssl_object")
                self._on_event(CsmsConnected(root=trust_anchor(tls)))
                reason = await self._read(connection)
                writer.cancel()
                pings.cancel()
        finally:
            self._outbox = self._connection = None
            connection.transport.abort()  # closed already, unless an exception passes through
            self._dialect.connection_lost()
            self._nothing_open.set()
        return reason

    async def _read(self, connection: ClientConnection) -> str:
        while True:
            try:
                frame = await connection.recv()
            except ConnectionClosed as exc:
                return "the CSMS reads no answers" if self._overflowed else why_lost(exc)
            if isinstance(frame, str):
                self._hear(frame)
            else:
                reason = f"a binary frame of {len(frame)} bytes"
                LOG.warning("%s is ignored", reason)
                self._on_event(InvalidMessageHeard(complaint=reason))

    def _hear(self, frame: str) -> None:
        _log("received", frame)
        self._tap.received(frame)
        incoming = self._dialect.decode(frame)
        match incoming:
            case Heard(event=event, complaint=complaint):
                if complaint:
                    LOG.error("the CSMS breaks OCPP: %s", complaint)
                self._on_event(event)
                if self._dialect.open_calls == 0:
                    self._nothing_open.set()
            case Reply(frame=reply, note=note):
                LOG.warning("%s%s", note, ", not answered: it has rejected us" * self._silent)
                if not self._silent:
                    self._put(reply)
            case Ignored(reason=reason):
                LOG.warning("a frame is ignored: %s", reason)
        if incoming.complaint:
            self._on_event(InvalidMessageHeard(complaint=incoming.complaint))

    def _put(self, item: str | _Farewell) -> None:
        if self._outbox is None or self._connection is None:
            return
        try:
            self._outbox.put_nowait(item)
        except asyncio.QueueFull:
            # Whoever reads nothing would not read a farewell either.
            self._overflowed = True
            self._connection.transport.abort()

    def _tell_down(self, reason: str, fault: LinkFault | None = None) -> None:
        LOG.log(logging.INFO if fault is None else logging.WARNING, "%s", reason)
        self._disconnected.set()
        self._on_event(CsmsDisconnected(reason=reason, fault=fault))

    async def _pause(self) -> None:
        """Wait before the next attempt: the more failed, the longer, and never all at once."""
        first_s, last_s = self._timing.first_retry_s, self._timing.last_retry_s
        longest_s = min(last_s, first_s * 2 ** min(max(1, self._failures), 30))
        try:
            async with asyncio.timeout(self._random.uniform(first_s, longest_s)):
                await self._hurry.wait()
        except TimeoutError:
            return
        self._hurry.clear()


def _log(verb: str, frame: str) -> None:
    if LOG.isEnabledFor(logging.DEBUG):
        LOG.debug("%s %s", verb, shown(frame))


async def _write(
    connection: ClientConnection, outbox: "asyncio.Queue[str | _Farewell]", tap: Tap
) -> None:
    while True:
        item = await outbox.get()
        try:
            if isinstance(item, _Farewell):
                reason = item.reason.encode()[:_MAX_CLOSE_REASON_BYTES].decode(errors="ignore")
                await connection.close(1000, reason)
                return
            _log("sending", item)
            tap.sent(item)  # first, so that no answer passes before its call
            await connection.send(item)
        except ConnectionClosed:
            return  # the reader says why
