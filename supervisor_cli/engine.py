"""The Docker engine as the supervisor sees it: reaching it, and what is ours on it."""

import os
from typing import Final

import docker
import requests
from docker.errors import DockerException

from supervisor_cli.errors import ExitCode, SimuError

DEFAULT_SOCKET: Final = "/var/run/docker.sock"
LABEL_ENVIRONMENT: Final = "cp-simu.environment"
LABEL_ROLE: Final = "cp-simu.role"


def connect() -> docker.DockerClient:
    """Return a client of the engine that DOCKER_HOST names, or of this machine's.

    Raises:
        SimuError: no engine answers.
    """
    try:
        client = docker.from_env(timeout=120)
        client.ping()
    except (DockerException, requests.RequestException) as exc:
        hint = "start Docker; in a checkout of cp-simu, `make engine` installs and starts it"
        if "Permission denied" in str(exc):
            hint = (
                "be in the group docker: `sudo usermod -aG docker $USER`, and log in again "
                "(or for now: sg docker)"
            )
        raise SimuError(
            f"no Docker engine answers at {address()}: {_innermost(exc)}",
            hint=hint,
            exit_code=ExitCode.UNREACHABLE,
        ) from exc
    return client


def address() -> str:
    """Return where the engine is looked for."""
    return os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}"


def socket_path() -> str:
    """Return the engine's socket on this machine, for the launcher's container.

    Raises:
        SimuError: the engine is remote.
    """
    where = address()
    if not where.startswith("unix://"):
        raise SimuError(
            f"the engine at {where} is not on this machine: the launcher cannot mount its socket",
            hint="run `simuctl up` on the engine's own machine",
        )
    return where.removeprefix("unix://")


def explain(exc: Exception) -> str:
    """Return the engine's own words for an error, without the wrapping of the client."""
    explanation = getattr(exc, "explanation", None)
    return str(explanation) if explanation else _innermost(exc)


def _innermost(exc: BaseException) -> str:
    while (cause := exc.__cause__ or exc.__context__) is not None:
        exc = cause
    return str(exc)
