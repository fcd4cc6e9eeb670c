"""Whether a CSMS is on this machine's own loopback, as its address is seen from here."""

import asyncio
import ipaddress
import logging
import socket
from typing import Final
from urllib.parse import urlsplit

LOG: Final = logging.getLogger(__name__)

_ANSWER_S: Final = 5.0


async def is_on_loopback(central_system: str) -> bool:
    """Return whether every address of the CSMS's host is a loopback address of this machine.

    A name that cannot be resolved is not: it may still resolve inside a container.

    Args:
        central_system: a validated ws:// or wss:// URL.
    """
    host = urlsplit(central_system).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 §6.3
        return True
    try:
        return _is_loopback(host)
    except ValueError:
        addresses = await _resolve(host)
    return bool(addresses) and all(map(_is_loopback, addresses))


async def _resolve(host: str) -> set[str]:
    try:
        async with asyncio.timeout(_ANSWER_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, None, type=socket.SOCK_STREAM
            )
    except (OSError, UnicodeError, TimeoutError) as exc:
        LOG.info("%s does not resolve here (%s): reached without the localhost proxy", host, exc)
        return set()
    return {str(address[0]) for *_, address in found}


def _is_loopback(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    # 0.0.0.0 as a destination is this machine, too.
    return address.is_loopback or address.is_unspecified
