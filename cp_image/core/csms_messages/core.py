"""The feature profile Core: OCPP 1.6 §5.2 to §5.4, §5.8, §5.11, §5.12, §5.14, §5.18."""

from collections.abc import Sequence
from enum import StrEnum

from cp_image.api.value import Value
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


class ChangeAvailability(Value):
    """OCPP 1.6 §5.2; connector 0 is the whole charge point."""

    connector_id: int
    operative: bool


class ChangeConfiguration(Value):
    """OCPP 1.6 §5.3."""

    key: str
    value: str


class ClearCache(Value):
    """OCPP 1.6 §5.4."""


class GetConfiguration(Value):
    """OCPP 1.6 §5.8; no keys asks for all."""

    keys: Sequence[str] = ()


class RemoteStartTransaction(Value):
    """OCPP 1.6 §5.11; `connector_id` None leaves the choice to the charge point."""

    id_tag: str
    connector_id: int | None = None
    charging_profile: ChargingProfile | None = None


class RemoteStopTransaction(Value):
    """OCPP 1.6 §5.12."""

    transaction_id: int


class Reset(Value):
    """OCPP 1.6 §5.14."""

    hard: bool


class UnlockConnector(Value):
    """OCPP 1.6 §5.18."""

    connector_id: int


class KeyValue(Value):
    """OCPP 1.6 §7.29; `value` None where the key holds nothing that may be read."""

    key: str
    read_only: bool
    value: str | None


class ChangeAvailabilityAnswer(Value):
    """Answer to `ChangeAvailability`."""

    status: AvailabilityStatus


class ChangeConfigurationAnswer(Value):
    """Answer to `ChangeConfiguration`."""

    status: ConfigurationStatus


class ClearCacheAnswer(Value):
    """Answer to `ClearCache`."""

    status: AcceptanceStatus


class GetConfigurationAnswer(Value):
    """Answer to `GetConfiguration`."""

    keys: Sequence[KeyValue] = ()
    unknown_keys: Sequence[str] = ()


class RemoteStartTransactionAnswer(Value):
    """Answer to `RemoteStartTransaction`."""

    status: AcceptanceStatus


class RemoteStopTransactionAnswer(Value):
    """Answer to `RemoteStopTransaction`."""

    status: AcceptanceStatus


class ResetAnswer(Value):
    """Answer to `Reset`."""

    status: AcceptanceStatus


class UnlockConnectorAnswer(Value):
    """Answer to `UnlockConnector`."""

    status: UnlockStatus
