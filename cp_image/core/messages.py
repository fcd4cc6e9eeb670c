"""What charge point and CSMS say to each other, in the core's words, whatever the OCPP version.

Requests of the charge point and their answers. A dialect turns them into frames and back.
Instants are epoch seconds, energy is Wh.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cp_image.api.payloads import ConnectorState, StopReason
from cp_image.core.meter_values import MeterValue
from cp_image.core.security_messages import SecurityNotice, SignCertificateAnswer


class RegistrationStatus(StrEnum):
    """OCPP 1.6 §7.35."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class AuthorizationStatus(StrEnum):
    """OCPP 1.6 §7.2."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"


class DataTransferStatus(StrEnum):
    """OCPP 1.6 §7.24."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN_MESSAGE_ID = "UnknownMessageId"
    UNKNOWN_VENDOR_ID = "UnknownVendorId"


class DiagnosticsStatus(StrEnum):
    """OCPP 1.6 §7.24."""

    IDLE = "Idle"
    UPLOADED = "Uploaded"
    UPLOAD_FAILED = "UploadFailed"
    UPLOADING = "Uploading"


class FirmwareStatus(StrEnum):
    """OCPP 1.6 §7.25."""

    DOWNLOADED = "Downloaded"
    DOWNLOAD_FAILED = "DownloadFailed"
    DOWNLOADING = "Downloading"
    IDLE = "Idle"
    INSTALLATION_FAILED = "InstallationFailed"
    INSTALLING = "Installing"
    INSTALLED = "Installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootNotification:
    """OCPP 1.6 §4.2."""

    vendor: str
    model: str
    serial: str
    firmware_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """OCPP 1.6 §4.6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusNotification:
    """OCPP 1.6 §4.9; connector 0 is the whole charge point."""

    connector_id: int
    status: ConnectorState
    at: float
    error_code: str = "NoError"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    """OCPP 1.6 §4.1."""

    id_tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTransaction:
    """OCPP 1.6 §4.8; `reservation_id` None where no reservation ends by it."""

    connector_id: int
    id_tag: str
    meter_start_wh: int
    at: float
    reservation_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterValues:
    """OCPP 1.6 §4.7; `transaction_id` None is outside a transaction."""

    connector_id: int
    transaction_id: int | None
    meter_values: Sequence[MeterValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTransaction:
    """OCPP 1.6 §4.10; `id_tag` None where no tag stopped it."""

    transaction_id: int
    meter_stop_wh: int
    at: float
    reason: StopReason
    id_tag: str | None = None
    transaction_data: Sequence[MeterValue] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTransfer:
    """OCPP 1.6 §5.6 and §4.3: either side may ask it; None where a field was left out."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticsStatusNotification:
    """OCPP 1.6 §4.4."""

    status: DiagnosticsStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareStatusNotification:
    """OCPP 1.6 §4.5."""

    status: FirmwareStatus


Request = (
    BootNotification
    | Heartbeat
    | StatusNotification
    | Authorize
    | StartTransaction
    | MeterValues
    | StopTransaction
    | DataTransfer
    | DiagnosticsStatusNotification
    | FirmwareStatusNotification
    | SecurityNotice
)
"""What a charge point asks of the CSMS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTagStatus:
    """OCPP 1.6 §7.13 IdTagInfo; `expires_at` and `parent_id_tag` None where not given."""

    status: AuthorizationStatus
    parent_id_tag: str | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BootAnswer:
    """Answer to `BootNotification`; `interval_s` is the heartbeat or the retry interval."""

    status: RegistrationStatus
    csms_at: float
    interval_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatAnswer:
    """Answer to `Heartbeat`."""

    csms_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeAnswer:
    """Answer to `Authorize`."""

    id_tag_status: IdTagStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTransactionAnswer:
    """Answer to `StartTransaction`."""

    transaction_id: int
    id_tag_status: IdTagStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTransactionAnswer:
    """Answer to `StopTransaction`; `id_tag_status` None where the CSMS gave none."""

    id_tag_status: IdTagStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTransferAnswer:
    """Answer to `DataTransfer`, of either side."""

    status: DataTransferStatus
    data: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyAnswer:
    """Answer to what needs none: statuses and `MeterValues`."""


Answer = (
    BootAnswer
    | HeartbeatAnswer
    | AuthorizeAnswer
    | StartTransactionAnswer
    | StopTransactionAnswer
    | DataTransferAnswer
    | SignCertificateAnswer
    | EmptyAnswer
)
"""What the CSMS answers to a `Request`."""
