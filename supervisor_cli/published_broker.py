"""Where the broker of an environment listens that nobody has written down.

Docker Compose brings environments up without `simuctl`; the engine knows them by their labels.
"""

from supervisor_cli import engine, environment
from supervisor_cli.environment import Role
from supervisor_cli.errors import SimuError
from supervisor_cli.state import Broker

_BROKER_PORT = "1883/tcp"


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
    if container is None:
        return None
    for binding in container.attrs["NetworkSettings"]["Ports"].get(_BROKER_PORT) or ():
        host = binding["HostIp"]
        everywhere = host in {"0.0.0.0", "::", ""}
        return Broker(host="127.0.0.1" if everywhere else host, port=int(binding["HostPort"]))
    return None
