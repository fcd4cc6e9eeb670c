"""The Reservation profile of OCPP 1.6: §5.1, §5.13."""

from collections.abc import Mapping
from typing import Any, Final

from cp_image.core import csms_messages
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.conversions import (
    payload_of,
    to_count,
    to_epoch,
    to_id_tag,
    to_integer,
)
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult


def _reserve_now(payload: Payload) -> csms_messages.ReserveNow:
    parent = payload.get("parentIdTag")
    return csms_messages.ReserveNow(
        reservation_id=to_integer("reservationId", payload["reservationId"]),
        connector_id=to_count("connectorId", payload["connectorId"]),
        expires_at=to_epoch("expiryDate", payload["expiryDate"]),
        id_tag=to_id_tag("idTag", payload["idTag"]),
        parent_id_tag=None if parent is None else to_id_tag("parentIdTag", parent),
    )


def _cancel_reservation(payload: Payload) -> csms_messages.CancelReservation:
    reservation_id = to_integer("reservationId", payload["reservationId"])
    return csms_messages.CancelReservation(reservation_id=reservation_id)


INCOMING: Final[Mapping[Action, ToRequest]] = {
    Action.CANCEL_RESERVATION: _cancel_reservation,
    Action.RESERVE_NOW: _reserve_now,
}

ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    csms_messages.CancelReservationAnswer: lambda answer: payload_of(status=answer.status.value),
    csms_messages.ReserveNowAnswer: lambda answer: payload_of(status=answer.status.value),
}
