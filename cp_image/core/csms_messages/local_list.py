"""The feature profile LocalAuthListManagement: OCPP 1.6 §5.10, §5.15."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cp_image.core.messages import IdTagStatus


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
