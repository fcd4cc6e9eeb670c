"""DataTransfer from the client's side: the charge point's answer, then that of the CSMS."""

import asyncio

import pytest

from cp_image.api.payloads import DataTransferAnswered, DataTransferOutcome
from cp_image.core.errors import NotNowError
from cp_image.core.events import DataTransferWanted
from supervisor_cli.client import SimuClient
from supervisor_cli.errors import ExitCode
from tests.unit.supervisor_cli.conftest import Simuctl
from tests.unit.supervisor_cli.test_client import error_on, on, turn
from tests.unit.supervisor_cli.test_frames import TalkingChargePoint
from tests.unit.supervisor_cli.world import World


def answered(charge_point: TalkingChargePoint, request_id: str | None) -> None:
    charge_point.control.publish_event(
        DataTransferAnswered(
            at=1.0,
            vendor_id="V",
            message_id="M",
            status=DataTransferOutcome.ACCEPTED,
            data="thanks",
            request_id=request_id,
        )
    )


def wanted(charge_point: TalkingChargePoint) -> DataTransferWanted:
    (event,) = charge_point.sink.events
    assert isinstance(event, DataTransferWanted)
    return event


def test_the_answer_of_the_csms() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        charge_point = TalkingChargePoint(world)
        charge_point.start()
        await turn()
        asking = asyncio.create_task(
            simu.data_transfer("CP-1", vendor_id="V", message_id="M", data="D")
        )
        await turn()
        asked = wanted(charge_point)
        assert (asked.request.vendor_id, asked.request.message_id) == ("V", "M")
        answered(charge_point, "somebody else's")
        answered(charge_point, asked.request_id)
        answered(charge_point, asked.request_id)  # twice, as MQTT may deliver
        answer = await asking
        assert (answer.status, answer.data) == (DataTransferOutcome.ACCEPTED, "thanks")
        assert not [each for each in world.links[0].filters if each.endswith("/event")][1:]

    on(world, story)


def test_a_charge_point_that_refuses() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        charge_point = TalkingChargePoint(world)
        charge_point.sink.refusal = NotNowError("CP-1 is not accepted")
        charge_point.start()
        await turn()
        await simu.data_transfer("CP-1", vendor_id="V")

    error = error_on(world, story)
    assert (str(error), error.exit_code) == (
        "CP-1 does not send it: CP-1 is not accepted",
        ExitCode.FAILED,
    )


def test_a_csms_that_does_not_answer() -> None:
    world = World(charge_points_answer=False)

    async def story(simu: SimuClient) -> None:
        charge_point = TalkingChargePoint(world)
        charge_point.start()
        await turn()
        await simu.data_transfer("CP-1", vendor_id="V", timeout_s=0.1)

    error = error_on(world, story)
    assert "no answer to DataTransfer within 0.1 s" in str(error)
    assert error.exit_code is ExitCode.TIMEOUT


@pytest.mark.parametrize("words", [[], ["--vendor", "V"], ["CP-1"]])
def test_wrong_words(simuctl: Simuctl, words: list[str]) -> None:
    assert simuctl("data-transfer", *words).code == 2


def test_what_is_too_long_is_said_before_anything_is_sent(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    for words in (["--vendor", "V" * 256], ["--vendor", "V", "--message", "M" * 51]):
        said = simuctl("data-transfer", "CP-1", *words)
        assert (said.code, "characters" in said.err) == (2, True)
