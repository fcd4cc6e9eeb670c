"""The feature profile FirmwareManagement: OCPP 1.6 §5.9, §5.19."""

from cp_image.api.value import Value


class GetDiagnostics(Value):
    """OCPP 1.6 §5.9; None where a field was left out."""

    location: str
    retries: int | None = None
    retry_interval_s: int | None = None
    start_at: float | None = None
    stop_at: float | None = None


class UpdateFirmware(Value):
    """OCPP 1.6 §5.19; None where a field was left out."""

    location: str
    retrieve_at: float
    retries: int | None = None
    retry_interval_s: int | None = None


class GetDiagnosticsAnswer(Value):
    """Answer to `GetDiagnostics`; `file_name` None where there is nothing to upload."""

    file_name: str | None = None


class UpdateFirmwareAnswer(Value):
    """Answer to `UpdateFirmware`: it says nothing."""
