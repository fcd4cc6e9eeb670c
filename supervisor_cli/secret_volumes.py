"""The volumes that hold the secrets of charge points: written here, mounted by the launcher.

Secrets go from this machine's files straight to the engine: no message, label, variable or command
line has them, and the launcher never sees them.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Protocol

import docker
import requests
from docker.errors import DockerException, ImageNotFound

from cp_image.api import secrets
from launcher.api import secrets_labels, secrets_volume
from supervisor_cli import images, volume_files
from supervisor_cli.engine import connect, explain
from supervisor_cli.errors import SimuError
from supervisor_cli.volume_files import Folder


class SecretStore(Protocol):
    """Keeps the secrets of an environment's charge points."""

    def write(self, charge_point_id: str, files: Mapping[str, bytes]) -> None:
        """Keep these files, and no others, for a charge point."""

    def discard(self, charge_point_id: str) -> None:
        """Forget what is kept for a charge point, unless a container of it uses it."""


class SecretVolumes:
    """Keeps each charge point's secrets in a volume of the Docker engine.

    Every method raises `SimuError` where the engine refuses.

    Args:
        environment: whose charge points they are.
        client: of the engine; None takes the one that DOCKER_HOST names.
        image: any that is there; None takes the charge points' of this installation.
    """

    def __init__(
        self,
        environment: str,
        client: docker.DockerClient | None = None,
        image: str | None = None,
    ) -> None:
        self._environment = environment
        self._client = client if client is not None else connect()
        self._image = image or images.reference(images.CHARGE_POINT)

    def write(self, charge_point_id: str, files: Mapping[str, bytes]) -> None:
        """Keep these files, and no others, for a charge point."""
        folder = Folder(
            files=files,
            uid=secrets.OWNER_UID,
            mode=secrets.DIRECTORY_MODE,
            file_mode=secrets.FILE_MODE,
        )
        name = secrets_volume(self._environment, charge_point_id)
        labels = secrets_labels(self._environment, charge_point_id)
        with _refusals(f"write the secrets of {charge_point_id}"):
            volume_files.write(self._client, name, labels, folder, self._image)

    def discard(self, charge_point_id: str) -> None:
        """Forget what is kept for a charge point, unless a container of it uses it."""
        with _refusals(f"remove the secrets of {charge_point_id}"):
            volume_files.remove(self._client, secrets_volume(self._environment, charge_point_id))


@contextlib.contextmanager
def _refusals(what: str) -> Iterator[None]:
    try:
        yield
    except ImageNotFound as exc:
        raise SimuError(
            f"cannot {what}: {explain(exc)}", hint="simuctl images builds what is missing"
        ) from exc
    except (DockerException, requests.RequestException) as exc:
        raise SimuError(
            f"cannot {what}: {explain(exc)}", hint="simuctl doctor looks at the engine"
        ) from exc
