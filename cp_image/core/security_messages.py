"""What charge point and CSMS say to each other about security, in the core's words.

The OCPP 1.6 Security Whitepaper, edition 3, is meant by every §; PEM and base64 are texts as they
are on the wire.
"""

from collections.abc import Sequence
from enum import StrEnum

from cp_image.api.value import Value


class CertificateUse(StrEnum):
    """CertificateUseEnumType: whom a root certificate vouches for."""

    CENTRAL_SYSTEM_ROOT = "CentralSystemRootCertificate"
    MANUFACTURER_ROOT = "ManufacturerRootCertificate"


class HashAlgorithm(StrEnum):
    """HashAlgorithmEnumType."""

    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class CertificateHash(Value):
    """CertificateHashDataType: names a certificate as RFC 6960 does; hexadecimal digits."""

    hash_algorithm: HashAlgorithm
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


# -- asked by the CSMS --------------------------------------------------------------------------


class CertificateSigned(Value):
    """The certificate that a SignCertificate has asked for, and those between it and the root."""

    certificate_chain: str


class CertificateSignedStatus(StrEnum):
    """CertificateSignedStatusEnumType."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


class CertificateSignedAnswer(Value):
    """Answer to `CertificateSigned`."""

    status: CertificateSignedStatus


class InstallCertificate(Value):
    """Trust one more root certificate."""

    use: CertificateUse
    certificate: str


class InstallCertificateStatus(StrEnum):
    """CertificateStatusEnumType."""

    ACCEPTED = "Accepted"
    FAILED = "Failed"
    """it is valid, but cannot be kept"""
    REJECTED = "Rejected"
    """it is not valid, or one too many"""


class InstallCertificateAnswer(Value):
    """Answer to `InstallCertificate`."""

    status: InstallCertificateStatus


class DeleteCertificate(Value):
    """Trust a root certificate no longer."""

    certificate: CertificateHash


class DeleteCertificateStatus(StrEnum):
    """DeleteCertificateStatusEnumType."""

    ACCEPTED = "Accepted"
    FAILED = "Failed"
    """it is in use"""
    NOT_FOUND = "NotFound"


class DeleteCertificateAnswer(Value):
    """Answer to `DeleteCertificate`."""

    status: DeleteCertificateStatus


class GetInstalledCertificateIds(Value):
    """Tell which root certificates are trusted."""

    use: CertificateUse


class InstalledCertificatesStatus(StrEnum):
    """GetInstalledCertificateStatusEnumType."""

    ACCEPTED = "Accepted"
    NOT_FOUND = "NotFound"


class GetInstalledCertificateIdsAnswer(Value):
    """Answer to `GetInstalledCertificateIds`."""

    status: InstalledCertificatesStatus
    certificates: Sequence[CertificateHash] = ()


class LogType(StrEnum):
    """LogEnumType."""

    DIAGNOSTICS = "DiagnosticsLog"
    SECURITY = "SecurityLog"


class GetLog(Value):
    """Upload a log; None where a field was left out."""

    request_id: int
    log_type: LogType
    location: str
    retries: int | None = None
    retry_interval_s: int | None = None
    start_at: float | None = None
    stop_at: float | None = None


class GetLogStatus(StrEnum):
    """LogStatusEnumType."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    ACCEPTED_CANCELED = "AcceptedCanceled"
    """the upload that was under way is broken off"""


class GetLogAnswer(Value):
    """Answer to `GetLog`; `file_name` None where there is nothing to upload."""

    status: GetLogStatus
    file_name: str | None = None


class SignedUpdateFirmware(Value):
    """Fetch firmware, check by whom it is signed, install it; None where a field was left out."""

    request_id: int
    location: str
    retrieve_at: float
    signing_certificate: str
    signature: str
    install_at: float | None = None
    retries: int | None = None
    retry_interval_s: int | None = None


class SignedUpdateFirmwareStatus(StrEnum):
    """UpdateFirmwareStatusEnumType."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    ACCEPTED_CANCELED = "AcceptedCanceled"
    """the update that was under way is given up"""
    INVALID_CERTIFICATE = "InvalidCertificate"
    REVOKED_CERTIFICATE = "RevokedCertificate"


class SignedUpdateFirmwareAnswer(Value):
    """Answer to `SignedUpdateFirmware`."""

    status: SignedUpdateFirmwareStatus


class ExtendedTrigger(StrEnum):
    """MessageTriggerEnumType."""

    BOOT_NOTIFICATION = "BootNotification"
    FIRMWARE_STATUS_NOTIFICATION = "FirmwareStatusNotification"
    HEARTBEAT = "Heartbeat"
    LOG_STATUS_NOTIFICATION = "LogStatusNotification"
    METER_VALUES = "MeterValues"
    SIGN_CHARGE_POINT_CERTIFICATE = "SignChargePointCertificate"
    STATUS_NOTIFICATION = "StatusNotification"


class ExtendedTriggerStatus(StrEnum):
    """TriggerMessageStatusEnumType."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    NOT_IMPLEMENTED = "NotImplemented"


class ExtendedTriggerMessage(Value):
    """Send a message; `connector_id` None is all of them where it matters."""

    requested: ExtendedTrigger
    connector_id: int | None = None


class ExtendedTriggerMessageAnswer(Value):
    """Answer to `ExtendedTriggerMessage`."""

    status: ExtendedTriggerStatus


SecurityRequest = (
    CertificateSigned
    | DeleteCertificate
    | ExtendedTriggerMessage
    | GetInstalledCertificateIds
    | GetLog
    | InstallCertificate
    | SignedUpdateFirmware
)
"""What a CSMS asks about security."""

SecurityAnswer = (
    CertificateSignedAnswer
    | DeleteCertificateAnswer
    | ExtendedTriggerMessageAnswer
    | GetInstalledCertificateIdsAnswer
    | GetLogAnswer
    | InstallCertificateAnswer
    | SignedUpdateFirmwareAnswer
)
"""What it is answered."""

# -- asked by the charge point ------------------------------------------------------------------


class LogStatus(StrEnum):
    """UploadLogStatusEnumType."""

    BAD_MESSAGE = "BadMessage"
    IDLE = "Idle"
    NOT_SUPPORTED_OPERATION = "NotSupportedOperation"
    PERMISSION_DENIED = "PermissionDenied"
    UPLOADED = "Uploaded"
    UPLOAD_FAILURE = "UploadFailure"
    UPLOADING = "Uploading"


class SignedFirmwareStatus(StrEnum):
    """FirmwareStatusEnumType, those that happen here."""

    DOWNLOADED = "Downloaded"
    DOWNLOAD_FAILED = "DownloadFailed"
    DOWNLOADING = "Downloading"
    DOWNLOAD_SCHEDULED = "DownloadScheduled"
    IDLE = "Idle"
    INSTALLATION_FAILED = "InstallationFailed"
    INSTALLING = "Installing"
    INSTALLED = "Installed"
    INSTALL_REBOOTING = "InstallRebooting"
    INSTALL_SCHEDULED = "InstallScheduled"
    INVALID_SIGNATURE = "InvalidSignature"
    SIGNATURE_VERIFIED = "SignatureVerified"


class SecurityEventNotification(Value):
    """Something happened that matters for security; `tech_info` is for people."""

    type: str
    at: float
    tech_info: str | None = None


class SignCertificate(Value):
    """Have a key of the charge point certified; `csr` is PEM, RFC 2986."""

    csr: str


class LogStatusNotification(Value):
    """How an upload of a log stands; `request_id` None where none was asked for."""

    status: LogStatus
    request_id: int | None = None


class SignedFirmwareStatusNotification(Value):
    """How a signed update stands; `request_id` None where none was asked for."""

    status: SignedFirmwareStatus
    request_id: int | None = None


SecurityNotice = (
    SecurityEventNotification
    | SignCertificate
    | LogStatusNotification
    | SignedFirmwareStatusNotification
)
"""What a charge point asks of the CSMS about security."""


class SignCertificateAnswer(Value):
    """Answer to `SignCertificate`: whether a certificate will come."""

    accepted: bool
