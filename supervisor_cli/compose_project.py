"""What Docker Compose has brought up, and simuctl uses, but does not own."""

from typing import Final

from docker.models.containers import Container

from cp_image.api.charge_point_id import charge_point_id
from supervisor_cli.engine import LABEL_ID
from supervisor_cli.errors import SimuError

_LABEL_PROJECT: Final = "com.docker.compose.project"


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


def charge_point_id_of(container: Container) -> str:
    """Return a charge point's id: labelled by the launcher, else as it reads it itself."""
    labelled = container.labels.get(LABEL_ID)
    if labelled is not None:
        return str(labelled)
    made_of = container.attrs["Config"]
    variables = {key: value for key, _, value in (it.partition("=") for it in made_of["Env"] or ())}
    return charge_point_id(variables.get("SIMU_ID", ""), made_of["Hostname"])
