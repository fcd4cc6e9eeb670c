"""Secrets on the engine: written where only the charge point reads them."""

import secrets as random_words
from collections.abc import Mapping

import docker
import pytest

from cp_image.api import secrets
from launcher.api import secrets_volume
from supervisor_cli import images
from supervisor_cli.engine import run_once
from supervisor_cli.secret_volumes import SecretVolumes

ID = "CP-1"


@pytest.fixture
def store(docker_client: docker.DockerClient, environment_name: str) -> SecretVolumes:
    return SecretVolumes(environment_name, docker_client)


def look(client: docker.DockerClient, volume: str, script: str, user: str | None = None) -> str:
    """Run a shell, as the charge point is by default, with the volume where its secrets are."""
    _, said = run_once(
        client,
        images.reference(images.CHARGE_POINT),
        [script],
        entrypoint=["/bin/sh", "-c"],
        user=user,
        network_mode="none",
        mounts=[docker.types.Mount("/data/secrets", volume, type="volume", read_only=True)],
    )
    return said


def test_a_charge_point_alone_reads_its_secrets(
    docker_client: docker.DockerClient, environment_name: str, store: SecretVolumes
) -> None:
    store.write(ID, {secrets.CLIENT_KEY: b"KEY", secrets.ROOT_CA: b"ROOT"})
    volume = secrets_volume(environment_name, ID)
    found = look(docker_client, volume, "cd /data/secrets; stat -c '%a %u %n' . *; cat *.pem; echo")
    assert found == "700 10001 .\n600 10001 client_key.pem\n600 10001 root_ca.pem\nKEYROOT\n"
    refused = look(docker_client, volume, "cat /data/secrets/client_key.pem", user="10002")
    assert refused.endswith("Permission denied\n")
    refused = look(docker_client, volume, "echo x > /data/secrets/client_key.pem")
    assert refused.endswith("Read-only file system\n")


def test_new_secrets_replace_all_old_ones_even_in_use(
    docker_client: docker.DockerClient, environment_name: str, store: SecretVolumes
) -> None:
    volume = secrets_volume(environment_name, ID)
    store.write(ID, {secrets.CLIENT_KEY: b"OLD", secrets.ROOT_CA: b"OLD"})
    dead = docker_client.containers.create(
        images.reference(images.CHARGE_POINT),
        mounts=[docker.types.Mount("/data/secrets", volume, type="volume", read_only=True)],
        labels={"cp-simu.environment": environment_name},
        network_mode="none",
    )
    store.discard(ID)  # in use: it stays
    store.write(ID, {secrets.ROOT_CA: b"NEW"})
    assert look(docker_client, volume, "cd /data/secrets; head *") == "NEW"
    dead.remove(v=True)
    store.discard(ID)
    assert volume not in names(docker_client, environment_name)


def test_nothing_but_the_volume_is_left(
    docker_client: docker.DockerClient, environment_name: str, store: SecretVolumes
) -> None:
    content = random_words.token_hex(20)
    store.write(ID, {secrets.AUTHORIZATION_KEY: content.encode()})
    mine: Mapping[str, str] = {"label": f"cp-simu.environment={environment_name}"}
    assert docker_client.containers.list(all=True, filters=dict(mine)) == []
    assert names(docker_client, environment_name) == [secrets_volume(environment_name, ID)]
    volume = docker_client.volumes.get(secrets_volume(environment_name, ID))
    assert content not in str(volume.attrs)
    assert volume.attrs["Labels"]["cp-simu.charge-point-id"] == ID


def names(client: docker.DockerClient, environment_name: str) -> list[str]:
    mine = {"label": f"cp-simu.environment={environment_name}"}
    return [volume.name for volume in client.volumes.list(filters=mine)]
