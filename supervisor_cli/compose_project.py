"""What Docker Compose has brought up, and simuctl uses, but does not own."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Final

import docker
import requests
from docker.models.containers import Container

from cp_image.api.charge_point_id import charge_point_id
from supervisor_cli import engine
from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ID, LABEL_ROLE
from supervisor_cli.errors import SimuError

_LABEL_PROJECT: Final = "com.docker.compose.project"
_LABEL_SERVICE: Final = "com.docker.compose.service"
_LABEL_FILES: Final = "com.docker.compose.project.config_files"


def refuse_to_take_over(environment: str, broker: Container | None) -> None:
    """Leave an environment alone whose broker is Compose's: two owners would undo each other.

    Raises:
        SimuError: it is.
    """
    if broker is None or _LABEL_PROJECT not in broker.labels:
        return
    raise SimuError(
        f"environment {environment} belongs to Docker Compose, project "
        f"{broker.labels[_LABEL_PROJECT]}: simuctl uses it, but does not bring it up",
        hint="docker compose -f compose/environment.yaml up -d; or take another name: simuctl -e",
    )


def way_up(environment: str) -> str | None:
    """Return the command that brings up again what Compose has brought up, as the engine says.

    Returns:
        None where no engine answers, or it has nothing of the environment that is Compose's.
    """
    try:
        client = engine.connect()
    except SimuError:
        return None
    try:
        return way_up_of(client, environment)
    except (docker.errors.DockerException, requests.RequestException):
        return None
    finally:
        client.close()


def way_up_of(client: docker.DockerClient, environment: str) -> str | None:
    """Return the same of an engine that answers."""
    labels = [f"{LABEL_ENVIRONMENT}={environment}", LABEL_ROLE, _LABEL_PROJECT]
    made = client.api.containers(all=True, filters={"label": labels})
    return command_up(environment, [each["Labels"] for each in made]) if made else None


def command_up(environment: str, pieces: Sequence[Mapping[str, str]]) -> str:
    """Return the command that brings the pieces of an environment up, and leaves its fleet alone.

    Args:
        environment: its name.
        pieces: the labels of each, broker and launcher among them.
    """
    files = pieces[0].get(_LABEL_FILES, "compose/environment.yaml").split(",")
    services = sorted(each[_LABEL_SERVICE] for each in pieces if _LABEL_SERVICE in each)
    named = [word for file in files for word in ("-f", file)]
    words = ["docker", "compose", *named, "up", "-d", *services]
    return f"SIMU_ENVIRONMENT={environment} {shlex.join(words)}"


def charge_point_id_of(container: Container) -> str:
    """Return a charge point's id: labelled by the launcher, else as it reads it itself."""
    labelled = container.labels.get(LABEL_ID)
    if labelled is not None:
        return str(labelled)
    made_of = container.attrs["Config"]
    variables = {key: value for key, _, value in (it.partition("=") for it in made_of["Env"] or ())}
    return charge_point_id(variables.get("SIMU_ID", ""), made_of["Hostname"])
