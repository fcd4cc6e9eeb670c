"""An engine on another machine: what is different there, and what cannot be."""

import ipaddress
import os
from typing import Final
from urllib.parse import urlsplit

from supervisor_cli.errors import ExitCode, SimuError

DEFAULT_SOCKET: Final = "/var/run/docker.sock"
EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})
"""To listen there is to listen on all of a machine's addresses; it is none of its own."""


def address() -> str:
    """Return where the engine is looked for."""
    return os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}"


def host() -> str | None:
    """Return the name of the engine's machine; None where that is this one."""
    where = address()
    if where.startswith("unix://"):
        return None
    return urlsplit(where if "://" in where else f"tcp://{where}").hostname or "localhost"


def socket_path() -> str:
    """Return the engine's socket on its own machine, for the launcher's container."""
    return DEFAULT_SOCKET if host() is not None else address().removeprefix("unix://")


def need_reachable_broker(broker_host: str, broker_port: int) -> None:
    """See to it that the broker of an engine elsewhere can be reached from here.

    Raises:
        SimuError: it could not (exit code 2).
    """
    remote = host()
    if remote is None:
        return
    if _is_loopback(broker_host):
        raise SimuError(
            f"the engine at {address()} is on another machine: a broker on that machine's "
            f"{broker_host} cannot be reached from here",
            hint=f"--broker-host {remote}, and a lock: --broker-user, --broker-password-file, "
            "--broker-tls",
            exit_code=ExitCode.USAGE,
        )
    if broker_port == 0:
        raise SimuError(
            f"the engine at {address()} is on another machine: which port is free there is not "
            "known here",
            hint="--broker-port N",
            exit_code=ExitCode.USAGE,
        )


def broker_address(broker_host: str) -> str:
    """Return where clients on this machine reach a broker that listens on an engine's address."""
    if broker_host not in EVERYWHERE:
        return broker_host
    return host() or "127.0.0.1"


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return text == "localhost"
