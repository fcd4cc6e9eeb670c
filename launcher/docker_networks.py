"""The networks of an environment on the Docker engine."""

import contextlib
import ipaddress
import logging
from typing import Any, Final

import docker
from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool

from launcher import container
from launcher.engine import ContainerRecord

LOG: Final = logging.getLogger(__name__)

_PROXY_ROLE: Final = "localhost-proxy"
_ALLOW: Final = """
for _ in $(seq 100); do
    # It has just been started: who has no handler yet (bit 9 is SIGUSR1) would not hear the signal.
    grep -Eq "^SigCgt:.*[2367abef]..$" /proc/1/status && break
    sleep 0.1
done
grep -qxF "Allow $0" /tmp/tinyproxy.conf ||
    { echo "Allow $0" >>/tmp/tinyproxy.conf && kill -USR1 1; }
"""
"""Lets one more network in; run in the localhost proxy, whose file does not outlive it."""


def ensure_network(
    client: docker.APIClient, environment: str, network: str, broker_host: str
) -> None:
    """Make a network where it is missing; let broker and localhost proxy serve it.

    Args:
        client: of the engine.
        environment: the network is of.
        network: its name.
        broker_host: name by which the charge points know their broker.
    """
    # The engine matches names by substring.
    if network not in {each["Name"] for each in client.networks(names=[network])}:
        _create(client, environment, network)
    if network != environment:
        _let_broker_in(client, environment, network, broker_host)
        _tell_proxy(client, environment, network)


def disconnect(client: docker.APIClient, found: ContainerRecord) -> None:
    """Take a container's network away."""
    try:
        client.disconnect_container_from_network(found.container_id, found.network, force=True)
    except APIError as exc:
        if "is not connected" not in str(exc.explanation):
            raise


def connect(client: docker.APIClient, found: ContainerRecord, address: str) -> None:
    """Give a container its network back, at its old address if that is still free.

    With its old address a charge point does not even lose its connections, if it is cut off for
    a moment only: as with a cable that is pulled and plugged again.
    """
    if address:
        try:
            client.connect_container_to_network(
                found.container_id, found.network, ipv4_address=address
            )
        except APIError as exc:
            LOG.info("%s gets another address than %s: %s", found.name, address, exc.explanation)
        else:
            return
    try:
        client.connect_container_to_network(found.container_id, found.network)
    except APIError as exc:
        if "already exists in network" not in str(exc.explanation):
            raise


def _create(client: docker.APIClient, environment: str, network: str) -> None:
    """Make a network with addresses that can be asked for.

    The engine lets only those be asked for that are in a subnet named by the user, so its own
    choice is looked up first.
    """
    labels = {container.ENVIRONMENT_LABEL: environment, container.ROLE_LABEL: "network"}
    options: dict[str, Any] = {"driver": "bridge", "check_duplicate": True, "labels": labels}
    client.create_network(network, **options)
    pools = client.inspect_network(network)["IPAM"]["Config"]
    subnets = [pool["Subnet"] for pool in pools if _is_ipv4(pool["Subnet"])]
    if len(subnets) != 1:
        return
    client.remove_network(network)
    ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=subnets[0])])
    try:
        client.create_network(network, ipam=ipam, **options)
    except APIError as exc:
        # Somebody else took it in between: then without.
        LOG.info("network %s: %s is taken: %s", network, subnets[0], exc.explanation)
        client.create_network(network, **options)


def _let_broker_in(
    client: docker.APIClient, environment: str, network: str, broker_host: str
) -> None:
    """Connect the container that is called `broker_host` in the first network.

    Where the broker is no container, or is known by its address, there is none, and no need.
    """
    if client.inspect_network(network).get("Containers") is None:
        return
    for container_id in client.inspect_network(environment).get("Containers") or {}:
        with contextlib.suppress(NotFound):  # it has gone in between
            inspection = client.inspect_container(container_id)
            networks = inspection["NetworkSettings"]["Networks"]
            known_as = {*(networks.get(environment, {}).get("Aliases") or ())}
            known_as.add(inspection["Name"].lstrip("/"))
            if broker_host in known_as and network not in networks:
                client.connect_container_to_network(container_id, network, aliases=[broker_host])
                LOG.info("the broker serves network %s, too", network)


def _tell_proxy(client: docker.APIClient, environment: str, network: str) -> None:
    labels = [
        f"{container.ENVIRONMENT_LABEL}={environment}",
        f"{container.ROLE_LABEL}={_PROXY_ROLE}",
    ]
    pools = client.inspect_network(network)["IPAM"]["Config"]
    for proxy in client.containers(filters={"label": labels}):
        for subnet in (pool["Subnet"] for pool in pools if _is_ipv4(pool["Subnet"])):
            command = ["/bin/sh", "-c", _ALLOW, subnet]
            told = client.exec_create(proxy["Id"], command)
            client.exec_start(told["Id"])
            if client.exec_inspect(told["Id"])["ExitCode"] != 0:
                LOG.warning("the localhost proxy does not let network %s in", network)


def _is_ipv4(subnet: str) -> bool:
    return ipaddress.ip_network(subnet, strict=False).version == 4
