"""What a CSMS asks of a charge point and is answered, in the core's words.

A dialect turns frames into requests and answers into frames. Instants are epoch seconds by the
CSMS's clock, which is the station's once it is accepted (see `cp_image.core.station_clock`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cp_image.core.messages import DataTransfer, DataTransferAnswer, IdTagStatus
from cp_image.core.security_messages import SecurityAnswer, SecurityRequest


class AcceptanceStatus(StrEnum):
    """The two words most requests are answered with."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


# -- Core: OCPP 1.6 §5.2 to §5.5, §5.8, §5.11, §5.14, §5.18 -------------------------------------


class AvailabilityStatus(StrEnum):
    """OCPP 1.6 §7.3."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    SCHEDULED = "Scheduled"


class ConfigurationStatus(StrEnum):
    """OCPP 1.6 §7.22."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    REBOOT_REQUIRED = "RebootRequired"
    NOT_SUPPORTED = "NotSupported"


class UnlockStatus(StrEnum):
    """OCPP 1.6 §7.47."""

    UNLOCKED = "Unlocked"
    UNLOCK_FAILED = "UnlockFailed"
    NOT_SUPPORTED = "NotSupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAvailability:
    """OCPP 1.6 §5.2; connector 0 is the whole charge point."""

    connector_id: int
    operative: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeConfiguration:
    """OCPP 1.6 §5.3."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCache:
    """OCPP 1.6 §5.4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetConfiguration:
    """OCPP 1.6 §5.8; no keys asks for all."""

    keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStartTransaction:
    """OCPP 1.6 §5.11; `connector_id` None leaves the choice to the charge point."""

    id_tag: str
    connector_id: int | None = None
    charging_profile: "ChargingProfile | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStopTransaction:
    """OCPP 1.6 §5.12."""

    transaction_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """OCPP 1.6 §5.14."""

    hard: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockConnector:
    """OCPP 1.6 §5.18."""

    connector_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyValue:
    """OCPP 1.6 §7.29; `value` None where the key holds nothing that may be read."""

    key: str
    read_only: bool
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAvailabilityAnswer:
    """Answer to `ChangeAvailability`."""

    status: AvailabilityStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeConfigurationAnswer:
    """Answer to `ChangeConfiguration`."""

    status: ConfigurationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCacheAnswer:
    """Answer to `ClearCache`."""

    status: AcceptanceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class GetConfigurationAnswer:
    """Answer to `GetConfiguration`."""

    keys: Sequence[KeyValue] = ()
    unknown_keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStartTransactionAnswer:
    """Answer to `RemoteStartTransaction`."""

    status: AcceptanceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStopTransactionAnswer:
    """Answer to `RemoteStopTransaction`."""

    status: AcceptanceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetAnswer:
    """Answer to `Reset`."""

    status: AcceptanceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockConnectorAnswer:
    """Answer to `UnlockConnector`."""

    status: UnlockStatus


# -- Local authorization list: §5.10, §5.15 -----------------------------------------------------


class UpdateStatus(StrEnum):
    """OCPP 1.6 §7.48."""

    ACCEPTED = "Accepted"
    FAILED = "Failed"
    NOT_SUPPORTED = "NotSupported"
    VERSION_MISMATCH = "VersionMismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalListEntry:
    """OCPP 1.6 §7.1; `id_tag_status` None removes the tag (differential update only)."""

    id_tag: str
    id_tag_status: IdTagStatus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetLocalListVersion:
    """OCPP 1.6 §5.10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLocalList:
    """OCPP 1.6 §5.15; `full` replaces the list, else it is changed."""

    version: int
    full: bool
    entries: Sequence[LocalListEntry] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GetLocalListVersionAnswer:
    """Answer to `GetLocalListVersion`: 0 is empty, -1 not supported."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLocalListAnswer:
    """Answer to `SendLocalList`."""

    status: UpdateStatus


# -- Reservation: §5.1, §5.13 -------------------------------------------------------------------


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


# -- Smart charging: §5.5, §5.7, §5.16 ----------------------------------------------------------


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


class ChargingProfileStatus(StrEnum):
    """OCPP 1.6 §7.12."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    NOT_SUPPORTED = "NotSupported"


class ClearChargingProfileStatus(StrEnum):
    """OCPP 1.6 §7.17."""

    ACCEPTED = "Accepted"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingSchedulePeriod:
    """OCPP 1.6 §7.14: `limit` in the schedule's unit, from `start_s` seconds after its start."""

    start_s: int
    limit: float
    number_phases: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingSchedule:
    """OCPP 1.6 §7.13; `duration_s` None goes on for ever, `start_at` None is relative."""

    unit: ChargingRateUnit
    periods: Sequence[ChargingSchedulePeriod]
    duration_s: int | None = None
    start_at: float | None = None
    min_charging_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingProfile:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChargingProfile:
    """OCPP 1.6 §5.16."""

    connector_id: int
    charging_profile: ChargingProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearChargingProfile:
    """OCPP 1.6 §5.5; None matches all."""

    charging_profile_id: int | None = None
    connector_id: int | None = None
    purpose: ChargingProfilePurpose | None = None
    stack_level: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCompositeSchedule:
    """OCPP 1.6 §5.7; `unit` None leaves the choice to the charge point."""

    connector_id: int
    duration_s: int
    unit: ChargingRateUnit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChargingProfileAnswer:
    """Answer to `SetChargingProfile`."""

    status: ChargingProfileStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearChargingProfileAnswer:
    """Answer to `ClearChargingProfile`."""

    status: ClearChargingProfileStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCompositeScheduleAnswer:
    """Answer to `GetCompositeSchedule`; the rest is None where it is rejected."""

    status: AcceptanceStatus
    connector_id: int | None = None
    start_at: float | None = None
    schedule: ChargingSchedule | None = None


# -- Remote trigger: §5.17 ----------------------------------------------------------------------


class MessageTrigger(StrEnum):
    """OCPP 1.6 §7.30."""

    BOOT_NOTIFICATION = "BootNotification"
    DIAGNOSTICS_STATUS_NOTIFICATION = "DiagnosticsStatusNotification"
    FIRMWARE_STATUS_NOTIFICATION = "FirmwareStatusNotification"
    HEARTBEAT = "Heartbeat"
    METER_VALUES = "MeterValues"
    STATUS_NOTIFICATION = "StatusNotification"


class TriggerMessageStatus(StrEnum):
    """OCPP 1.6 §7.46."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    NOT_IMPLEMENTED = "NotImplemented"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerMessage:
    """OCPP 1.6 §5.17; `connector_id` None is all of them where it matters."""

    requested: MessageTrigger
    connector_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerMessageAnswer:
    """Answer to `TriggerMessage`."""

    status: TriggerMessageStatus


# -- Firmware management: §5.9, §5.19 -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDiagnostics:
    """OCPP 1.6 §5.9; None where a field was left out."""

    location: str
    retries: int | None = None
    retry_interval_s: int | None = None
    start_at: float | None = None
    stop_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFirmware:
    """OCPP 1.6 §5.19; None where a field was left out."""

    location: str
    retrieve_at: float
    retries: int | None = None
    retry_interval_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDiagnosticsAnswer:
    """Answer to `GetDiagnostics`; `file_name` None where there is nothing to upload."""

    file_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFirmwareAnswer:
    """Answer to `UpdateFirmware`: it says nothing."""


CsmsRequest = (
    CancelReservation
    | ChangeAvailability
    | ChangeConfiguration
    | ClearCache
    | ClearChargingProfile
    | DataTransfer
    | GetCompositeSchedule
    | GetConfiguration
    | GetDiagnostics
    | GetLocalListVersion
    | RemoteStartTransaction
    | RemoteStopTransaction
    | ReserveNow
    | Reset
    | SecurityRequest
    | SendLocalList
    | SetChargingProfile
    | TriggerMessage
    | UnlockConnector
    | UpdateFirmware
)
"""What a CSMS asks."""

CsmsAnswer = (
    CancelReservationAnswer
    | ChangeAvailabilityAnswer
    | ChangeConfigurationAnswer
    | ClearCacheAnswer
    | ClearChargingProfileAnswer
    | DataTransferAnswer
    | GetCompositeScheduleAnswer
    | GetConfigurationAnswer
    | GetDiagnosticsAnswer
    | GetLocalListVersionAnswer
    | RemoteStartTransactionAnswer
    | RemoteStopTransactionAnswer
    | ReserveNowAnswer
    | ResetAnswer
    | SecurityAnswer
    | SendLocalListAnswer
    | SetChargingProfileAnswer
    | TriggerMessageAnswer
    | UnlockConnectorAnswer
    | UpdateFirmwareAnswer
)
"""What it is answered."""
