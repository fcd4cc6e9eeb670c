"""The real engine and the real broker, one of each for the whole run."""

import atexit
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Iterator

import docker
import pytest

# Our fixtures take away what they start; the clean-up image cannot be pulled everywhere.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from cp_image.mqtt_link import BrokerAddress
from launcher.api import LauncherState
from supervisor_cli import engine, environment, images
from supervisor_cli.held_port import held_port
from tests.integration.fleet import Stage, Story, launcher, stage, story
from tests.integration.unnamed_volumes import UnnamedVolumes, watched


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    client = engine.connect()
    images.ensure_images(client, print)
    with pytest.MonkeyPatch.context() as patch:
        # What a launcher starts that runs as a process of this machine.
        patch.setenv("SIMU_CHARGE_POINT_IMAGE", images.reference(images.CHARGE_POINT))
        yield client
    client.close()


@pytest.fixture(scope="session")
def unnamed_volumes(docker_client: docker.DockerClient) -> Iterator[UnnamedVolumes]:
    with watched(docker_client) as volumes:
        yield volumes


@pytest.fixture
def environment_name(
    docker_client: docker.DockerClient, unnamed_volumes: UnnamedVolumes
) -> Iterator[str]:
    """A fresh environment's name; everything that carries it is gone afterwards."""
    name = f"test-{secrets.token_hex(4)}"
    yield name
    environment.down(docker_client, name, print)
    assert unnamed_volumes.sweep(name) == []


@pytest.fixture
def broker(docker_client: docker.DockerClient) -> Iterator[DockerContainer]:
    """Mosquitto from our own image, on a port of this machine that outlives its restart."""
    container = (
        DockerContainer(images.reference(images.BROKER))
        .with_bind_ports(1883, free_port())
        .waiting_for(LogMessageWaitStrategy("mosquitto version .* running"))
    )
    with container:
        yield container


@pytest.fixture
def broker_address(broker: DockerContainer) -> BrokerAddress:
    return BrokerAddress(host="127.0.0.1", port=int(broker.get_exposed_port(1883)))


_HELD = contextlib.ExitStack()
atexit.register(_HELD.close)


def free_port() -> int:
    """Return a port of this machine that nobody listens on, and nobody else gets meanwhile.

    Whoever is to listen there may come late, go and come again: the port is held until the end.
    """
    return _HELD.enter_context(held_port("0.0.0.0"))


@pytest.fixture
def where(docker_client: docker.DockerClient, environment_name: str) -> Iterator[Stage]:
    """An environment's network and broker, without a launcher."""
    with stage(docker_client, environment_name, free_port()) as ready:
        yield ready
        # The charge points go before their broker does.
        environment.down(docker_client, environment_name, print)


@pytest.fixture
async def tale(where: Stage) -> AsyncIterator[Story]:
    """A launcher, a CSMS and a client on a fresh stage."""
    async with launcher(where), story(where) as told:
        await told.until_launcher(LauncherState.ALIVE)
        yield told
