"""The connection to the Docker engine that DOCKER_HOST names, and its refusals in our words."""

import contextlib
from collections.abc import Iterator
from typing import Final

import docker
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from launcher.engine import EngineError

_CALL_S: Final = 60


class _Client(docker.APIClient):
    """A client that takes nothing but DOCKER_HOST and its like from the environment.

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


def connect(api_version: str | None = None) -> docker.APIClient:
    """Return a client of the engine that DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH name.

    The low-level API is used because the high-level one follows every call with an inspection.

    Args:
        api_version: to speak; None: the engine is asked for its own.
    """
    return _Client(timeout=_CALL_S, version=api_version, **kwargs_from_env())


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what docker-py raises into `EngineError`.

    Args:
        what: is asked of the engine, for the text.

    Raises:
        EngineError: the engine refuses or does not answer.
    """
    try:
        yield
    except APIError as exc:
        reason = exc.explanation or str(exc)
        raise EngineError(f"{what}: the Docker engine refused: {reason}") from exc
    except (DockerException, RequestException, OSError) as exc:
        raise EngineError(f"{what}: the Docker engine does not answer: {exc}") from exc
