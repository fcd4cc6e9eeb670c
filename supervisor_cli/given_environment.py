"""An environment that somebody else has brought up, looked at before it is used."""

from supervisor_cli.client import SimuClient
from supervisor_cli.errors import NotUpError, SimuError
from supervisor_cli.hosted_loop import HostedLoop
from supervisor_cli.state import Broker, resolve_broker


def broker_of(name: str) -> Broker:
    """Return the broker of an environment that is up.

    Raises:
        SimuError: its broker or its launcher is not there.
    """
    broker = resolve_broker(name)

    def client() -> SimuClient:
        return SimuClient(broker=broker, environment=name)

    try:
        looking = HostedLoop(client, name="look at the environment")
        try:
            looking.run(looking.entered.need_launcher())
        finally:
            looking.close()
    except NotUpError as exc:
        raise SimuError(
            f"environment {name} is not up: {exc}",
            hint=f"simuctl -e {name} up",
            exit_code=exc.exit_code,
        ) from exc
    return broker
