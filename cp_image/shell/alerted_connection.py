"""A WebSocket connection that fails with the TLS alert, where one came."""

import ssl
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException


class AlertedConnection(ClientConnection):
    """Tells by which TLS alert it ends: under TLS 1.3 one may come after the TLS handshake."""

    _alert: ssl.SSLError | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if isinstance(exc, ssl.SSLError):
            self._alert = exc
        super().connection_lost(exc)

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        """See `ClientConnection`."""
        try:
            await super().handshake(*args, **kwargs)
        except WebSocketException as exc:
            if self._alert is not None:
                raise self._alert from exc
            raise
