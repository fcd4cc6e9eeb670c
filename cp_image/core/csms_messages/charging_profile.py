"""What a charging profile is: OCPP 1.6 §7.8 to §7.15, §7.37."""

from collections.abc import Sequence
from enum import StrEnum

from cp_image.api.value import Value


class ChargingProfilePurpose(StrEnum):
    """OCPP 1.6 §7.11."""

    CHARGE_POINT_MAX_PROFILE = "ChargePointMaxProfile"
    TX_DEFAULT_PROFILE = "TxDefaultProfile"
    TX_PROFILE = "TxProfile"


class ChargingProfileKind(StrEnum):
    """OCPP 1.6 §7.10."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class RecurrencyKind(StrEnum):
    """OCPP 1.6 §7.37."""

    DAILY = "Daily"
    WEEKLY = "Weekly"


class ChargingRateUnit(StrEnum):
    """OCPP 1.6 §7.15."""

    A = "A"
    W = "W"


class ChargingSchedulePeriod(Value):
    """OCPP 1.6 §7.14: `limit` in the schedule's unit, from `start_s` seconds after its start."""

    start_s: int
    limit: float
    number_phases: int | None = None


class ChargingSchedule(Value):
    """OCPP 1.6 §7.13; `duration_s` None goes on for ever, `start_at` None is relative."""

    unit: ChargingRateUnit
    periods: Sequence[ChargingSchedulePeriod]
    duration_s: int | None = None
    start_at: float | None = None
    min_charging_rate: float | None = None


class ChargingProfile(Value):
    """OCPP 1.6 §7.8; None where a field was left out."""

    charging_profile_id: int
    stack_level: int
    purpose: ChargingProfilePurpose
    kind: ChargingProfileKind
    schedule: ChargingSchedule
    transaction_id: int | None = None
    recurrency_kind: RecurrencyKind | None = None
    valid_from: float | None = None
    valid_to: float | None = None
