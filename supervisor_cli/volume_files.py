"""Files on volumes of the Docker engine: written there without a trace anywhere else."""

import contextlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import docker
from docker.errors import APIError, NotFound

from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ROLE
from supervisor_cli.errors import SimuError

_FOLDER: Final = "files"
_IN_USE: Final = 409
_EMPTIED_WITHIN_S: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """All that is to be on a volume.

    Attributes:
        files: what they hold, by name.
        uid: number of the user, and of the group, that owns folder and files.
        mode: of the folder; `file_mode` of the files.
    """

    files: Mapping[str, bytes]
    uid: int
    mode: int
    file_mode: int

    def archive(self) -> bytes:
        """Return it as a tar archive."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            directory = tarfile.TarInfo(_FOLDER)
            directory.type = tarfile.DIRTYPE
            directory.mode = self.mode
            directory.uid = directory.gid = self.uid
            tar.addfile(directory)
            for name, content in self.files.items():
                member = tarfile.TarInfo(f"{_FOLDER}/{name}")
                member.size = len(content)
                member.mode = self.file_mode
                member.uid = member.gid = self.uid
                tar.addfile(member, io.BytesIO(content))
        return buffer.getvalue()


def write(
    client: docker.DockerClient,
    name: str,
    labels: Mapping[str, str],
    folder: Folder,
    image: str,
) -> None:
    """Make a volume that holds the files, and no others.

    Args:
        client: of the engine.
        name: of the volume.
        labels: of the volume; the environment's is among them.
        folder: the files.
        image: any that is there; what is in it does not matter, but for a shell.

    Raises:
        SimuError: the volume is in use, and cannot be emptied.
        docker.errors.APIError: the engine refuses.
    """
    in_use = not remove(client, name)
    client.volumes.create(name, labels=dict(labels))
    environment = labels[LABEL_ENVIRONMENT]
    if in_use:
        _empty(client, name, environment, image, folder.uid)
    with _carrier(client, name, environment, image) as carrier:
        carrier.put_archive("/", folder.archive())


def remove(client: docker.DockerClient, name: str) -> bool:
    """Remove a volume; return False where a container, dead or alive, uses it."""
    try:
        client.volumes.get(name).remove()
    except NotFound:
        return True
    except APIError as exc:
        if exc.status_code != _IN_USE:
            raise
        return False
    return True


def _empty(client: docker.DockerClient, name: str, environment: str, image: str, uid: int) -> None:
    script = f"rm -f /{_FOLDER}/*"
    with _carrier(client, name, environment, image, script=script, user=str(uid)) as carrier:
        carrier.start()
        if carrier.wait(timeout=_EMPTIED_WITHIN_S)["StatusCode"] != 0:
            raise SimuError(f"volume {name} cannot be emptied: {carrier.logs().decode().strip()}")


@contextlib.contextmanager
def _carrier(
    client: docker.DockerClient,
    volume: str,
    environment: str,
    image: str,
    *,
    script: str = "exit",
    user: str | None = None,
) -> Iterator[Any]:
    """Make a container that has a volume; the engine writes to none that no container has."""
    carrier = client.containers.create(
        image,
        entrypoint=["/bin/sh", "-c"],
        command=[script],
        user=user,
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mounts=[docker.types.Mount(f"/{_FOLDER}", volume, type="volume", no_copy=True)],
        labels={LABEL_ENVIRONMENT: environment, LABEL_ROLE: "carrier"},
    )
    try:
        yield carrier
    finally:
        carrier.remove(force=True, v=True)
