"""Where the broker of an environment listens that nobody has written down.

Docker Compose brings environments up without `simuctl`; the engine knows them by their labels.
"""

from collections.abc import Mapping
from typing import Any, Final

from supervisor_cli import engine, environment
from supervisor_cli.environment import Role
from supervisor_cli.errors import SimuError
from supervisor_cli.state import Broker

_BROKER_PORT: Final = "1883/tcp"
_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::"})


def published_broker(name: str) -> Broker | None:
    """Return where an environment's broker listens on this machine, as the engine says.

    Returns:
        None where no engine answers, or it has no such broker: whoever connects says why.
    """
    try:
        client = engine.connect()
    except SimuError:
        return None
    try:
        container = environment.find(client, name, Role.BROKER)
    finally:
        client.close()
    return None if container is None else address_of(container.attrs)


def address_of(inspection: Mapping[str, Any]) -> Broker | None:
    """Return where a broker's container listens, or would if it ran; None where nowhere.

    Args:
        inspection: of the container (`GET /containers/ID/json`).
    """
    is_now = inspection["NetworkSettings"]["Ports"] or {}
    is_to_be = inspection["HostConfig"]["PortBindings"] or {}
    for binding in (*(is_now.get(_BROKER_PORT) or ()), *(is_to_be.get(_BROKER_PORT) or ())):
        host, port = binding["HostIp"], int(binding["HostPort"] or 0)
        if port:
            return Broker(host="127.0.0.1" if host in _EVERYWHERE else host, port=port)
    return None
