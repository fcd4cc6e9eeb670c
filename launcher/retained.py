"""A look at everything the broker has retained of the charge points, over a link of its own.

The launcher's lasting link hears the status of charge points only: a fleet's connectors speak far
too often for something that is needed after a reconnect.
"""

import asyncio
import secrets
from typing import Final

from cp_image.mqtt_link import BrokerAddress, Message, MqttLink
from launcher.board import RETAINED_KINDS

_ANSWER_S: Final = 30.0


async def scan(address: BrokerAddress, root: str) -> dict[str, bytes]:
    """Return the retained payloads of all charge points by topic.

    Raises:
        BrokerUnreachableError: the broker is not there.
        TimeoutError: the broker did not answer.
    """
    token = secrets.token_hex(8)
    marker = Message(topic=f"{root}/launcher/scan/{token}", payload=b"end", retain=False)
    found: dict[str, bytes] = {}
    complete = asyncio.Event()

    def hear(message: Message) -> None:
        if message.topic == marker.topic:
            complete.set()
        elif message.retain:
            found[message.topic] = message.payload

    link = MqttLink(address=address, client_id=f"{root}-scan-{token}", on_message=hear)
    try:
        await link.connect()
        for kind in RETAINED_KINDS:
            link.subscribe(kind, root)
        link.subscribe_filter(marker.topic)
        # The broker keeps the order: what is retained comes before what is published afterwards.
        link.publish(marker)
        async with asyncio.timeout(_ANSWER_S):
            await complete.wait()
    finally:
        await link.close()
    return found
