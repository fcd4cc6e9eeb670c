"""A lasting MQTT connection on asyncio; the only module that imports paho.

paho's socket callbacks drive it, so that no thread polls: the event loop watches the socket, and a
keep-alive look every quarter of the keep-alive is all an idle link costs. Only the blocking
connect runs in a thread.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cp_image.api.topics import Topic
from cp_image.api.value import Value
from cp_image.broker_access import ANONYMOUS, BrokerAccess, BrokerAccessError, read_password
from cp_image.broker_access import VARIABLES as ACCESS_VARIABLES
from cp_image.broker_access import read as read_access
from cp_image.broker_failures import why_unreachable

__all__ = [
    "ACCESS_VARIABLES",
    "BrokerAccess",
    "BrokerAccessError",
    "BrokerAddress",
    "BrokerUnreachableError",
    "Message",
    "MqttLink",
    "read_access",
    "read_password",
]

LOG: Final = logging.getLogger(__name__)

_FIRST_RETRY_S: Final = 0.2
_LAST_RETRY_S: Final = 5.0
_STABLE_S: Final = 5.0
_ANSWER_S: Final = 10.0


class Message(Value):
    """A message to publish or one that came in."""

    topic: str
    payload: bytes
    retain: bool
    qos: int = 1


class BrokerAddress(Value):
    """Where the broker listens, and by what one gets in."""

    host: str
    port: int = 1883
    access: BrokerAccess = ANONYMOUS

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class BrokerUnreachableError(ConnectionError):
    """The broker did not take the connection; the text says why."""


class MqttLink:
    """Connects, reconnects with back-off, subscribes again and re-publishes what is retained.

    Every retained message published through the link is remembered and said again after each
    reconnect, so that a broker that forgot everything knows it again. Other messages that are
    published while the link is down go out when it is up again (QoS 1).

    `connect` connects once, or says why not; `run` connects and stays connected.

    Args:
        address: of the broker.
        client_id: unique at the broker.
        will: what the broker says when the link breaks without `close`.
        on_message: called in the event loop for every incoming message; what it raises ends `run`.
        on_connection: called in the event loop with True when connected; with False and a reason
            for people when the connection is lost, and after each attempt of `run` that failed.
        keepalive_s: MQTT keep-alive.
    """

    def __init__(
        self,
        *,
        address: BrokerAddress,
        client_id: str,
        on_message: Callable[[Message], None],
        on_connection: Callable[[bool, str], None] = lambda _up, _reason: None,
        will: Message | None = None,
        keepalive_s: int = 60,
    ) -> None:
        self._address = address
        self._on_message = on_message
        self._on_connection = on_connection
        self._keepalive_s = keepalive_s
        self._retained: dict[str, Message] = {}
        self._filters: dict[str, int] = {}
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._all_confirmed = asyncio.Event()
        self._all_confirmed.set()
        self._unconfirmed: set[int] = set()
        self._all_subscribed = asyncio.Event()
        self._all_subscribed.set()
        self._unsubscribed: set[int] = set()
        self._awaited: dict[int, asyncio.Event] = {}
        self._why_down = ""
        self._failure: Exception | None = None
        self._closed = asyncio.Event()
        self._watched: socket.socket | None = None
        self._client = self._new_client(client_id, will)

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection."""
        return self._up.is_set()

    async def wait_connected(self) -> None:
        """Wait until the broker has accepted the connection."""
        await self._up.wait()

    def subscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        """Hear a kind of topic, now and after each reconnect."""
        self.subscribe_filter(kind.filter(root, charge_point_id), kind.qos)

    def subscribe_filter(self, topic_filter: str, qos: int = 1) -> None:
        """Hear whatever matches a filter, now and after each reconnect."""
        self._filters[topic_filter] = qos
        if self.connected:
            self._ask_for([(topic_filter, qos)])

    def unsubscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        """Hear a kind of topic no more."""
        topic_filter = kind.filter(root, charge_point_id)
        if self._filters.pop(topic_filter, None) is not None and self.connected:
            self._client.unsubscribe(topic_filter)

    async def confirm_subscriptions(self) -> None:
        """Wait until the broker has confirmed every subscription.

        Raises:
            TimeoutError: the broker did not answer.
        """
        async with asyncio.timeout(_ANSWER_S):
            await self.wait_connected()
            await self._all_subscribed.wait()

    def publish(self, message: Message) -> None:
        """Publish; what is retained is remembered, an empty retained payload is forgotten again."""
        self._send(message)

    async def publish_confirmed(self, message: Message) -> None:
        """Publish with QoS 1 and wait until the broker has it.

        Raises:
            TimeoutError: the broker did not confirm.
        """
        async with asyncio.timeout(_ANSWER_S):
            await self.wait_connected()
            mid = self._send(message)
            if mid is not None:
                await self._confirmation(mid)

    def forget(self, topic: str) -> None:
        """Do not re-publish a topic any more; nothing is sent."""
        self._retained.pop(topic, None)

    async def connect(self) -> None:
        """Connect once.

        Raises:
            BrokerUnreachableError: the broker is not there or refuses; says why.
        """
        self._down.clear()
        self._why_down = ""
        try:
            await asyncio.to_thread(
                self._client.connect, self._address.host, self._address.port, self._keepalive_s
            )
        except (OSError, ValueError) as exc:
            raise BrokerUnreachableError(f"broker {self._address}: {why_unreachable(exc)}") from exc
        self._watch_socket()
        await self._first_of(self._up, self._down)
        if not self.connected:
            self._abandon_socket()
            why = self._why_down or "no answer to CONNECT"
            raise BrokerUnreachableError(f"broker {self._address}: {why}")

    async def run(self) -> None:
        """Keep the link up until it is closed.

        Raises:
            Exception: whatever `on_message` raised.
        """
        async with asyncio.TaskGroup() as group:
            keep_alive = group.create_task(self._keep_alive(), name="mqtt keep-alive")
            await self._stay_connected()
            keep_alive.cancel()

    async def close(self) -> None:
        """Disconnect in order: what was published goes out first, and the will is not said."""
        self._closed.set()
        if self.connected:
            try:
                async with asyncio.timeout(_ANSWER_S):
                    await self._all_confirmed.wait()
                    self._client.disconnect()
                    await self._down.wait()
            except TimeoutError:
                LOG.warning("broker %s did not take the farewell", self._address)
                self._abandon_socket()
        self._down.set()

    # -- inside -------------------------------------------------------------------------------

    def _new_client(self, client_id: str, will: Message | None) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=True,
            reconnect_on_failure=False,
        )
        client.max_queued_messages_set(0)  # no limit
        client.max_inflight_messages_set(1000)
        access = self._address.access
        if access.user is not None:
            client.username_pw_set(access.user, access.password)
        if access.tls is not None:
            from cp_image.tidy_socket import TidySocket  # noqa: PLC0415 - it loads `ssl`

            access.tls.sslsocket_class = TidySocket
            client.tls_set_context(access.tls)
        if will is not None:
            client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.on_subscribe = self._subscribed
        client.on_publish = self._published
        client.on_socket_close = self._socket_closed
        client.on_socket_register_write = self._want_write
        client.on_socket_unregister_write = self._no_write
        return client

    async def _stay_connected(self) -> None:
        retry_s = _FIRST_RETRY_S
        while not self._closed.is_set():
            try:
                if not self.connected:
                    await self.connect()
            except BrokerUnreachableError as exc:
                self._on_connection(False, str(exc))
                await self._first_of(self._closed, timeout_s=retry_s)
                retry_s = min(2 * retry_s, _LAST_RETRY_S)
                continue
            up_at = asyncio.get_running_loop().time()
            await self._down.wait()
            if asyncio.get_running_loop().time() - up_at >= _STABLE_S:
                retry_s = _FIRST_RETRY_S
            elif not self._closed.is_set():
                # A broker that accepts and drops, or another client with our id: no hammering.
                await self._first_of(self._closed, timeout_s=retry_s)
                retry_s = min(2 * retry_s, _LAST_RETRY_S)
            if self._failure is not None:
                raise self._failure

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._keepalive_s / 4)
            if self.connected:
                self._client.loop_misc()

    async def _first_of(self, *events: asyncio.Event, timeout_s: float = _ANSWER_S) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _confirmation(self, mid: int) -> None:
        confirmed = self._awaited.setdefault(mid, asyncio.Event())
        try:
            await confirmed.wait()
        finally:
            self._awaited.pop(mid, None)

    def _confirm(self, mid: int) -> None:
        if mid in self._awaited:
            self._awaited[mid].set()

    def _send(self, message: Message) -> int | None:
        if message.retain:
            if message.payload:
                self._retained[message.topic] = message
            else:
                self._retained.pop(message.topic, None)
        if message.retain and message.payload and not self.connected:
            return None  # said after the reconnect
        sent = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if message.qos > 0:
            self._unconfirmed.add(sent.mid)
            self._all_confirmed.clear()
        return sent.mid

    def _ask_for(self, filters: list[tuple[str, int]]) -> None:
        if not filters:
            return
        _, mid = self._client.subscribe(filters)
        if mid is not None:
            self._unsubscribed.add(mid)
            self._all_subscribed.clear()

    def _say_everything_again(self) -> None:
        if not self._client.is_connected():
            return
        self._up.set()
        self._unsubscribed.clear()  # what was asked of the connection before
        self._all_subscribed.set()
        self._ask_for(list(self._filters.items()))
        for message in tuple(self._retained.values()):
            self._send(message)
        self._on_connection(True, "")

    # -- paho's callbacks; all in the event loop, but for those during `connect` ------------------

    def _connected(
        self,
        _client: paho.Client,
        _userdata: Any,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._why_down = str(reason)
            return
        # paho resends its own unconfirmed messages after this callback; ours are newer, so later.
        asyncio.get_running_loop().call_soon(self._say_everything_again)

    def _disconnected(
        self,
        _client: paho.Client,
        _userdata: Any,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        was_up = self.connected
        self._up.clear()
        self._why_down = self._why_down or f"connection lost ({reason})"
        self._down.set()
        if was_up and not self._closed.is_set():
            self._on_connection(False, f"broker {self._address}: {self._why_down}")

    def _received(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            LOG.warning("a topic that is not UTF-8 is ignored")
            return
        self._on_message(
            Message(
                topic=topic, payload=bytes(message.payload), retain=message.retain, qos=message.qos
            )
        )

    def _subscribed(
        self,
        _client: paho.Client,
        _userdata: Any,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            LOG.error("broker %s refuses a subscription: %s", self._address, reasons)
        self._unsubscribed.discard(mid)
        if not self._unsubscribed:
            self._all_subscribed.set()

    def _published(
        self,
        _client: paho.Client,
        _userdata: Any,
        mid: int,
        _reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        self._unconfirmed.discard(mid)
        if not self._unconfirmed:
            self._all_confirmed.set()
        self._confirm(mid)

    # -- the socket, watched by the event loop -------------------------------------------------

    def _watch_socket(self) -> None:
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):
            return
        self._watched = sock
        # Small messages that wait for each other's confirmation would take 40 ms each.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asyncio.get_running_loop().add_reader(sock, self._readable)
        if self._client.want_write():
            self._want_write(None, None, sock)

    def _readable(self) -> None:
        try:
            self._client.loop_read()
            # What TLS has read already, the event loop does not see on the socket.
            while isinstance(self._watched, ssl.SSLSocket) and self._watched.pending():
                self._client.loop_read()
        except Exception as exc:  # noqa: BLE001 - handed to whoever awaits run()
            self._fail(exc)

    def _writable(self) -> None:
        try:
            self._client.loop_write()
        except Exception as exc:  # noqa: BLE001 - handed to whoever awaits run()
            self._fail(exc)

    def _fail(self, exc: Exception) -> None:
        self._failure = exc
        self._abandon_socket()

    # During `connect` these are called in its thread, and then for a socket not watched yet.

    def _want_write(self, _client: Any, _userdata: Any, sock: Any) -> None:
        if self._is_watched(sock):
            asyncio.get_running_loop().add_writer(sock, self._writable)

    def _no_write(self, _client: Any, _userdata: Any, sock: Any) -> None:
        if self._is_watched(sock):
            asyncio.get_running_loop().remove_writer(sock)

    def _socket_closed(self, _client: Any, _userdata: Any, sock: Any) -> None:
        if self._is_watched(sock):
            asyncio.get_running_loop().remove_reader(sock)
            self._watched = None

    def _is_watched(self, sock: object) -> bool:
        return sock is self._watched

    def _abandon_socket(self) -> None:
        """Close the socket under paho, which finds out at its next connect."""
        sock = self._watched
        if sock is not None:
            self._watched = None
            loop = asyncio.get_running_loop()
            loop.remove_reader(sock)
            loop.remove_writer(sock)
            sock.close()
        self._up.clear()
        self._down.set()
