"""The launcher's look at all that the real broker has retained."""

import asyncio

import pytest

from cp_image.api.topics import CONNECTOR_STATUS, CP_CMD, CP_OCPP_CONFIG, CP_STATUS
from cp_image.mqtt_link import BrokerAddress, BrokerUnreachableError, Message, MqttLink
from launcher.retained import scan

ROOT = "scan_test"
CHARGE_POINTS = 600


def test_a_scan_finds_everything_retained_of_charge_points_and_nothing_else(
    broker_address: BrokerAddress,
) -> None:
    async def main() -> None:
        assert await scan(broker_address, ROOT) == {}
        link = MqttLink(address=broker_address, client_id="publisher", on_message=lambda _m: None)
        await link.connect()
        expected: dict[str, bytes] = {}
        for n in range(CHARGE_POINTS):
            for topic in (
                CP_STATUS.build(ROOT, f"CP-{n}"),
                CP_OCPP_CONFIG.build(ROOT, f"CP-{n}"),
                CONNECTOR_STATUS.build(ROOT, f"CP-{n}", 1),
                CONNECTOR_STATUS.build(ROOT, f"CP-{n}", 2),
            ):
                expected[topic] = b"%d" % n
        # An inbox that queued no more than mosquitto's default of 1000 would lose some of these.
        others = (CP_STATUS.build("other_root", "CP-1"), CP_CMD.build(ROOT, "CP-1"))
        for topic, payload in [*expected.items(), *((topic, b"x") for topic in others)]:
            link.publish(Message(topic=topic, payload=payload, retain=True))
        gone = CP_STATUS.build(ROOT, "CP-0")
        link.publish(Message(topic=gone, payload=b"", retain=True))
        del expected[gone]
        await link.close()
        assert await scan(broker_address, ROOT) == expected

    asyncio.run(main())


def test_a_scan_of_a_broker_that_is_not_there_says_so() -> None:
    async def main() -> None:
        with pytest.raises(BrokerUnreachableError, match=r"broker 127\.0\.0\.1:1: "):
            await scan(BrokerAddress(host="127.0.0.1", port=1), ROOT)

    asyncio.run(main())
