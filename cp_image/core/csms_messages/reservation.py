"""The feature profile Reservation: OCPP 1.6 §5.1, §5.13."""

from enum import StrEnum

from cp_image.api.value import Value
from cp_image.core.csms_messages.acceptance import AcceptanceStatus


class ReservationStatus(StrEnum):
    """OCPP 1.6 §7.42."""

    ACCEPTED = "Accepted"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    REJECTED = "Rejected"
    UNAVAILABLE = "Unavailable"


class ReserveNow(Value):
    """OCPP 1.6 §5.13; connector 0 reserves any."""

    reservation_id: int
    connector_id: int
    expires_at: float
    id_tag: str
    parent_id_tag: str | None = None


class CancelReservation(Value):
    """OCPP 1.6 §5.1."""

    reservation_id: int


class ReserveNowAnswer(Value):
    """Answer to `ReserveNow`."""

    status: ReservationStatus


class CancelReservationAnswer(Value):
    """Answer to `CancelReservation`."""

    status: AcceptanceStatus
