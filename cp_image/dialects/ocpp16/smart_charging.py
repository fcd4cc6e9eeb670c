"""The SmartCharging profile of OCPP 1.6: §5.5, §5.7, §5.16."""

from collections.abc import Mapping
from typing import Any, Final

from cp_image.core import csms_messages
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.charging_profile import from_schedule, to_charging_profile
from cp_image.dialects.ocpp16.conversions import (
    payload_of,
    to_count,
    to_integer,
    to_timestamp,
)
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult


def _set_charging_profile(payload: Payload) -> csms_messages.SetChargingProfile:
    return csms_messages.SetChargingProfile(
        connector_id=to_count("connectorId", payload["connectorId"]),
        charging_profile=to_charging_profile("csChargingProfiles", payload["csChargingProfiles"]),
    )


def _clear_charging_profile(payload: Payload) -> csms_messages.ClearChargingProfile:
    profile_id = payload.get("id")
    connector_id = payload.get("connectorId")
    purpose = payload.get("chargingProfilePurpose")
    stack_level = payload.get("stackLevel")
    return csms_messages.ClearChargingProfile(
        charging_profile_id=None if profile_id is None else to_integer("id", profile_id),
        connector_id=None if connector_id is None else to_count("connectorId", connector_id),
        purpose=None if purpose is None else csms_messages.ChargingProfilePurpose(purpose),
        stack_level=None if stack_level is None else to_count("stackLevel", stack_level),
    )


def _get_composite_schedule(payload: Payload) -> csms_messages.GetCompositeSchedule:
    unit = payload.get("chargingRateUnit")
    return csms_messages.GetCompositeSchedule(
        connector_id=to_count("connectorId", payload["connectorId"]),
        duration_s=to_count("duration", payload["duration"]),
        unit=None if unit is None else csms_messages.ChargingRateUnit(unit),
    )


INCOMING: Final[Mapping[Action, ToRequest]] = {
    Action.CLEAR_CHARGING_PROFILE: _clear_charging_profile,
    Action.GET_COMPOSITE_SCHEDULE: _get_composite_schedule,
    Action.SET_CHARGING_PROFILE: _set_charging_profile,
}


def _get_composite_schedule_result(
    answer: csms_messages.GetCompositeScheduleAnswer,
) -> dict[str, Any]:
    schedule = answer.schedule
    return payload_of(
        status=answer.status.value,
        connectorId=answer.connector_id,
        scheduleStart=None if answer.start_at is None else to_timestamp(answer.start_at),
        chargingSchedule=None if schedule is None else from_schedule(schedule),
    )


ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    csms_messages.ClearChargingProfileAnswer: lambda answer: payload_of(status=answer.status.value),
    csms_messages.GetCompositeScheduleAnswer: _get_composite_schedule_result,
    csms_messages.SetChargingProfileAnswer: lambda answer: payload_of(status=answer.status.value),
}
