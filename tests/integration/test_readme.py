"""The README's commands, typed as they stand there by one who reads it from the top.

What is another here: ports, for several environments share this machine, names of environments,
and numbers of charge points.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.integration.conftest import free_port
from tests.support.readme import snippet
from tests.support.terminals import Terminals, terminals


@pytest.fixture
def desk(environment_name: str, tmp_path: Path) -> Iterator[Terminals]:
    """Terminals in an empty folder, for an environment of their own."""
    variables = {
        "SIMU_ENVIRONMENT": environment_name,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_DATA_HOME": str(tmp_path / "share"),
    }
    (folder := tmp_path / "work").mkdir()
    with terminals(folder, variables) as lent:
        yield lent


class Ports:
    """Free ports of this machine in place of those the README names."""

    def __init__(self) -> None:
        self._free: dict[str, int] = {}

    def __call__(self, text: str) -> str:
        """Return lines with other ports, and with those that are not named, for they are fixed."""
        text = re.sub(r"simuctl csms(?![^\n]*--port)", r"\g<0> --port 9000", text)
        text = re.sub(
            r"(simuctl (?:-e \S+ )?up)(?![^\n]*--broker-port)", r"\1 --broker-port 0", text
        )
        return re.sub(r"(localhost:|--port )(\d+)", self._other, text)

    def _other(self, named: re.Match[str]) -> str:
        if named[2] not in self._free:
            self._free[named[2]] = free_port()
        return f"{named[1]}{self._free[named[2]]}"


@pytest.fixture
def ports() -> Ports:
    return Ports()


def gone(engine: docker.DockerClient, name: str) -> bool:
    mine: dict[str, str | list[str] | bool] = {"label": f"cp-simu.environment={name}"}
    return not (
        engine.containers.list(all=True, filters=mine)
        or engine.volumes.list(filters=mine)
        or engine.networks.list(filters=mine)
    )


def test_every_day(
    desk: Terminals, ports: Ports, docker_client: docker.DockerClient, environment_name: str
) -> None:
    out = desk.type(ports(snippet("Every day", "sh", "simuctl up  ").text))
    columns = snippet("Every day", "text").text.splitlines()[1].split()
    assert columns in [line.split() for line in out.splitlines()]
    assert gone(docker_client, environment_name)


def test_an_hour_in_a_minute_and_several_environments(
    desk: Terminals, ports: Ports, docker_client: docker.DockerClient, environment_name: str
) -> None:
    several = snippet("Every day", "sh", "ci-42").text.replace("ci-42", environment_name)
    up, add, down = several.splitlines(keepends=True)
    desk.type(ports("simuctl csms\n" + up + add))
    desk.type(ports(snippet("Every day", "sh", "SOAK-1").text))
    out = desk.type("simuctl ls")
    assert "SOAK-1" in out
    assert "CP-0001" in out
    desk.type(down)
    assert gone(docker_client, environment_name)


def test_security(desk: Terminals, ports: Ports) -> None:
    desk.type(ports("simuctl up"))
    desk.type(ports(snippet("Security", "sh", "pki init").text))
    out = desk.type("simuctl ls")
    assert out.count("Accepted") == 2
    desk.type("echo firmware > fw-2.0.1.bin")
    out = desk.type(snippet("Security", "sh", "sign-firmware").text)
    assert '"signature"' in out
    assert '"signingCertificate"' in out
    event = snippet("Security", "sh", "security-event").text
    desk.type(event.replace("CP-0001", "SAFE-2"))


def test_a_broker_with_a_lock(desk: Terminals, ports: Ports) -> None:
    desk.type("echo 'a password of 20 b.' > broker-pw")
    # On the loopback alone: others share this machine's network.
    text = snippet("Security", "sh", "broker-pw").text.replace("0.0.0.0", "127.0.0.1")
    desk.type(ports(text))
    assert '"good"' in desk.type("simuctl doctor --json")


def test_fleet_files(desk: Terminals, ports: Ports, tmp_path: Path, environment_name: str) -> None:
    folder = tmp_path / "work"
    fleet = ports(snippet("Fleet files", "yaml").text).replace("count: 50", "count: 2")
    (folder / "fleet.yaml").write_text(fleet)
    desk.type(
        ports(
            "simuctl up\nsimuctl pki init --name localhost\n"
            "cp $XDG_DATA_HOME/cp-simu/$SIMU_ENVIRONMENT/pki/root_ca.pem .\n"
            "mkdir secrets; echo 'a password of 20 b.' > secrets/FAST-1\n"
            "simuctl csms\n"
            "simuctl csms --security-profile 2 --password 'a password of 20 b.' --port 9002\n"
        )
    )
    lines = ports(snippet("Fleet files", "sh").text).replace("--count 50", "--count 2")
    desk.type(lines)
    for saved, word in (("json", "TWIN-1"), ("yaml", "TWIN-1"), ("schema.json", "$schema")):
        assert word in (folder / f"fleet.{saved}").read_text()
    program = snippet("Fleet files", "python").text.replace('"cp-simu"', f'"{environment_name}"')
    (folder / "apply.py").write_text(program)
    desk.type("simuctl rm TWIN-1 --yes")
    assert "TWIN-1" in desk.type("python -W error apply.py")
