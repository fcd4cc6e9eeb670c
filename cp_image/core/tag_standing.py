"""How a tag that is remembered stands at an instant: OCPP 1.6 §3.5.1, §3.5.2, §3.5.4."""

from typing import Final

from cp_image.api.value import replace
from cp_image.core.messages import AuthorizationStatus, IdTagStatus

# §3.5.2: the CSMS marks valid tags so; whether one is in use elsewhere it says at each start anew.
_VALID: Final = frozenset({AuthorizationStatus.ACCEPTED, AuthorizationStatus.CONCURRENT_TX})


def standing(status: IdTagStatus, at: float) -> IdTagStatus:
    """Return what a remembered status means at an instant of station time: Accepted, or why not."""
    if status.status not in _VALID:
        return status
    expired = status.expires_at is not None and at >= status.expires_at
    now = AuthorizationStatus.EXPIRED if expired else AuthorizationStatus.ACCEPTED
    return replace(status, status=now)
