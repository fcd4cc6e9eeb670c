"""A lasting MQTT connection on asyncio; the only module that imports paho.

paho's socket callbacks drive it, so that no thread polls: the event loop watches the socket, and a
keep-alive look every quarter of the keep-alive is all an idle link costs. Only the blocking
connect runs in a thread.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from cp_image.api.topics import Topic

LOG: Final = logging.getLogger(__name__)

_FIRST_RETRY_S: Final = 0.2
_LAST_RETRY_S: Final = 5.0
_ANSWER_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to publish or one that came in."""

    topic: str
    payload: bytes
    retain: bool
    qos: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker listens."""

    host: str
    port: int = 1883

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class BrokerUnreachableError(ConnectionError):
    """The broker did not take the connection; the text says why."""


class MqttLink:
    """Connects, reconnects with back-off, subscribes again and re-publishes what is retained.

    Every retained message published through the link is remembered and said again after each
    reconnect, so that a broker that forgot everything knows it again. Messages with QoS 1 that
    are published while the link is down go out when it is up again.

    Args:
        address: of the broker.
        client_id: unique at the broker.
        will: what the broker says when the link breaks without `close`.
        on_message: called in the event loop for every incoming message.
        on_connection: called in the event loop with True when connected, False when the
            connection was lost or could not be made, and with a reason for people.
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
        self._why_down = ""
        self._closing = False
        self._confirmed: dict[int, asyncio.Event] = {}
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=True,
            reconnect_on_failure=False,
        )
        self._client.max_queued_messages_set(0)
        self._client.max_inflight_messages_set(1000)
        if will is not None:
            self._client.will_set(will.topic, will.payload, will.qos, will.retain)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._received
        self._client.on_subscribe = self._subscribed
        self._client.on_publish = self._published
        self._client.on_socket_open = self._socket_opened
        self._client.on_socket_close = self._socket_closed
        self._client.on_socket_register_write = self._want_write
        self._client.on_socket_unregister_write = self._no_write

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
            self._client.subscribe(topic_filter, qos)

    async def confirm_subscriptions(self) -> None:
        """Wait until the broker has confirmed every subscription.

        Raises:
            TimeoutError: the broker did not answer.
        """
        async with asyncio.timeout(_ANSWER_S):
            await self.wait_connected()
            _, mid = self._client.subscribe(list(self._filters.items()))
            if mid is not None:
                await self._confirmation(mid)

    def publish(self, message: Message) -> None:
        """Publish; what is retained is remembered, an empty payload is said and forgotten."""
        self._send(message)

    async def publish_confirmed(self, message: Message) -> None:
        """Publish with QoS 1 and wait until the broker has it.

        Raises:
            TimeoutError: the broker did not confirm.
        """
        mid = self._send(message)
        async with asyncio.timeout(_ANSWER_S):
            await self._confirmation(mid)

    def forget(self, topic: str) -> None:
        """Do not re-publish a topic any more; nothing is sent."""
        self._retained.pop(topic, None)

    async def run(self) -> None:
        """Keep the link up until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_after(), name="mqtt keep-alive")
            group.create_task(self._stay_connected(), name="mqtt connection")

    async def connect(self) -> None:
        """Connect once.

        Raises:
            BrokerUnreachableError: the broker is not there or refuses; says why.
        """
        self._down.clear()
        try:
            await asyncio.to_thread(
                self._client.connect, self._address.host, self._address.port, self._keepalive_s
            )
        except (OSError, ValueError) as exc:
            raise BrokerUnreachableError(f"broker {self._address}: {_os_reason(exc)}") from exc
        # paho wrote CONNECT from the thread; from here on the loop owns the socket.
        self._watch_socket()
        up = asyncio.ensure_future(self._up.wait())
        down = asyncio.ensure_future(self._down.wait())
        try:
            await asyncio.wait(
                {up, down}, timeout=_ANSWER_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            up.cancel()
            down.cancel()
        if not self.connected:
            raise BrokerUnreachableError(
                f"broker {self._address}: {self._why_down or 'no answer to CONNECT'}"
            )

    async def close(self) -> None:
        """Disconnect in order: what was published goes out first, and the will is not said."""
        self._closing = True
        if self.connected:
            self._client.disconnect()
            try:
                async with asyncio.timeout(_ANSWER_S):
                    await self._down.wait()
            except TimeoutError:
                LOG.warning("broker %s did not take the farewell", self._address)

    # -- connection ---------------------------------------------------------------------------

    async def _stay_connected(self) -> None:
        retry_s = _FIRST_RETRY_S
        while not self._closing:
            try:
                if not self.connected:
                    await self.connect()
            except BrokerUnreachableError as exc:
                self._on_connection(False, str(exc))
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, _LAST_RETRY_S)
                continue
            retry_s = _FIRST_RETRY_S
            await self._down.wait()

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(self._keepalive_s / 4)
            if self.connected:
                self._client.loop_misc()

    async def _confirmation(self, mid: int) -> None:
        confirmed = self._confirmed.setdefault(mid, asyncio.Event())
        try:
            await confirmed.wait()
        finally:
            self._confirmed.pop(mid, None)

    def _send(self, message: Message) -> int:
        if message.retain:
            if message.payload:
                self._retained[message.topic] = message
            else:
                self._retained.pop(message.topic, None)
            if not self.connected:
                return 0  # said after the reconnect
        return self._client.publish(
            message.topic, message.payload, message.qos, message.retain
        ).mid
