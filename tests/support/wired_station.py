"""A virtual station that is spoken to in frames, as from a WebSocket."""

import json

from cp_image.core.effects import SetSilence
from cp_image.core.events import InvalidMessageHeard
from cp_image.dialects.dialect import Heard, Reply
from cp_image.dialects.ocpp16.dialect import Ocpp16
from tests.support.virtual_station import VirtualStation
from tests.unit.dialects.schemas import check_call_error


class WiredStation(VirtualStation):
    """Dialect and station together; `frames` holds all they have said."""

    @property
    def silent(self) -> bool:
        """Whether what cannot be read is not answered."""
        told = self.wanted(SetSilence)
        return bool(told) and told[-1].silent

    def hear(self, frame: str) -> list[str]:
        """Take a frame of the CSMS; return what is said at once."""
        before = len(self.frames)
        incoming = Ocpp16().decode(frame)
        match incoming:
            case Heard(event=event):
                self.handle(event)
            case Reply(frame=reply) if not self.silent:
                check_call_error(reply)
                self.frames.append(reply)
        if incoming.complaint:
            self.handle(InvalidMessageHeard(complaint=incoming.complaint))
        return self.frames[before:]

    def answers(self, frame: str, message_id: str) -> list[str]:
        """Take a frame; return the answers among what is said at once."""
        said = map(json.loads, self.hear(frame))
        return [json.dumps(f) for f in said if f[0] in (3, 4) and f[1] == message_id]
