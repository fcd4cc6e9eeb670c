"""What charge points are made to tell the CSMS: what is sent, and what came of it."""

import msgspec
import pytest

from cp_image.api import topics
from cp_image.api.payloads import (
    ChargePointCommand,
    CommandType,
    DataTransferAnswered,
    DataTransferOutcome,
    InputErrorCode,
    Result,
    encode,
)
from cp_image.mqtt_link import Message
from supervisor_cli.dashboard.telling import read_event, read_transfer
from supervisor_cli.errors import SimuError
from tests.unit.supervisor_cli.dashboard.stage import NOW, Stage, dashboard, fleet
from tests.unit.supervisor_cli.world import ROOT, World


class Answering(World):
    """A world whose CSMS answers each DataTransfer, that of CP-2 with a refusal."""

    def receive(self, message: Message) -> None:
        super().receive(message)
        address = topics.CP_CMD.parse(ROOT, message.topic)
        if address is None:
            return
        asked = msgspec.json.decode(message.payload, type=ChargePointCommand)
        if asked.type is not CommandType.DATA_TRANSFER:
            return
        name = address.charge_point_id or ""
        is_known = name != "CP-2"
        status = DataTransferOutcome.ACCEPTED if is_known else DataTransferOutcome.UNKNOWN_VENDOR_ID
        answered = DataTransferAnswered(
            at=NOW,
            request_id=asked.request_id,
            vendor_id=asked.vendor_id or "",
            message_id=asked.message_id,
            status=status,
            data="welcome" if is_known else None,
        )
        self.publish(topics.CP_EVENT.build(ROOT, name), encode(answered))


def answering() -> World:
    world = Answering()
    world.charge_point("CP-1")
    world.charge_point("CP-2")
    return world


def said(stage: Stage) -> list[tuple[str, dict[str, object]]]:
    return [(topic.split("/")[2], payload) for topic, payload in stage.world.inputs(topics.CP_CMD)]


async def test_data_transfer_shows_what_the_csms_answers() -> None:
    async with dashboard(answering()) as stage:
        await stage.press("T")
        await stage.shows("DataTransfer from CP-1 to the CSMS")
        await stage.press("enter")
        await stage.shows("a vendor id has 1 to 255 characters, this one 0")
        await stage.type("com.example")
        await stage.press("down", *"hello", "down", *"{}", "enter")
        await stage.shows("✓ CP-1: Accepted: welcome")
        sent = {
            "type": "data_transfer",
            "vendor_id": "com.example",
            "message_id": "hello",
            "data": "{}",
        }
        assert said(stage) == [("CP-1", sent)]


async def test_data_transfer_of_many_tells_which_one_failed() -> None:
    async with dashboard(answering()) as stage:
        await stage.press("a", "T")
        await stage.shows("DataTransfer from 2 charge points")
        await stage.type("x")
        await stage.press("enter")
        await stage.shows("data transfer: 1 of 2 failed; m shows all: CP-2: UnknownVendorId")
        assert [name for name, _payload in said(stage)] == ["CP-1", "CP-2"]


async def test_a_security_event_once_for_each_charge_point() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("space", "space", "space")
        await stage.shows("● 3 marked")
        await stage.press("E", "down", *"by hand", "enter")
        await stage.shows("security event: all 2 done")
        sent = {
            "type": "security_event",
            "name": "TamperDetectionActivated",
            "tech_info": "by hand",
        }
        assert said(stage) == [("CP-1", sent), ("CP-2", sent)]


async def test_an_event_that_is_none_is_refused_by_the_charge_point() -> None:
    world = fleet()
    world.refuse_input = Result(
        request_id="", ok=False, code=InputErrorCode.MALFORMED, text="there is no event Nonsense"
    )
    async with dashboard(world) as stage:
        await stage.press("E", "enter")
        await stage.shows("✗ CP-1: there is no event Nonsense")


async def test_nobody_says_nothing() -> None:
    async with dashboard(World()) as stage:
        await stage.press("T")
        await stage.shows("no charge point is selected")


@pytest.mark.parametrize(
    ("vendor", "message", "complaint"),
    [("v" * 256, "", "1 to 255 characters"), ("v", "m" * 51, "50 characters at most")],
)
def test_what_no_transfer_can_be(vendor: str, message: str, complaint: str) -> None:
    with pytest.raises(SimuError, match=complaint):
        read_transfer({"vendor": vendor, "message": message, "data": ""})


@pytest.mark.parametrize(
    ("event", "text", "complaint"),
    [
        (" ", "", "1 to 50 characters, this one 0"),
        ("e" * 51, "", "1 to 50"),
        ("e", "t" * 256, "255 characters at most"),
    ],
)
def test_what_no_event_can_be(event: str, text: str, complaint: str) -> None:
    with pytest.raises(SimuError, match=complaint):
        read_event({"event": event, "text": text})
