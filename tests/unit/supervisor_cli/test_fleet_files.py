"""simuctl add -f, add --count, setup save and load, schema: word for word, on a world in memory."""

import io
import json
from pathlib import Path

import pytest

from cp_image.api.payloads import ChargePointState
from launcher.api import CP_SPECIFICATION, LauncherState
from launcher.fleet_file.schema import schema
from supervisor_cli.__main__ import run
from supervisor_cli.context import Seams
from supervisor_cli.errors import SimuError
from supervisor_cli.fleets import FleetFileError, load_fleet
from tests.unit.supervisor_cli.conftest import Said, Simuctl
from tests.unit.supervisor_cli.test_add_security import Keeper
from tests.unit.supervisor_cli.world import ROOT, World

URL = "ws://localhost:9000/ocpp"
FLEET = f"""\
defaults: {{type: AC, central_system: '{URL}'}}
charge_points:
  - {{id: 'CP-{{n}}', count: 2, serial: '{{id}}'}}
  - {{id: DC-1, type: DC}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET)
    return path


def started(world: World) -> list[str]:
    return [
        each["id"]
        for command in world.commands()
        if command["type"] == "start"
        for each in command["charge_points"]
    ]


# -- add -f ----------------------------------------------------------------------------------------


def test_add_a_file(simuctl: Simuctl, world: World, file: Path) -> None:
    said = simuctl("add", "-f", str(file))
    assert said.code == 0
    assert said.out == "".join(
        f"✓ {each}: started, Accepted\n" for each in ("CP-1", "CP-2", "DC-1")
    )
    assert "starting 3 charge points" in said.err
    assert len(world.commands()) == 1
    assert world.commands()[0]["charge_points"][0]["serial"] == "CP-1"


def test_add_several_files_and_stdin(
    simuctl: Simuctl, world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'{{"charge_points":[{{"id":"S","type":"AC","central_system":"{URL}"}}]}}'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    said = simuctl("add", "-f", str(file), "-f", "-", "--json")
    assert [each["id"] for each in json.loads(said.out)] == ["CP-1", "CP-2", "DC-1", "S"]


def test_stdin_is_read_once(simuctl: Simuctl, world: World) -> None:
    said = simuctl("add", "-f", "-", "-f", "-")
    assert said.code == 2
    assert said.err.startswith("error: stdin is named twice: it can be read once\n")
    assert world.heard == []


def test_an_id_that_is_alive_is_refused_and_stops_no_other(
    simuctl: Simuctl, world: World, file: Path
) -> None:
    world.charge_point("CP-2")
    said = simuctl("add", "-f", str(file))
    assert said.code == 1
    assert "✓ CP-1: started, Accepted\n✓ DC-1" in said.out
    assert "✗ CP-2 is alive" in said.err
    assert "hint: simuctl restart keeps it" in said.err


def test_the_option_wins_over_the_file_and_the_environment_does_not(
    simuctl: Simuctl, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(
        "charge_points: [{id: A, type: AC, central_system: 'ws://a'}, {id: B, type: AC}]"
    )
    monkeypatch.setenv("SIMU_CENTRAL_SYSTEM", "ws://environment")
    assert simuctl("add", "-f", str(path)).code == 0
    urls = [each["central_system"] for each in world.commands()[0]["charge_points"]]
    assert urls == ["ws://a", "ws://environment"]
    assert simuctl("rm", "--all", "--yes").code == 0
    assert simuctl("add", "-f", str(path), "-u", "ws://option").code == 0
    urls = [each["central_system"] for each in world.commands()[-1]["charge_points"]]
    assert urls == ["ws://option", "ws://option"]
    planned = simuctl("setup", "load", str(path), "--dry-run")
    assert planned.out == "start anew 2: A, B (central_system)\n"
    planned = simuctl("setup", "load", str(path), "--dry-run", "-u", "ws://option")
    assert planned.out == "keep 2: A, B\n"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--phases", "3"], "--phases"),
        (["CP-9"], "ids"),
        (["--count", "2", "--id", "A{n}"], "--count and --id"),
        (["--password", "x"], "--password"),
    ],
)
def test_what_a_file_says_no_option_says(
    simuctl: Simuctl, world: World, file: Path, words: list[str], named: str
) -> None:
    said = simuctl("add", "-f", str(file), *words)
    assert said.code == 2
    assert f"error: -f and {named} exclude each other" in said.err
    assert world.heard == []


def test_all_faults_of_all_files_are_told(simuctl: Simuctl, world: World, tmp_path: Path) -> None:
    one, two = tmp_path / "1.yaml", tmp_path / "2.json"
    one.write_text("charge_points:\n- id: A\n  typ: AC\n")
    two.write_text('{"charge_points":[\n{"id":"B"}]}')
    said = simuctl("add", "-f", str(one), "-f", str(two), "-u", URL)
    assert said.code == 2
    assert said.err == (
        f"error: 2 faults:\n"
        f"  {one}:3: charge_points[0].typ: there is no such key (did you mean type?)\n"
        f"  {two}:2: charge_points[0]: it has no type\n"
        "hint: simuctl schema describes fleet files\n"
    )
    assert world.heard == []


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("nothing.yaml", 1, "cannot read {}: No such file"),
        ("", 1, "cannot read {}: Is a directory"),
    ],
)
def test_files_that_cannot_be_read(
    simuctl: Simuctl, tmp_path: Path, name: str, code: int, text: str
) -> None:
    path = tmp_path / name
    said = simuctl("add", "-f", str(path))
    assert said.code == code
    assert text.format(path) in said.err


def test_a_file_that_asks_for_none(simuctl: Simuctl, world: World, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(FLEET.replace("count: 2", "count: 0").replace("  - {id: DC-1, type: DC}\n", ""))
    said = simuctl("add", "-f", str(path))
    assert (said.code, said.out) == (0, "")
    assert "ask for no charge points" in said.err


def test_a_mass_start_says_how_far_it_is(simuctl: Simuctl, world: World, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(FLEET.replace("count: 2", "count: 100"))
    said = simuctl("add", "-f", str(path))
    assert said.code == 0
    lines = said.err.splitlines()
    assert lines[0] == "starting 101 charge points"
    assert "starting: 101 of 101" in lines
    assert 5 <= len([each for each in lines if each.startswith("starting: ")]) <= 11
    assert "waiting for the CSMS to accept: 101 of 101" in lines


# -- add --count -----------------------------------------------------------------------------------


def test_add_a_count(simuctl: Simuctl, world: World) -> None:
    said = simuctl("add", "--count", "3", "--id", "X-{n:03}", "--first", "8", "-u", URL)
    assert said.code == 0
    assert started(world) == ["X-008", "X-009", "X-010"]


def test_add_a_count_of_free_ids(simuctl: Simuctl, world: World) -> None:
    world.charge_point("CP-0002")
    assert simuctl("add", "--count", "2", "-u", URL).code == 0
    assert started(world) == ["CP-0001", "CP-0003"]


def test_add_none(simuctl: Simuctl, world: World) -> None:
    assert simuctl("add", "--count", "0", "-u", URL).code == 0
    assert simuctl("add", "--count", "0", "--id", "A{n}", "-u", URL).code == 0
    assert started(world) == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["A", "--count", "2"], "ids and --count or --id exclude each other"),
        (["--count", "2", "--id", "A"], "--id A has no place for a number"),
        (["--count", "2", "--id", "A{m}"], "{m} is no placeholder"),
        (["--count", "2", "--id", "a b{n}"], 'id is "a b1"'),
        (["--count", "10001"], "--count"),
        (["--count", "2", "--first", "5"], "--first counts the ids of --id, and there is none"),
    ],
)
def test_wrong_counts(simuctl: Simuctl, world: World, words: list[str], text: str) -> None:
    said = simuctl("add", *words, "-u", URL)
    assert said.code == 2
    assert text in said.err
    assert world.heard == []


# -- setup -----------------------------------------------------------------------------------------


def test_setup_save_is_open_ocpp_simus_file(
    simuctl: Simuctl, world: World, file: Path, tmp_path: Path
) -> None:
    simuctl("add", "-f", str(file))
    saved = tmp_path / "saved.json"
    said = simuctl("setup", "save", str(saved))
    assert (said.code, said.out) == (0, "")
    assert "3 charge points saved to" in said.err
    first = json.loads(saved.read_text())["charge_points"][0]
    assert ",".join(first) == (
        "id,type,vendor,model,serial,nb_phases,nb_connectors,max_setpoint,voltage,"
        "max_setpoint_per_connector,central_system"
    )


def test_what_was_saved_as_json(simuctl: Simuctl, world: World, file: Path, tmp_path: Path) -> None:
    simuctl("add", "-f", str(file))
    saved = tmp_path / "saved.yaml"
    said = json.loads(simuctl("setup", "save", str(saved), "--json").out)
    assert said == {
        "file": str(saved),
        "format": "yaml",
        "ids": sorted(started(world)),
        "without_secrets_of": [],
    }
    refused = simuctl("setup", "save", "-", "--json")
    assert (refused.code, refused.out) == (2, "")


@pytest.mark.parametrize("name", ["saved.json", "saved.yaml"])
def test_what_is_saved_is_loaded(
    simuctl: Simuctl, world: World, file: Path, tmp_path: Path, name: str
) -> None:
    simuctl("add", "-f", str(file))
    saved = tmp_path / name
    assert simuctl("setup", "save", str(saved)).code == 0
    before = [world.retained[CP_SPECIFICATION.build(ROOT, each)] for each in started(world)]
    assert simuctl("rm", "--all", "--yes").code == 0
    assert simuctl("setup", "load", str(saved)).code == 0
    after = [world.retained[CP_SPECIFICATION.build(ROOT, each)] for each in started(world)[:3]]
    assert after == before
    said = simuctl("setup", "load", str(saved))
    assert (said.code, said.out) == (0, "✓ CP-1: kept\n✓ CP-2: kept\n✓ DC-1: kept\n")
    assert load_fleet(saved).specifications == load_fleet(file).specifications


def test_setup_load_replaces_the_fleet(simuctl: Simuctl, world: World, file: Path) -> None:
    simuctl("add", "-f", str(file))
    simuctl("kill", "CP-1")
    world.charge_point("OLD-1")
    file.write_text(
        FLEET.replace("{id: DC-1, type: DC}", "{id: DC-1, type: DC, voltage: 800}\n  - {id: NEW}")
    )
    said = simuctl("setup", "load", str(file), "--yes")
    assert said.code == 0
    assert said.err.splitlines()[:5] == [
        "remove 1: OLD-1",
        "start anew 1: DC-1 (voltage)",
        "start 1: NEW",
        "restart 1: CP-1",
        "keep 1: CP-2",
    ]
    assert said.out.splitlines() == [
        "✓ OLD-1: removed",
        "✓ DC-1: started, Accepted",
        "✓ NEW: started, Accepted",
        "✓ CP-1: restarted, Accepted",
        "✓ CP-2: kept",
    ]
    assert sorted(world.containers) == ["CP-1", "CP-2", "DC-1", "NEW"]
    again = simuctl("setup", "load", str(file), "--dry-run")
    assert (again.code, again.out) == (0, "keep 4: CP-1, CP-2, DC-1, NEW\n")
    file.write_text(FLEET)
    todo = json.loads(simuctl("setup", "load", str(file), "--dry-run", "--json").out)
    assert todo == {
        "remove": ["NEW"],
        "start_anew": [{"id": "DC-1", "differs_in": ["voltage"]}],
        "start": [],
        "restart": [],
        "keep": ["CP-1", "CP-2"],
        "keep_secrets": [],
    }


def test_setup_load_asks_before_it_removes(
    simuctl: Simuctl, world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.charge_point("OLD-1")
    said = simuctl("setup", "load", str(file))
    assert said.code == 2
    assert "nobody is there to confirm the removal of OLD-1" in said.err
    assert "hint: --yes does not ask; --keep only adds" in said.err
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    said = simuctl("setup", "load", str(file), interactive=True)
    assert said.code == 1
    assert "nothing was changed" in said.err
    assert world.commands() == []
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert simuctl("setup", "load", str(file), interactive=True).code == 0
    assert "OLD-1" not in world.containers


def test_setup_load_keep_only_adds(simuctl: Simuctl, world: World, file: Path) -> None:
    world.charge_point("OLD-1")
    world.charge_point("CP-1", status=ChargePointState.DEAD)
    said = simuctl("setup", "load", str(file), "--keep")
    assert said.code == 0
    assert started(world) == ["CP-2", "DC-1"]
    assert {each["type"] for each in world.commands()} == {"start"}
    assert {"OLD-1", "CP-1"} <= world.containers


def test_an_empty_fleet_removes_all(simuctl: Simuctl, world: World, tmp_path: Path) -> None:
    world.charge_point("OLD-1")
    empty = tmp_path / "none.json"
    empty.write_text('{"charge_points":[]}')
    assert simuctl("setup", "load", str(empty), "--yes").out == "✓ OLD-1: removed\n"
    said = simuctl("setup", "save", str(empty), "--yes")
    assert said.code == 0
    assert json.loads(empty.read_text()) == {"charge_points": []}


def test_one_of_another_program_is_saved_as_it_says_itself(simuctl: Simuctl, world: World) -> None:
    world.charge_point("OLD-1", vendor="Open OCPP AC", max_setpoint=20.0)
    (saved,) = json.loads(simuctl("setup", "save", "-").out)["charge_points"]
    assert (saved["vendor"], saved["max_setpoint"], saved["nb_connectors"]) == (
        "Open OCPP AC",
        20.0,
        1,
    )


def test_save_asks_before_it_writes_over_a_file(
    simuctl: Simuctl, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = simuctl("setup", "save", str(file))
    assert said.code == 2
    assert "--yes writes over it" in said.err
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert simuctl("setup", "save", str(file), interactive=True).code == 1
    assert file.read_text() == FLEET
    assert simuctl("setup", "save", str(file), "--yes").code == 0
    assert file.read_text() != FLEET
    assert "is a directory" in simuctl("setup", "save", str(file.parent), "--yes").err
    said = simuctl("setup", "save", str(file / "x" / "y"), "--yes")
    assert (said.code, "cannot write" in said.err) == (1, True)


def test_a_password_in_a_url_is_pointed_out(simuctl: Simuctl, world: World) -> None:
    simuctl("add", "A", "-u", "ws://me:pw@h")
    said = simuctl("setup", "save", "-", "--format", "yaml")
    assert "warning: the URLs of A are saved with the password in them" in said.err


def test_the_schema_is_printed(simuctl: Simuctl) -> None:
    assert json.loads(simuctl("schema").out) == schema()


def test_the_examples_are_there(simuctl: Simuctl) -> None:
    for words in (["setup", "save"], ["setup", "load"], ["schema"]):
        assert f"  simuctl {' '.join(words)}" in simuctl(*words, "--help").out


# -- secrets ---------------------------------------------------------------------------------------

SAFE = """\
defaults: {type: AC, central_system: 'wss://localhost:9000'}
charge_points:
  - {id: SAFE-1, security_profile: 2, password: open sesame please, root_ca: root.pem}
  - {id: SAFE-2, security_profile: 2, password_file: 'pw/{id}', root_ca: root.pem}
  - {id: PLAIN}
"""


class Safe:
    """simuctl with a place for secrets."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self.keeper = Keeper()
        self.folder = folder
        self.file = folder / "safe.yaml"
        self.file.write_text(SAFE)
        (folder / "root.pem").write_text("ROOT")
        (folder / "pw").mkdir()
        (folder / "pw" / "SAFE-2").write_text("a password of its own\n")
        self._seams = Seams(link_factory=world.link, secret_store=self.keeper)
        self._capsys = capsys

    def __call__(self, *words: str) -> Said:
        code = run(words, self._seams)
        out, err = self._capsys.readouterr()
        return Said(code=code, out=out, err=err)


@pytest.fixture
def safe(world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Safe:
    return Safe(world, capsys, tmp_path)


def test_secrets_go_to_their_place_and_nowhere_else(safe: Safe, world: World) -> None:
    said = safe("add", "-f", str(safe.file))
    assert said.code == 0
    assert safe.keeper.kept == {
        "SAFE-1": {
            "authorization_key": b"hex:" + b"open sesame please".hex().encode() + b"\n",
            "root_ca.pem": b"ROOT",
        },
        "SAFE-2": {
            "authorization_key": b"hex:" + b"a password of its own".hex().encode() + b"\n",
            "root_ca.pem": b"ROOT",
        },
    }
    saved = safe("setup", "save", "-", "--format", "yaml")
    assert "passwords, certificates and keys are not saved: SAFE-1, SAFE-2" in saved.err
    spoken = said.out + said.err + saved.out + saved.err
    spoken += b"".join(each.payload for each in world.heard).decode()
    hidden = ["open sesame", b"open sesame".hex(), "of its own", "ROOT"]
    assert not [each for each in hidden if each in spoken]


def test_a_group_without_a_command_shows_its_help(simuctl: Simuctl) -> None:
    said = simuctl("setup")
    assert said.code == 2
    assert "Usage: simuctl setup" in said.out + said.err
    assert "error:" not in said.err


@pytest.mark.parametrize("words", [["CP-1", "-u", "wss://h", "--security-profile", "3"], ["-f"]])
def test_a_pki_gives_certificates(safe: Safe, words: list[str]) -> None:
    pki = safe.folder / "pki"
    (pki / "charge_points").mkdir(parents=True)
    for name in ("root_ca.pem", "charge_points/CP-1.pem", "charge_points/CP-1.key"):
        (pki / name).write_text(name)
    safe.file.write_text(
        "charge_points: [{id: CP-1, type: AC, central_system: 'wss://h', security_profile: 3}]"
    )
    words = [*words, str(safe.file)] if words == ["-f"] else words
    said = safe("add", *words, "--pki", str(pki))
    assert said.code == 0
    assert "from the PKI" in said.err
    assert safe.keeper.kept["CP-1"] == {
        "root_ca.pem": b"root_ca.pem",
        "manufacturer_ca.pem": b"root_ca.pem",
        "client_cert.pem": b"charge_points/CP-1.pem",
        "client_key.pem": b"charge_points/CP-1.key",
    }
    assert "holds no PKI" in safe("add", *words, "--pki", str(safe.folder)).err
    (pki / "charge_points/CP-1.pem").unlink()
    said = safe("add", *words, "--pki", str(pki))
    assert said.code == 1
    assert f"hint: simuctl pki issue CP-1 --pki {pki} issues it" in said.err


@pytest.mark.parametrize(
    ("verification", "said"),
    [("none", "believe anybody to be the CSMS"), ("no-host-name", "be made out to any name")],
)
def test_what_is_not_verified_is_said_aloud(safe: Safe, verification: str, said: str) -> None:
    safe.file.write_text(
        SAFE.replace("id: SAFE-1", f"id: SAFE-1, tls_verification: {verification}")
    )
    for words in (["add", "-f"], ["setup", "load"]):
        err = safe(*words, str(safe.file)).err
        assert f"warning: tls_verification {verification}: SAFE-1 " in err
        assert said in err


def test_a_saved_fleet_needs_its_secrets_again(safe: Safe, world: World) -> None:
    safe("add", "-f", str(safe.file))
    saved = safe.folder / "saved.yaml"
    assert safe("setup", "save", str(saved)).code == 0
    assert safe("setup", "load", str(saved)).code == 0  # they are there
    assert safe("rm", "--all", "--yes").code == 0
    safe.keeper.kept.clear()
    said = safe("setup", "load", str(saved))
    assert said.code == 2
    assert "SAFE-1 needs password_file and root_ca, and the file does not say where" in said.err
    assert not world.containers
    (safe.folder / "pw" / "SAFE-1").write_text("a new password\n")
    options = ["--password-file", str(safe.folder / "pw" / "{id}")]
    said = safe("setup", "load", str(saved), *options, "--root-ca", str(safe.folder / "root.pem"))
    assert said.code == 0
    assert safe.keeper.kept.keys() == {"SAFE-1", "SAFE-2"}
    assert safe.keeper.kept["SAFE-2"]["authorization_key"].startswith(b"hex:6120")


def test_what_keeps_its_secrets_whatever_the_file_names_is_said(safe: Safe, world: World) -> None:
    safe("add", "-f", str(safe.file))
    before = dict(safe.keeper.kept)
    (safe.folder / "pw" / "SAFE-2").write_text("another password\n")
    safe("kill", "SAFE-2")
    said = safe("setup", "load", str(safe.file))
    assert said.err.splitlines()[:3] == [
        "restart 1: SAFE-2",
        "keep 2: SAFE-1, PLAIN",
        "keep the secrets of 2, whatever the files name: SAFE-1, SAFE-2",
    ]
    assert safe.keeper.kept == before
    planned = safe("setup", "load", str(safe.file), "--dry-run", "--json")
    assert json.loads(planned.out)["keep_secrets"] == ["SAFE-1", "SAFE-2"]


@pytest.mark.parametrize(
    ("break_it", "code", "text"),
    [
        (lambda folder: (folder / "root.pem").unlink(), 1, "safe.yaml:3: SAFE-1: root_ca: cannot"),
        (lambda folder: (folder / "pw" / "SAFE-2").write_text(""), 2, "1 to 64 bytes"),
        (lambda folder: (folder / "pw" / "SAFE-2").unlink(), 1, "SAFE-2: password_file: cannot"),
    ],
)
def test_secrets_that_cannot_be_read_stop_all(
    safe: Safe, world: World, break_it: object, code: int, text: str
) -> None:
    assert callable(break_it)
    break_it(safe.folder)
    world.charge_point("OLD-1")
    said = safe("setup", "load", str(safe.file), "--yes")
    assert said.code == code
    assert text in said.err
    assert world.commands() == []
    assert safe.keeper.kept == {}


def test_the_engine_that_keeps_no_secrets(safe: Safe, world: World) -> None:
    safe.keeper.refuses = SimuError("cannot write the secrets of SAFE-1: disk full")
    said = safe("add", "-f", str(safe.file))
    assert said.code == 1
    assert "error: cannot write the secrets of SAFE-1: disk full" in said.err
    assert world.commands() == []


def test_what_was_removed_is_told_when_the_rest_fails(safe: Safe, world: World) -> None:
    world.charge_point("OLD-1")
    world.charge_point("PLAIN", status=ChargePointState.DEAD)
    safe.keeper.refuses = SimuError("disk full", hint="make room")
    said = safe("setup", "load", str(safe.file), "--yes", "--json")
    assert said.code == 1
    told = {each["id"]: each["text"] for each in json.loads(said.out)}
    assert told == {"OLD-1": "removed", **dict.fromkeys(("SAFE-1", "SAFE-2", "PLAIN"), "disk full")}
    assert "writing the secrets of 2 charge points" in said.err
    assert "hint: make room" in said.err


def test_one_error_says_it_all_where_nothing_was_done(
    simuctl: Simuctl, world: World, file: Path
) -> None:
    world.launcher(LauncherState.DEAD)
    for words in (["setup", "load"], ["add", "-f"]):
        said = simuctl(*words, str(file))
        assert (said.code, said.out) == (3, "")
        assert said.err.count("is Dead") == 1
        assert "hint: simuctl up starts it" in said.err


def test_a_fleet_from_python(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("charge_points: [{id: A, colour: red}]")
    with pytest.raises(FleetFileError) as caught:
        load_fleet(path)
    assert [each.path for each in caught.value.faults] == [
        "charge_points[0].colour",
        "charge_points[0]",
    ]
