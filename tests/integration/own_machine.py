"""A machine of its own for a test, as somebody has it who reads the README.

It is a container with a network and a Docker engine of its own, so every port, every name of an
environment and every image is free to be taken. Its files are those of this machine, to be read
only; but the checkout can be written to, which changes nothing here, and so can a home for who
types. All of it is in memory, and ends with its container.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import docker

from supervisor_cli import images
from tests.integration.own_engine import HOST_NAME, OwnEngine, engine_in, load, start_box
from tests.support.far_desk import FarDesk

CHECKOUT: Final = Path(__file__).parents[2]
ADDRESS: Final = "192.0.2.7"
"""An address of the machine beside those of its networks (RFC 5737)."""

_MORE: Final = f"""
mkdir /host/mnt/home /host/mnt/changes /host/mnt/work
mount -t overlay -o lowerdir=/host{CHECKOUT},upperdir=/host/mnt/changes,workdir=/host/mnt/work \\
  overlay /host{CHECKOUT}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMachine:
    """A machine with an engine, this checkout's images on it, and desks to type at."""

    engine: OwnEngine
    _homes: Iterator[int] = field(default_factory=count)

    @contextmanager
    def desk(self) -> Iterator[FarDesk]:
        """Lend terminals, in a home that is empty but for the engine's keys and for Compose.

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
        client = self.engine.client
        left: list[str] = []
        for container in client.containers.list(all=True, ignore_removed=True):
            container.remove(force=True, v=True)
            left.append(f"container {container.name}")
        for volume in client.volumes.list():
            volume.remove()
            left.append(f"volume {volume.name}")
        for network in client.networks.list(filters={"type": "custom"}):
            network.remove()
            left.append(f"network {network.name}")
        return left


def _variables() -> dict[str, str]:
    mine = {name: it for name, it in os.environ.items() if not name.startswith(_OF_THE_MACHINE)}
    return {**mine, "TMPDIR": "/mnt/tmp"}


def _docker_configuration() -> str:
    return os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")


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
    box = start_box(engine, name, disk="3g", port=port, network="bridge", more=_MORE)
    with engine_in(box, folder, port) as inner:
        code, said = box.exec_run(["chroot", "/host", sys.executable, "-c", _ADD_ADDRESS])
        assert code == 0, said
        load(engine, inner, [each.reference() for each in images.SOURCES])
        for each in images.SOURCES:
            inner.client.api.tag(each.reference(), each.name, "latest")
        yield OwnMachine(engine=inner)
