"""Who hears of the OCPP frames of a connection."""

from typing import Protocol


class Tap(Protocol):
    """Hears of every connection, and of the frames that pass on it."""

    def connected(self) -> None:
        """Begin a connection."""

    def sent(self, text: str) -> None:
        """Take a frame that is about to go out."""

    def received(self, text: str) -> None:
        """Take a frame that has come in."""


class NoTap:
    """The tap where nobody wants to hear anything."""

    def connected(self) -> None:
        """Take no notice."""

    def sent(self, text: str) -> None:
        """Take no notice."""

    def received(self, text: str) -> None:
        """Take no notice."""
