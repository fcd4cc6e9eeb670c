"""What befalls containers, as simuctl does and shows it."""

import json

import pytest

from cp_image.api import topics
from cp_image.api.payloads import ChargePointState
from launcher.api import CP_CONTAINER, ContainerCondition
from supervisor_cli import doctor
from supervisor_cli.fleet_view import FleetView
from tests.unit.supervisor_cli.conftest import Simuctl
from tests.unit.supervisor_cli.world import ROOT, World


@pytest.mark.parametrize("command", ["stop", "freeze", "thaw", "cut", "mend"])
def test_every_command_has_examples(simuctl: Simuctl, command: str) -> None:
    said = simuctl(command, "--help")
    assert said.code == 0
    assert f"  simuctl {command}" in said.out


def test_stop(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    said = simuctl("stop", "CP-1")
    assert (said.code, said.out) == (0, "✓ CP-1: stopped\n")
    assert world.commands() == [{"type": "stop", "charge_points": [{"id": "CP-1"}]}]
    said = simuctl("stop", "CP-1")
    assert said.code == 1
    assert "simuctl restart" in said.err


@pytest.mark.parametrize(
    ("command", "done", "undo", "undone", "shown"),
    [("freeze", "frozen", "thaw", "thawed", "frozen"), ("cut", "cut off", "mend", "mended", "cut")],
)
def test_a_fault_is_made_shown_and_ended(
    simuctl: Simuctl, world: World, command: str, done: str, undo: str, undone: str, shown: str
) -> None:
    world.charge_point("CP-1")
    said = simuctl(command, "CP-1")
    assert (said.code, said.out) == (0, f"✓ CP-1: {done}\n")
    assert f"CP-1  {shown}" in simuctl("ls").out
    assert shown in simuctl("show", "CP-1").out
    told = json.loads(simuctl("ls", "--json").out)[0]
    assert told["container_status"]["state"] == shown
    assert told["status"] == "Accepted"  # as it was last heard
    assert simuctl(undo, "CP-1").out == f"✓ CP-1: {undone}\n"
    assert "CP-1  Accepted" in simuctl("ls").out


def test_why_a_charge_point_is_not_there_is_shown(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", status=ChargePointState.DEAD)
    world.container(
        "CP-1",
        ContainerCondition.EXITED,
        exit_code=137,
        out_of_memory=True,
        restarts=5,
        cut=True,
        text="crash loop: 6 crashes in a row",
    )
    said = " ".join(simuctl("show", "CP-1").out.split())
    assert (
        "exited, its network is cut, exit code 137, out of memory, started again 5 times in a "
        "row, crash loop: 6 crashes in a row"
    ) in said
    world.container("CP-1", ContainerCondition.WAITING, restart_at=1.0)
    assert "CP-1  restarting" in simuctl("ls").out


def test_an_exit_code_is_shown_once(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", status=ChargePointState.DEAD)
    world.container("CP-1", ContainerCondition.EXITED, exit_code=2, text="exit code 2")
    said = " ".join(simuctl("show", "CP-1").out.split())
    assert "exited, exit code 2" in said
    assert "exit code 2, exit code 2" not in said


def test_one_that_never_says_anything_is_listed(simuctl: Simuctl, world: World) -> None:
    world.container("CP-1", ContainerCondition.RUNNING, unheard=True, text="has said nothing")
    assert "CP-1  silent" in simuctl("ls").out


def test_the_view_forgets_a_container_with_its_charge_point() -> None:
    topic = CP_CONTAINER.build(ROOT, "CP-1")
    view = FleetView().apply(ROOT, topic, b'{"state":"cut"}')
    charge_point = view.by_id["CP-1"]
    assert charge_point.unreachable is ContainerCondition.CUT
    assert view.apply(ROOT, topic, b"").by_id == {}
    emptied = view.apply(ROOT, topics.CP_STATUS.build(ROOT, "CP-1"), b"")
    assert emptied.by_id == {}
    assert emptied.apply(ROOT, topic, b"") is emptied
    assert topic in view.apply(ROOT, topic, b'{"state":"afloat"}').undecodable


def test_add_says_how_the_container_is_to_be(simuctl: Simuctl, world: World) -> None:
    url = "ws://localhost:9000/ocpp"
    words = ("--on-crash", "restart", "--networking", "host", "--memory", "96", "--cpus", "0.5")
    assert simuctl("add", "CP-1", "-u", url, *words, "--pids", "32", "--log", "8").code == 0
    assert simuctl("add", "CP-2", "-u", url).code == 0
    first, second = (command["charge_points"][0] for command in world.commands())
    wanted = {
        "on_crash": "restart",
        "networking": "host",
        "memory_mb": 96,
        "cpus": 0.5,
        "pids": 32,
        "log_mb": 8,
    }
    assert {key: first[key] for key in wanted} == wanted
    assert not set(wanted) & set(second)  # as usual is not said
    said = simuctl("add", "CP-3", "-u", url, "--memory", "1")
    assert said.code == 2
    assert "memory_mb is 1" in said.err


def test_the_doctor_names_what_is_frozen_cut_or_silent() -> None:
    view = FleetView()
    for charge_point_id, payload in (
        ("CP-1", b'{"state":"frozen"}'),
        ("CP-2", b'{"state":"cut"}'),
        ("CP-3", b'{"state":"running","unheard":true}'),
    ):
        view = view.apply(ROOT, CP_CONTAINER.build(ROOT, charge_point_id), payload)
    found = {each.piece: (each.text, each.remedy) for each in doctor.charge_points(view)}
    assert found["containers frozen"] == ("CP-1", "simuctl thaw")
    assert found["containers cut"] == ("CP-2", "simuctl mend")
    assert found["never heard"][0] == "CP-3"
