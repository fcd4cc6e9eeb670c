"""The feature profile Core: OCPP 1.6 §5.2 to §5.4, §5.8, §5.11, §5.12, §5.14, §5.18."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cp_image.core.csms_messages.acceptance import AcceptanceStatus
from cp_image.core.csms_messages.charging_profile import ChargingProfile


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
    charging_profile: ChargingProfile | None = None


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
