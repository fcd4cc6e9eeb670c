"""A TCP port of this machine that is kept for somebody who is still to listen on it."""

import contextlib
import socket
from collections.abc import Iterator


def hold(host: str = "127.0.0.1") -> socket.socket:
    """Return a socket on a free port; as long as it is open, the port is kept.

    Nobody listens on it yet, so who connects is refused. Whoever listens with SO_REUSEADDR, as
    servers do, can have it. The kernel gives it to no outgoing connection, and to nobody who asks
    for any free port.

    Raises:
        OSError: this machine has no such address, or no free port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        held.bind((host, 0))
        # Only now: before, it might be one that somebody else holds in the same way.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except BaseException:
        held.close()
        raise
    return held


@contextlib.contextmanager
def held_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Hold a free port meanwhile.

    Raises:
        OSError: this machine has no such address, or no free port.
    """
    with hold(host) as held:
        yield int(held.getsockname()[1])
