"""The feature profile SmartCharging: OCPP 1.6 §5.5, §5.7, §5.16."""

from enum import StrEnum

from cp_image.api.value import Value
from cp_image.core.csms_messages.acceptance import AcceptanceStatus
from cp_image.core.csms_messages.charging_profile import (
    ChargingProfile,
    ChargingProfilePurpose,
    ChargingRateUnit,
    ChargingSchedule,
)


class ChargingProfileStatus(StrEnum):
    """OCPP 1.6 §7.12."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    NOT_SUPPORTED = "NotSupported"


class ClearChargingProfileStatus(StrEnum):
    """OCPP 1.6 §7.17."""

    ACCEPTED = "Accepted"
    UNKNOWN = "Unknown"


class SetChargingProfile(Value):
    """OCPP 1.6 §5.16."""

    connector_id: int
    charging_profile: ChargingProfile


class ClearChargingProfile(Value):
    """OCPP 1.6 §5.5; None matches all."""

    charging_profile_id: int | None = None
    connector_id: int | None = None
    purpose: ChargingProfilePurpose | None = None
    stack_level: int | None = None


class GetCompositeSchedule(Value):
    """OCPP 1.6 §5.7; `unit` None leaves the choice to the charge point."""

    connector_id: int
    duration_s: int
    unit: ChargingRateUnit | None = None


class SetChargingProfileAnswer(Value):
    """Answer to `SetChargingProfile`."""

    status: ChargingProfileStatus


class ClearChargingProfileAnswer(Value):
    """Answer to `ClearChargingProfile`."""

    status: ClearChargingProfileStatus


class GetCompositeScheduleAnswer(Value):
    """Answer to `GetCompositeSchedule`; the rest is None where it is rejected."""

    status: AcceptanceStatus
    connector_id: int | None = None
    start_at: float | None = None
    schedule: ChargingSchedule | None = None
