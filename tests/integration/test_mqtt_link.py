"""The MQTT link against a real broker that comes and goes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from testcontainers.core.container import DockerContainer

from cp_image.mqtt_link import BrokerAddress, BrokerUnreachableError, Message, MqttLink
from tests.integration.conftest import free_port


class Ear:
    """Hears a topic filter and remembers."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.connections: list[bool] = []
        self._something = asyncio.Condition()

    def hear(self, message: Message) -> None:
        self.messages.append(message)
        self._notify()

    def connection(self, up: bool, _reason: str) -> None:
        self.connections.append(up)
        self._notify()

    def _notify(self) -> None:
        async def notify() -> None:
            async with self._something:
                self._something.notify_all()

        self._task = asyncio.get_running_loop().create_task(notify())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(120), self._something:
            await self._something.wait_for(condition)

    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]


@asynccontextmanager
async def running(
    address: BrokerAddress, name: str, ear: Ear, will: Message | None = None
) -> AsyncIterator[MqttLink]:
    link = MqttLink(
        address=address,
        client_id=name,
        on_message=ear.hear,
        on_connection=ear.connection,
        will=will,
    )
    run = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        await link.close()
        await asyncio.wait_for(run, 120)


def retained(payload: bytes, topic: str = "t/status") -> Message:
    return Message(topic=topic, payload=payload, retain=True)


async def test_what_is_published_before_the_connection_arrives(
    broker_address: BrokerAddress,
) -> None:
    ear = Ear()
    async with running(broker_address, "a", ear) as link:
        link.subscribe_filter("t/#")
        link.publish(retained(b"one"))
        await ear.until(lambda: b"one" in ear.payloads())


async def test_what_is_retained_is_heard_once(broker_address: BrokerAddress) -> None:
    ear = Ear()
    async with (
        running(broker_address, "speaker", Ear()) as link,
        running(broker_address, "listener", ear) as listener,
    ):
        await link.publish_confirmed(retained(b"one"))
        listener.subscribe_filter("t/#")
        await listener.confirm_subscriptions()
        await link.publish_confirmed(retained(b"two"))
        await ear.until(lambda: b"two" in ear.payloads())
    assert ear.payloads() == [b"one", b"two"]


async def test_a_broker_that_forgot_everything_is_told_again(
    broker: DockerContainer, broker_address: BrokerAddress
) -> None:
    speaker, late = Ear(), Ear()
    async with running(broker_address, "speaker", speaker) as link:
        await link.publish_confirmed(retained(b"old"))
        await link.publish_confirmed(retained(b"new"))
        await link.publish_confirmed(retained(b"gone", "t/gone"))
        await link.publish_confirmed(retained(b"", "t/gone"))
        await asyncio.to_thread(broker.get_wrapped_container().restart, timeout=1)
        await speaker.until(
            lambda: speaker.connections[-1:] == [True] and False in speaker.connections
        )
        async with running(broker_address, "late", late) as listener:
            listener.subscribe_filter("t/#")
            await late.until(lambda: b"new" in late.payloads())
            await listener.confirm_subscriptions()
    assert {message.topic for message in late.messages} == {"t/status"}
    assert late.payloads()[-1] == b"new"
    assert all(message.retain for message in late.messages)


async def test_what_changed_while_the_broker_was_away_is_the_last_word(
    broker: DockerContainer, broker_address: BrokerAddress
) -> None:
    speaker, listener_ear = Ear(), Ear()
    async with (
        running(broker_address, "speaker", speaker) as link,
        running(broker_address, "listener", listener_ear) as listener,
    ):
        listener.subscribe_filter("t/#")
        await link.publish_confirmed(retained(b"before"))
        container = broker.get_wrapped_container()
        await asyncio.to_thread(container.kill)
        await speaker.until(lambda: False in speaker.connections)
        link.publish(retained(b"during"))
        await asyncio.to_thread(container.start)
        await listener_ear.until(lambda: b"during" in listener_ear.payloads())
        await listener.confirm_subscriptions()
    assert listener_ear.payloads()[-1] == b"during"


async def test_the_will_is_said_when_the_link_breaks_and_not_after_a_farewell(
    broker_address: BrokerAddress,
) -> None:
    ear = Ear()
    will = retained(b"Dead")
    async with running(broker_address, "listener", ear) as listener:
        listener.subscribe_filter("t/#")
        await listener.confirm_subscriptions()
        async with running(broker_address, "polite", Ear(), will) as polite:
            await polite.publish_confirmed(retained(b"Alive"))
            polite.publish(retained(b"Closed"))
        await ear.until(lambda: b"Closed" in ear.payloads())
        # The same client id again: the broker breaks the first connection without a farewell.
        rude = MqttLink(address=broker_address, client_id="rude", on_message=ear.hear, will=will)
        await rude.connect()
        await rude.publish_confirmed(retained(b"Alive again"))
        usurper = MqttLink(address=broker_address, client_id="rude", on_message=ear.hear)
        await usurper.connect()
        await ear.until(lambda: b"Dead" in ear.payloads())
        await usurper.close()
        await rude.close()
    assert ear.payloads().index(b"Closed") < ear.payloads().index(b"Dead")


async def test_a_broker_that_is_not_there_is_named() -> None:
    port = free_port()
    link = MqttLink(
        address=BrokerAddress(host="127.0.0.1", port=port), client_id="a", on_message=print
    )
    with pytest.raises(BrokerUnreachableError, match=rf"127\.0\.0\.1:{port}: connection refused"):
        await link.connect()
    nowhere = BrokerAddress(host="no-such-host.invalid")
    link = MqttLink(address=nowhere, client_id="a", on_message=print)
    with pytest.raises(BrokerUnreachableError, match="name not known"):
        await link.connect()


async def test_what_the_listener_raises_ends_the_run(broker_address: BrokerAddress) -> None:
    def refuse(_message: Message) -> None:
        raise ValueError("cannot hear that")

    link = MqttLink(address=broker_address, client_id="a", on_message=refuse)
    link.subscribe_filter("t")
    run = asyncio.create_task(link.run())
    await link.wait_connected()
    link.publish(Message(topic="t", payload=b"x", retain=False))
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(run, 120)
    assert caught.group_contains(ValueError, match="cannot hear that")
