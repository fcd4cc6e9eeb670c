"""Reservations: which connector is kept for which tag, and until when (OCPP 1.6 §3.9, §5.13)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cp_image.api.payloads import ConnectorState
from cp_image.api.value import Value
from cp_image.core.connector import Connector
from cp_image.core.id_tag import same_tag
from cp_image.core.outbox import Outbox

_PREFIX: Final = "reservation/"


class Reservation(Value):
    """``reservation/ID``.

    Attributes:
        connector_id: 0 keeps any one connector.
        expires_at: station time, epoch seconds.
        parent_id_tag: every tag of this group may use it; None where only `id_tag` may.
    """

    reservation_id: int
    connector_id: int
    expires_at: float
    id_tag: str
    parent_id_tag: str | None = None

    def serves(self, id_tag: str, parent_id_tag: str | None) -> bool:
        """Return whether a tag of a group may use it."""
        return same_tag(self.id_tag, id_tag) or same_tag(self.parent_id_tag, parent_id_tag)

    def may_serve(self, id_tag: str) -> bool:
        """Return whether a tag whose group nobody knows yet might use it."""
        return same_tag(self.id_tag, id_tag) or self.parent_id_tag is not None


class Reservations:
    """The book of the reservations in force, kept through a power cut."""

    def __init__(
        self, *, connectors: Sequence[Connector], stored: Mapping[str, bytes], outbox: Outbox
    ) -> None:
        self._connectors = connectors
        self._outbox = outbox
        self._book: dict[int, Reservation] = {}
        for key in sorted(stored):
            if key.startswith(_PREFIX):
                kept = outbox.recall(stored, key, Reservation)
                if kept is not None:
                    self._book[kept.reservation_id] = kept

    def __iter__(self) -> Iterator[Reservation]:
        return iter(tuple(self._book.values()))

    def get(self, reservation_id: int) -> Reservation | None:
        """Return a reservation; None where there is none of this id."""
        return self._book.get(reservation_id)

    def of(self, connector_id: int) -> Reservation | None:
        """Return the reservation of one connector; None where it has none of its own."""
        return next((r for r in self if r.connector_id == connector_id != 0), None)

    def put(self, reservation: Reservation) -> None:
        """Add a reservation; one with the same id is replaced."""
        self._book[reservation.reservation_id] = reservation
        self._outbox.keep(_key(reservation.reservation_id), reservation)

    def remove(self, reservation_id: int) -> None:
        """End a reservation."""
        del self._book[reservation_id]
        self._outbox.forget(_key(reservation_id))

    def redeem(self, connector_id: int, id_tag: str, parent_id_tag: str | None) -> int | None:
        """A transaction starts: end the reservation it was for.

        Returns:
            Its id, for StartTransaction; None where there was none.
        """
        own = self.of(connector_id)
        # The connector's own before the one that may have any.
        for kept in (own, *(r for r in self if r.connector_id == 0)):
            if kept is not None and kept.serves(id_tag, parent_id_tag):
                self.remove(kept.reservation_id)
                return kept.reservation_id
        return None

    def bars(self, connector: Connector, id_tag: str, parent_id_tag: str | None) -> bool:
        """Return whether a connector is kept for somebody else than this tag of this group."""
        others = [r for r in self if not r.serves(id_tag, parent_id_tag)]
        return self._bars(connector, others)

    def surely_bars(self, connector: Connector, id_tag: str) -> bool:
        """Return whether that is so whatever the group of the tag turns out to be."""
        return self._bars(connector, [r for r in self if not r.may_serve(id_tag)])

    def room(self, *, besides: int) -> int:
        """Return how many connectors are free beyond what connector 0 has reserved.

        Args:
            besides: id of a reservation that does not count: it is to be replaced.
        """
        replaced = self.get(besides)
        freed = 1 if replaced is not None and self._holds(replaced) else 0
        kept = sum(1 for r in self if r.connector_id == 0 and r.reservation_id != besides)
        return self._free_beside(None) + freed - kept

    def _bars(self, connector: Connector, others: Sequence[Reservation]) -> bool:
        own = self.of(connector.connector_id)
        if own is not None:
            return own in others
        # §5.13: one connector stays available for each tag that has reserved connector 0.
        kept = sum(1 for r in others if r.connector_id == 0)
        return kept > 0 and self._free_beside(connector) < kept

    def _free_beside(self, connector: Connector | None) -> int:
        return sum(
            1
            for c in self._connectors
            if c is not connector and c.state is ConnectorState.AVAILABLE
        )

    def _holds(self, reservation: Reservation) -> bool:
        """Return whether a connector is Reserved by it."""
        return any(
            c.connector_id == reservation.connector_id and c.state is ConnectorState.RESERVED
            for c in self._connectors
        )


def _key(reservation_id: int) -> str:
    return f"{_PREFIX}{reservation_id}"
