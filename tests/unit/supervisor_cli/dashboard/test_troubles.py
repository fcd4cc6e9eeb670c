"""Faults and the emergency stop by their keys: where they go, and what is said of them."""

import pytest

from cp_image.api import topics
from cp_image.api.payloads import ConnectorState, InputErrorCode, Result
from tests.unit.supervisor_cli.dashboard.stage import Stage, dashboard, fleet
from tests.unit.supervisor_cli.world import World, connector_status


def faults(stage: Stage) -> list[tuple[str, dict[str, object]]]:
    """Return where faults were set and cleared: ``CP-1/1``, and how."""
    sent = stage.world.inputs(topics.CONNECTOR_FAULTED)
    return [("/".join(topic.split("/")[2:5:2]), payload) for topic, payload in sent]


async def test_a_fault_is_chosen() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("f")
        await stage.shows("Inject a fault at CP-1 connector 1")
        await stage.shows("◂ InternalError ▸")
        await stage.press("right", "enter")
        await stage.shows("✓ CP-1: connector 1: faulty, LocalListConflict")
        assert faults(stage) == [
            ("CP-1/1", {"faulted": True, "error_code": "LocalListConflict"}),
        ]


async def test_a_fault_of_the_whole_charge_point_is_one_of_each() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("space", "space", "space", "home", "f", "down", "right", "enter")
        await stage.shows("fault: all 2 done")
        sent = {"faulted": True, "error_code": "InternalError"}
        assert faults(stage) == [("CP-1/0", sent), ("CP-2/0", sent)]


async def test_what_is_next_at_a_faulted_one_clears_all_its_faults() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("down", "down", "down")
        await stage.shows("next: F clears the fault")
        await stage.press("F")
        await stage.shows("Clear the faults of CP-3 connector 1")
        await stage.press("enter")
        await stage.shows("clear the fault: all 2 done")
        assert faults(stage) == [("CP-3/1", {"faulted": False}), ("CP-3/0", {"faulted": False})]
        await stage.press("m")
        await stage.shows("CP-3: connector 1: all faults mended")
        await stage.shows("CP-3: all faults mended of the whole")


async def test_one_fault_of_several_is_cleared() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("F", *["right"] * 3, "down", "right", "enter")
        await stage.shows("✓ CP-1: connector 1: GroundFailure mended")
        assert faults(stage) == [("CP-1/1", {"faulted": False, "error_code": "GroundFailure"})]


async def test_the_emergency_stop_is_hit_once_it_is_confirmed() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("e")
        await stage.shows("Emergency stop at CP-1 ─")
        await stage.shows("with the reason EmergencyStop")
        await stage.press("escape")
        assert faults(stage) == []
        await stage.press("e", "enter")
        await stage.shows("✓ CP-1: emergency stop hit")
        assert faults(stage) == [("CP-1/0", {"faulted": True, "emergency": True})]


async def test_the_release_mends_what_the_hit_broke_and_leaves_the_other_faults() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("e")
        await stage.shows("other faults stay")
        await stage.press("right")
        await stage.shows("◂ release ▸")
        await stage.press("enter")
        await stage.shows("✓ CP-1: no emergency stop is hit, nor another InternalError")
        assert faults(stage) == [("CP-1/0", {"faulted": False, "error_code": "InternalError"})]


@pytest.mark.parametrize("error_code", ["GroundFailure", "InternalError"])
async def test_what_is_faulty_for_whatever_reason_can_be_hit(error_code: str) -> None:
    world = World()
    faulty = connector_status(status=ConnectorState.FAULTED, error_code=error_code)
    world.charge_point("CP-1", faulty)
    async with dashboard(world) as stage:
        await stage.press("e")
        await stage.shows("◂ hit ▸")
        await stage.press("enter")
        await stage.shows("✓ CP-1: emergency stop hit")
        assert faults(stage) == [("CP-1/0", {"faulted": True, "emergency": True})]


async def test_a_refusal_is_told_for_each() -> None:
    world = fleet()
    world.refuse_input = Result(
        request_id="", ok=False, code=InputErrorCode.NOT_NOW, text="not while it starts"
    )
    async with dashboard(world) as stage:
        await stage.press("a", "e", "enter")
        await stage.shows("emergency stop: 5 of 5 failed")
        await stage.press("m")
        await stage.shows("✗ CP-1: not while it starts")
        await stage.shows("✗ CP-10: CP-10 is Dead: it takes no input")
