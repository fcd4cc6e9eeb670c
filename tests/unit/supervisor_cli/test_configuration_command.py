"""config get and config set."""

import json

import pytest

from cp_image.api import topics
from cp_image.api.payloads import InputErrorCode, Result
from supervisor_cli.commands.configuration import matching
from tests.unit.supervisor_cli.conftest import Simuctl
from tests.unit.supervisor_cli.world import World

KEYS = {"HeartbeatInterval": "300", "MeterValueSampleInterval": "60"}


@pytest.fixture
def world() -> World:
    world = World(configuration=KEYS)
    world.charge_point("CP-1")
    return world


def commands(world: World) -> list[tuple[str, dict[str, object]]]:
    return world.inputs(topics.CP_CMD)


def test_get(simuctl: Simuctl) -> None:
    said = simuctl("config", "get", "CP-1")
    assert said.out == "HeartbeatInterval=300\nMeterValueSampleInterval=60\n"
    assert simuctl("config", "get", "CP-1", "-k", "heart*").out == "HeartbeatInterval=300\n"


def test_get_of_several(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-2")
    said = simuctl("config", "get", "CP-*", "-k", "HeartbeatInterval")
    assert said.out == "CP-1  HeartbeatInterval=300\nCP-2  HeartbeatInterval=300\n"


def test_get_as_json(simuctl: Simuctl) -> None:
    (told,) = json.loads(simuctl("config", "get", "--all", "--json").out)
    assert (told["id"], told["ok"], told["configuration"]) == ("CP-1", True, KEYS)


def test_get_of_a_key_that_is_not_there(simuctl: Simuctl) -> None:
    said = simuctl("config", "get", "CP-1", "-k", "Nonsense")
    assert (said.code, said.out) == (1, "")
    assert "CP-1 has no readable key with a value that is called Nonsense" in said.err


def test_a_misspelt_key(simuctl: Simuctl, world: World) -> None:
    said = simuctl("config", "get", "CP-1", "-k", "HeartBeatIntervall")
    assert (said.code, said.out) == (1, "")
    assert "did you mean HeartbeatInterval?" in said.err
    world.refuse_configure = Result(
        request_id="", ok=False, code=InputErrorCode.NOT_ALLOWED, text="there is no such key"
    )
    said = simuctl("config", "set", "CP-1", "HeartBeatIntervall=1")
    assert said.code == 1
    assert "did you mean HeartbeatInterval?" in said.err
    said = simuctl("config", "set", "CP-1", "HeartbeatInterval=x")
    assert "hint: simuctl config get CP-1 shows what stands" in said.err


def test_get_of_one_that_is_not_there(simuctl: Simuctl) -> None:
    said = simuctl("config", "get", "CP-1", "CP-9", "-k", "Heart*")
    assert said.code == 1
    assert said.out == "CP-1  HeartbeatInterval=300\n"
    assert "1 of 2 charge points failed" in said.err


def test_set(simuctl: Simuctl, world: World) -> None:
    said = simuctl("config", "set", "CP-1", "HeartbeatInterval=60", "CpoName=a=b")
    assert said.out == "✓ CP-1: HeartbeatInterval=60, CpoName=a=b\n"
    assert [payload for _, payload in commands(world)] == [
        {"type": "configure", "key": "HeartbeatInterval", "value": "60"},
        {"type": "configure", "key": "CpoName", "value": "a=b"},
    ]


def test_a_refusal(simuctl: Simuctl, world: World) -> None:
    world.refuse_input = Result(
        request_id="", ok=False, code=InputErrorCode.NOT_ALLOWED, text="X is read-only"
    )
    said = simuctl("config", "set", "CP-1", "X=1")
    assert (said.code, "error: CP-1: X is read-only" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["get"], "no charge point is named"),
        (["set", "CP-1"], "which key"),
        (["set", "X=1"], "no charge point is named"),
        (["set", "CP-1", "=1"], "a key has 1 to 50 characters"),
        (["set", "CP-1", f"X={'v' * 501}"], "a value at most 500"),
    ],
)
def test_wrong_words(simuctl: Simuctl, world: World, words: list[str], error: str) -> None:
    said = simuctl("config", *words)
    assert (said.code, error in said.err, commands(world)) == (2, True, [])


def test_keys_ignore_case() -> None:
    assert matching(KEYS, ["HEARTBEATINTERVAL"]) == {"HeartbeatInterval": "300"}
