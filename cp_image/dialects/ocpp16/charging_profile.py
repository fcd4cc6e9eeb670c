"""Charging profiles and schedules between the core's words and those of OCPP 1.6 (§7.8, §7.13)."""

from typing import Any, Final

from cp_image.core import csms_messages
from cp_image.dialects.ocpp16.conversions import (
    ValueRefusedError,
    payload_of,
    to_count,
    to_epoch,
    to_integer,
    to_limit,
    to_timestamp,
)
from cp_image.dialects.ocpp16.frames import CallErrorCode
from cp_image.dialects.ocpp16.incoming import Payload

_LIMIT_DECIMALS: Final = 1
"""OCPP 1.6 §7.14: at most one digit fraction, for example 8.1."""


def to_charging_profile(path: str, payload: Payload) -> csms_messages.ChargingProfile:
    """Return the core's words for a ChargingProfile that its schema allows.

    Raises:
        ValueRefusedError: it holds what the schema does not know to be wrong; `path` leads there.
    """
    recurrency = payload.get("recurrencyKind")
    transaction_id = payload.get("transactionId")
    return csms_messages.ChargingProfile(
        charging_profile_id=to_integer(f"{path}.chargingProfileId", payload["chargingProfileId"]),
        stack_level=to_count(f"{path}.stackLevel", payload["stackLevel"]),
        purpose=csms_messages.ChargingProfilePurpose(payload["chargingProfilePurpose"]),
        kind=csms_messages.ChargingProfileKind(payload["chargingProfileKind"]),
        schedule=_to_schedule(f"{path}.chargingSchedule", payload["chargingSchedule"]),
        transaction_id=(
            None if transaction_id is None else to_integer(f"{path}.transactionId", transaction_id)
        ),
        recurrency_kind=None if recurrency is None else csms_messages.RecurrencyKind(recurrency),
        valid_from=_instant(path, payload, "validFrom"),
        valid_to=_instant(path, payload, "validTo"),
    )


def from_schedule(schedule: csms_messages.ChargingSchedule) -> dict[str, Any]:
    """Return a schedule as it is told, limits with one decimal."""
    return payload_of(
        chargingRateUnit=schedule.unit.value,
        chargingSchedulePeriod=[
            payload_of(
                startPeriod=period.start_s,
                limit=round(period.limit, _LIMIT_DECIMALS),
                numberPhases=period.number_phases,
            )
            for period in schedule.periods
        ],
        duration=schedule.duration_s,
        startSchedule=None if schedule.start_at is None else to_timestamp(schedule.start_at),
        minChargingRate=(
            None
            if schedule.min_charging_rate is None
            else round(schedule.min_charging_rate, _LIMIT_DECIMALS)
        ),
    )


def _to_schedule(path: str, payload: Payload) -> csms_messages.ChargingSchedule:
    periods = payload["chargingSchedulePeriod"]
    if not periods:
        # OCPP 1.6 §7.13: one or more, which the schema leaves out.
        raise ValueRefusedError(
            f"{path}.chargingSchedulePeriod has fewer than 1 elements",
            CallErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
        )
    duration_s = payload.get("duration")
    least = payload.get("minChargingRate")
    return csms_messages.ChargingSchedule(
        unit=csms_messages.ChargingRateUnit(payload["chargingRateUnit"]),
        periods=tuple(
            _to_period(f"{path}.chargingSchedulePeriod.{index}", period)
            for index, period in enumerate(periods)
        ),
        duration_s=None if duration_s is None else to_count(f"{path}.duration", duration_s),
        start_at=_instant(path, payload, "startSchedule"),
        min_charging_rate=None if least is None else to_limit(f"{path}.minChargingRate", least),
    )


def _to_period(path: str, payload: Payload) -> csms_messages.ChargingSchedulePeriod:
    phases = payload.get("numberPhases")
    return csms_messages.ChargingSchedulePeriod(
        start_s=to_count(f"{path}.startPeriod", payload["startPeriod"]),
        limit=to_limit(f"{path}.limit", payload["limit"]),
        number_phases=(
            None if phases is None else to_count(f"{path}.numberPhases", phases, least=1)
        ),
    )


def _instant(path: str, payload: Payload, name: str) -> float | None:
    text = payload.get(name)
    return None if text is None else to_epoch(f"{path}.{name}", text)
