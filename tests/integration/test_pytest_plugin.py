"""The pytest plugin as a CSMS developer meets it: a project of its own, run by its own pytest."""

import os
import re
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import docker
import pytest

from supervisor_cli import environment
from supervisor_cli.engine import LABEL_ENVIRONMENT

SAMPLE: Final = Path(__file__).parents[1] / "sample_project"
WITHIN_S: Final = 480
_WITHOUT: Final = ("-p", "no:cacheprovider", "-p", "no:asyncio")
"""What happens to be installed here, and wants settings."""
_PATIENT: Final = ("-o", "simu_timeout=120")


class Project:
    """A project with tests; `name` is what its environments' names begin with."""

    def __init__(self, engine: docker.DockerClient, name: str, state_home: Path) -> None:
        self.engine = engine
        self.name = name
        self.environment = {
            **os.environ,
            "SIMU_ENVIRONMENT": name,
            "XDG_STATE_HOME": str(state_home),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.environment.pop("TESTCONTAINERS_RYUK_DISABLED", None)  # the plugin sees to itself
        self.state = state_home / "cp-simu"

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *_WITHOUT, *_PATIENT, *arguments],
            cwd=SAMPLE,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str | Path) -> tuple[int, str]:
        with self.start(*arguments) as process:
            try:
                told, _ = process.communicate(timeout=WITHIN_S)
            except subprocess.TimeoutExpired:
                process.terminate()
                raise
            return process.returncode, told

    def left(self) -> list[str]:
        """Return what is on the engine, and in the state, of this project's environments."""
        found: list[str] = []
        for kind in (self.engine.networks, self.engine.volumes):
            found += [str(it.name) for it in kind.list() if str(it.name).startswith(self.name)]
        for container in self.engine.containers.list(all=True, ignore_removed=True):
            if container.labels.get(LABEL_ENVIRONMENT, "").startswith(self.name):
                found.append(str(container.name))
        if self.state.is_dir():
            found += [each.name for each in self.state.iterdir()]
        return found


@pytest.fixture
def project(
    docker_client: docker.DockerClient, environment_name: str, tmp_path: Path
) -> Iterator[Project]:
    made = Project(docker_client, environment_name, tmp_path / "state")
    yield made
    # What a failed test of ours has left; the plugin's own clean-up is what is tested.
    labels = [container.labels for container in docker_client.containers.list(all=True)]
    for name in {each.get(LABEL_ENVIRONMENT, "") for each in labels}:
        if name.startswith(environment_name):
            environment.down(docker_client, name, print)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "test_written.py"
    file.write_text(textwrap.dedent(text), "utf-8")
    return file


def test_a_project_of_somebody_else_passes_and_leaves_nothing(project: Project) -> None:
    code, told = project.run("-W", "error")
    assert code == 0, told
    assert "6 passed" in told
    assert project.left() == []


def test_workers_have_environments_of_their_own(project: Project) -> None:
    code, told = project.run("-n", "2", "--dist", "loadfile")
    assert code == 0, told
    assert "6 passed" in told
    assert project.left() == []


def test_a_failure_shows_what_the_charge_point_did(project: Project, tmp_path: Path) -> None:
    test = written(
        tmp_path,
        """
        from sample_csms import Csms

        def test_a_stranger_charges(simu):
            csms = Csms()
            try:
                cp = simu.add(central_system=csms.url, id="CP-LOST")
                cp.connector(1).plug()
                cp.connector(1).tag("MALLORY")
                cp.frames.wait_for_answer("Authorize")
                cp.connector(1).wait_for("Charging", timeout_s=0.1)
            finally:
                csms.close()
        """,
    )
    code, told = project.run(test)
    assert code == 1, told
    assert "CP-LOST connector 1 is Preparing after 0.1 s, not Charging; last frames:" in told
    assert "- charge points -" in told
    assert "CP-LOST  Accepted" in told.replace("Disconnected", "Accepted")
    assert "- OCPP frames of CP-LOST -" in told
    assert '→ BootNotification {"chargePointVendor":"cp-simu"' in told
    assert '← Authorize answered {"idTagInfo":{"status":"Invalid"}}' in told
    assert "- log of CP-LOST -" in told
    assert "charge point CP-LOST starts" in told
    assert project.left() == []


def test_what_is_kept_can_be_looked_at(project: Project, tmp_path: Path) -> None:
    test = written(
        tmp_path,
        """
        def test_passes(simu):
            simu.add(central_system="ws://localhost:9/ocpp", id="CP-GOOD", until=None)

        def test_fails(simu):
            simu.add(central_system="ws://localhost:9/ocpp", id="CP-BAD", until="Disconnected")
            assert False
        """,
    )
    code, told = project.run("--simu-keep", test)
    assert code == 1, told
    (name,) = re.findall("environment (.*) is kept", told)
    assert f"environment {name} is kept: simuctl -e {name} ls; simuctl -e {name} down" in told
    left = project.left()
    assert f"{name}.CP-BAD" in left
    assert f"{name}.CP-GOOD" not in left

    def simuctl(*words: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "supervisor_cli", "-e", name, *words],
            env=project.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=WITHIN_S,
        ).stdout

    assert "CP-BAD" in simuctl("ls")
    assert "is gone" in simuctl("down", "--yes")
    assert project.left() == []


def test_interrupted_or_killed_nothing_stays(project: Project, tmp_path: Path) -> None:
    test = written(
        tmp_path,
        """
        import threading

        def test_hangs(simu):
            simu.add(central_system="ws://localhost:9/ocpp", until="Disconnected")
            print("hangs now", flush=True)
            threading.Event().wait()
        """,
    )
    for sent, sweeper_dies in (
        (signal.SIGINT, False),
        (signal.SIGKILL, False),
        (signal.SIGKILL, True),
    ):
        with project.start("-s", test) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if "hangs now" in line:
                    break
            sweepers = children(process.pid)
            assert len(sweepers) == 1
            if sweeper_dies:
                os.kill(sweepers[0], signal.SIGKILL)
            process.send_signal(sent)
            process.communicate(timeout=WITHIN_S)
        if not sweeper_dies:
            wait_for_end(sweepers[0])
            assert project.left() == []
    assert project.left() != []
    # The next session takes away what neither the last one nor its sweeper could; its workers
    # are not in each other's way.
    code, told = project.run("-n", "2", "tests/test_charging.py")
    assert code == 0, told
    assert project.left() == []


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for_end(pid: int) -> None:
    """Wait for a process that is nobody's child any more."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], WITHIN_S)[0]
    finally:
        os.close(handle)
