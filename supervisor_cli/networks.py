"""The networks of an environment, as the engine has them."""

import contextlib
from collections.abc import Mapping
from typing import Any, Final

import docker
from docker.errors import APIError, NotFound
from docker.models.networks import Network

from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ROLE
from supervisor_cli.errors import SimuError

_ATTEMPTS: Final = 5


def ensure_network(client: docker.DockerClient, environment: str) -> Network:
    """Return an environment's network, made where it is missing.

    The engine lets containers ask for an address only where the user has named the subnet, so
    its own choice is looked up first: a charge point whose network was cut gets its address back.
    """
    try:
        return client.networks.get(environment)
    except NotFound:
        pass
    labels = {LABEL_ENVIRONMENT: environment, LABEL_ROLE: "network"}
    options: Mapping[str, Any] = {"driver": "bridge", "check_duplicate": True, "labels": labels}
    for _ in range(_ATTEMPTS):
        network = client.networks.create(environment, **options)
        _, subnet = addresses(network)
        network.remove()
        ipam = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=subnet)])
        with contextlib.suppress(APIError):  # somebody else took it in between
            return client.networks.create(environment, ipam=ipam, **options)
    return client.networks.create(environment, **options)


def addresses(network: Network) -> tuple[str, str]:
    """Return the gateway's address and the network in CIDR notation."""
    network.reload()
    for pool in network.attrs["IPAM"]["Config"]:
        subnet = str(pool["Subnet"])
        if ":" not in subnet:
            gateway = pool.get("Gateway") or f"{subnet.rsplit('.', 1)[0]}.1"
            return str(gateway).split("/")[0], subnet
    raise SimuError(f"network {network.name} has no IPv4 addresses")


def remove_network(network: Network) -> None:
    """Remove a network, whoever is in it: a CSMS of the user's, say, that was let in.

    Raises:
        APIError: the engine refuses.
    """
    network.reload()
    for stranger in (network.attrs.get("Containers") or {}).values():
        with contextlib.suppress(NotFound):  # it has gone in between
            # By name: a container that an engine's crash took away has left only that behind.
            network.disconnect(stranger["Name"], force=True)
    with contextlib.suppress(NotFound):
        network.remove()
