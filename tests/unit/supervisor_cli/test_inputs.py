"""ready, suspend, draw, fault, unfault, emergency: what they say, and to whom."""

import json
from typing import Any

import pytest

from cp_image.api import topics
from cp_image.api.payloads import ChargePointState, ChargePointType, InputErrorCode, Result
from tests.unit.supervisor_cli.conftest import Simuctl
from tests.unit.supervisor_cli.world import CHARGING, World, connector_status

CAR = "cp_simu/cps/CP-1/connectors/1/car"


def sent(world: World) -> list[tuple[str, dict[str, Any]]]:
    return [*world.inputs(topics.CONNECTOR_CAR), *world.inputs(topics.CONNECTOR_FAULTED)]


def test_ready_and_suspend(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", CHARGING)
    assert simuctl("suspend", "CP-1").out == "✓ CP-1: connector 1: the car wants nothing\n"
    assert simuctl("ready", "CP-1").out == "✓ CP-1: connector 1: the car wants energy\n"
    assert sent(world) == [(CAR, {"ready": False}), (CAR, {"ready": True})]


def test_without_a_car_it_is_said(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", connector_status())
    assert "the car wants energy, once one is plugged" in simuctl("ready", "CP-1").out


@pytest.mark.parametrize(
    ("status", "words", "fields", "said"),
    [
        ({"nb_phases": 3}, ["10"], (10.0, 10.0, 10.0), "L1 10 A, L2 10 A, L3 10 A"),
        ({"nb_phases": 1}, ["10"], (10.0, 0.0, 0.0), "L1 10 A"),
        ({"nb_phases": 3}, ["16,10,0"], (16.0, 10.0, 0.0), "L1 16 A, L2 10 A, L3 0 A"),
        ({"nb_phases": 3}, ["16,10"], (16.0, 10.0, 0.0), "L1 16 A, L2 10 A, L3 0 A"),
        ({"nb_phases": 3}, ["--l2", "6"], (None, 6.0, None), "L2 6 A"),
        ({"type": ChargePointType.DC}, ["150000"], (150_000.0, 0.0, 0.0), "150000 W"),
    ],
)
def test_draw(
    simuctl: Simuctl,
    world: World,
    status: dict[str, Any],
    words: list[str],
    fields: tuple[float | None, ...],
    said: str,
) -> None:
    world.charge_point("CP-1", **status)
    told = simuctl("draw", "CP-1", *words)
    assert told.out == f"✓ CP-1: connector 1: the car asks for {said}\n"
    want = {f"consumption_l{n}": each for n, each in enumerate(fields, 1) if each is not None}
    assert sent(world) == [(CAR, want)]


def test_draw_from_a_battery(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    told = simuctl("draw", "CP-1", "--battery", "60000")
    assert "a battery of 60000 Wh at 20 %" in told.out
    assert sent(world) == [(CAR, {"battery_wh": 60_000.0, "soc_pct": 20.0})]


def test_draw_of_many(simuctl: Simuctl, world: World) -> None:
    for name in ("CP-1", "CP-2", "X-1"):
        world.charge_point(name)
    assert simuctl("draw", "CP-*", "8").code == 0
    assert simuctl("draw", "--all", "9").code == 0
    assert [topic.split("/")[2] for topic, _ in sent(world)] == [
        "CP-1",
        "CP-2",
        "CP-1",
        "CP-2",
        "X-1",
    ]


def test_draw_on_a_phase_that_is_not_there(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", nb_phases=1)
    told = simuctl("draw", "CP-1", "16,16,16")
    assert (told.code, sent(world)) == (1, [])
    assert "CP-1 has no L2: it is AC with 1 phase" in told.err


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["draw"], "charge points and an amount"),
        (["draw", "CP-1"], "'CP-1' is no amount"),
        (["draw", "CP-1", "-5"], "No such option"),
        (["draw", "CP-1", "1,2,3,4"], "is no amount"),
        (["draw", "CP-1", "nan"], "is no amount"),
        (["draw", "CP-1", "1e400"], "is no amount"),
        (["draw", "5"], "no charge point is named"),
        (["draw", "CP-1", "--l1", "5", "--battery", "60000"], "--battery decides"),
        (["draw", "CP-1", "5", "--soc", "20"], "--soc is of a battery"),
        (["ready"], "no charge point is named"),
        (["ready", "CP-1", "--all"], "exclude each other"),
        (["fault", "CP-1", "--code", "Nonsense"], "no error code"),
        (["fault", "CP-1", "--code", "NoError"], "no error code"),
        (["fault", "CP-1", "-c", "-1"], "greater than or equal to 0"),
        (["suspend", "CP-1", "-c", "0"], "greater than or equal to 1"),
    ],
)
def test_wrong_words(simuctl: Simuctl, world: World, words: list[str], error: str) -> None:
    world.charge_point("CP-1")
    told = simuctl(*words)
    assert (told.code, told.out, sent(world)) == (2, "", [])
    assert error in told.err
    assert "hint: " in told.err


@pytest.mark.parametrize(
    ("words", "topic", "payload", "said"),
    [
        (["fault", "CP-1"], 1, {"faulted": True}, "connector 1: faulty, InternalError"),
        (
            ["fault", "CP-1", "-c", "2", "--code", "groundfailure"],
            2,
            {"faulted": True, "error_code": "GroundFailure"},
            "connector 2: faulty, GroundFailure",
        ),
        (["fault", "CP-1", "-c", "0"], 0, {"faulted": True}, "CP-1: faulty, InternalError"),
        (["unfault", "CP-1"], 1, {"faulted": False}, "connector 1: all faults mended"),
        (
            ["unfault", "CP-1", "--code", "WeakSignal"],
            1,
            {"faulted": False, "error_code": "WeakSignal"},
            "connector 1: WeakSignal mended",
        ),
        (
            ["emergency", "CP-1"],
            0,
            {"faulted": True, "emergency": True},
            "CP-1: emergency stop hit",
        ),
        (
            ["emergency", "CP-1", "-c", "1"],
            1,
            {"faulted": True, "emergency": True},
            "connector 1: emergency stop hit",
        ),
    ],
)
def test_faults(
    simuctl: Simuctl,
    world: World,
    words: list[str],
    topic: int,
    payload: dict[str, Any],
    said: str,
) -> None:
    world.charge_point("CP-1", connector_status(), connector_status())
    told = simuctl(*words)
    assert (told.code, said in told.out) == (0, True), told
    assert sent(world) == [(f"cp_simu/cps/CP-1/connectors/{topic}/faulted", payload)]


def test_a_refusal_and_one_that_is_dead(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    world.charge_point("CP-2", status=ChargePointState.DEAD)
    world.refuse_input = Result(
        request_id="", ok=False, code=InputErrorCode.NOT_NOW, text="connector 1 is busy"
    )
    told = simuctl("fault", "--all", "--json")
    assert told.code == 1
    assert [(each["id"], each["ok"], each["code"]) for each in json.loads(told.out)] == [
        ("CP-1", False, "not_now"),
        ("CP-2", False, None),
    ]
    assert "2 of 2 charge points failed" in told.err


def test_no_answer(simuctl: Simuctl, world: World) -> None:
    world.charge_points_answer = False
    world.charge_point("CP-1")
    told = simuctl("ready", "CP-1", "--timeout", "0.1")
    assert told.code == 4
    assert "error: CP-1 did not answer within 0.1 s" in told.err
