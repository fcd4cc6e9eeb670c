"""What the shell is offered while a command is typed."""

import os
import subprocess
import sys

import typer

from cp_image.api.payloads import ChargePointState
from supervisor_cli.app import app
from supervisor_cli.commands.look import ids_and_statuses
from supervisor_cli.completion import charge_point_ids, configuration_keys, ids_and_assignments
from supervisor_cli.context import Seams
from tests.unit.supervisor_cli.world import World


def typing(world: World, *typed: str) -> typer.Context:
    command = typer.main.get_command(app)
    root = typer.Context(command, obj=Seams(link_factory=world.link))
    root.params = {"environment": None, "broker": None}
    context = typer.Context(command, parent=root)
    context.params = {"ids": list(typed)}
    return context


def offered(world: World, incomplete: str, *typed: str) -> list[str]:
    return charge_point_ids(typing(world, *typed), [], incomplete)


def test_ids_that_begin_so_and_are_not_there_yet() -> None:
    world = World()
    for name in ("CP-1", "CP-2", "CP-10", "X-1"):
        world.charge_point(name)
    assert offered(world, "CP") == ["CP-1", "CP-2", "CP-10"]
    assert offered(world, "", "CP-2") == ["CP-1", "CP-10", "X-1"]
    assert offered(world, "Y") == []


def test_it_is_silent_where_nothing_answers() -> None:
    assert offered(World(reachable=False), "") == []


def test_the_shell_itself_gets_an_answer_without_a_broker() -> None:
    environment = {
        **os.environ,
        "_SIMUCTL_COMPLETE": "complete_bash",
        "COMP_WORDS": "simuctl --broker 127.0.0.1:1 plug ",
        "COMP_CWORD": "4",
    }
    done = subprocess.run(
        [sys.executable, "-m", "supervisor_cli"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_wait_is_offered_statuses_too() -> None:
    context = typing(World(reachable=False))
    assert ids_and_statuses(context, [], "susp") == ["SuspendedEVSE", "SuspendedEV"]


def test_keys_of_a_living_charge_point() -> None:
    world = World(configuration={"HeartbeatInterval": "300", "HeartbeatX": "1", "Zebra": "2"})
    world.charge_point("CP-1", status=ChargePointState.DEAD)
    world.charge_point("Heat-2")
    assert configuration_keys(typing(world), "Heart") == ["HeartbeatInterval", "HeartbeatX"]
    assert ids_and_assignments(typing(world), [], "He") == [
        "Heat-2",
        "HeartbeatInterval=",
        "HeartbeatX=",
    ]
    assert ids_and_assignments(typing(world, "Heat-2"), [], "Z") == ["Zebra="]
    assert ids_and_assignments(typing(world), [], "") == ["CP-1", "Heat-2"]


def test_no_keys_where_nobody_lives() -> None:
    world = World(configuration={"Zebra": "2"})
    world.charge_point("CP-1", status=ChargePointState.DEAD)
    assert configuration_keys(typing(world), "") == []
