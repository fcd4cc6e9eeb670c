"""Brings an environment up and down: its network, broker, localhost proxy, launcher and CSMS.

An environment is a name: everything of it on the engine carries the name in a label, so that
several of them live on one machine side by side.
"""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.networks import Network

from cp_image.api import secrets
from launcher.api import BROKER_ACCESS_AT, BROKER_CA_FILE, BROKER_PASSWORD_FILE
from supervisor_cli import broker_lock, images, localhost_proxy
from supervisor_cli.broker_lock import BrokerLock, FittedLock
from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ROLE, explain, socket_path
from supervisor_cli.errors import SimuError
from supervisor_cli.images import Report

_BROKER_PORT: Final = 1883
_LABEL_SETTINGS: Final = "cp-simu.settings"
_POOL: Final = 8
_API_VERSION: Final = "1.40"
_CONFINED: Final[Mapping[str, Any]] = {
    "read_only": True,
    "tmpfs": {"/tmp": "size=16m"},  # noqa: S108 - inside the container
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "pids_limit": 512,
    "log_config": docker.types.LogConfig(
        type="json-file", config={"max-size": "1m", "max-file": "3"}
    ),
    "restart_policy": {"Name": "unless-stopped"},
}


class Role(StrEnum):
    """What a container of ours is for: the value of the label `cp-simu.role`."""

    BROKER = "broker"
    LOCALHOST_PROXY = "localhost-proxy"
    LAUNCHER = "launcher"
    CSMS = "csms"
    CHARGE_POINT = "charge-point"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """What an environment is made of.

    Attributes:
        broker_host: address of this machine on which the broker listens.
        broker_port: its port; 0 means the one it has, or any free one.
        launcher: whether the launcher runs as a container; without it, run `simu-launcher`.
        broker_lock: what the broker asks for; None lets everybody in, without TLS.
    """

    name: str
    broker_host: str = "127.0.0.1"
    broker_port: int = _BROKER_PORT
    launcher: bool = True
    charge_point_image: str = field(default_factory=lambda: images.reference(images.CHARGE_POINT))
    broker_lock: BrokerLock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An environment that is up: where its broker and its localhost proxy listen.

    Attributes:
        lock: of the broker; None where it lets everybody in.
    """

    broker_host: str
    broker_port: int
    localhost_proxy: str
    lock: FittedLock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A container as it should run."""

    role: Role
    image: str
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def container_name(environment: str, role: Role) -> str:
    """Return the name of an environment's own container, for example ``cp-simu_broker``."""
    return f"{environment}_{role}"


def up(client: docker.DockerClient, settings: EnvironmentSettings, report: Report) -> Running:
    """Bring an environment up; what runs as it should is left alone.

    Raises:
        SimuError: the engine refuses, for example because the broker's port is taken.
    """
    with _refusals("bring up", settings.name):
        network = ensure_network(client, settings.name)
        gateway, subnet = addresses(network)
        report("starting the broker")
        settings = _with_broker_port(client, settings)
        lock = _fitted(client, settings, gateway)
        _ensure_container(client, settings.name, _broker(settings, lock))
        report("starting the localhost proxy")
        proxy = _ensure_container(client, settings.name, _localhost_proxy(gateway, subnet))
        localhost_proxy.wait_until_it_listens(proxy, gateway)
        running = Running(
            broker_host=settings.broker_host,
            broker_port=settings.broker_port,
            localhost_proxy=localhost_proxy.url(gateway),
            lock=lock,
        )
        if settings.launcher:
            report("starting the launcher")
            _ensure_container(client, settings.name, _launcher(settings, running))
    return running


def start_csms(client: docker.DockerClient, environment: str, port: int) -> str:
    """Start the central system in the box on this machine's loopback; return its URL.

    One that runs already is kept, whatever its port.

    Raises:
        SimuError: the engine refuses.
    """
    with _refusals("start the CSMS of", environment), contextlib.suppress(NotFound):
        running = client.containers.get(container_name(environment, Role.CSMS))
        if running.status == "running":
            return str(running.labels[_LABEL_SETTINGS])
    url = f"ws://localhost:{port}/ocpp"
    wanted = _Wanted(
        role=Role.CSMS,
        image=images.reference(images.LAUNCHER),
        options={
            "entrypoint": ["python3", "-m", "supervisor_cli"],
            "command": ["csms", "--host", "127.0.0.1", "--port", str(port)],
            "network_mode": "host",
        },
    )
    with _refusals("start the CSMS of", environment):
        _ensure_container(client, environment, wanted, note=url)
    return url


def down(client: docker.DockerClient, environment: str, report: Report) -> list[str]:
    """Remove everything of an environment; return the names of what was removed.

    Raises:
        SimuError: the engine refuses.
    """
    mine: dict[str, str | list[str] | bool] = {"label": f"{LABEL_ENVIRONMENT}={environment}"}
    removed: list[str] = []
    with _refusals("bring down", environment):
        containers = client.containers.list(all=True, filters=mine)
        if containers:
            report(f"removing {len(containers)} containers")
        # The launcher first, so that nobody mourns what is taken away on purpose.
        launchers = [it for it in containers if it.labels.get(LABEL_ROLE) == Role.LAUNCHER]
        others = [it for it in containers if it.labels.get(LABEL_ROLE) != Role.LAUNCHER]
        with ThreadPoolExecutor(_POOL) as pool:
            for group in (launchers, others):
                removed += pool.map(_remove_container, group)
            removed += pool.map(_remove_volume, client.volumes.list(filters=mine))
        for network in client.networks.list(filters=mine):
            _remove_network(network)
            removed.append(str(network.name))
    return removed


def charge_point_ids(client: docker.DockerClient, environment: str) -> list[str]:
    """Return the ids of the charge points that have a container, alive or dead."""
    with _refusals("look at", environment):
        containers = client.containers.list(
            all=True,
            ignore_removed=True,
            filters={
                "label": [
                    f"{LABEL_ENVIRONMENT}={environment}",
                    f"{LABEL_ROLE}={Role.CHARGE_POINT}",
                ]
            },
        )
    return sorted(container.labels["cp-simu.charge-point-id"] for container in containers)


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
    network = client.networks.create(environment, **options)
    _, subnet = addresses(network)
    network.remove()
    ipam = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=subnet)])
    try:
        return client.networks.create(environment, ipam=ipam, **options)
    except APIError:  # somebody else took it in between
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


def find(client: docker.DockerClient, environment: str, role: Role) -> Container | None:
    """Return an environment's own container, or None where there is none."""
    try:
        return client.containers.get(container_name(environment, role))
    except NotFound:
        return None


# -- what should run ------------------------------------------------------------------------------


def _fitted(
    client: docker.DockerClient, settings: EnvironmentSettings, gateway: str
) -> FittedLock | None:
    lock = settings.broker_lock
    if lock is None:
        return None
    if lock.tls:
        lock = replace(lock, names=broker_lock.names(settings.broker_host, gateway))
    return broker_lock.fit(client, settings.name, lock, settings.charge_point_image)


def _broker(settings: EnvironmentSettings, lock: FittedLock | None) -> _Wanted:
    locked: dict[str, Any] = {}
    if lock is not None:
        locked = {
            "user": f"{broker_lock.BROKER_UID}:{broker_lock.BROKER_UID}",
            "entrypoint": ["/usr/sbin/mosquitto", "-c", f"{broker_lock.AT}/mosquitto.conf"],
            "volumes": {lock.broker_volume: {"bind": broker_lock.AT, "mode": "ro"}},
        }
    return _Wanted(
        role=Role.BROKER,
        image=images.reference(images.BROKER),
        options={
            "ports": {f"{_BROKER_PORT}/tcp": (settings.broker_host, settings.broker_port)},
            "network": settings.name,
            # The charge points know it by its role, whatever the environment's name.
            "networking_config": {
                settings.name: docker.types.EndpointConfig(_API_VERSION, aliases=[str(Role.BROKER)])
            },
            **locked,
        },
    )


def _localhost_proxy(gateway: str, subnet: str) -> _Wanted:
    return _Wanted(
        role=Role.LOCALHOST_PROXY,
        image=images.reference(images.LOCALHOST_PROXY),
        options={"network_mode": "host"},
        environment=localhost_proxy.variables(gateway, subnet),
    )


def _launcher(settings: EnvironmentSettings, running: Running) -> _Wanted:
    engine_socket = socket_path()
    volumes = {engine_socket: {"bind": "/var/run/docker.sock", "mode": "rw"}}
    groups = [str(Path(engine_socket).stat().st_gid)]
    access: dict[str, str] = {}
    if running.lock is not None:
        volumes[running.lock.access_volume] = {"bind": BROKER_ACCESS_AT, "mode": "ro"}
        groups.append(str(secrets.OWNER_UID))  # whose files those are
        access = _access(running.lock)
    return _Wanted(
        role=Role.LAUNCHER,
        image=images.reference(images.LAUNCHER),
        options={
            # On the host's network it reads host names as the host does.
            "network_mode": "host",
            # What ends with 0, as the launcher does after `close`, stays down.
            "restart_policy": {"Name": "on-failure"},
            "volumes": volumes,
            "group_add": groups,
        },
        environment={
            "SIMU_ENVIRONMENT": settings.name,
            "SIMU_BROKER": f"{running.broker_host}:{running.broker_port}",
            "SIMU_CHARGE_POINT_BROKER": f"broker:{_BROKER_PORT}",
            "SIMU_CHARGE_POINT_IMAGE": settings.charge_point_image,
            "SIMU_LOCALHOST_PROXY": running.localhost_proxy,
            **access,
        },
    )


def _access(lock: FittedLock) -> dict[str, str]:
    """Return the launcher's variables for getting into the broker, and letting others in."""
    access = {"SIMU_BROKER_ACCESS_VOLUME": lock.access_volume}
    if lock.user is not None:
        access["SIMU_BROKER_USER"] = lock.user
        access["SIMU_BROKER_PASSWORD_FILE"] = f"{BROKER_ACCESS_AT}/{BROKER_PASSWORD_FILE}"
    if lock.ca is not None:
        access["SIMU_BROKER_CA"] = f"{BROKER_ACCESS_AT}/{BROKER_CA_FILE}"
    return access


# -- the engine -----------------------------------------------------------------------------------


def _ensure_container(
    client: docker.DockerClient, environment: str, wanted: _Wanted, note: str = ""
) -> Container:
    """Return the container as wanted, started; one that differs is replaced."""
    name = container_name(environment, wanted.role)
    settings = note or repr((wanted.options, wanted.environment))
    try:
        container = client.containers.get(name)
    except NotFound:
        pass
    else:
        image = client.images.get(wanted.image).id
        same = container.labels.get(_LABEL_SETTINGS) == settings
        if same and container.attrs["Image"] == image:
            if container.status != "running":
                container.start()
                container.reload()
            return container
        container.remove(force=True)
    container = client.containers.create(
        wanted.image,
        name=name,
        environment=dict(wanted.environment),
        labels={
            LABEL_ENVIRONMENT: environment,
            LABEL_ROLE: str(wanted.role),
            _LABEL_SETTINGS: settings,
        },
        **{**_CONFINED, **wanted.options},
    )
    try:
        container.start()
    except APIError:
        container.remove(force=True)
        raise
    container.reload()
    return container


def _with_broker_port(
    client: docker.DockerClient, settings: EnvironmentSettings
) -> EnvironmentSettings:
    """Return the settings with a port for the broker that outlives its restarts."""
    if settings.broker_port:
        return settings
    broker = find(client, settings.name, Role.BROKER)
    bindings = broker.attrs["HostConfig"]["PortBindings"] if broker else {}
    for binding in bindings.get(f"{_BROKER_PORT}/tcp", []):
        return replace(settings, broker_port=int(binding["HostPort"]))
    with socket.create_server((settings.broker_host, 0)) as probe:
        return replace(settings, broker_port=int(probe.getsockname()[1]))


def _remove_container(container: Container) -> str:
    with contextlib.suppress(NotFound):
        container.remove(force=True, v=True)
    return str(container.name)


def _remove_volume(volume: Any) -> str:
    with contextlib.suppress(NotFound):
        volume.remove(force=True)
    return str(volume.name)


def _remove_network(network: Network) -> None:
    network.reload()
    for stranger in network.containers:  # a CSMS of the user's, say, that was let in
        network.disconnect(stranger, force=True)
    with contextlib.suppress(NotFound):
        network.remove()


@contextlib.contextmanager
def _refusals(what: str, environment: str) -> Iterator[None]:
    try:
        yield
    except APIError as exc:
        reason = explain(exc)
        hint = f"look at the pieces: docker ps -a --filter label={LABEL_ENVIRONMENT}={environment}"
        if "already allocated" in reason or "address already in use" in reason:
            hint = "another broker or environment has that port: --broker-port N, or 0 for any"
        raise SimuError(f"cannot {what} environment {environment}: {reason}", hint=hint) from exc
