"""The feature profile Reservation: OCPP 1.6 §5.1, §5.13."""

from dataclasses import dataclass
from enum import StrEnum

from cp_image.core.csms_messages.acceptance import AcceptanceStatus


class ReservationStatus(StrEnum):
    """OCPP 1.6 §7.42."""

    ACCEPTED = "Accepted"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    REJECTED = "Rejected"
    UNAVAILABLE = "Unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveNow:
    """OCPP 1.6 §5.13; connector 0 reserves any."""

    reservation_id: int
    connector_id: int
    expires_at: float
    id_tag: str
    parent_id_tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReservation:
    """OCPP 1.6 §5.1."""

    reservation_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveNowAnswer:
    """Answer to `ReserveNow`."""

    status: ReservationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReservationAnswer:
    """Answer to `CancelReservation`."""

    status: AcceptanceStatus
