"""The feature profile LocalAuthListManagement: OCPP 1.6 §5.10, §5.15."""

from collections.abc import Sequence
from enum import StrEnum

from cp_image.api.value import Value
from cp_image.core.messages import IdTagStatus


class UpdateStatus(StrEnum):
    """OCPP 1.6 §7.48."""

    ACCEPTED = "Accepted"
    FAILED = "Failed"
    NOT_SUPPORTED = "NotSupported"
    VERSION_MISMATCH = "VersionMismatch"


class LocalListEntry(Value):
    """OCPP 1.6 §7.1; `id_tag_status` None removes the tag (differential update only)."""

    id_tag: str
    id_tag_status: IdTagStatus | None


class GetLocalListVersion(Value):
    """OCPP 1.6 §5.10."""


class SendLocalList(Value):
    """OCPP 1.6 §5.15; `full` replaces the list, else it is changed."""

    version: int
    full: bool
    entries: Sequence[LocalListEntry] = ()


class GetLocalListVersionAnswer(Value):
    """Answer to `GetLocalListVersion`: 0 is empty, -1 not supported."""

    version: int


class SendLocalListAnswer(Value):
    """Answer to `SendLocalList`."""

    status: UpdateStatus
