"""A Docker engine of its own for a test to ill-treat: in a container, with TLS, on a small disk.

It runs the binaries of the machine its container runs on, so nothing has to be downloaded, and
needs no root here. All of it, networks included, ends with its container.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker
import trustme
from docker.models.containers import Container
from docker.tls import TLSConfig

from supervisor_cli import images
from tests.integration.fleet import Stage

_WITHIN_S: Final = 180
_PORT: Final = 2376
_INIT: Final = """
mount -t proc proc /host/proc
mount -t tmpfs -o size=700m tmpfs /host/mnt
mount -t tmpfs tmpfs /host/run
touch /mounted
# Whoever is killed is waited for, as init does.
trap exit TERM
while :; do sleep 1000 & wait; done
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
        daemon = _DAEMON.format(port=_PORT, folder=self.folder)
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
        exit_code, output = self.box.exec_run(["sh", "-c", script])
        assert exit_code == 0, output

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

    Args:
        where: its containers reach the broker and the gateway of the stage.
        folder: for keys and certificates.
        port: of this machine's loopback, to listen on.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name, cert in (
        ("server", authority.issue_cert("127.0.0.1")),
        ("", authority.issue_cert("client")),
    ):
        prefix = f"{name}-" if name else ""
        cert.private_key_pem.write_to_path(folder / f"{prefix}key.pem")
        chain = b"".join(each.bytes() for each in cert.cert_chain_pems)
        (folder / (f"{name}.pem" if name else "cert.pem")).write_bytes(chain)
    box = where.engine.containers.run(
        "debian:trixie-slim",
        ["sh", "-ec", _INIT],
        detach=True,
        name=f"{where.name}_engine",
        labels={"cp-simu.environment": where.name},
        network=where.name,
        ports={f"{_PORT}/tcp": ("127.0.0.1", port)},
        volumes={"/": {"bind": "/host", "mode": "ro"}},
        cap_add=["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"],
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        device_cgroup_rules=["a *:* rwm"],
        stop_signal="SIGKILL",
    )
    tls = TLSConfig(
        client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")),
        ca_cert=str(folder / "ca.pem"),
        verify=True,
    )
    client = docker.DockerClient(base_url=f"tcp://127.0.0.1:{port}", tls=tls, version="1.40")
    client.api.trust_env = False
    engine = OwnEngine(
        box=box,
        client=client,
        variables={
            "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(folder),
        },
        folder=folder,
    )
    try:
        engine.start()
        saved = b"".join(
            where.engine.images.get(images.reference(images.CHARGE_POINT)).save(named=True)
        )
        client.images.load(saved)
        yield engine
    finally:
        client.close()
        box.remove(force=True, v=True)
