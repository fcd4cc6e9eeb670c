"""Stories of the image alone, without broker and launcher."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from supervisor_cli import environment, images
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.engine import run_once

WITHIN_S = 120.0
SECOND_NS = 1_000_000_000
QUICK = {"SIMU_CLOCK_RATE": "60", "SIMU_SCRIPT_IDLE_S": "5", "SIMU_SCRIPT_CHARGE_S": "60"}
CONFINED: dict[str, Any] = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
}

Run = Callable[..., Container]


@pytest.fixture
async def csms(docker_client: docker.DockerClient) -> AsyncIterator[DemoCsms]:
    gateway, _ = environment.addresses(docker_client.networks.get("bridge"))
    async with DemoCsms(gateway) as running:
        yield running
    assert running.violations == []


@pytest.fixture
def run(docker_client: docker.DockerClient, csms: DemoCsms) -> Iterator[Run]:
    """Runs charge points of the CSMS; all that name it are gone afterwards, whoever ran them."""
    address = csms.url.removeprefix("ws://").removesuffix("/ocpp")

    def start(variables: dict[str, str] | None = None, **options: Any) -> Container:
        return docker_client.containers.run(
            images.reference(images.CHARGE_POINT),
            detach=True,
            environment={"SIMU_CENTRAL_SYSTEM": csms.url, **(variables or {})},
            **CONFINED,
            **options,
        )

    yield start
    for container in docker_client.containers.list(all=True, ignore_removed=True):
        if any(address in variable for variable in container.attrs["Config"]["Env"] or ()):
            container.remove(force=True, v=True)


async def test_a_charge_point_charges_on_its_own(run: Run, csms: DemoCsms) -> None:
    container = await asyncio.to_thread(run, {"SIMU_ID": "SOLO-1", **QUICK}, mem_limit="64m")
    await csms.wait_for(lambda it: [each for each in it.transactions if each.reason], WITHIN_S)
    assert {each.charge_point_id for each in csms.transactions} == {"SOLO-1"}
    await asyncio.to_thread(container.stop)
    assert container.wait()["StatusCode"] == 0
    assert "stopping: signal SIGTERM" in container.logs().decode()


async def test_copies_are_called_like_their_hosts(run: Run, csms: DemoCsms) -> None:
    one = await asyncio.to_thread(run)
    other = await asyncio.to_thread(run, {"SIMU_ID": "CP-{hostname}"})
    ids = {one.attrs["Config"]["Hostname"], f"CP-{other.attrs['Config']['Hostname']}"}
    await csms.wait_for(lambda it: ids <= it.connected, WITHIN_S)
    await asyncio.to_thread(other.kill)
    await csms.wait_for(lambda it: not ids <= it.connected, WITHIN_S)
    await asyncio.to_thread(other.start)
    await csms.wait_for(lambda it: ids <= it.connected, WITHIN_S)
    assert csms.connected == ids


@pytest.mark.parametrize(
    ("url", "directory", "health"),
    [
        (None, "/data", "healthy"),
        (None, "/data/of-{hostname}/state", "healthy"),
        ("ws://127.0.0.1:1", "/data", "unhealthy"),
    ],
)
async def test_it_is_healthy_while_the_csms_accepts_it(
    run: Run,
    csms: DemoCsms,
    docker_client: docker.DockerClient,
    url: str | None,
    directory: str,
    health: str,
) -> None:
    began = int(time.time())
    container = await asyncio.to_thread(
        run,
        {
            "SIMU_CENTRAL_SYSTEM": url or csms.url,
            "SIMU_STATE_DIRECTORY": directory,
            "STARTED_FOR": csms.url,
        },
        healthcheck={"interval": SECOND_NS, "retries": 1},
    )

    def said() -> Iterator[str]:
        wanted = {"container": container.id, "event": "health_status"}
        until = int(began + WITHIN_S)
        for event in docker_client.events(decode=True, since=began, until=until, filters=wanted):
            yield event["status"]

    assert await asyncio.to_thread(lambda: f"health_status: {health}" in said())


def test_wrong_variables(docker_client: docker.DockerClient) -> None:
    exit_code, said = run_once(
        docker_client,
        images.reference(images.CHARGE_POINT),
        [],
        environment={"SIMU_ID": "a b", "SIMU_LOG_FORMAT": "xml"},
    )
    assert exit_code == 2
    assert said.splitlines() == [
        "simu-cp: SIMU_CENTRAL_SYSTEM is not set: a ws:// or wss:// URL with a host, "
        "without query or fragment",
        "simu-cp: SIMU_ID='a b' is not allowed: 1 to 48 letters, digits, '.', '_' and '-'",
        "simu-cp: SIMU_LOG_FORMAT='xml' is not allowed: text or json",
    ]
