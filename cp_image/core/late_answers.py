"""Transaction messages the CSMS has not answered in time: its answer may come all the same."""

from typing import Final

from cp_image.core.messages import StartTransaction
from cp_image.core.stored_request import TransactionEntry

_MOST: Final = 16
"""A CSMS that never answers is not waited for in every request there ever was."""


class LateAnswers:
    """Remembers which message was said under which id, as long as the link lasts.

    Each attempt has an id of its own, and an answer to any of them counts.
    """

    def __init__(self) -> None:
        self._entries: dict[str, TransactionEntry] = {}

    def expect(self, message_id: str, entry: TransactionEntry) -> None:
        """An attempt is given up."""
        if len(self._entries) >= _MOST:
            del self._entries[next(iter(self._entries))]
        self._entries[message_id] = entry

    def entry(self, message_id: str) -> TransactionEntry | None:
        """Return what an answer belongs to; None where nothing is known of it."""
        return self._entries.get(message_id)

    def may_start(self, local_id: int) -> bool:
        """Return whether a StartTransaction that was given up may yet be answered."""
        return any(
            entry.local_id == local_id and isinstance(entry.request, StartTransaction)
            for entry in self._entries.values()
        )

    def concluded(self, number: int) -> None:
        """Nothing is expected any more of the message with this number."""
        self._entries = {k: entry for k, entry in self._entries.items() if entry.number != number}

    def clear(self) -> None:
        """The link is broken: an answer comes on the connection of its request."""
        self._entries.clear()
