"""The feature profile Reservation: OCPP 1.6 §5.1 CancelReservation, §5.13 ReserveNow."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from cp_image.api.payloads import ConnectorState
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector, found
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    CancelReservation,
    CancelReservationAnswer,
    ReservationStatus,
    ReserveNow,
    ReserveNowAnswer,
)
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import LogLevel
from cp_image.core.outbox import Outbox
from cp_image.core.reservations import Reservation, Reservations
from cp_image.core.sessions import Sessions
from cp_image.core.station_clock import StationClock

_OUT_OF_ORDER: Final[Mapping[ConnectorState, ReservationStatus]] = MappingProxyType(
    {
        ConnectorState.FAULTED: ReservationStatus.FAULTED,
        ConnectorState.UNAVAILABLE: ReservationStatus.UNAVAILABLE,
    }
)


class ReservationProfile:
    """Takes reservations in, cancels them, and ends those whose time or connector is gone."""

    def __init__(
        self,
        *,
        reservations: Reservations,
        connectors: Sequence[Connector],
        sessions: Sessions,
        configuration: Configuration,
        clock: StationClock,
        outbox: Outbox,
    ) -> None:
        self._reservations = reservations
        self._connectors = connectors
        self._sessions = sessions
        self._configuration = configuration
        self._clock = clock
        self._outbox = outbox

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what it answers the CSMS."""
        return {ReserveNow: self._reserve_asked, CancelReservation: self._cancel_asked}

    def tick(self, now: float) -> None:
        """End the reservations that have expired (§5.13 expiryDate)."""
        for kept in self._reservations:
            if now >= self._clock.instant(kept.expires_at):
                self._end(kept, now)
                self._say(kept, "has expired")

    def settle(self, now: float) -> None:
        """End the reservations of what is out of order (§5.13: set to Faulted or Unavailable)."""
        for kept in self._reservations:
            if all(c.state in _OUT_OF_ORDER for c in self._meant(kept.connector_id)):
                self._end(kept, now)
                self._say(kept, "has ended: its connector is out of order")

    def next_deadline(self) -> float | None:
        """Return when the next reservation expires; None where there is none."""
        return min((self._clock.instant(r.expires_at) for r in self._reservations), default=None)

    def _reserve_asked(self, request: ReserveNow, now: float) -> Reply:
        status = self._judged(request, now)
        if status is not ReservationStatus.ACCEPTED:
            return Reply(answer=ReserveNowAnswer(status=status))
        return Reply(
            answer=ReserveNowAnswer(status=status), then=lambda now: self._reserve(request, now)
        )

    def _judged(self, request: ReserveNow, now: float) -> ReservationStatus:
        if not self._reservable(request.connector_id):
            return ReservationStatus.REJECTED
        if now >= self._clock.instant(request.expires_at):
            return ReservationStatus.REJECTED  # it would be over before it began
        states = {c.state for c in self._meant(request.connector_id)}
        for state, status in _OUT_OF_ORDER.items():
            if states == {state}:
                return status
        if states <= _OUT_OF_ORDER.keys():
            return ReservationStatus.UNAVAILABLE
        if request.connector_id != 0 and not self._free(request):
            return ReservationStatus.OCCUPIED
        if self._reservations.room(besides=request.reservation_id) < 1:
            return ReservationStatus.OCCUPIED
        return ReservationStatus.ACCEPTED

    def _reservable(self, connector_id: int) -> bool:
        if connector_id == 0:
            # §9.3 ReserveConnectorZeroSupported
            return self._configuration.boolean(Key.RESERVE_CONNECTOR_ZERO_SUPPORTED)
        return 1 <= connector_id <= len(self._connectors)

    def _free(self, request: ReserveNow) -> bool:
        connector = self._connectors[request.connector_id - 1]
        own = self._reservations.of(request.connector_id)
        if own is not None and own.reservation_id == request.reservation_id:
            return connector.state is ConnectorState.RESERVED
        return connector.state is ConnectorState.AVAILABLE

    def _reserve(self, request: ReserveNow, now: float) -> None:
        # §5.13: a reservation with the same id is replaced.
        replaced = self._reservations.get(request.reservation_id)
        if replaced is not None:
            self._end(replaced, now, shown=replaced.connector_id != request.connector_id)
        self._reservations.put(
            Reservation(
                reservation_id=request.reservation_id,
                connector_id=request.connector_id,
                expires_at=request.expires_at,
                id_tag=request.id_tag,
                parent_id_tag=request.parent_id_tag,
            )
        )
        if request.connector_id != 0:
            self._sessions.reserve(self._connectors[request.connector_id - 1], now)

    def _cancel_asked(self, request: CancelReservation, _now: float) -> Reply:
        kept = self._reservations.get(request.reservation_id)
        if kept is None:
            return Reply(answer=CancelReservationAnswer(status=AcceptanceStatus.REJECTED))
        answer = CancelReservationAnswer(status=AcceptanceStatus.ACCEPTED)
        return Reply(answer=answer, then=lambda now: self._end(kept, now))

    def _end(self, kept: Reservation, now: float, *, shown: bool = True) -> None:
        self._reservations.remove(kept.reservation_id)
        connector = found(self._connectors, kept.connector_id)
        if connector is not None and shown:
            self._sessions.unreserve(connector, now)

    def _meant(self, connector_id: int) -> Sequence[Connector]:
        if connector_id == 0:
            return self._connectors
        return self._connectors[connector_id - 1 : connector_id]

    def _say(self, kept: Reservation, text: str) -> None:
        where = f"connector {kept.connector_id}" if kept.connector_id else "the charge point"
        self._outbox.log(
            LogLevel.WARNING,
            f"{where}: reservation {kept.reservation_id} of tag {kept.id_tag} {text}",
        )
