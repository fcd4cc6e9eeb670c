"""`simuctl add` with secrets: where they go, and where they do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cp_image.api import secrets
from launcher.api import ErrorCode, LauncherState, Outcome
from supervisor_cli.__main__ import run
from supervisor_cli.context import Seams
from supervisor_cli.errors import SimuError
from supervisor_cli.pki import Pki, default_directory
from tests.unit.supervisor_cli.conftest import Said
from tests.unit.supervisor_cli.world import World

URL = "wss://localhost:9000"
PASSWORD = "open sesame, please"


@dataclass
class Keeper:
    """Keeps secrets in memory.

    Attributes:
        refuses: what writing ends with; None keeps all.
    """

    kept: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refuses: SimuError | None = None
    environments: list[str] = field(default_factory=list)

    def __call__(self, environment: str) -> "Keeper":
        self.environments.append(environment)
        return self

    def write(self, charge_point_id: str, files: Mapping[str, bytes]) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.kept[charge_point_id] = dict(files)

    def discard(self, charge_point_id: str) -> None:
        self.kept.pop(charge_point_id, None)


@pytest.fixture(autouse=True)
def no_pki(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's own PKI is found."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nowhere"))


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


class Files:
    """Files of secrets, and the options that name them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name, content in {
            "pw": f"{PASSWORD}\n",
            "root.pem": "ROOT",
            "CP-1.pem": "CERT 1",
            "CP-1.key": "KEY 1",
            "CP-2.pem": "CERT 2",
            "CP-2.key": "KEY 2",
        }.items():
            (directory / name).write_text(content)
        self.password = ["--password-file", str(directory / "pw")]
        self.root = ["--root-ca", str(directory / "root.pem")]
        self.client = [
            *("--client-cert", str(directory / "{id}.pem")),
            *("--client-key", str(directory / "{id}.key")),
        ]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class Add:
    def __init__(self, world: World, keeper: Keeper, capsys: pytest.CaptureFixture[str]) -> None:
        self._seams = Seams(link_factory=world.link, secret_store=keeper)
        self._capsys = capsys

    def __call__(self, *words: str) -> Said:
        code = run(["add", *words], self._seams)
        out, err = self._capsys.readouterr()
        return Said(code=code, out=out, err=err)


@pytest.fixture
def add(world: World, keeper: Keeper, capsys: pytest.CaptureFixture[str]) -> Add:
    return Add(world, keeper, capsys)


def test_profile_2(add: Add, world: World, keeper: Keeper, files: Files) -> None:
    options = [*files.password, *files.root, "--authorization-user", "operator"]
    said = add("CP-1", "-u", URL, "--security-profile", "2", *options)
    assert (said.code, said.out) == (0, "✓ CP-1: started, Accepted\n")
    assert keeper.environments == ["cp-simu"]
    key = secrets.authorization_key_file(PASSWORD.encode())
    assert keeper.kept == {"CP-1": {"authorization_key": key, "root_ca.pem": b"ROOT"}}
    (entry,) = world.commands()[0]["charge_points"]
    assert entry["security_profile"] == 2
    assert entry["authorization_user"] == "operator"
    assert entry["secrets"] is True
    assert "tls_verification" not in entry


def test_a_password_in_the_url_is_no_secret_and_that_is_said(add: Add, world: World) -> None:
    said = add("CP-1", "-u", "ws://user:5ec7e7@localhost:9000")
    assert (said.code, said.out) == (0, "✓ CP-1: started, Accepted\n")
    assert said.err.startswith("warning: the password in the URL is no secret, ")
    assert "5ec7e7" not in said.err
    assert "warning" not in add("CP-2", "-u", "ws://user@localhost:9000").err


def test_profile_3_of_several(add: Add, keeper: Keeper, files: Files) -> None:
    options = [*files.root, *files.client]
    said = add("CP-1", "CP-2", "-u", URL, "--security-profile", "3", *options)
    assert said.code == 0
    assert keeper.kept["CP-1"]["client_key.pem"] == b"KEY 1"
    assert keeper.kept["CP-2"] == {
        "root_ca.pem": b"ROOT",
        "client_cert.pem": b"CERT 2",
        "client_key.pem": b"KEY 2",
    }


def test_a_pki_has_what_no_option_names(
    add: Add, keeper: Keeper, files: Files, tmp_path: Path
) -> None:
    pki = Pki.create(tmp_path / "a pki")
    pki.issue_charge_point("CP-1")
    options = ["-u", URL, "--pki", str(pki.directory), "--security-profile"]
    said = add("CP-1", *options, "3")
    assert (said.code, said.out) == (0, "✓ CP-1: started, Accepted\n")
    assert said.err.startswith(f"from the PKI: {pki.root_ca}, ")
    certificate, key = (path.read_bytes() for path in pki.charge_point("CP-1"))
    root = pki.root_ca.read_bytes()
    assert keeper.kept["CP-1"] == {
        "root_ca.pem": root,
        "manufacturer_ca.pem": root,
        "client_cert.pem": certificate,
        "client_key.pem": key,
    }
    said = add("CP-2", *options, "3")
    assert said.code == 1
    assert "the PKI holds no certificate of CP-2: " in said.err
    assert f"hint: simuctl pki issue CP-2 --pki {pki.directory} issues it" in said.err
    said = add("CP-3", *options, "1", *files.root, *files.password)
    assert keeper.kept["CP-3"].keys() == {
        "authorization_key",
        "root_ca.pem",
        "manufacturer_ca.pem",
    }
    assert keeper.kept["CP-3"]["root_ca.pem"] == b"ROOT"
    said = add("CP-4", "-u", URL, "--pki", str(tmp_path / "none"))
    assert (said.code, "holds no PKI" in said.err) == (1, True)


def test_what_a_profile_needs_comes_from_the_pki_of_the_environment(
    add: Add, keeper: Keeper, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    options = ["-u", URL, *files.password, "--security-profile"]
    said = add("CP-1", *options, "2")
    assert said.code == 2
    assert "security profile 2 needs --root-ca" in said.err
    pki = Pki.create(default_directory("cp-simu"))
    said = add("CP-1", *options, "2")
    assert said.code == 0
    assert keeper.kept["CP-1"].keys() == {"authorization_key", "root_ca.pem"}
    assert f"from the PKI: {pki.root_ca}\n" in said.err
    said = add("CP-2", *options, "1")
    assert keeper.kept["CP-2"].keys() == {"authorization_key"}
    assert "from the PKI" not in said.err


def test_no_message_and_no_word_has_a_secret(
    add: Add, world: World, keeper: Keeper, files: Files
) -> None:
    options = [*files.root, *files.client, "--password", PASSWORD]
    said = add("CP-1", "-u", URL, "--security-profile", "3", *options, "--json")
    assert said.code == 0
    assert "warning: a password on the command line is seen by others" in said.err
    hidden = [PASSWORD, PASSWORD.encode().hex(), "KEY 1", "CERT 1"]
    spoken = said.out + said.err + b"".join(each.payload for each in world.heard).decode()
    assert not [each for each in hidden if each in spoken]
    assert keeper.kept["CP-1"]["authorization_key"]


def test_without_secrets_no_engine_is_asked(add: Add, keeper: Keeper, world: World) -> None:
    assert add("CP-1", "-u", URL).code == 0
    assert keeper.environments == []
    assert "secrets" not in world.commands()[0]["charge_points"][0]


@pytest.mark.parametrize(
    ("option", "word"), [("--insecure-tls", "none"), ("--any-host-name", "no-host-name")]
)
def test_what_is_not_verified_is_said_aloud(
    add: Add, world: World, files: Files, option: str, word: str
) -> None:
    options = [*files.password, *files.root, option]
    said = add("CP-1", "-u", URL, "--security-profile", "2", *options)
    assert said.code == 0
    assert f"warning: {option}: " in said.err
    assert world.commands()[0]["charge_points"][0]["tls_verification"] == word


def test_an_unverified_csms_needs_no_root(add: Add, keeper: Keeper, files: Files) -> None:
    said = add("CP-1", "-u", URL, "--security-profile", "2", *files.password, "--insecure-tls")
    assert said.code == 0
    assert keeper.kept["CP-1"].keys() == {"authorization_key"}


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--security-profile", "4"], 2, "--security-profile"),
        (["--security-profile", "1"], 2, "security profile 1 needs --password-file"),
        (["--security-profile", "2", "--password", "x"], 2, "profile 2 needs --root-ca"),
        (["--security-profile", "3", "--root-ca", "x"], 2, "profile 3 needs --client-cert"),
        (["--client-cert", "x"], 2, "--client-cert and --client-key go together"),
        (["--password", "x", "--password-file", "x"], 2, "exclude each other"),
        (["--insecure-tls", "--any-host-name"], 2, "exclude each other"),
        (["--password", ""], 2, "1 to 64 bytes"),
        (["--password", "hex:f00"], 2, "hexadecimal"),
        (["--root-ca", "/no/such"], 1, "--root-ca: cannot read /no/such: No such file"),
        (["--authorization-user", "a:b"], 2, "authorization_user"),
        (
            [
                "-u",
                "ws://h",
                "--security-profile",
                "2",
                "--root-ca",
                "/etc/hosts",
                "--password",
                "x",
            ],
            2,
            "needs a wss:// URL",
        ),
    ],
)
def test_what_is_refused(
    add: Add, keeper: Keeper, world: World, words: list[str], code: int, text: str
) -> None:
    said = add("CP-1", "-u", URL, *words)
    assert said.code == code
    assert text in said.err
    assert keeper.environments == []
    assert world.commands() == []


def test_a_file_that_is_too_long(add: Add, tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * (secrets.LONGEST_FILE_BYTES + 1))
    said = add("CP-1", "-u", URL, "--root-ca", str(tmp_path / "long"))
    assert said.code == 1
    assert "has 65537 bytes: up to 65536 are taken" in said.err


def test_the_secrets_of_a_living_one_stay(
    add: Add, world: World, keeper: Keeper, files: Files
) -> None:
    world.charge_point("CP-1")
    keeper.kept["CP-1"] = {"root_ca.pem": b"its own"}
    said = add("CP-1", "-u", URL, *files.root)
    assert said.code == 1
    assert keeper.kept == {"CP-1": {"root_ca.pem": b"its own"}}


def test_what_was_not_started_leaves_none(
    add: Add, world: World, keeper: Keeper, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Outcome(id="CP-1", ok=False, code=ErrorCode.ENGINE, text="no room")
    monkeypatch.setattr(world, "_act", lambda _kind, _entry: refused)
    said = add("CP-1", "-u", URL, *files.root)
    assert said.code == 1
    assert keeper.kept == {}


def test_without_a_launcher_none_are_left(
    add: Add, world: World, keeper: Keeper, files: Files
) -> None:
    world.launcher(LauncherState.DEAD)
    said = add("CP-1", "-u", URL, *files.root)
    assert said.code == 3
    assert keeper.kept == {}


def test_an_engine_that_refuses(add: Add, world: World, keeper: Keeper, files: Files) -> None:
    keeper.refuses = SimuError("cannot write the secrets of CP-1: disk full", hint="make room")
    said = add("CP-1", "-u", URL, *files.root)
    assert said.code == 1
    assert "error: cannot write the secrets of CP-1: disk full\nhint: make room" in said.err
    assert world.commands() == []
