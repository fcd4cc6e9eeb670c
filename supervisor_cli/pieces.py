"""What an environment is made of: its own containers as they should run. Makes none of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import docker

from launcher.api import BROKER_ACCESS_AT, BROKER_CA_FILE, BROKER_PASSWORD_FILE
from supervisor_cli import broker_lock, images, localhost_proxy, remote_engine
from supervisor_cli.broker_lock import BrokerLock, FittedLock

BROKER_PORT: Final = 1883
"""Inside its container."""
DENSE: Final = "SIMU_DENSE"
"""The launcher's variable; 1 lets charge points share memory."""
_API_VERSION: Final = "1.40"
CONFINED: Final[Mapping[str, Any]] = {
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
        broker_host: address of the engine's machine on which the broker listens.
        broker_port: its port; 0 means the one it has, or any free one.
        launcher: whether the launcher runs as a container; without it, run `simu-launcher`.
        broker_lock: what the broker asks for; None lets everybody in, without TLS.
        dense: whether the kernel may merge the memory of charge points.
        tuning: further variables of the launcher, see `supervisor_cli.launcher_tuning`.
    """

    name: str
    broker_host: str = "127.0.0.1"
    broker_port: int = BROKER_PORT
    launcher: bool = True
    charge_point_image: str = field(default_factory=lambda: images.reference(images.CHARGE_POINT))
    broker_lock: BrokerLock | None = None
    dense: bool = False
    tuning: Mapping[str, str] = field(default_factory=dict)


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
class Piece:
    """A container as it should run.

    Attributes:
        options: for the Docker SDK, beside and before `CONFINED`.
        environment: its variables.
    """

    role: Role
    image: str
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def container_name(environment: str, role: Role) -> str:
    """Return the name of an environment's own container, for example ``cp-simu_broker``."""
    return f"{environment}_{role}"


def broker(settings: EnvironmentSettings, lock: FittedLock | None) -> Piece:
    """Return the broker, on the environment's network."""
    locked: dict[str, Any] = {}
    if lock is not None:
        locked = {
            "user": f"{broker_lock.BROKER_UID}:{broker_lock.BROKER_UID}",
            "entrypoint": ["/usr/sbin/mosquitto", "-c", f"{broker_lock.AT}/mosquitto.conf"],
            "volumes": {lock.broker_volume: {"bind": broker_lock.AT, "mode": "ro"}},
        }
    return Piece(
        role=Role.BROKER,
        image=images.reference(images.BROKER),
        options={
            "ports": {f"{BROKER_PORT}/tcp": (settings.broker_host, settings.broker_port)},
            "network": settings.name,
            # The charge points know it by its role, whatever the environment's name.
            "networking_config": {
                settings.name: docker.types.EndpointConfig(_API_VERSION, aliases=[str(Role.BROKER)])
            },
            **locked,
        },
    )


def proxy(gateway: str, subnet: str) -> Piece:
    """Return the localhost proxy for a network."""
    return Piece(
        role=Role.LOCALHOST_PROXY,
        image=images.reference(images.LOCALHOST_PROXY),
        options={"network_mode": "host"},
        environment=localhost_proxy.variables(gateway, subnet),
    )


def launcher(settings: EnvironmentSettings, running: Running, socket_group: int) -> Piece:
    """Return the launcher; `socket_group` is who may use the engine's socket."""
    engine_socket = remote_engine.socket_path()
    volumes = {engine_socket: {"bind": "/var/run/docker.sock", "mode": "rw"}}
    groups = [str(socket_group)]
    access: dict[str, str] = {}
    host = running.broker_host
    # No certificate is for all addresses.
    reached_at = "127.0.0.1" if host in remote_engine.EVERYWHERE else host
    if running.lock is not None:
        volumes[running.lock.access_volume] = {"bind": BROKER_ACCESS_AT, "mode": "ro"}
        access = _access(running.lock)
    return Piece(
        role=Role.LAUNCHER,
        image=images.reference(images.LAUNCHER),
        options={
            # On the host's network it reads host names as the host does.
            "network_mode": "host",
            # It cuts the power of all charge points at once, and sees their processes.
            "pid_mode": "host",
            # What ends with 0, as the launcher does after `close`, stays down.
            "restart_policy": {"Name": "on-failure"},
            "volumes": volumes,
            "group_add": groups,
        },
        environment={
            "SIMU_ENVIRONMENT": settings.name,
            "SIMU_BROKER": f"{reached_at}:{running.broker_port}",
            "SIMU_CHARGE_POINT_BROKER": f"broker:{BROKER_PORT}",
            "SIMU_CHARGE_POINT_IMAGE": settings.charge_point_image,
            "SIMU_LOCALHOST_PROXY": running.localhost_proxy,
            **({DENSE: "1"} if settings.dense else {}),
            **settings.tuning,
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
