"""The connection to the Docker engine that DOCKER_HOST names, and its refusals in our words."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import docker
from docker.errors import APIError, DockerException
from docker.transport import UnixHTTPAdapter
from docker.utils import kwargs_from_env
from requests.adapters import HTTPAdapter
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


class _KeptConnections(UnixHTTPAdapter):
    """Connections to a socket that are kept for the next call, which docker-py opens for each."""

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:  # noqa: ARG002 - as called
        """Return what has the connections, whatever is asked for."""
        return super().get_connection("http+docker://localhost")


def connect(*, connections: int = 1) -> docker.APIClient:
    """Return a client of the engine that DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH name.

    The low-level API is used because the high-level one follows every call with an inspection.

    Args:
        connections: that are kept for the next calls, at most.
    """
    client = _Client(timeout=_CALL_S, **kwargs_from_env())
    for scheme in tuple(client.adapters):
        own = client.get_adapter(scheme)
        if isinstance(own, UnixHTTPAdapter):
            socket = f"http+unix://{own.socket_path}"
            client.mount(scheme, _KeptConnections(socket, _CALL_S, max_pool_size=connections))
        elif type(own) is HTTPAdapter:
            client.mount(scheme, HTTPAdapter(pool_maxsize=connections))
    return client


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
