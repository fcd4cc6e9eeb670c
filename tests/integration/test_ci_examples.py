"""The README's CI jobs are run as they stand there, on a machine of their own.

Their project is the sample project; the package index has this checkout's wheel besides.
"""

import os
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import docker
import pytest

from supervisor_cli import images
from tests.integration.conftest import free_port
from tests.integration.own_engine import load
from tests.integration.own_machine import CHECKOUT, OwnMachine, own_machine
from tests.support.far_desk import FarDesk
from tests.support.readme import run_shell, snippet

SAMPLE = CHECKOUT / "tests" / "sample_project"
WITHIN_S = 600.0
LOADED = "Loaded image: "
BUILT = "building cp-simu/charge-point"


@pytest.fixture(scope="module")
def machine(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnMachine]:
    """A machine that has no image but the one to be had from a registry."""
    name = f"test-{secrets.token_hex(4)}"
    with own_machine(docker_client, name, tmp_path_factory.mktemp("keys"), free_port()) as ready:
        load(docker_client, ready.engine, [images.BASE])
        yield ready


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables by which pip finds this checkout where it finds all else, as if published."""
    folder = tmp_path_factory.mktemp("wheels")
    build = f"{quote(sys.executable)} -m pip wheel -q --no-deps -w {quote(str(folder))} ."
    run_shell(build, directory=CHECKOUT)
    links = [os.environ.get("PIP_FIND_LINKS", ""), str(folder)]
    # What is downloaded for one job is at hand for the next.
    return {"PIP_FIND_LINKS": " ".join(links).strip(), "PIP_CACHE_DIR": "/mnt/pip-cache"}


@pytest.fixture
def desk(machine: OwnMachine) -> Iterator[FarDesk]:
    with machine.desk() as lent:
        yield lent


def without_images(machine: OwnMachine) -> None:
    """Leave on a machine what a new one has: hosted runners are new for each job."""
    client = machine.engine.client
    base = client.images.get(images.BASE).id
    for image in client.images.list():
        if image.id != base:
            client.images.remove(str(image.id), force=True)
    assert [image.tags for image in client.images.list(all=True)] == [[images.BASE]]


def run_job(desk: FarDesk, kind: str, text: str, index: dict[str, str]) -> str:
    desk.write("job.yaml", text)
    words = f'{kind} "$work/job.yaml" --caches "$work/caches" --project {quote(str(SAMPLE))}'
    script = f"work=$PWD; cd {quote(str(CHECKOUT))}; python -m tests.support.ci_runner {words}"
    return desk.run(script, variables=index, within_s=WITHIN_S)


@pytest.mark.timeout(1500)
def test_github_actions(machine: OwnMachine, desk: FarDesk, index: dict[str, str]) -> None:
    text = snippet("Continuous integration", "yaml", "runs-on").text
    without_images(machine)
    first = run_job(desk, "github", text, index)
    assert BUILT in first
    assert LOADED not in first
    assert "6 passed" in first
    (key,) = re.findall("cache saved with key (cp-simu-images-[0-9a-f]{16})]", first)

    without_images(machine)
    second = run_job(desk, "github", text, index)
    assert f"cache restored from key {key}]" in second
    assert f"{LOADED}{images.reference(images.CHARGE_POINT)}" in second
    assert BUILT not in second
    assert "6 passed" in second


@pytest.mark.timeout(1500)
def test_gitlab_ci(machine: OwnMachine, desk: FarDesk, index: dict[str, str]) -> None:
    text = snippet("Continuous integration", "yaml", "before_script").text
    # What a job on another machine, which shares the cache, has left there.
    kept = "caches/cp-simu-images"
    save = f"docker save -o {kept}/cp-simu-images.tar $(simuctl images --list)"
    desk.run(f"mkdir -p {kept}; simuctl images; {save}", within_s=WITHIN_S)
    without_images(machine)
    out = run_job(desk, "gitlab", text, index)
    assert "cache restored from key cp-simu-images]" in out
    assert f"{LOADED}{images.reference(images.CHARGE_POINT)}" in out
    assert BUILT not in out
    assert "6 passed" in out
    assert "cache saved with key cp-simu-images]" in out


def test_the_images_are_called_by_their_digests(tmp_path: Path) -> None:
    out = run_shell("simuctl images --list", directory=tmp_path)
    assert out.split() == [source.reference() for source in images.SOURCES]
