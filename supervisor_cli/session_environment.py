"""An environment for as long as a process lives, such as a test session, by testcontainers.

Three things see to it that nothing of it stays: who started it removes it; a sweeper of its own
does where that process is killed; and the next session does where the sweeper was killed, too.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import docker
from docker.errors import NotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from supervisor_cli import (
    engine,
    environment,
    images,
    localhost_proxy,
    pieces,
    readiness,
    state,
    sweeper,
)
from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ROLE, socket_group
from supervisor_cli.environment import EnvironmentSettings, Running
from supervisor_cli.errors import SimuError
from supervisor_cli.images import Report
from supervisor_cli.owner import LABEL_OWNER, Owner
from supervisor_cli.pieces import BROKER_PORT, CONFINED, Piece
from supervisor_cli.session_lock import session_lock
from supervisor_cli.state import Broker

_LOOPBACK: Final = "127.0.0.1"
_SWEPT_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """What the environment is made of.

    Attributes:
        name: of the environment.
        images: those that are not to be this installation's: name as in `images` -> reference.
        kept: whether it outlives the process.
    """

    name: str
    images: Mapping[str, str] = field(default_factory=dict)
    kept: bool = False

    def image(self, name: str) -> str:
        """Return the image for a piece."""
        return self.images.get(name) or images.reference(name)


@contextmanager
def session_environment(settings: SessionSettings, report: Report) -> Iterator[Broker]:
    """Bring an environment up, give where its broker is, and remove the environment afterwards.

    Raises:
        SimuError: no engine answers, an image cannot be built, the engine refuses.
    """
    client = engine.connect()
    with ExitStack() as after:
        after.callback(client.close)
        # The workers of a run begin together: each would remove, and build, what all the others do.
        with session_lock():
            sweep(client, report)
            ensure_images(client, settings, report)
        if not settings.kept:
            after.enter_context(_swept(settings.name))
            after.callback(_remove, client, settings.name, report)
        with _without_ryuk():
            broker = _start(client, settings, after, report)
        state.save(settings.name, broker)  # so that simuctl finds it meanwhile
        yield broker


def sweep(client: docker.DockerClient, report: Report) -> list[str]:
    """Remove the environments of sessions that are over; return their names."""
    found: dict[str, str] = {}
    for container in client.containers.list(
        all=True, ignore_removed=True, filters={"label": LABEL_OWNER}
    ):
        name = container.labels.get(LABEL_ENVIRONMENT)
        if name is not None and Owner.parse(container.labels[LABEL_OWNER]).is_gone():
            found[name] = container.labels[LABEL_OWNER]
    for name, owner in found.items():
        report(f"removing environment {name}, whose session {owner} is over")
        _remove(client, name, report)
    return sorted(found)


def ensure_images(client: docker.DockerClient, settings: SessionSettings, report: Report) -> None:
    """Build the images of this installation that are missing and not given."""
    wanted = [source for source in images.SOURCES if source.name not in settings.images]
    if any(not images.is_current(client, source) for source in wanted):
        images.ensure_images(client, report, wanted)


# -- inside ---------------------------------------------------------------------------------------


def _start(
    client: docker.DockerClient, settings: SessionSettings, after: ExitStack, report: Report
) -> Broker:
    name = settings.name
    labels = {} if settings.kept else {LABEL_OWNER: str(Owner.this_process())}
    wanted = EnvironmentSettings(name=name, charge_point_image=settings.image(images.CHARGE_POINT))
    gateway, subnet = environment.addresses(environment.ensure_network(client, name))

    def run(piece: Piece, image: str, **options: Any) -> DockerContainer:
        report(f"starting the {piece.role} of environment {name}")
        made = _container(
            replace(piece, image=settings.image(image), options={**piece.options, **options}),
            name,
            labels,
        )
        made.start()
        if not settings.kept:
            after.callback(_stop, made)
        return made

    # A port that the engine chooses is nobody else's.
    broker = run(
        pieces.broker(wanted, None), images.BROKER, ports={f"{BROKER_PORT}/tcp": (_LOOPBACK,)}
    )
    proxy = run(pieces.proxy(gateway, subnet), images.LOCALHOST_PROXY)
    localhost_proxy.wait_until_it_listens(proxy.get_wrapped_container(), gateway)
    address = Broker(host=_LOOPBACK, port=_port(broker))
    running = Running(
        broker_host=address.host,
        broker_port=address.port,
        localhost_proxy=localhost_proxy.url(gateway),
    )
    group = socket_group(client, images.reference(images.LAUNCHER))
    run(pieces.launcher(wanted, running, group), images.LAUNCHER)
    asyncio.run(readiness.launcher_answers(name, address))
    return address


def _container(piece: Piece, name: str, labels: Mapping[str, str]) -> DockerContainer:
    options: dict[str, Any] = {**CONFINED, **piece.options}
    made = DockerContainer(
        piece.image, env=dict(piece.environment), name=environment.container_name(name, piece.role)
    )
    # These it hands to the engine itself, as they are.
    made.ports = options.pop("ports", {})
    made.volumes = options.pop("volumes", {})
    made.tmpfs = options.pop("tmpfs", {})
    if options.get("network_mode") == "host":
        options["network"] = options.pop("network_mode")  # else it looks for one
    return made.with_kwargs(
        **options, labels={LABEL_ENVIRONMENT: name, LABEL_ROLE: str(piece.role), **labels}
    )


def _port(broker: DockerContainer) -> int:
    container = broker.get_wrapped_container()
    container.reload()
    bindings = container.ports.get(f"{BROKER_PORT}/tcp") or []
    if not bindings:
        raise SimuError(
            f"{container.name} has no port: {localhost_proxy.last_words(container)}",
            hint=f"docker logs {container.name}",
        )
    return int(bindings[0]["HostPort"])


def _stop(container: DockerContainer) -> None:
    try:
        container.stop()
    except NotFound:  # the test itself has removed it
        container.get_docker_client().client.close()


def _remove(client: docker.DockerClient, name: str, report: Report) -> None:
    environment.down(client, name, report)
    state.forget(name)


@contextmanager
def _swept(name: str) -> Iterator[None]:
    """Have the environment removed also where this process is killed."""
    with subprocess.Popen(  # noqa: S603 - this interpreter, and a name that was checked
        [sys.executable, "-P", "-m", sweeper.__name__, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us: it waits for our end
    ) as process:
        yield
        process.communicate(sweeper.DONE, timeout=_SWEPT_WITHIN_S)


@contextmanager
def _without_ryuk() -> Iterator[None]:
    """Start no clean-up container for ours: it is not to be had everywhere, and knows no volumes.

    Whether the user's own containers have one is left to them.
    """
    before = testcontainers_config.ryuk_disabled
    testcontainers_config.ryuk_disabled = True
    try:
        yield
    finally:
        testcontainers_config.ryuk_disabled = before
