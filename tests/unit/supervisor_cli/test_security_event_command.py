"""security-event: what reaches the charge point, and what it says to it."""

from cp_image.api import topics
from cp_image.api.payloads import InputErrorCode, Result
from tests.unit.supervisor_cli.conftest import Simuctl
from tests.unit.supervisor_cli.world import World

EVENT = "TamperDetectionActivated"


def test_an_event_happens(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    said = simuctl("security-event", "CP-*", "--event", EVENT, "--text", "the door")
    assert said.out == f"✓ CP-1: {EVENT}\n"
    assert [payload for _, payload in world.inputs(topics.CP_CMD)] == [
        {"type": "security_event", "name": EVENT, "tech_info": "the door"}
    ]


def test_an_event_there_is_not(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    world.refuse_input = Result(
        request_id="", ok=False, code=InputErrorCode.NOT_ALLOWED, text="there is no such event"
    )
    said = simuctl("security-event", "CP-1", "--event", "Fire")
    assert (said.code, said.out) == (1, "")
    assert "error: CP-1: there is no such event" in said.err
