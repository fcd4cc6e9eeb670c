"""WebSocket pings at an interval that may change while the connection stands."""

import asyncio
import logging
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

LOG: Final = logging.getLogger(__name__)

_NO_PONG: Final = 1011
"""RFC 6455 §7.4.1: the endpoint meets a condition that keeps it from going on."""


class Pings:
    """Pings one connection after the other.

    Args:
        interval_s: between pings until `set_interval` says otherwise; 0 never pings.
        pong_s: how long an answer may take before the connection is given up.
    """

    def __init__(self, *, interval_s: float, pong_s: float) -> None:
        self._interval_s = interval_s
        self._pong_s = pong_s
        self._changed = asyncio.Event()

    def set_interval(self, interval_s: float) -> None:
        """Ping so often from now on."""
        if interval_s != self._interval_s:
            self._interval_s = interval_s
            self._changed.set()

    async def run(self, connection: ClientConnection) -> None:
        """Ping until the connection ends, or end it when it does not answer."""
        while True:
            await self._wait()
            try:
                async with asyncio.timeout(self._pong_s):
                    await (await connection.ping())
            except TimeoutError:
                LOG.warning("the CSMS did not answer a ping within %g s", self._pong_s)
                await connection.close(_NO_PONG, "no answer to a ping")
                return
            except ConnectionClosed:
                return  # the reader says why

    async def _wait(self) -> None:
        """Wait for the interval, counted anew whenever it changes."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout(self._interval_s or None):
                    await self._changed.wait()
            except TimeoutError:
                return
