"""The Docker engine as the supervisor sees it: reaching it, and what is ours on it."""

import socket
from pathlib import Path
from typing import Any, Final

import docker
import requests
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from supervisor_cli import remote_engine
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.remote_engine import address

LABEL_ENVIRONMENT: Final = "cp-simu.environment"
LABEL_ROLE: Final = "cp-simu.role"
LABEL_ID: Final = "cp-simu.charge-point-id"
_CALL_S: Final = 120


class _Api(docker.APIClient):
    """Takes nothing but DOCKER_HOST and its like from the environment.

    requests would prefer the web's certificate authorities (REQUESTS_CA_BUNDLE) to those of
    DOCKER_CERT_PATH, and the web's proxies to the straight way; and the first request is made
    before a client could be told not to.
    """

    @property
    def trust_env(self) -> bool:
        """Never."""
        return False

    @trust_env.setter
    def trust_env(self, _value: bool) -> None:
        """Ignore what requests' own constructor sets."""


class _Client(docker.DockerClient):
    """The high-level client over that."""

    def __init__(self, **options: Any) -> None:
        self.api = _Api(**options)


__all__ = [
    "LABEL_ENVIRONMENT",
    "LABEL_ID",
    "LABEL_ROLE",
    "address",
    "connect",
    "explain",
    "run_once",
    "socket_group",
]


def connect() -> docker.DockerClient:
    """Return a client of the engine that DOCKER_HOST names, or of this machine's.

    Raises:
        SimuError: no engine answers.
    """
    try:
        _knock()
        client = _Client(timeout=_CALL_S, **kwargs_from_env())
        client.ping()
    except (DockerException, requests.RequestException, OSError) as exc:
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


def _knock() -> None:
    """Find out whether anybody listens on the engine's socket.

    docker would leave one of its own open where nobody does, and tell of it whenever that is
    collected: in the tests of others, under pytest, as a warning.

    Raises:
        OSError: nobody does, or not to us.
    """
    if remote_engine.host() is None:
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(_CALL_S)
            knocking.connect(remote_engine.socket_path())


def socket_group(client: docker.DockerClient, image: str) -> int:
    """Return the group that may use that socket.

    Args:
        client: of the engine.
        image: on it; one of ours, in which somebody can look.

    Raises:
        docker.errors.APIError: the engine refuses to say.
        SimuError: the socket cannot be looked at.
    """
    path = remote_engine.socket_path()
    if remote_engine.host() is None:
        return Path(path).stat().st_gid
    exit_code, told = run_once(
        client,
        image,
        ["-c", "%g", path],
        entrypoint="stat",
        volumes={path: {"bind": path, "mode": "ro"}},
        network_mode="none",
    )
    if exit_code != 0:
        raise SimuError(f"whose the engine's socket is, nobody can say: {told.strip()}")
    return int(told)


def run_once(
    client: docker.DockerClient, image: str, words: list[str], **options: Any
) -> tuple[int, str]:
    """Run a container to its end, and return its exit code and all it printed.

    docker's own `run` follows the log, and an engine may close that before the last lines of a
    container that ends at once. Here it is read afterwards.

    Args:
        client: of the engine.
        image: on it.
        words: to its entry point.
        options: as docker's `containers.create` takes them.

    Raises:
        docker.errors.APIError: the engine refuses.
    """
    container = client.containers.create(image, words, **options)
    try:
        container.start()
        ended: int = container.wait()["StatusCode"]
        return ended, container.logs().decode()
    finally:
        container.remove(force=True, v=True)


def explain(exc: Exception) -> str:
    """Return the engine's own words for an error, without the wrapping of the client."""
    explanation = getattr(exc, "explanation", None)
    return str(explanation) if explanation else _innermost(exc)


def _innermost(exc: BaseException) -> str:
    while (cause := exc.__cause__ or exc.__context__) is not None:
        exc = cause
    return str(exc)
