"""The README's Python, run as it stands there."""

import subprocess
import sys

import docker
import pytest

from supervisor_cli import environment
from supervisor_cli.bring_up import bring_up
from supervisor_cli.environment import EnvironmentSettings
from tests.integration.conftest import free_port
from tests.support import readme


@pytest.fixture
def csms_port(docker_client: docker.DockerClient, environment_name: str) -> int:
    """An environment that is up, and the port of a CSMS on this machine's loopback."""
    bring_up(docker_client, EnvironmentSettings(name=environment_name, broker_port=0), print)
    port = free_port()
    environment.start_csms(docker_client, environment_name, port)
    return port


def test_the_readme_drives_a_charge_point_from_python(
    docker_client: docker.DockerClient,
    environment_name: str,
    csms_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIMU_ENVIRONMENT", environment_name)
    text = readme.snippet("From Python", "python").text
    # The port is another one, for several environments share this machine.
    text = text.replace("localhost:9000", f"localhost:{csms_port}")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    transaction_id, power_w, heartbeat_interval = ran.stdout.split()
    assert int(transaction_id) > 0
    assert float(power_w) == 16 * 230
    assert heartbeat_interval == "300"
    assert environment.charge_point_ids(docker_client, environment_name) == []
