"""What a CSMS asks of a charge point and is answered, in the core's words.

A dialect turns frames into requests and answers into frames. Instants are epoch seconds by the
CSMS's clock, which is the station's once it is accepted (see `cp_image.core.station_clock`).

A module per feature profile; all of them can be had from here.
"""

from cp_image.core.csms_messages.acceptance import AcceptanceStatus
from cp_image.core.csms_messages.charging_profile import (
    ChargingProfile,
    ChargingProfileKind,
    ChargingProfilePurpose,
    ChargingRateUnit,
    ChargingSchedule,
    ChargingSchedulePeriod,
    RecurrencyKind,
)
from cp_image.core.csms_messages.core import (
    AvailabilityStatus,
    ChangeAvailability,
    ChangeAvailabilityAnswer,
    ChangeConfiguration,
    ChangeConfigurationAnswer,
    ClearCache,
    ClearCacheAnswer,
    ConfigurationStatus,
    GetConfiguration,
    GetConfigurationAnswer,
    KeyValue,
    RemoteStartTransaction,
    RemoteStartTransactionAnswer,
    RemoteStopTransaction,
    RemoteStopTransactionAnswer,
    Reset,
    ResetAnswer,
    UnlockConnector,
    UnlockConnectorAnswer,
    UnlockStatus,
)
from cp_image.core.csms_messages.firmware import (
    GetDiagnostics,
    GetDiagnosticsAnswer,
    UpdateFirmware,
    UpdateFirmwareAnswer,
)
from cp_image.core.csms_messages.local_list import (
    GetLocalListVersion,
    GetLocalListVersionAnswer,
    LocalListEntry,
    SendLocalList,
    SendLocalListAnswer,
    UpdateStatus,
)
from cp_image.core.csms_messages.remote_trigger import (
    MessageTrigger,
    TriggerMessage,
    TriggerMessageAnswer,
    TriggerMessageStatus,
)
from cp_image.core.csms_messages.reservation import (
    CancelReservation,
    CancelReservationAnswer,
    ReservationStatus,
    ReserveNow,
    ReserveNowAnswer,
)
from cp_image.core.csms_messages.smart_charging import (
    ChargingProfileStatus,
    ClearChargingProfile,
    ClearChargingProfileAnswer,
    ClearChargingProfileStatus,
    GetCompositeSchedule,
    GetCompositeScheduleAnswer,
    SetChargingProfile,
    SetChargingProfileAnswer,
)
from cp_image.core.messages import DataTransfer, DataTransferAnswer
from cp_image.core.security_messages import SecurityAnswer, SecurityRequest

__all__ = [
    "AcceptanceStatus",
    "AvailabilityStatus",
    "CancelReservation",
    "CancelReservationAnswer",
    "ChangeAvailability",
    "ChangeAvailabilityAnswer",
    "ChangeConfiguration",
    "ChangeConfigurationAnswer",
    "ChargingProfile",
    "ChargingProfileKind",
    "ChargingProfilePurpose",
    "ChargingProfileStatus",
    "ChargingRateUnit",
    "ChargingSchedule",
    "ChargingSchedulePeriod",
    "ClearCache",
    "ClearCacheAnswer",
    "ClearChargingProfile",
    "ClearChargingProfileAnswer",
    "ClearChargingProfileStatus",
    "ConfigurationStatus",
    "CsmsAnswer",
    "CsmsRequest",
    "GetCompositeSchedule",
    "GetCompositeScheduleAnswer",
    "GetConfiguration",
    "GetConfigurationAnswer",
    "GetDiagnostics",
    "GetDiagnosticsAnswer",
    "GetLocalListVersion",
    "GetLocalListVersionAnswer",
    "KeyValue",
    "LocalListEntry",
    "MessageTrigger",
    "RecurrencyKind",
    "RemoteStartTransaction",
    "RemoteStartTransactionAnswer",
    "RemoteStopTransaction",
    "RemoteStopTransactionAnswer",
    "ReservationStatus",
    "ReserveNow",
    "ReserveNowAnswer",
    "Reset",
    "ResetAnswer",
    "SendLocalList",
    "SendLocalListAnswer",
    "SetChargingProfile",
    "SetChargingProfileAnswer",
    "TriggerMessage",
    "TriggerMessageAnswer",
    "TriggerMessageStatus",
    "UnlockConnector",
    "UnlockConnectorAnswer",
    "UnlockStatus",
    "UpdateFirmware",
    "UpdateFirmwareAnswer",
    "UpdateStatus",
]

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
