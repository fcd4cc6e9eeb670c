"""A machine of its own for a test, as somebody has it who reads the README.

It is a container with a network and a Docker engine of its own, so every port, every name of an
environment and every image is free to be taken. Its files are those of this machine, to be read
only; but the checkout can be written to, which changes nothing here, and so can a home for who
types. All of it is in memory, and ends with its container.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from shlex import quote
from typing import Final

import docker
from docker.errors import APIError, NotFound

from supervisor_cli import images
from tests.integration.own_engine import HOST_NAME, OwnEngine, box, engine_in, load
from tests.support.far_desk import FarDesk

CHECKOUT: Final = Path(__file__).parents[2]
ADDRESS: Final = "192.0.2.7"
"""An address of the machine beside those of its networks (RFC 5737)."""

_IN_BOX: Final = quote(f"/host{CHECKOUT}")
_MORE: Final = f"""
mkdir /host/mnt/home /host/mnt/changes /host/mnt/work
mount -t overlay -o lowerdir={_IN_BOX},upperdir=/host/mnt/changes,workdir=/host/mnt/work \\
  overlay {_IN_BOX}
(cat /host/etc/hosts; echo {ADDRESS} {HOST_NAME}) >/host/mnt/hosts
mount --bind /host/mnt/hosts /host/etc/hosts
"""
_ADD_ADDRESS: Final = f"""
import fcntl, socket, struct
address = struct.pack("16sH2x4s8x", b"lo:0", socket.AF_INET, socket.inet_aton("{ADDRESS}"))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8916, address)  # SIOCSIFADDR
"""
_OF_THE_MACHINE: Final = (
    *("SIMU_", "XDG_", "DOCKER_", "PYTEST_", "TESTCONTAINERS_"),
    # What the make that runs these tests was told would win over what is said to one there.
    *("MAKE", "MFLAGS"),
)
"""Variables of this machine, by how they begin, that are not that one's."""
_SWEEPS: Final = 5
"""How often at most; what was being made meanwhile is there only the next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMachine:
    """A machine with an engine, this checkout's images on it, and desks to type at."""

    engine: OwnEngine
    _homes: Iterator[int] = field(default_factory=count)

    @contextmanager
    def desk(self) -> Iterator[FarDesk]:
        """Lend terminals, in a home that is empty but for settings: the engine's keys, pip's.

        Whatever is then left of the environment `cp-simu` is taken down.

        Raises:
            AssertionError: anything else is left on the engine; it is removed.
        """
        home = f"/mnt/home/{next(self._homes)}"
        way = ["docker", "exec", "-i", str(self.engine.box.id), "chroot", "/host"]
        inside = ["env", "-C", str(CHECKOUT)]
        desk = FarDesk([*way, *inside], home, _variables())
        try:
            desk.run(f"mkdir ~/.docker && ln -s {self.engine.folder} ~/.docker/engine")
            desk.run(f"ln -s {_docker_configuration()}/cli-plugins ~/.docker/cli-plugins")
            desk.run(f"mkdir ~/.config && ln -s {_pip_configuration()} ~/.config/pip")
            yield desk
            desk.run("simuctl down --yes")
        finally:
            try:
                desk.close()
            finally:
                left = self._emptied()
        assert left == []

    def _emptied(self) -> list[str]:
        """Remove what is on the engine beside images; return what that was."""
        left: list[str] = []
        for _ in range(_SWEEPS):
            there = self._there()
            if not there:
                return left
            for name, remove in there:
                try:
                    remove()
                except NotFound:
                    continue  # went by itself
                except APIError as exc:
                    left.append(f"{name}: {exc}")
                else:
                    left.append(name)
        return [*left, *(f"{name}, still" for name, _ in self._there())]

    def _there(self) -> list[tuple[str, Callable[[], None]]]:
        """Return what is on the engine beside images, and what removes it, in that order.

        Launchers go first, for they make again what else is removed.
        """
        client = self.engine.client
        containers = client.containers.list(all=True, ignore_removed=True)
        launchers = {
            each.id
            for each in client.containers.list(
                all=True,
                ignore_removed=True,
                filters={"ancestor": images.reference(images.LAUNCHER)},
            )
        }
        containers.sort(key=lambda each: each.id not in launchers)
        return [
            *(
                (f"container {it.name}", partial(it.remove, force=True, v=True))
                for it in containers
            ),
            *((f"volume {it.name}", it.remove) for it in client.volumes.list()),
            *(
                (f"network {it.name}", it.remove)
                for it in client.networks.list(filters={"type": "custom"})
            ),
        ]


def _variables() -> dict[str, str]:
    mine = {name: it for name, it in os.environ.items() if not name.startswith(_OF_THE_MACHINE)}
    return {**mine, "TMPDIR": "/mnt/tmp"}


def _docker_configuration() -> str:
    return os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")


def _pip_configuration() -> Path:
    """Return the folder that says where packages come from for who is here; it may be missing."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "pip"


@contextmanager
def own_machine(
    engine: docker.DockerClient, name: str, folder: Path, port: int
) -> Iterator[OwnMachine]:
    """Run a machine.

    Args:
        engine: of this machine, with this checkout's images.
        name: of an environment; the machine's container belongs to it.
        folder: for the keys of the machine's engine.
        port: of this machine's loopback, through which that engine is reached.
    """
    with (
        box(engine, name, disk="8g", port=port, network="bridge", more=_MORE) as around,
        engine_in(around, folder, port) as inner,
    ):
        code, said = around.exec_run(["chroot", "/host", sys.executable, "-c", _ADD_ADDRESS])
        assert code == 0, said
        load(engine, inner, [each.reference() for each in images.SOURCES])
        for each in images.SOURCES:
            inner.client.api.tag(each.reference(), each.name, "latest")
        yield OwnMachine(engine=inner)
