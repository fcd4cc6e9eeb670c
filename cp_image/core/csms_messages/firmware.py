"""The feature profile FirmwareManagement: OCPP 1.6 §5.9, §5.19."""

from dataclasses import dataclass


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
