"""The end of what the containers of charge points have printed."""

import contextlib

import requests
from docker.errors import DockerException, NotFound

from supervisor_cli import engine
from supervisor_cli.errors import SimuError


def last_lines(environment: str, charge_point_id: str, lines: int) -> str:
    """Return the last lines of a charge point, or why they cannot be had."""
    try:
        with contextlib.closing(engine.connect()) as client:
            container = client.containers.get(f"{environment}.{charge_point_id}")
            printed: bytes = container.logs(tail=lines)
    except NotFound:
        return "it has no container"
    except (DockerException, requests.RequestException) as exc:
        return f"the engine does not tell: {engine.explain(exc)}"
    except SimuError as exc:
        return str(exc)
    return printed.decode(errors="replace").rstrip()
