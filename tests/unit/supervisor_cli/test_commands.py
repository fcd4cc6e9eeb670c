"""simuctl, word for word, on a world in memory."""

import io
import json
import re
import subprocess
import sys
from importlib import import_module
from typing import NoReturn

import pytest
import typer
from typer.main import get_group

from cp_image.api import topics
from cp_image.api.payloads import (
    ChargePointState,
    ChargePointType,
    ConnectorState,
    InputErrorCode,
    Result,
    encode,
)
from launcher.api import LAUNCHER_EVENT, Died, LauncherState
from supervisor_cli import state
from supervisor_cli.__main__ import run
from supervisor_cli.app import PANELS
from supervisor_cli.context import Seams
from tests.unit.supervisor_cli.conftest import Simuctl
from tests.unit.supervisor_cli.world import CHARGING, ROOT, World, connector_status

URL = "ws://localhost:9000/ocpp"

GROUPS = frozenset({"config", "pki", "setup"})
NAMES = tuple(name for _, modules in PANELS for names in modules.values() for name in names)
OWN_COMMANDS = tuple(name for name in NAMES if name not in GROUPS)
DOCUMENTED = frozenset(
    {"up", "down", "doctor", "images", "version", "csms", "demo"}
    | {"add", "ls", "show", "wait", "kill", "stop", "restart", "freeze", "thaw", "cut", "mend"}
    | {"rm", "plug", "unplug", "tag", "ready", "suspend", "draw", "fault", "unfault"}
    | {"emergency", "data-transfer", "trace", "logs"}
)


# -- the root --------------------------------------------------------------------------------------


def test_help_documents_exit_codes(simuctl: Simuctl) -> None:
    said = simuctl("--help")
    assert said.code == 0
    for piece in ("Exit codes:", "130", "Examples:", "--environment", "--broker"):
        assert piece in said.out


def test_no_words_show_the_help(simuctl: Simuctl) -> None:
    said = simuctl()
    assert said.code == 0
    assert "Usage: simuctl" in said.out


@pytest.mark.parametrize("command", OWN_COMMANDS)
def test_every_command_has_examples(simuctl: Simuctl, command: str) -> None:
    said = simuctl(command, "--help")
    assert said.code == 0
    assert f"  simuctl {command}" in said.out


def test_every_command_is_listed_with_the_module_it_is_in() -> None:
    assert set(OWN_COMMANDS) >= DOCUMENTED
    assert len(NAMES) == len(set(NAMES))
    for _, modules in PANELS:
        for module, names in modules.items():
            part = typer.Typer()
            import_module(f"supervisor_cli.commands.{module}").register(part)
            assert tuple(get_group(part).commands) == names


def test_a_command_is_loaded_without_the_others() -> None:
    done = python(
        "import sys; from supervisor_cli.__main__ import run;"
        "run(['--broker', '127.0.0.1:1', 'kill', '--all']);"
        "loaded = {name.split('.')[2] for name in sys.modules"
        " if name.startswith('supervisor_cli.commands.')};"
        "assert 'lifecycle' in loaded; assert not {'add', 'look', 'pki', 'csms'} & loaded"
    )
    assert done.returncode == 0, done.stderr


def test_the_root_s_help_groups_the_commands(simuctl: Simuctl) -> None:
    said = simuctl("--help").out
    titles = [f"─ {title} ─" for title, _ in PANELS]
    assert [title for title in titles if title in said] == titles
    assert "─ Commands ─" not in said
    assert said.index("─ Fleet ─") < said.index(" setup ") < said.index("─ Look ─")


@pytest.mark.parametrize("command", [*OWN_COMMANDS, "config set", "setup load", "pki issue"])
def test_help_speaks_of_no_types_of_python(simuctl: Simuctl, command: str) -> None:
    said = simuctl(*command.split(), "--help")
    assert said.code == 0
    assert not re.search(r"<(bool|str|list)", said.out)


def test_help_keeps_the_words_that_an_option_takes(simuctl: Simuctl) -> None:
    assert "<report|restart>" in simuctl("add", "--help").out
    assert "N [x>=1]" in simuctl("tag", "--help").out


def test_version(simuctl: Simuctl) -> None:
    said = simuctl("--version")
    assert said.code == 0
    assert said.out.startswith("simuctl 0.")


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["fly"], "No such command 'fly'", "simuctl --help"),
        (["ls", "--fast"], "No such option: --fast", "simuctl ls --help"),
        (["show"], "no charge point is named", "--all"),
        (["add", "X"], "Missing option '--central-system'", "simuctl add --help"),
        (["plug"], "no charge point is named", "--all"),
        (["kill", "CP-1", "--all"], "exclude each other", "--all"),
        (["plug", "CP-1", "-c", "0"], "--connector", "simuctl plug --help"),
        (["plug", "CP-1", "--draw", "1", "--l1", "1"], "--draw is for every phase", ""),
        (["plug", "CP-1", "--cable", "0"], "--cable 0", "simuctl unplug"),
        (["plug", "CP-1", "--soc", "50"], "--soc is of a battery", "--battery 60000"),
        (["plug", "CP-1", "--battery", "6e4", "--draw", "9"], "--battery decides", ""),
        (["plug", "CP-1", "--battery", "6e4", "--l2", "9"], "--battery decides", ""),
        (["tag", "CP-1", "T" * 21], "has 21 characters", "simuctl tag"),
        (["tag", "TAG1"], "tag takes a charge point id and a tag", "simuctl tag"),
        (["wait", "CP-1", "Flying"], "'Flying' is no status", "SuspendedEVSE"),
        (["wait", "CP-1", "chraging"], "'chraging' is no status", "did you mean Charging?"),
        (
            ["fault", "CP-1", "--code", "GroundFailur"],
            "'GroundFailur' is no error code of a fault",
            "did you mean GroundFailure?",
        ),
        (["wait", "CP-1", "Accepted", "-c", "2"], "not of connector 2", "leave out -c"),
        (["--broker", "host:x", "ls"], "broker 'host:x' is not HOST:PORT", "127.0.0.1:1883"),
        (["-e", "No_Good", "ls"], "environment 'No_Good'", "--environment"),
        (["add", "a b", "-u", URL], 'id is "a b"', "simuctl add --help"),
        (
            ["add", "A", "-u", "http://x"],
            "central_system is 'http://x': it must begin",
            "ws://",
        ),
        (["add", "A", "-u", "ws://"], "central_system is 'ws://': it must name a host", "ws://"),
        (["add", "A", "-u", URL, "--type", "DC", "--phases", "3"], "a DC charge point has", ""),
        (["add", "A", "-u", URL, "-n", "0"], "nb_connectors is 0", "simuctl add --help"),
        (["add", "A", "-u", URL, "--vendor", "V" * 21], 'vendor is "VVV', "simuctl add --help"),
    ],
)
def test_wrong_words(
    simuctl: Simuctl, world: World, words: list[str], error: str, hint: str
) -> None:
    said = simuctl(*words)
    assert said.code == 2
    assert said.err.startswith("error: ")
    assert error in said.err
    assert hint in said.err
    assert said.out == ""
    assert world.heard == []


def test_an_unreachable_broker(simuctl: Simuctl, world: World) -> None:
    world.reachable = False
    said = simuctl("--broker", "10.0.0.1:2883", "ls")
    assert said.code == 3
    assert said.err == (
        "error: broker 10.0.0.1:2883: connection refused\n"
        "hint: simuctl up starts one; --broker HOST:PORT names another\n"
    )


def test_the_broker_comes_from_option_variable_file_default(
    simuctl: Simuctl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*words: str) -> str:
        assert simuctl(*words, "ls").code == 0
        return str(world.links[-1].address)

    assert asked() == "127.0.0.1:1883"
    state.save("cp-simu", state.Broker(port=2001))
    assert asked() == "127.0.0.1:2001"
    monkeypatch.setenv("SIMU_BROKER", "host:2002")
    assert asked() == "host:2002"
    assert asked("--broker", "other") == "other:1883"


def test_the_environment_settles_the_topics(
    simuctl: Simuctl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMU_ENVIRONMENT", "ci-1")
    assert "environment ci-1" in simuctl("ls").err
    assert "ci_1/cps/+/status" in world.links[-1].filters
    assert "environment ci-2" in simuctl("-e", "ci-2", "ls").err


def test_an_interruption(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")

    def interrupt(_command: object) -> None:
        raise KeyboardInterrupt

    world.on_command = interrupt
    assert simuctl("kill", "CP-1").code == 130


def test_a_defect_of_our_own_is_reported_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_words: object) -> NoReturn:
        raise ZeroDivisionError("oops")

    assert run(["ls"], Seams(link_factory=broken)) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: this should not have happened: ZeroDivisionError: oops\nhint: ")
    assert "Traceback" not in said
    monkeypatch.setenv("SIMU_DEBUG", "1")
    assert run(["ls"], Seams(link_factory=broken)) == 1
    assert "Traceback" in capsys.readouterr().err


# -- looking ---------------------------------------------------------------------------------------


def test_ls_of_nothing(simuctl: Simuctl) -> None:
    said = simuctl("ls")
    assert (said.code, said.out) == (0, "")
    assert "no charge points in environment cp-simu" in said.err
    assert json.loads(simuctl("ls", "--json").out) == []


def test_ls(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-10", CHARGING, connector_status())
    world.charge_point("CP-2")
    said = simuctl("ls")
    assert said.code == 0
    assert said.err == ""
    assert said.out.index("CP-2") < said.out.index("CP-10")
    assert "Charging" in said.out
    assert "\x1b" not in said.out


def test_ls_of_some(simuctl: Simuctl, world: World) -> None:
    for name in ("A-1", "A-2", "B-1"):
        world.charge_point(name)
    assert [each["id"] for each in json.loads(simuctl("ls", "A-*", "--json").out)] == ["A-1", "A-2"]
    said = simuctl("ls", "C-*")
    assert (said.code, "no charge point matches 'C-*'" in said.err) == (1, True)
    said = simuctl("ls", "A-3")
    assert (said.code, "did you mean A-" in said.err) == (1, True)


def test_ls_says_that_the_launcher_is_dead(simuctl: Simuctl, world: World) -> None:
    world.launcher(LauncherState.DEAD)
    said = simuctl("ls")
    assert said.code == 0
    assert "the launcher is Dead" in said.err


def test_ls_tells_of_messages_it_cannot_read(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    world.publish("cp_simu/cps/CP-2/status", b"nonsense", retain=True)
    said = simuctl("ls")
    assert said.code == 0
    assert "CP-1" in said.out
    assert "cp_simu/cps/CP-2/status" in said.err


def test_json_keeps_the_fields_of_the_payloads(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", CHARGING)
    shown = json.loads(simuctl("show", "CP-1", "--json").out)
    assert shown["id"] == "CP-1"
    assert shown["status"] == "Accepted"
    assert shown["alive"] is True
    only = shown["connectors"][0]
    assert (only["connector_id"], only["live"], only["status"]) == (1, True, "Charging")
    assert (only["id_tag"], only["transaction_id"], only["power_w"]) == ("TAG1", 7, 3680.0)


def test_json_of_a_dead_charge_point_does_not_charge(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", CHARGING, status=ChargePointState.DEAD)
    only = json.loads(simuctl("ls", "--json").out)[0]["connectors"][0]
    assert (only["live"], only["status"], only["last_status"]) == (False, None, "Charging")
    assert (only["power_w"], only["consumption_l1"]) == (0.0, 0.0)


def test_show(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", CHARGING)
    said = simuctl("show", "CP-1")
    assert said.code == 0
    assert "3.68 kW" in said.out
    said = simuctl("show", "CP-l")
    assert (said.code, said.out) == (1, "")
    assert "did you mean CP-1?" in said.err


# -- wait ------------------------------------------------------------------------------------------


def test_wait_for_a_charge_point(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    said = simuctl("wait", "CP-1", "accepted")
    assert (said.code, said.out) == (0, "✓ CP-1: Accepted\n")


def test_wait_for_a_connector(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", connector_status(), CHARGING)
    assert simuctl("wait", "CP-1", "Available").code == 0
    said = simuctl("wait", "--all", "Charging", "-c", "2", "--json")
    assert said.code == 0
    assert json.loads(said.out) == [
        {"id": "CP-1", "ok": True, "code": None, "text": "connector 2 Charging"}
    ]


def test_wait_too_long(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", CHARGING, status=ChargePointState.DEAD)
    said = simuctl("wait", "CP-1", "Charging", "--timeout", "0.1")
    assert said.code == 4
    assert "CP-1: not connector 1 Charging within 0.1 s: it is Dead" in said.err


def test_wait_for_a_connector_that_does_not_exist(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    said = simuctl("wait", "CP-1", "Charging", "-c", "9")
    assert said.code == 1
    assert "connector 9 does not exist on CP-1: it has connector 1 only" in said.err


def test_wait_for_one_that_is_not_there_yet(simuctl: Simuctl) -> None:
    said = simuctl("wait", "CP-1", "Accepted", "--timeout", "0.1")
    assert said.code == 4
    assert "CP-1 is not there yet; waiting for it" in said.err
    assert "there is no such charge point" in said.err


# -- add -------------------------------------------------------------------------------------------


def test_add_takes_the_next_free_id(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-0001")
    said = simuctl("add", "-u", URL)
    assert said.code == 0
    assert said.out == "✓ CP-0002: started, Accepted\n"
    assert world.commands() == [
        {
            "type": "start",
            "charge_points": [
                {
                    "id": "CP-0002",
                    "type": "AC",
                    "vendor": "cp-simu",
                    "model": "Simulated CP",
                    "serial": "CP-0002",
                    "nb_phases": 1,
                    "nb_connectors": 1,
                    "max_setpoint": 32.0,
                    "voltage": 230.0,
                    "max_setpoint_per_connector": 32.0,
                    "central_system": URL,
                }
            ],
        }
    ]


def test_add_several_dc(simuctl: Simuctl, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMU_CENTRAL_SYSTEM", URL)
    said = simuctl("add", "F-1", "F-2", "--type", "dc", "-n", "2", "--json")
    assert said.code == 0
    assert [each["ok"] for each in json.loads(said.out)] == [True, True]
    for entry in world.commands()[0]["charge_points"]:
        assert entry["type"] == "DC"
        assert (entry["voltage"], entry["nb_phases"], entry["nb_connectors"]) == (400.0, 1, 2)
        assert entry["max_setpoint"] == 300_000.0
        assert entry["max_setpoint_per_connector"] == 150_000.0


@pytest.mark.parametrize(
    ("words", "limits"),
    [
        (["-n", "2"], (64.0, 32.0)),
        (["--max-setpoint", "63"], (63.0, 63.0)),
        (["--max-setpoint-per-connector", "16", "-n", "3"], (48.0, 16.0)),
        (["--max-setpoint", "40", "--max-setpoint-per-connector", "20", "-n", "3"], (40.0, 20.0)),
        (["--type", "DC", "--max-setpoint-per-connector", "400000"], (400_000.0, 400_000.0)),
    ],
)
def test_limits(
    simuctl: Simuctl, world: World, words: list[str], limits: tuple[float, float]
) -> None:
    assert simuctl("add", "-u", URL, *words).code == 0
    entry = world.commands()[0]["charge_points"][0]
    assert (entry["max_setpoint"], entry["max_setpoint_per_connector"]) == limits


def test_add_an_id_that_is_alive(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    said = simuctl("add", "CP-1", "CP-2", "-u", URL)
    assert said.code == 1
    assert said.out == "✓ CP-2: started, Accepted\n"
    assert "✗ CP-1 is alive\n" in said.err
    assert "error: 1 of 2 charge points failed\nhint: simuctl restart keeps it" in said.err
    said = simuctl("add", "CP-1", "-u", URL, "--json")
    assert said.code == 1
    assert json.loads(said.out) == [
        {"id": "CP-1", "ok": False, "code": "alive", "text": "CP-1 is alive"}
    ]
    assert "error: CP-1 is alive\nhint: simuctl restart" in said.err


def test_add_where_the_csms_is_not_there(simuctl: Simuctl, world: World) -> None:
    world.accepts = ChargePointState.DISCONNECTED
    said = simuctl("add", "CP-1", "-u", URL, "--timeout", "0.2")
    assert said.code == 4
    assert "CP-1 started, but is Disconnected, not Accepted, within 0.2 s" in said.err
    assert "hint: does a CSMS listen on ws://localhost:9000?" in said.err


def test_add_without_waiting(simuctl: Simuctl, world: World) -> None:
    world.accepts = None
    said = simuctl("add", "CP-1", "-u", URL, "--no-wait")
    assert (said.code, said.out) == (0, "✓ CP-1: started\n")


def test_add_of_one_that_is_never_heard(simuctl: Simuctl, world: World) -> None:
    world.accepts = None
    said = simuctl("add", "CP-1", "-u", URL, "--timeout", "0.1")
    assert said.code == 4
    assert "was not heard within 0.1 s" in said.err


def test_add_of_one_that_dies_at_once(simuctl: Simuctl, world: World) -> None:
    world.accepts = None
    died = Died(id="CP-1", exit_code=1, out_of_memory=False, last_log=["bad voltage"])
    world.on_command = lambda _: world.publish(LAUNCHER_EVENT.build(ROOT), encode(died))
    said = simuctl("add", "CP-1", "-u", URL)
    assert said.code == 1
    assert "CP-1 started, and died with exit code 1: bad voltage" in said.err
    assert "hint: simuctl logs CP-1\n" in said.err


def test_add_without_a_launcher(simuctl: Simuctl, world: World) -> None:
    world.launcher(LauncherState.DEAD)
    said = simuctl("add", "CP-1", "-u", URL)
    assert said.code == 3
    assert "hint: simuctl up starts it" in said.err


# -- kill, restart, rm -----------------------------------------------------------------------------


def test_kill_and_restart(simuctl: Simuctl, world: World) -> None:
    for name in ("CP-1", "CP-2", "X"):
        world.charge_point(name)
    said = simuctl("kill", "CP-*")
    assert (said.code, said.out) == (0, "✓ CP-1: killed\n✓ CP-2: killed\n")
    assert json.loads(simuctl("show", "CP-1", "--json").out)["status"] == "Dead"
    assert simuctl("wait", "CP-1", "Dead").code == 0
    said = simuctl("restart", "CP-1")
    assert (said.code, said.out) == (0, "✓ CP-1: restarted, Accepted\n")


def test_one_unknown_stops_no_other(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    said = simuctl("kill", "CP-2", "CP-1")
    assert said.code == 1
    assert said.out == "✓ CP-1: killed\n"
    assert "✗ there is no charge point CP-2" in said.err
    assert "did you mean CP-1?" in said.err


def test_all_of_nothing(simuctl: Simuctl) -> None:
    said = simuctl("kill", "--all")
    assert said.code == 1
    assert "there are no charge points" in said.err


def test_rm_without_a_terminal_asks_nobody(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    said = simuctl("rm", "CP-1")
    assert said.code == 2
    assert "--yes" in said.err
    assert world.commands() == []


def test_rm(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    said = simuctl("rm", "CP-1", "--yes")
    assert (said.code, said.out) == (0, "✓ CP-1: removed\n")
    assert world.commands() == [{"type": "remove", "charge_points": [{"id": "CP-1"}]}]


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 130)])
def test_rm_asks(
    simuctl: Simuctl, world: World, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    world.charge_point("CP-1")
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    said = simuctl("rm", "CP-1", interactive=True)
    assert said.code == code
    assert "Remove CP-1 with all that is stored?" in said.err
    assert len(world.commands()) == (code == 0)


def test_rm_of_what_the_broker_alone_remembers(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    world.containers.clear()
    said = simuctl("rm", "CP-1", "-y")
    assert (said.code, said.out) == (0, "✓ CP-1: removed: only the broker remembered it\n")
    assert list(world.retained) == ["cp_simu/launcher/status"]


# -- plug, unplug, tag -----------------------------------------------------------------------------


def test_plug_ac(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", nb_phases=3)
    said = simuctl("plug", "CP-1")
    assert said.code == 0
    assert said.out == "✓ CP-1: connector 1: plugged, cable 32 A, wants 16 / 16 / 16 A\n"
    assert world.inputs(topics.CONNECTOR_CAR) == [
        (
            "cp_simu/cps/CP-1/connectors/1/car",
            {
                "cable": 32.0,
                "ready": True,
                "consumption_l1": 16.0,
                "consumption_l2": 16.0,
                "consumption_l3": 16.0,
            },
        )
    ]


@pytest.mark.parametrize(
    ("status", "words", "cable", "drawn", "ready"),
    [
        ({"nb_phases": 1}, [], 32.0, (16.0, 0.0, 0.0), True),
        ({"nb_phases": 3}, ["--draw", "10", "--cable", "20"], 20.0, (10.0, 10.0, 10.0), True),
        ({"nb_phases": 3}, ["--l2", "6"], 32.0, (0.0, 6.0, 0.0), True),
        ({"nb_phases": 3}, ["--not-ready"], 32.0, (16.0, 16.0, 16.0), False),
        ({"type": ChargePointType.DC, "nb_phases": 1}, [], 250_000.0, (100_000.0, 0.0, 0.0), True),
        (
            {"type": ChargePointType.DC, "nb_phases": 1},
            ["--l1", "5000"],
            250_000.0,
            (5000.0, 0.0, 0.0),
            True,
        ),
    ],
)
def test_cars(
    simuctl: Simuctl,
    world: World,
    status: dict[str, object],
    words: list[str],
    cable: float,
    drawn: tuple[float, float, float],
    ready: bool,
) -> None:
    world.charge_point("CP-1", **status)
    assert simuctl("plug", "CP-1", *words).code == 0
    car = world.inputs(topics.CONNECTOR_CAR)[0][1]
    assert (car["cable"], car["ready"]) == (cable, ready)
    assert tuple(car[f"consumption_l{phase}"] for phase in (1, 2, 3)) == drawn


@pytest.mark.parametrize(
    ("words", "cable", "soc_pct", "text"),
    [
        (["--soc", "45"], 250_000.0, 45.0, "battery 60000 Wh at 45 %"),
        (["--cable", "9e4", "--not-ready"], 90_000.0, 20.0, "battery 60000 Wh at 20 %, not ready"),
    ],
)
def test_a_car_with_a_battery(
    simuctl: Simuctl, world: World, words: list[str], cable: float, soc_pct: float, text: str
) -> None:
    world.charge_point("CP-1", type=ChargePointType.DC, nb_phases=1)
    said = simuctl("plug", "CP-1", "--battery", "60000", *words)
    assert said.out == f"✓ CP-1: connector 1: plugged, cable {cable:g} W, {text}\n"
    assert world.inputs(topics.CONNECTOR_CAR)[0][1] == {
        "cable": cable,
        "ready": "--not-ready" not in words,
        "battery_wh": 60_000.0,
        "soc_pct": soc_pct,
    }


def test_a_phase_that_is_not_there(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", nb_phases=1)
    said = simuctl("plug", "CP-1", "--l3", "6")
    assert said.code == 1
    assert "CP-1 has no L3: it is AC with 1 phase" in said.err
    assert world.inputs(topics.CONNECTOR_CAR) == []


def test_a_connector_that_does_not_exist(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", connector_status(), connector_status())
    said = simuctl("plug", "CP-1", "-c", "9")
    assert said.code == 1
    assert said.err.startswith(
        "error: connector 9 does not exist on CP-1: it has connectors 1 to 2"
    )


def test_an_input_that_is_refused(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1")
    world.refuse_input = Result(
        request_id="", ok=False, code=InputErrorCode.NOT_NOW, text="connector 1 is Faulted"
    )
    said = simuctl("tag", "CP-1", "TAG1", "--json")
    assert said.code == 1
    assert json.loads(said.out) == [
        {"id": "CP-1", "ok": False, "code": "not_now", "text": "connector 1 is Faulted"}
    ]
    assert "error: CP-1: connector 1 is Faulted" in said.err


def test_no_text_of_a_payload_reaches_the_terminal_as_a_command(
    simuctl: Simuctl, world: World
) -> None:
    world.charge_point("CP-1")
    world.refuse_input = Result(request_id="", ok=False, text="\x1b[2Jgone\nreally")
    said = simuctl("tag", "CP-1", "TAG1")
    assert said.err.startswith("error: CP-1: \N{REPLACEMENT CHARACTER}[2Jgone\nreally\nhint: ")


def test_unplug_and_tag_all(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", connector_status(), connector_status())
    world.charge_point("CP-2", connector_status(), connector_status())
    assert simuctl("tag", "--all", "TAG1", "-c", "2").code == 0
    assert world.inputs(topics.CONNECTOR_ID_TAG) == [
        (f"cp_simu/cps/{name}/connectors/2/id_tag", {"id": "TAG1"}) for name in ("CP-1", "CP-2")
    ]
    assert simuctl("unplug", "CP-?").code == 0
    assert world.inputs(topics.CONNECTOR_CAR) == [
        (f"cp_simu/cps/{name}/connectors/1/car", {"cable": 0.0}) for name in ("CP-1", "CP-2")
    ]


def test_one_dead_stops_no_other(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-1", status=ChargePointState.DEAD)
    world.charge_point("CP-2", connector_status(status=ConnectorState.PREPARING))
    said = simuctl("tag", "--all", "TAG1")
    assert said.code == 1
    assert said.out == "✓ CP-2: connector 1: tag TAG1 presented\n"
    assert "✗ CP-1 is Dead" in said.err
    assert "hint: simuctl restart CP-1" in said.err


# -- the process -----------------------------------------------------------------------------------


def python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_mqtt_commands_do_not_import_docker() -> None:
    done = python(
        "import sys; from supervisor_cli.__main__ import run; import supervisor_cli.client;"
        "run(['--broker', '127.0.0.1:1', 'ls']);"
        "assert 'docker' not in sys.modules, 'docker'; assert 'websockets' not in sys.modules"
    )
    assert done.returncode == 0, done.stderr


def test_help_does_not_import_the_network() -> None:
    done = python(
        "import sys; import supervisor_cli.app;"
        "sys.exit(' '.join({'asyncio', 'paho', 'docker', 'rich.table'} & set(sys.modules)) or 0)"
    )
    assert done.returncode == 0, done.stderr


def test_a_command_goes_out_before_what_shows_its_progress_is_loaded() -> None:
    done = python(
        "import sys; from supervisor_cli.__main__ import run;"
        "from supervisor_cli.context import Seams; from tests.unit.supervisor_cli import world;"
        "sent = []\n"
        "class Link(world.FakeLink):\n"
        "    def publish(self, message):\n"
        "        sent.append((message.topic, 'rich.console' in sys.modules))\n"
        "        super().publish(message)\n"
        "world.FakeLink = Link; it = world.World(); it.charge_point('CP-1');"
        "assert run(['kill', 'CP-1'], Seams(link_factory=it.link)) == 0;"
        "assert ('cp_simu/launcher/cmd', False) in sent, sent; assert 'rich.console' in sys.modules"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", [["--version"], ["ls", "--json"]])
def test_output_that_cannot_be_written(words: list[str]) -> None:
    done = python(
        "import os; from supervisor_cli.__main__ import run;"
        "from supervisor_cli.context import Seams;"
        "from tests.unit.supervisor_cli.world import World;"
        "os.dup2(os.open('/dev/full', os.O_WRONLY), 1);"
        f"os._exit(run({words}, Seams(link_factory=World().link)))"
    )
    assert done.returncode == 1
    assert done.stderr == "error: input or output: No space left on device\n"


def test_an_interruption_while_waiting() -> None:
    done = python(
        "import asyncio, os, signal; from supervisor_cli.__main__ import run;"
        "from supervisor_cli.context import Seams;"
        "from tests.unit.supervisor_cli.world import World;"
        "world = World();"
        "link = world.link;"
        "later = lambda: os.kill(os.getpid(), signal.SIGINT);"
        "world.link = lambda **words: ("
        "asyncio.get_running_loop().call_later(0.2, later), link(**words))[1];"
        "raise SystemExit(run(['wait', 'CP-1', 'Accepted'], Seams(link_factory=world.link)))"
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr.splitlines()[-1] == "interrupted"
    assert done.stderr.count("interrupted") == 1
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_error() -> None:
    code = (
        "import os, sys; from supervisor_cli.__main__ import run;"
        "r, w = os.pipe(); os.close(r); os.dup2(w, 1); os.close(w);"
        "code = run(['--help']); os.write(2, str(code).encode())"
    )
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "1")
