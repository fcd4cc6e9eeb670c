"""A Docker engine of its own for a test: in a container, with TLS, on a disk of its own.

It runs the binaries of the machine its container runs on, so nothing has to be downloaded, and
needs no root here. All of it, networks included, ends with its container.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, Final

import docker
import trustme
from docker.errors import APIError
from docker.models.containers import Container
from docker.tls import TLSConfig
from docker.types import Mount
from docker.utils import version_lt

from supervisor_cli import images
from supervisor_cli.engine import LABEL_ENVIRONMENT
from tests.integration.fleet import Stage

_WITHIN_S: Final = 180
_LABEL_BOX: Final = "cp-simu.test-box"
_RECURSIVE_SINCE: Final = "1.44"
"""Version of the engine's API since which what is mounted below is read-only, too."""
_PORT: Final = 2376
HOST_NAME: Final = "engine.example"
"""What its certificate calls it, beside 127.0.0.1."""
_INIT: Final = """
mount -t proc proc /host/proc
mount -t tmpfs -o size={disk} tmpfs /host/mnt
mount -t tmpfs tmpfs /host/run
{more}
touch /mounted
trap exit TERM
# Whoever is killed is waited for, as init does; for two hours, should nobody end it before.
for minute in $(seq 120); do sleep 60 & wait; done
"""
_DAEMON: Final = (
    # runc wants room for files of its own where it executes something in a container.
    "mkdir -p /host/mnt/tmp && exec chroot /host env TMPDIR=/mnt/tmp "
    "dockerd --data-root /mnt/data --exec-root /mnt/exec --pidfile /mnt/pid "
    "-H unix:///run/docker.sock -H tcp://0.0.0.0:{port} --tlsverify --tlscacert {folder}/ca.pem "
    "--tlscert {folder}/server.pem --tlskey {folder}/server-key.pem >>/mnt-log 2>&1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEngine:
    """An engine that may be stopped, killed and filled up.

    Attributes:
        box: the container it runs in.
        client: of the engine in it.
        variables: environment variables with which other programs reach it.
    """

    box: Container
    client: docker.DockerClient
    variables: dict[str, str]
    folder: Path

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        self._until("test -e /mounted", exit_code=0)
        daemon = _DAEMON.format(port=_PORT, folder=quote(str(self.folder)))
        self.box.exec_run(["sh", "-c", daemon], detach=True)
        self._until("docker version", exit_code=0)

    def stop(self) -> None:
        """End the daemon in order, as a shutdown does."""
        self._run("kill $(cat /host/mnt/pid)")
        self._until("test -e /host/mnt/pid", exit_code=1)

    def crash(self) -> None:
        """Kill the daemon and every container, as a power cut of the machine does."""
        self.box.exec_run(["sh", "-c", "kill -9 -1"])
        self._run("rm -f /host/mnt/pid /host/run/docker.sock")

    def fill_up(self) -> None:
        """Leave no room on its disk."""
        self._run("head -c 2G /dev/zero >/host/mnt/ballast || true")

    def make_room(self) -> None:
        """Give the room back."""
        self._run("rm /host/mnt/ballast")

    def _run(self, script: str) -> None:
        try:
            ended: Any = self.box.exec_run(["sh", "-c", script])
        except APIError as exc:
            raise AssertionError(f"{exc}\n{self.box.logs().decode()}") from exc
        assert ended.exit_code == 0, f"{ended.output.decode()}\n{self.box.logs().decode()}"

    def _until(self, command: str, *, exit_code: int) -> None:
        """Wait, in the box, until a command ends so."""
        condition = f"chroot /host {command} >/dev/null 2>&1" if "docker" in command else command
        script = (
            f"for i in $(seq {10 * _WITHIN_S}); do {condition}; "
            f"[ $? -eq {exit_code} ] && exit 0; sleep 0.1; done; cat /mnt-log; exit 1"
        )
        self._run(script)


@contextmanager
def own_engine(where: Stage, folder: Path, port: int) -> Iterator[OwnEngine]:
    """Run an engine beside a stage's broker, with the charge point's image on it.

    Its disk is small, to be filled up.

    Args:
        where: its containers reach the broker and the gateway of the stage.
        folder: for keys and certificates.
        port: of this machine's loopback, to listen on.
    """
    with (
        box(where.engine, where.name, disk="700m", port=port, network=where.name) as around,
        engine_in(around, folder, port) as engine,
    ):
        load(where.engine, engine, [images.reference(images.CHARGE_POINT)])
        yield engine


@contextmanager
def box(
    engine: docker.DockerClient, name: str, *, disk: str, port: int, network: str, more: str = ""
) -> Iterator[Container]:
    """Run the container in which an engine can run.

    Args:
        engine: on which the container runs.
        name: of the environment it belongs to.
        disk: how large the engine's may grow; it is memory.
        port: of this machine's loopback, through which the engine will be reached.
        network: of the container.
        more: what a shell in it does besides, before it goes to sleep; this machine's files are
            below /host.
    """
    try:
        made = engine.containers.create(
            images.BASE,
            ["sh", "-ec", _INIT.format(disk=disk, more=more)],
            name=f"{name}_engine",
            labels={LABEL_ENVIRONMENT: name, _LABEL_BOX: name},
            network=network,
            ports={f"{_PORT}/tcp": ("127.0.0.1", port)},
            mounts=[_this_machine(engine)],
            cap_add=["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"],
            security_opt=["seccomp=unconfined", "apparmor=unconfined"],
            device_cgroup_rules=["a *:* rwm"],
            stop_signal="SIGKILL",
        )
        made.start()
        yield made
    finally:
        # By label: one that did not start is there all the same.
        label = f"{_LABEL_BOX}={name}"
        for each in engine.containers.list(all=True, filters={"label": label}):
            each.remove(force=True, v=True)


def _this_machine(engine: docker.DockerClient) -> Mount:
    """Return its files, to be read only; but an engine writes to the control groups among them."""
    mount = Mount("/host", "/", type="bind", read_only=True)
    if not version_lt(engine.api.api_version, _RECURSIVE_SINCE):
        mount["BindOptions"] = {"ReadOnlyNonRecursive": True}
    return mount


@contextmanager
def engine_in(around: Container, folder: Path, port: int) -> Iterator[OwnEngine]:
    """Run an engine in the container that is around it; it ends with that."""
    _issue(folder)
    tls = TLSConfig(
        client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")),
        ca_cert=str(folder / "ca.pem"),
        verify=True,
    )
    client = docker.DockerClient(base_url=f"tcp://127.0.0.1:{port}", tls=tls, version="1.40")
    client.api.trust_env = False
    variables = {
        "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(folder),
    }
    engine = OwnEngine(box=around, client=client, variables=variables, folder=folder)
    try:
        engine.start()
        yield engine
    finally:
        client.close()


def load(from_: docker.DockerClient, into: OwnEngine, references: Sequence[str]) -> None:
    """Copy images; what several are made of is copied once."""
    api: Any = from_.api  # of several at once the library knows nothing
    archive = api._get(api._url("/images/get"), params={"names": [*references]}, stream=True)
    into.client.images.load(archive.iter_content(1 << 20))


def _issue(folder: Path) -> None:
    """Write the engine's key and certificate, its client's, and their authority's."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name, cert in (
        ("server", authority.issue_cert("127.0.0.1", HOST_NAME)),
        ("", authority.issue_cert("client")),
    ):
        prefix = f"{name}-" if name else ""
        cert.private_key_pem.write_to_path(folder / f"{prefix}key.pem")
        chain = b"".join(each.bytes() for each in cert.cert_chain_pems)
        (folder / (f"{name}.pem" if name else "cert.pem")).write_bytes(chain)
