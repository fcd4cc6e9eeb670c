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

from supervisor_cli.engine import LABEL_ENVIRONMENT

_UNNAMED: Final = re.compile("[0-9a-f]{64}")


class UnnamedVolumes:
    """Knows which unnamed volumes each environment's containers have had."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self._environments: dict[str, str] = {}
        self._volumes: defaultdict[str, set[str]] = defaultdict(set)

    def sweep(self, environment: str) -> list[str]:
        """Remove those that an environment has left behind, and return them."""
        there = {volume.name for volume in self._client.volumes.list()}
        left = sorted(self._volumes.pop(environment, set()) & there)
        for name in left:
            self._client.volumes.get(name).remove()
        return left

    def hear(self, event: dict[str, Any]) -> None:
        """Take in an event of the engine."""
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
    volumes = UnnamedVolumes(client)
    events: Any = client.events(decode=True, filters={"type": ["container", "volume"]})

    def listen() -> None:
        for event in events:
            volumes.hear(event)

    listening = threading.Thread(target=listen, name="engine events")
    listening.start()
    try:
        yield volumes
    finally:
        events.close()
        listening.join()
