"""The README's CI jobs: their steps are executed as they stand there."""

import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from ruamel.yaml import YAML

from supervisor_cli import images
from tests.support.readme import run_shell, snippet

SAMPLE = """\
import subprocess


def test_the_images_are_there():
    listed = subprocess.run(
        ["simuctl", "images", "--list"], check=True, capture_output=True, text=True
    ).stdout.split()
    assert len(listed) == 4
    subprocess.run(["docker", "image", "inspect", *listed], check=True, capture_output=True)
"""
TAR = "cp-simu-images.tar"
WITHIN_S = 280.0
GITHUB = ("bash", "-e")
"""What a step without a `shell` is run by."""


def job_file(having: str) -> Any:
    return YAML(typ="safe").load(snippet("Continuous integration", "yaml", having).text)


@pytest.fixture
def checkout(tmp_path: Path, docker_client: docker.DockerClient) -> Iterator[Path]:
    """A project that uses charge points; what `pip install` asks for is installed already."""
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    yield tmp_path
    (tmp_path / TAR).unlink(missing_ok=True)  # half a gigabyte


def test_github_actions(checkout: Path) -> None:
    job = job_file("runs-on")["jobs"]["test"]
    output = checkout / "output"
    variables = {"GITHUB_OUTPUT": str(output)}
    known = ("actions/checkout@v4", "actions/setup-python@v5", "actions/cache@v4")
    assert tuple(step["uses"] for step in job["steps"] if "uses" in step) == known
    (cache,) = (step["with"] for step in job["steps"] if step.get("uses") == known[2])
    assert cache == {
        "path": TAR,
        "key": "cp-simu-images-${{ steps.images.outputs.key }}",
    }
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs[-1] == "pytest"
    # The second time finds what the first has put into the cache.
    for said in ("images", "Loaded image: cp-simu/charge-point:"):
        out = "".join(
            run_shell(
                run, directory=checkout, environment=variables, within_s=WITHIN_S, shell=GITHUB
            )
            for run in runs
        )
        assert said in out
        assert "1 passed" in out
        assert (checkout / TAR).exists()
    first, second = output.read_text().splitlines()
    assert re.fullmatch(r"key=[0-9a-f]{16}", first)
    assert first == second


def test_gitlab_ci(checkout: Path) -> None:
    job = job_file("before_script")["charge points"]
    assert job["cache"]["paths"] == [TAR]
    assert job["script"] == ["pytest"]
    # The new virtual environment sees what this one has.
    variables = {"PYTHONPATH": sysconfig.get_path("purelib")}
    lines = "\n".join(
        [*job["before_script"], *job["script"]]
    )  # the runner makes one script of both
    out = run_shell(lines, directory=checkout, environment=variables, within_s=WITHIN_S)
    assert "1 passed" in out
    assert (checkout / TAR).stat().st_size > 1e8


def test_the_images_are_called_by_their_digests(tmp_path: Path) -> None:
    out = run_shell("simuctl images --list", directory=tmp_path)
    assert out.split() == [source.reference() for source in images.SOURCES]
