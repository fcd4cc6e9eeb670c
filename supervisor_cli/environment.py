"""Brings an environment up and down: its network, broker, localhost proxy, launcher and CSMS.

An environment is a name: everything of it on the engine carries the name in a label, so that
several of them live on one machine side by side.
"""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from supervisor_cli import (
    broker_lock,
    images,
    launcher_tuning,
    localhost_proxy,
    pieces,
    remote_engine,
)
from supervisor_cli.broker_lock import FittedLock
from supervisor_cli.compose_project import charge_point_id_of, refuse_to_take_over
from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ROLE, explain, socket_group
from supervisor_cli.errors import SimuError
from supervisor_cli.held_port import held_port
from supervisor_cli.images import Report
from supervisor_cli.networks import addresses, ensure_network, remove_network
from supervisor_cli.pieces import (
    BROKER_PORT,
    CONFINED,
    EnvironmentSettings,
    Piece,
    Role,
    Running,
    container_name,
)

__all__ = [
    "EnvironmentSettings",
    "Role",
    "Running",
    "addresses",
    "as_it_is",
    "charge_point_ids",
    "container_name",
    "down",
    "ensure_network",
    "find",
    "start_csms",
    "up",
]

_LABEL_SETTINGS: Final = "cp-simu.settings"
_POOL: Final = 8
_SWEEPS: Final = 4
_BETWEEN_SWEEPS_S: Final = 0.5


def up(client: docker.DockerClient, settings: EnvironmentSettings, report: Report) -> Running:
    """Bring an environment up; what runs as it should is left alone.

    Raises:
        SimuError: the engine refuses, for example because the broker's port is taken.
    """
    with _refusals("bring up", settings.name):
        refuse_to_take_over(settings.name, find(client, settings.name, Role.BROKER))
        network = ensure_network(client, settings.name)
        gateway, subnet = addresses(network)
        report("starting the broker")
        with _with_broker_port(client, settings) as wanted:
            lock = _fitted(client, wanted, gateway)
            _ensure_container(client, settings.name, pieces.broker(wanted, lock))
        report("starting the localhost proxy")
        proxy = _ensure_container(client, settings.name, pieces.proxy(gateway, subnet))
        localhost_proxy.wait_until_it_listens(proxy, gateway)
        running = Running(
            broker_host=wanted.broker_host,
            broker_port=wanted.broker_port,
            localhost_proxy=localhost_proxy.url(gateway),
            lock=lock,
        )
        if settings.launcher:
            report("starting the launcher")
            group = socket_group(client, images.reference(images.LAUNCHER))
            _ensure_container(client, settings.name, pieces.launcher(wanted, running, group))
    return running


def as_it_is(client: docker.DockerClient, environment: str) -> EnvironmentSettings:
    """Return the settings an environment has, or the usual ones as far as it has none.

    Raises:
        SimuError: the engine refuses.
    """
    settings = EnvironmentSettings(name=environment)
    with _refusals("look at", environment):
        broker = find(client, environment, Role.BROKER)
        launcher = find(client, environment, Role.LAUNCHER)
    for binding in _published(broker):
        settings = replace(
            settings, broker_host=binding["HostIp"], broker_port=int(binding["HostPort"])
        )
    told = launcher.attrs["Config"]["Env"] if launcher is not None else []
    return replace(
        settings, dense=f"{pieces.DENSE}=1" in told, tuning=launcher_tuning.as_it_has(told)
    )


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
    wanted = Piece(
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
    removed: list[str] = []
    with _refusals("bring down", environment):
        for more in reversed(range(_SWEEPS)):
            try:
                swept = _sweep(client, environment, report)
            except APIError:  # a launcher that ends finishes what it had begun, which is in use yet
                if not more:
                    raise
                time.sleep(_BETWEEN_SWEEPS_S)
                continue
            if not swept:
                break
            removed += swept
    return removed


def _sweep(client: docker.DockerClient, environment: str, report: Report) -> list[str]:
    """Remove what there is of an environment now; return the names of it."""
    mine: dict[str, str | list[str] | bool] = {"label": f"{LABEL_ENVIRONMENT}={environment}"}
    removed: list[str] = []
    containers = client.containers.list(all=True, ignore_removed=True, filters=mine)
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
        remove_network(network)
        removed.append(str(network.name))
    return removed


def charge_point_ids(client: docker.DockerClient, environment: str) -> list[str]:
    """Return the ids of the charge points that have a container, alive or dead."""
    with _refusals("look at", environment):
        containers = client.containers.list(
            all=True,
            ignore_removed=True,
            filters={"label": f"{LABEL_ENVIRONMENT}={environment}"},
        )
    # Who has no role was started by hand, or by Docker Compose.
    roles = {Role.CHARGE_POINT, None}
    return sorted(charge_point_id_of(it) for it in containers if it.labels.get(LABEL_ROLE) in roles)


def find(client: docker.DockerClient, environment: str, role: Role) -> Container | None:
    """Return an environment's own container, or None where there is none."""
    try:
        return client.containers.get(container_name(environment, role))
    except NotFound:
        return None


# -- inside ---------------------------------------------------------------------------------------


def _fitted(
    client: docker.DockerClient, settings: EnvironmentSettings, gateway: str
) -> FittedLock | None:
    lock = settings.broker_lock
    if lock is None:
        return None
    if lock.tls:
        lock = replace(
            lock,
            names=broker_lock.names(remote_engine.broker_address(settings.broker_host), gateway),
        )
    return broker_lock.fit(client, settings.name, lock, settings.charge_point_image)


# -- the engine -----------------------------------------------------------------------------------


def _ensure_container(
    client: docker.DockerClient, environment: str, wanted: Piece, note: str = ""
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
        **{**CONFINED, **wanted.options},
    )
    try:
        container.start()
    except APIError:
        container.remove(force=True)
        raise
    container.reload()
    return container


@contextlib.contextmanager
def _with_broker_port(
    client: docker.DockerClient, settings: EnvironmentSettings
) -> Iterator[EnvironmentSettings]:
    """Yield the settings with a port for the broker that outlives its restarts.

    A new one is held meanwhile, for it is a while until the broker listens.
    """
    published = _published(find(client, settings.name, Role.BROKER))
    if settings.broker_port:
        yield settings
    elif published:
        yield replace(settings, broker_port=int(published[0]["HostPort"]))
    else:
        with held_port(settings.broker_host) as port:
            yield replace(settings, broker_port=port)


def _published(broker: Container | None) -> list[dict[str, str]]:
    """Return where on this machine a broker is to listen: one place, or none."""
    bindings = broker.attrs["HostConfig"]["PortBindings"] if broker else {}
    return bindings.get(f"{BROKER_PORT}/tcp") or []


def _remove_container(container: Container) -> str:
    with contextlib.suppress(NotFound):
        container.remove(force=True, v=True)
    return str(container.name)


def _remove_volume(volume: Any) -> str:
    with contextlib.suppress(NotFound):
        volume.remove(force=True)
    return str(volume.name)


@contextlib.contextmanager
def _refusals(what: str, environment: str) -> Iterator[None]:
    try:
        yield
    except APIError as exc:
        reason = explain(exc)
        hint = f"look at the pieces: docker ps -a --filter label={LABEL_ENVIRONMENT}={environment}"
        if "already allocated" in reason or "address already in use" in reason:
            hint = "another broker or environment has that port: --broker-port N, or 0 for any"
        if "has active endpoints" in reason:
            hint = "the engine counts containers in it that are gone: restart it, then again"
        raise SimuError(f"cannot {what} environment {environment}: {reason}", hint=hint) from exc
