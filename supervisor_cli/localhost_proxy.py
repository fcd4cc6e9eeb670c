"""The localhost proxy: what lets charge points reach services on this machine's own loopback."""

import socket
import time
from typing import Final

from docker.models.containers import Container

from supervisor_cli.errors import ExitCode, SimuError

_PORT: Final = 17016
_LOOK_AGAIN_S: Final = 0.05
_LISTENS: Final = "0A"  # as the kernel's table of sockets says it


def url(gateway: str) -> str:
    """Return where the charge points of a network find it."""
    return f"http://{gateway}:{_PORT}"


def variables(gateway: str, subnet: str) -> dict[str, str]:
    """Return its environment variables.

    Args:
        gateway: the address on which it listens.
        subnet: whom it serves, in CIDR notation.
    """
    return {"LISTEN": gateway, "PORT": str(_PORT), "ALLOW": subnet}


def wait_until_it_listens(container: Container, gateway: str, timeout_s: float = 30.0) -> None:
    """Wait until it takes connections; it is asked on the engine, which may be elsewhere.

    Raises:
        SimuError: it does not; says what it printed last (exit code 4).
        docker.errors.APIError: the engine refuses.
    """
    address = socket.inet_aton(gateway)[::-1].hex().upper()
    look = ["grep", "-q", f": {address}:{_PORT:04X} .* {_LISTENS} ", "/proc/net/tcp"]
    deadline = time.monotonic() + timeout_s
    while True:
        container.reload()
        if container.status == "running" and container.exec_run(look).exit_code == 0:
            return
        if time.monotonic() > deadline:
            raise SimuError(
                f"{container.name} is {container.status}, and does not listen on {gateway}:{_PORT}"
                f" after {timeout_s:g} s: {last_words(container)}",
                hint=f"docker logs {container.name}",
                exit_code=ExitCode.TIMEOUT,
            )
        time.sleep(_LOOK_AGAIN_S)


def last_words(container: Container) -> str:
    """Return the last line a container printed, or that there is none."""
    lines = container.logs(tail=1).decode(errors="replace").split("\n")
    return lines[0].strip() or "it printed nothing"
