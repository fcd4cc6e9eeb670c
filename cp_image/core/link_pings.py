"""Tells the shell how often to ping the CSMS: the configuration key WebSocketPingInterval."""

from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.effects import SetPingInterval
from cp_image.core.outbox import Outbox


class LinkPings:
    """Says the interval at power-up and each time it has changed; a live socket obeys at once."""

    def __init__(self, configuration: Configuration, outbox: Outbox) -> None:
        self._configuration = configuration
        self._outbox = outbox
        configuration.on_change(Key.WEB_SOCKET_PING_INTERVAL, self.tell)

    def tell(self, _now: float) -> None:
        """Say the interval."""
        interval_s = self._configuration.integer(Key.WEB_SOCKET_PING_INTERVAL)
        self._outbox.put(SetPingInterval(interval_s=interval_s))
