"""What charge point and CSMS say to each other, in the core's words, whatever the OCPP version.

Requests of the charge point and their answers. A dialect turns them into frames and back.
Instants are epoch seconds, energy is Wh.
"""

from collections.abc import Sequence
from enum import StrEnum

from cp_image.api.payloads import ConnectorState, StopReason
from cp_image.api.value import Value, field
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


class BootNotification(Value):
    """OCPP 1.6 §4.2."""

    vendor: str
    model: str
    serial: str
    firmware_version: str


class Heartbeat(Value):
    """OCPP 1.6 §4.6."""


class StatusNotification(Value):
    """OCPP 1.6 §4.9; connector 0 is the whole charge point."""

    connector_id: int
    status: ConnectorState
    at: float
    error_code: str = "NoError"


class Authorize(Value):
    """OCPP 1.6 §4.1."""

    id_tag: str


class StartTransaction(Value):
    """OCPP 1.6 §4.8; `reservation_id` None where no reservation ends by it."""

    connector_id: int
    id_tag: str
    meter_start_wh: int
    at: float
    reservation_id: int | None = None


class MeterValues(Value):
    """OCPP 1.6 §4.7; `transaction_id` None is outside a transaction."""

    connector_id: int
    transaction_id: int | None
    meter_values: Sequence[MeterValue]


class StopTransaction(Value):
    """OCPP 1.6 §4.10; `id_tag` None where no tag stopped it."""

    transaction_id: int
    meter_stop_wh: int
    at: float
    reason: StopReason
    id_tag: str | None = None
    transaction_data: Sequence[MeterValue] = field(default=())


class DataTransfer(Value):
    """OCPP 1.6 §5.6 and §4.3: either side may ask it; None where a field was left out."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None


class DiagnosticsStatusNotification(Value):
    """OCPP 1.6 §4.4."""

    status: DiagnosticsStatus


class FirmwareStatusNotification(Value):
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


class IdTagStatus(Value):
    """OCPP 1.6 §7.13 IdTagInfo; `expires_at` and `parent_id_tag` None where not given."""

    status: AuthorizationStatus
    parent_id_tag: str | None = None
    expires_at: float | None = None


class BootAnswer(Value):
    """Answer to `BootNotification`; `interval_s` is the heartbeat or the retry interval."""

    status: RegistrationStatus
    csms_at: float
    interval_s: int


class HeartbeatAnswer(Value):
    """Answer to `Heartbeat`."""

    csms_at: float


class AuthorizeAnswer(Value):
    """Answer to `Authorize`."""

    id_tag_status: IdTagStatus


class StartTransactionAnswer(Value):
    """Answer to `StartTransaction`."""

    transaction_id: int
    id_tag_status: IdTagStatus


class StopTransactionAnswer(Value):
    """Answer to `StopTransaction`; `id_tag_status` None where the CSMS gave none."""

    id_tag_status: IdTagStatus | None = None


class DataTransferAnswer(Value):
    """Answer to `DataTransfer`, of either side."""

    status: DataTransferStatus
    data: str | None = None


class EmptyAnswer(Value):
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
