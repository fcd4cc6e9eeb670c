"""Stories of environments and fleets that Docker Compose starts, and simuctl drives."""

import asyncio
import ipaddress
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from supervisor_cli import environment, images, readiness
from supervisor_cli.state import Broker
from tests.integration import engine_events
from tests.integration.conftest import free_port
from tests.integration.container_log import until_logged
from tests.integration.test_simuctl import Simuctl, csms_on_loopback
from tests.integration.unnamed_volumes import UnnamedVolumes
from tests.support.readme import run_shell

ROOT = Path(__file__).parents[2]
WITHIN_S = 240.0
IMAGES = {
    "SIMU_BROKER_IMAGE": images.BROKER,
    "SIMU_CHARGE_POINT_IMAGE": images.CHARGE_POINT,
    "SIMU_LAUNCHER_IMAGE": images.LAUNCHER,
    "SIMU_LOCALHOST_PROXY_IMAGE": images.LOCALHOST_PROXY,
}


class Project:
    """A project of Docker Compose: an environment of its own, started from a file of compose/."""

    def __init__(self, simuctl: Simuctl, engine: docker.DockerClient) -> None:
        self.name = simuctl.environment_name
        self.simuctl = simuctl
        self._engine = engine
        self.csms_port = free_port()
        self.variables = {
            "SIMU_ENVIRONMENT": self.name,
            "SIMU_BROKER_PORT": str(free_port()),
            "SIMU_NETWORK": free_network(engine),
            "CSMS_PORT": str(self.csms_port),
            **{variable: images.reference(image) for variable, image in IMAGES.items()},
        }

    async def __call__(self, file: str, *words: str, **variables: str) -> str:
        """Run `docker compose` on a file of compose/; it must succeed."""
        return await self.on(ROOT / "compose" / file, *words, **variables)

    async def on(self, file: Path, *words: str, **variables: str) -> str:
        """Run `docker compose` on any file; it must succeed."""
        process = await asyncio.create_subprocess_exec(
            *("docker", "compose", "-f", str(file), "--profile", "csms", *words),
            cwd=ROOT,
            env={**os.environ, **self.variables, **variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(WITHIN_S):
            out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()
        return out.decode()

    @property
    def broker(self) -> Broker:
        """Where its broker listens."""
        return Broker(port=int(self.variables["SIMU_BROKER_PORT"]))

    async def fleet(self) -> dict[str, str]:
        """Return the status of each charge point, as `simuctl ls` says."""
        listing = json.loads(await self.simuctl.good("ls", "--json"))
        return {each["id"]: each["status"] for each in listing}

    async def until_accepted(self, *ids: str) -> None:
        """Wait until charge points are accepted."""
        await self.simuctl.good("wait", *ids, "Accepted", "--timeout", "180")

    def ids(self) -> list[str]:
        """Return the ids that the replicas of the scaled fleet have, as their host names say."""
        of_service = f"com.docker.compose.project={self.name}"
        containers = self._engine.containers.list(
            filters={"label": [of_service, "com.docker.compose.service=charge-point"]}
        )
        return sorted(f"CP-{each.attrs['Config']['Hostname']}" for each in containers)

    def left(self) -> list[str]:
        """Return what the engine has of the environment."""
        found: set[str] = set()
        for label in ("cp-simu.environment", "com.docker.compose.project"):
            wanted: dict[str, str | list[str] | bool] = {"label": f"{label}={self.name}"}
            found |= {str(it.name) for it in self._engine.containers.list(all=True, filters=wanted)}
            found |= {str(it.name) for it in self._engine.volumes.list(filters=wanted)}
            found |= {str(it.name) for it in self._engine.networks.list(filters=wanted)}
        return sorted(found)


def free_network(engine: docker.DockerClient) -> str:
    """Return the first three parts of a /20 that no network of the engine has."""
    taken = [
        ipaddress.ip_network(pool["Subnet"])
        for network in engine.networks.list()
        for pool in network.attrs["IPAM"]["Config"] or ()
    ]
    while True:
        prefix = f"10.{random.randrange(64, 192)}.{random.randrange(0, 256, 16)}"
        wanted = ipaddress.IPv4Network(f"{prefix}.0/20")
        if not any(each.version == 4 and wanted.overlaps(each) for each in taken):
            return prefix


@pytest.fixture(scope="session")
def compose_plugin(docker_client: docker.DockerClient) -> None:
    """Docker Compose, as `make test` has installed it."""
    run_shell("compose/compose_plugin.sh", directory=ROOT, within_s=300)


@pytest.fixture
def project(
    compose_plugin: None,
    environment_name: str,
    tmp_path: Path,
    docker_client: docker.DockerClient,
    unnamed_volumes: UnnamedVolumes,
) -> Iterator[Project]:
    """A project; what is left of it goes with its environment."""
    running = Project(Simuctl(environment_name, tmp_path), docker_client)
    yield running
    environment.down(docker_client, environment_name, print)
    assert running.left() == []
    # Compose removes replicas it scales away, or makes anew, without their volumes.
    unnamed_volumes.sweep(environment_name)


async def test_an_environment(project: Project) -> None:
    simuctl = project.simuctl
    await project("environment.yaml", "up", "-d")
    async with csms_on_loopback(simuctl) as (url, _):
        await simuctl.good("add", "CP-1", "-u", url)
        await simuctl.good("add", "CP-2", "-u", f"ws://localhost:{project.csms_port}/ocpp")
        await simuctl.good("add", "CP-3", "-u", "ws://csms:9000/ocpp")
        assert await project.fleet() == dict.fromkeys(("CP-1", "CP-2", "CP-3"), "Accepted")
        findings = json.loads(await simuctl.good("doctor", "--json"))
        assert {each["verdict"] for each in findings} == {"good"}
    err = await simuctl.bad(1, "up", "--broker-port", "0")
    assert f"project {project.name}" in err
    beside = Simuctl(f"{project.name}-b", Path(simuctl.variables["XDG_STATE_HOME"]))
    try:
        await beside.good("up", "--broker-port", "0")
        assert json.loads(await beside.good("ls", "--json")) == []
    finally:
        await beside.good("down", "--yes")
    await simuctl.good("down", "--yes")
    assert project.left() == []


async def test_a_static_fleet(project: Project, docker_client: docker.DockerClient) -> None:
    simuctl = project.simuctl
    await project("static-fleet.yaml", "up", "-d")
    everybody = ("CP-0001", "CP-0002", "CP-0003")
    await project.until_accepted(*everybody)
    await simuctl.good("plug", "CP-0002", "-c", "2")
    await simuctl.good("tag", "CP-0002", "TAG1", "-c", "2")
    await simuctl.good("wait", "CP-0002", "Charging", "-c", "2", "--timeout", "120")
    began = time.time()
    await simuctl.good("kill", "CP-0002")
    told = await asyncio.to_thread(
        engine_events.of_container, docker_client, f"{project.name}-cp-0002-1", began
    )
    assert "die" in told
    assert "kill" not in told, "the launcher's container cannot signal charge points"
    # Dead for good: neither Compose nor a launcher that comes anew starts it again.
    launcher = docker_client.containers.get(f"{project.name}_launcher")
    await asyncio.to_thread(launcher.restart)
    await readiness.launcher_answers(project.name, project.broker)
    await simuctl.good("kill", "CP-0001")
    assert await project.fleet() == {
        "CP-0001": "Dead",
        "CP-0002": "Dead",
        "CP-0003": "Accepted",
    }
    killed = docker_client.containers.get(f"{project.name}-cp-0002-1")
    assert (killed.status, killed.attrs["RestartCount"]) == ("exited", 0)
    await simuctl.good("restart", "CP-0002")
    killed.reload()
    assert killed.status == "running"
    csms = docker_client.containers.get(f"{project.name}_csms")
    await until_logged(csms, lambda lines: any("reason=PowerLoss" in line for line in lines))
    await project("static-fleet.yaml", "up", "-d")  # power back by the other way
    await project.until_accepted(*everybody)
    await simuctl.good("rm", "CP-0003", "--yes")
    assert sorted(await project.fleet()) == ["CP-0001", "CP-0002"]
    assert f"{project.name}.CP-0003" not in project.left()
    err = await simuctl.bad(2, "down")
    assert "2 charge points" in err
    await project("static-fleet.yaml", "stop", "launcher")
    err = await simuctl.bad(3, "kill", "CP-0001")
    file = ROOT / "compose" / "static-fleet.yaml"
    way = f"docker compose -f {file} up -d broker csms launcher localhost-proxy"
    assert f"hint: SIMU_ENVIRONMENT={project.name} {way} starts it" in err
    await project("static-fleet.yaml", "down", "-v")
    assert project.left() == []


async def test_what_compose_stops_stays_so(project: Project) -> None:
    async with csms_on_loopback(project.simuctl) as (url, _):
        await project("static-fleet.yaml", "up", "-d", CSMS_URL=url)
        await project.until_accepted("CP-0001", "CP-0002", "CP-0003")
        await project("static-fleet.yaml", "stop", "cp-0001", CSMS_URL=url)
        await project("static-fleet.yaml", "rm", "-f", "-s", "cp-0002", CSMS_URL=url)
        await project.simuctl.good("wait", "CP-0001", "Dead", "--timeout", "120")
        await project.simuctl.good("kill", "CP-0003")  # the launcher has looked at all meanwhile
        assert (await project.fleet())["CP-0001"] == "Dead"
        await project("static-fleet.yaml", "up", "-d", CSMS_URL=url)
        await project.until_accepted("CP-0001", "CP-0002", "CP-0003")
        await project("static-fleet.yaml", "down", "-v")
    assert project.left() == []


async def test_a_scaled_fleet(project: Project, docker_client: docker.DockerClient) -> None:
    simuctl = project.simuctl
    await project("scaled-fleet.yaml", "up", "-d", "--scale", "charge-point=4")
    ids = project.ids()
    assert len(set(ids)) == 4
    await project.until_accepted(*ids)
    assert await project.fleet() == dict.fromkeys(ids, "Accepted")
    assert f"charge point {ids[0]} starts" in await simuctl.good("logs", ids[0], "--tail", "1000")
    await simuctl.good("plug", ids[0])
    await simuctl.good("tag", ids[0], "TAG1")
    await simuctl.good("wait", ids[0], "Charging", "--timeout", "120")
    await simuctl.good("kill", ids[0])
    await simuctl.good("restart", ids[0])
    await simuctl.good("wait", ids[0], "Finishing", "--timeout", "120")  # its own volume
    await simuctl.good("rm", ids[1], "--yes")
    assert sorted(await project.fleet()) == sorted({*ids} - {ids[1]})
    await simuctl.good("kill", ids[0])
    await project("scaled-fleet.yaml", "down", "-v")
    assert project.left() == []


async def test_a_replica_that_is_made_anew(
    project: Project, docker_client: docker.DockerClient
) -> None:
    up = ("scaled-fleet.yaml", "up", "-d", "--scale", "charge-point=1")
    simuctl = project.simuctl
    await project(*up)
    (old,) = project.ids()
    await project.until_accepted(old)
    await simuctl.good("plug", old)
    await simuctl.good("tag", old, "TAG1")
    await simuctl.good("wait", old, "Charging", "--timeout", "120")
    await project(*up, CSMS_URL=f"ws://{project.name}_csms:9000/ocpp")
    (new,) = project.ids()
    await project.until_accepted(new)
    await simuctl.good("wait", new, "Available", "--timeout", "120")  # there is no car
    csms = docker_client.containers.get(f"{project.name}_csms").logs().decode()
    assert "PowerLoss" not in csms  # nothing of what the old one had begun
    async with asyncio.timeout(WITHIN_S):
        while await project.fleet() != {new: "Accepted"}:
            pass


@pytest.mark.parametrize("file", sorted((ROOT / "compose").glob("*.yaml")), ids=lambda it: it.name)
def test_each_file_begins_with_its_purpose(file: Path) -> None:
    first = file.read_text("utf-8").splitlines()[0]
    assert first.startswith("# ")
    assert first.endswith(".")
