"""The broker from aside: how many messages pass, and how long one takes there and back."""

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from supervisor_cli.state import Broker

_WITHIN_S = 10.0


class Listener:
    """Hears every message below a topic, but for those that were retained before it came."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._topic = topic
        self._subscribed: SimpleQueue[None] = SimpleQueue()
        self.heard: SimpleQueue[tuple[str, float]] = SimpleQueue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._message
        self._client.on_socket_open = _send_at_once
        self._client.on_subscribe = lambda *_: self._subscribed.put(None)
        self._client.connect(broker.host, broker.port)
        self._client.subscribe(topic, qos=1)

    def start(self) -> None:
        """Begin to listen."""
        self._client.loop_start()
        self._subscribed.get(timeout=_WITHIN_S)

    def stop(self) -> None:
        """Hear no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def topics(self) -> list[str]:
        """Return the topics of what was heard so far, and forget them."""
        return [self.heard.get()[0] for _ in range(self.heard.qsize())]

    def round_trip_s(self) -> float:
        """Return how long a message takes to the broker and back."""
        began = time.perf_counter()
        self._client.publish(self._topic, b"", qos=1)
        _, at = self.heard.get(timeout=_WITHIN_S)
        return at - began

    def _message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if not message.retain:
            self.heard.put((message.topic, time.perf_counter()))


def _send_at_once(_client: paho.Client, _data: object, opened: object) -> None:
    # As the project's own links do: else a small packet waits 40 ms for the one before it.
    if isinstance(opened, socket.socket):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextmanager
def listener(broker: Broker, topic: str) -> Iterator[Listener]:
    """Listen for as long as the body takes."""
    ear = Listener(broker, topic)
    ear.start()
    try:
        yield ear
    finally:
        ear.stop()


def round_trips_ms(broker: Broker, number: int) -> list[float]:
    """Return how long messages took to the broker and back."""
    with listener(broker, "bench/floor") as ear:
        return [ear.round_trip_s() * 1000 for _ in range(number)]


def percentile(values: list[float], percent: int) -> float:
    """Return the value below which so many in a hundred lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
