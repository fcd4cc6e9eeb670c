"""The README's commands, by one who reads it from the top, on a machine of their own.

Nothing of what stands there is changed: ports, names and numbers are free on that machine. What
the README leaves to its reader (a CSMS, a password in a file) is there beforehand.
"""

import contextlib
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import docker
import pytest
from docker.errors import ImageNotFound

from supervisor_cli import images
from supervisor_cli.engine import run_once
from tests.integration.conftest import free_port
from tests.integration.own_machine import ADDRESS, CHECKOUT, OwnMachine, own_machine
from tests.support.far_desk import FarDesk
from tests.support.readme import run_shell, snippet

CSMS = "ws://localhost:9000/ocpp"
ROW = ("Accepted", "1")
"""What begins the first line of a charge point in `simuctl ls`, behind its id."""


@pytest.fixture(scope="module")
def machine(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnMachine]:
    run_shell("compose/compose_plugin.sh", directory=CHECKOUT, within_s=300)
    name = f"test-{secrets.token_hex(4)}"
    with own_machine(docker_client, name, tmp_path_factory.mktemp("keys"), free_port()) as ready:
        yield ready


@pytest.fixture
def desk(machine: OwnMachine) -> Iterator[FarDesk]:
    with machine.desk() as lent:
        yield lent


def cells(table: str) -> list[list[str]]:
    """Return what stands in a table's columns, but what is another every time."""
    rows = [line.split("│") for line in table.splitlines() if "│" in line]
    return [[row[column].strip() for column in (1, 2, 3, 6)] for row in rows]


def listed(table: list[str]) -> list[list[str]]:
    """Return what stands in the columns of `simuctl ls`, but how much was charged."""
    rows = [re.split(r" {2,}", line.rstrip()) for line in table]
    return [
        ["some" if re.fullmatch(r"[\d.]+ k?Wh", cell) else cell for cell in row] for row in rows
    ]


def test_two_commands(desk: FarDesk) -> None:
    few = {"PYTEST_ARGS": "-q tests/unit/test_layering.py"}  # all of them would include this one
    commands = snippet("cp-simu", "sh", "make demo").text
    out = desk.run(commands, directory=CHECKOUT, variables=few, within_s=280)
    end = snippet("cp-simu", "text", "What happened").text
    assert cells(out) == cells(end)
    assert "What happened" in out
    assert " passed in " in out
    desk.type(
        "simuctl plug DEMO-AC3 --draw 16; simuctl tag DEMO-AC3 BOB\n"
        "simuctl plug DEMO-DC --draw 100000; simuctl tag DEMO-DC DAVE\n"
        "simuctl wait DEMO-AC3 DEMO-DC Charging"
    )
    typed, *shown = snippet("Every day", "text", "simuctl ls").text.splitlines()
    assert typed == "$ simuctl ls"
    assert listed(desk.type("simuctl ls").splitlines()) == listed(shown)


def test_every_day(desk: FarDesk) -> None:
    desk.type(snippet("Every day", "sh", "simuctl up  ").text)
    assert "simuctl up" in desk.run("simuctl ls 2>&1 && exit 1 || true")  # `down` was the last line


def test_an_hour_in_a_minute(desk: FarDesk) -> None:
    desk.type("simuctl up\nsimuctl csms")
    desk.type(snippet("Every day", "sh", "SOAK-1").text)
    assert "SOAK-1" in desk.type("simuctl wait SOAK-1 Accepted\nsimuctl ls")


def test_several_environments(desk: FarDesk) -> None:
    desk.type("simuctl up\nsimuctl csms")
    out = desk.type(snippet("Every day", "sh", "ci-42").text)
    assert "CP-0001" in out
    assert "ci-42" not in desk.run("docker ps -a")


def test_from_python(desk: FarDesk) -> None:
    desk.type("simuctl up\nsimuctl csms")
    desk.write("drive.py", snippet("From Python", "python").text)
    transaction_id, power_w, heartbeat_interval = desk.type("python -W error drive.py").split()
    assert int(transaction_id) > 0
    assert float(power_w) == 16 * 230
    assert heartbeat_interval == "300"
    assert desk.type("simuctl ls --json").strip() == "[]"


def test_the_image_alone(desk: FarDesk) -> None:
    desk.type("simuctl csms")
    out = desk.run(snippet("The image alone", "sh").text, variables={"CSMS_URL": CSMS})
    assert "SIMU_SCRIPT_CHARGE_S\n" in out
    assert '"message":"charge point SOLO-1 starts, CSMS ' in out


def test_fleet_files(desk: FarDesk) -> None:
    desk.write("fleet.yaml", snippet("Fleet files", "yaml").text)
    desk.type(
        "simuctl up\nsimuctl pki init --name localhost\n"
        "cp ~/.local/share/cp-simu/cp-simu/pki/root_ca.pem .\n"
        "mkdir secrets; echo 'a password of 20 b.' > secrets/FAST-1\n"
        "simuctl csms\n"
        "simuctl csms --security-profile 2 --password 'a password of 20 b.' --port 9002\n"
    )
    desk.type(snippet("Fleet files", "sh").text, within_s=280)
    for saved, word in (("json", "TWIN-1"), ("yaml", "TWIN-1"), ("schema.json", "$schema")):
        assert word in desk.type(f"cat fleet.{saved}")
    desk.write("apply.py", snippet("Fleet files", "python").text)
    desk.type("simuctl rm TWIN-1 --yes")
    assert "TWIN-1" in desk.type("python -W error apply.py")


@pytest.mark.parametrize(
    ("file", "said"),
    [("static-fleet", "CP-0003: Accepted"), ("scaled-fleet", "charge-point-20  Started")],
)
def test_docker_compose(desk: FarDesk, file: str, said: str) -> None:
    text = snippet("Docker Compose", "sh", f"{file}.yaml --profile").text
    assert said in desk.run(text, directory=CHECKOUT, within_s=280)


def test_both_fleets_in_one_file(desk: FarDesk) -> None:
    desk.write(str(CHECKOUT / "fleets.yaml"), snippet("Docker Compose", "yaml").text)
    text = snippet("Docker Compose", "sh", "fleets.yaml --profile").text
    out = desk.run(text, directory=CHECKOUT, within_s=280)
    accepted = {line.split()[0] for line in out.splitlines() if line.split()[1:3] == [*ROW]}
    replicas = {each for each in accepted if re.fullmatch(r"CP-[0-9a-f]{12}", each)}
    assert len(replicas) == 3, out
    assert accepted - replicas == {"CP-0001", "CP-0002", "CP-0003"}


def test_in_pytest(desk: FarDesk) -> None:
    desk.type("simuctl csms --json >frames")
    desk.write("test_billing.py", snippet("In pytest", "python").text)
    # Nothing is installed but what it says.
    desk.run(f"ln -s {quote(str(CHECKOUT))} cp-simu; python -m venv new")
    install = snippet("In pytest", "sh").text
    out = desk.run(f". new/bin/activate\n{install}pytest -W error test_billing.py")
    assert "1 passed" in out
    frames = [json.loads(line) for line in desk.type("cat frames").splitlines()]
    assert "StopTransaction" in {each["action"] for each in frames}
    assert [each for each in frames if each["violation"] is not None] == []


def test_an_engine_on_another_machine(desk: FarDesk) -> None:
    desk.run("echo 'a password of 20 b.' > pw")
    desk.type("simuctl csms")
    text = snippet("How it fits together", "sh", "DOCKER_HOST").text
    more = f"simuctl add CP-0001 -u {CSMS}\nsimuctl ls\ndocker port cp-simu_broker\n"
    out = desk.run(f"{text}{more}simuctl down --yes\n", within_s=280)
    assert f"{ADDRESS}:1883\n" in out
    assert ["CP-0001", "Accepted"] in [line.split()[:2] for line in out.splitlines()]


def test_security(desk: FarDesk) -> None:
    desk.type("simuctl up")
    desk.type(snippet("Security", "sh", "pki init").text)
    assert desk.type("simuctl ls").count("Accepted") == 2
    desk.type("echo firmware > fw-2.0.1.bin")
    out = desk.type(snippet("Security", "sh", "sign-firmware").text)
    assert '"signature"' in out
    assert '"signingCertificate"' in out


def test_a_security_event(desk: FarDesk) -> None:
    desk.type(f"simuctl up\nsimuctl csms\nsimuctl add CP-0001 -u {CSMS}")
    desk.type(snippet("Security", "sh", "security-event").text)


def test_a_broker_with_a_lock(desk: FarDesk) -> None:
    desk.run("echo 'a password of 20 b.' > broker-pw")
    desk.type(snippet("Security", "sh", "broker-pw").text)
    assert '"good"' in desk.type("simuctl doctor --json")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What is in the checkout's folders; the cache of this machine's engine knows most of it."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "ca-bundle.pem")
    shutil.copytree(CHECKOUT, tmp_path / "copy", ignore=ignored)
    shutil.copy(CHECKOUT / ".dockerignore", tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def no_latest(docker_client: docker.DockerClient) -> Iterator[None]:
    """No image is `latest`, until `simuctl images` says so again."""
    dangling = {"dangling": True}
    before = {each.id for each in docker_client.images.list(filters=dangling)}
    try:
        for source in images.SOURCES:
            with contextlib.suppress(ImageNotFound):
                docker_client.images.remove(f"{source.name}:latest", noprune=True)
        yield
    finally:
        images.ensure_images(docker_client, print)
        # Those that were `latest`, and the stages they were made from.
        for image in docker_client.images.list(filters=dangling):
            if image.id not in before:
                with contextlib.suppress(ImageNotFound):
                    docker_client.images.remove(str(image.id))


@pytest.mark.timeout(1200)
def test_images_by_plain_docker(
    copy: Path, no_latest: None, docker_client: docker.DockerClient
) -> None:
    heading = "Behind a proxy, without a registry"
    run_shell(snippet(heading, "sh", "ca-bundle.pem").text, directory=copy)
    own_cache = {"DOCKER_BUILDKIT": "0"}  # that of the engine
    lines = snippet(heading, "sh", "docker build").text
    run_shell(lines, directory=copy, environment=own_cache, within_s=900)
    # What `docker compose up --build` begins with; the bundles serve it, too.
    run_shell("compose/compose_plugin.sh", directory=CHECKOUT, within_s=300)
    as_ever = {"SIMU_CHARGE_POINT_IMAGE": images.CHARGE_POINT, **own_cache}
    compose = "docker compose -f compose/environment.yaml build"
    run_shell(compose, directory=copy, environment=as_ever, within_s=900)
    words = ["/", "-xdev", "-name", "ca-bundle.pem"]
    for each in images.SOURCES:
        # Nobody else may look everywhere.
        found = run_once(docker_client, each.name, words, entrypoint="find", user="root")
        assert found == (0, "")
