import gc
import os
import sys
from pathlib import Path

import docker
import pytest
from docker.utils import kwargs_from_env

from supervisor_cli import engine, remote_engine
from supervisor_cli.errors import ExitCode, SimuError


@pytest.mark.parametrize(
    ("docker_host", "machine", "socket"),
    [
        ("", None, "/var/run/docker.sock"),
        ("unix:///run/user/1000/docker.sock", None, "/run/user/1000/docker.sock"),
        ("tcp://engine.example:2376", "engine.example", "/var/run/docker.sock"),
        ("tcp://[fd00::7]:2376", "fd00::7", "/var/run/docker.sock"),
        ("ssh://me@engine.example", "engine.example", "/var/run/docker.sock"),
        ("engine.example:2375", "engine.example", "/var/run/docker.sock"),
    ],
)
def test_where_an_engine_is(
    monkeypatch: pytest.MonkeyPatch, docker_host: str, machine: str | None, socket: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    assert remote_engine.host() == machine
    assert remote_engine.socket_path() == socket


def test_a_broker_elsewhere_has_to_be_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    remote_engine.need_reachable_broker("127.0.0.1", 0)
    assert remote_engine.broker_address("0.0.0.0") == "127.0.0.1"
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.7:2376")
    for host, port, word in (
        ("127.0.0.1", 1883, "cannot be reached"),
        ("localhost", 1883, "cannot be reached"),
        ("192.0.2.7", 0, "free"),
    ):
        with pytest.raises(SimuError, match=word) as caught:
            remote_engine.need_reachable_broker(host, port)
        assert caught.value.exit_code is ExitCode.USAGE
        assert "tcp://192.0.2.7:2376" in str(caught.value)
        assert caught.value.hint.startswith("--broker-")
    remote_engine.need_reachable_broker("192.0.2.7", 1883)
    remote_engine.need_reachable_broker("0.0.0.0", 1883)
    assert remote_engine.broker_address("0.0.0.0") == "192.0.2.7"
    assert remote_engine.broker_address("192.0.2.8") == "192.0.2.8"


def test_no_engine_elsewhere_is_an_error_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert "base_url" in kwargs_from_env()
    with pytest.raises(SimuError, match=r"tcp://127\.0\.0\.1:1") as caught:
        engine.connect()
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert not isinstance(caught.value, docker.errors.DockerException)
    assert os.environ["DOCKER_HOST"] in str(caught.value)


@pytest.mark.filterwarnings("error")
def test_where_no_engine_is_nothing_stays_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    unraised: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraised.append)
    with pytest.raises(SimuError, match=r"no Docker engine answers at .*No such file") as caught:
        engine.connect()
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    del caught
    gc.collect()
    assert unraised == []
