"""The command data_transfer: from MQTT to the CSMS, and what came of it back to MQTT."""

import json
from pathlib import Path

import pytest

from cp_image.core.events import DataTransferWanted
from cp_image.core.messages import DataTransfer
from tests.unit.shell.peers import ACCEPTING, Csms, run
from tests.unit.shell.test_charge_point import BASE, STATUS, charge_point, configuration
from tests.unit.shell.test_control import EVENT, RESULT, Bench

COMMAND = {
    "type": "data_transfer",
    "vendor_id": "com.example",
    "message_id": "hello",
    "data": "{}",
    "request_id": "r1",
}


def test_the_answer_of_the_csms_is_published(tmp_path: Path) -> None:
    async def scenario() -> None:
        answers = ACCEPTING | {"DataTransfer": {"status": "UnknownMessageId", "data": "?"}}
        async with (
            Csms(answers=answers) as csms,
            charge_point(configuration(csms, tmp_path)) as (_, link),
        ):
            await link.seen(STATUS, status="Accepted")
            link.receive(f"{BASE}/cmd", json.dumps(COMMAND))
            assert link.on(f"{BASE}/result") == [{"request_id": "r1", "ok": True}]
            sent = await csms.heard("DataTransfer")
            assert sent == {"vendorId": "com.example", "messageId": "hello", "data": "{}"}
            event = await link.seen(f"{BASE}/event", event="data_transfer_answered")
            assert event.pop("at") > 0
            assert event == {
                "event": "data_transfer_answered",
                "vendor_id": "com.example",
                "message_id": "hello",
                "status": "UnknownMessageId",
                "data": "?",
                "request_id": "r1",
            }

    run(scenario())


def test_without_a_csms_it_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as gone:
            pass
        async with charge_point(configuration(gone, tmp_path)) as (_, link):
            link.receive(f"{BASE}/cmd", json.dumps(COMMAND))
            result = await link.seen(f"{BASE}/result", request_id="r1")
            assert result["code"] == "not_now"
            assert result["text"].startswith("CP-1 cannot send DataTransfer now")

    run(scenario())


def test_only_the_vendor_is_demanded() -> None:
    bench = Bench()
    bench.link.receive(f"{BASE}/cmd", b'{"type":"data_transfer","vendor_id":"V"}')
    assert bench.sink.events == [DataTransferWanted(request=DataTransfer(vendor_id="V"))]
    assert bench.link.on(RESULT) == []


@pytest.mark.parametrize(
    "more",
    [
        {"vendor_id": None},
        {"vendor_id": "V" * 256},
        {"vendor_id": 7},
        {"message_id": "M" * 51},
        {"data": {}},
    ],
)
def test_a_command_that_is_not_one_is_refused(more: dict[str, object]) -> None:
    bench = Bench()
    bench.link.receive(f"{BASE}/cmd", json.dumps(COMMAND | more))
    assert bench.sink.events == []
    (result,) = bench.link.on(RESULT)
    assert (result["request_id"], result["code"]) == ("r1", "malformed")
    assert bench.link.on(EVENT)[0]["event"] == "input_refused"
