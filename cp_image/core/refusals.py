"""Says that a tag is refused: in the log for people, as an event for programs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cp_image.api.payloads import TagRefusal, TagRefused
from cp_image.core.effects import LogLevel, PublishEvent
from cp_image.core.messages import AuthorizationStatus
from cp_image.core.outbox import Outbox
from cp_image.core.station_clock import StationClock

_VERDICTS: Final[Mapping[AuthorizationStatus, TagRefusal]] = MappingProxyType(
    {
        AuthorizationStatus.BLOCKED: TagRefusal.BLOCKED,
        AuthorizationStatus.EXPIRED: TagRefusal.EXPIRED,
        AuthorizationStatus.INVALID: TagRefusal.INVALID,
        AuthorizationStatus.CONCURRENT_TX: TagRefusal.CONCURRENT_TX,
    }
)


class Refusals:
    """What both the reader and a running session say of a tag that is no good."""

    def __init__(self, *, clock: StationClock, outbox: Outbox) -> None:
        self._clock = clock
        self._outbox = outbox

    def tell(self, connector_id: int, id_tag: str, why: TagRefusal, text: str, now: float) -> None:
        """Tell of a refusal; `text` goes on where the name of the connector ends."""
        self._outbox.log(LogLevel.WARNING, f"connector {connector_id}: {text}")
        self._outbox.put(
            PublishEvent(
                event=TagRefused(
                    at=self._clock.at(now),
                    connector_id=connector_id,
                    id_tag=id_tag,
                    why=why,
                    text=text,
                )
            )
        )


def verdict(status: AuthorizationStatus) -> TagRefusal:
    """Return the refusal a status of the CSMS or of the local list stands for."""
    return _VERDICTS[status]
