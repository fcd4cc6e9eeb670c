"""The volumes without a name that containers of an environment were given.

They carry no label, so nothing but the engine's events says whose they are.
"""

import contextlib
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import docker
from docker.errors import NotFound

from supervisor_cli.engine import LABEL_ENVIRONMENT

_UNNAMED: Final = re.compile("[0-9a-f]{64}")
_END_WITHIN_S: Final = 30


class UnnamedVolumes:
    """Knows which unnamed volumes each environment's containers have had.

    Args:
        client: of the engine; it is listened to until `close`.
    """

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self._environments: dict[str, str] = {}
        self._volumes: defaultdict[str, set[str]] = defaultdict(set)
        self._events: Any = client.events(decode=True, filters={"type": ["container", "volume"]})
        self._wrong: Exception | None = None
        self._listening = threading.Thread(target=self._listen, name="engine events", daemon=True)
        self._listening.start()

    def sweep(self, environment: str) -> list[str]:
        """Remove those that an environment has left behind, and return them.

        Raises:
            AssertionError: the engine is not listened to any more, so some may be unknown.
        """
        if not self._listening.is_alive():
            raise AssertionError("the engine's events have ended") from self._wrong
        there = {volume.name for volume in self._client.volumes.list()}
        left = sorted(self._volumes.pop(environment, set()) & there)
        for name in left:
            with contextlib.suppress(NotFound):
                self._client.volumes.get(name).remove()
        return left

    def close(self) -> None:
        """Listen no more."""
        self._events.close()
        self._listening.join(_END_WITHIN_S)
        assert not self._listening.is_alive()

    def _listen(self) -> None:
        try:
            for event in self._events:
                self._hear(event)
        except Exception as exc:  # noqa: BLE001 - raised where somebody relies on it
            self._wrong = exc

    def _hear(self, event: dict[str, Any]) -> None:
        about = event["Actor"]
        match event["Type"], event["Action"]:
            case "container", "create" if LABEL_ENVIRONMENT in about["Attributes"]:
                self._environments[about["ID"]] = about["Attributes"][LABEL_ENVIRONMENT]
            case "volume", "mount" if _UNNAMED.fullmatch(about["ID"]):
                if environment := self._environments.get(about["Attributes"]["container"]):
                    self._volumes[environment].add(about["ID"])


@contextlib.contextmanager
def watched(client: docker.DockerClient) -> Iterator[UnnamedVolumes]:
    """Listen to the engine meanwhile."""
    with contextlib.closing(UnnamedVolumes(client)) as volumes:
        yield volumes
