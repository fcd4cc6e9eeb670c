"""What every OCPP version offers the shell: frames out of requests, events out of frames."""

from typing import Protocol

from cp_image.api.value import Value
from cp_image.core.csms_messages import CsmsAnswer
from cp_image.core.events import CallAnswered, CallFailed, CsmsAsked
from cp_image.core.messages import Request


class Heard(Value):
    """An answer or a request for the station.

    Attributes:
        event: what it is.
        complaint: what is wrong with it all the same, for people; empty where nothing is.
    """

    event: CallAnswered | CallFailed | CsmsAsked
    complaint: str = ""


class Reply(Value):
    """A frame to send back at once.

    Attributes:
        note: why, for people.
        complaint: what makes the frame no valid OCPP message; empty where it is one.
    """

    frame: str
    note: str
    complaint: str = ""


class Ignored(Value):
    """A frame nothing can be done about.

    Attributes:
        reason: for people.
        complaint: as that of `Reply`.
    """

    reason: str
    complaint: str = ""


Incoming = Heard | Reply | Ignored
"""What became of a frame."""


class Dialect(Protocol):
    """One OCPP version, spoken on one connection at a time."""

    @property
    def subprotocol(self) -> str:
        """The WebSocket subprotocol, for example ``ocpp1.6``."""

    @property
    def open_calls(self) -> int:
        """How many requests of ours have no answer yet on this connection."""

    def encode(self, message_id: str, request: Request) -> str:
        """Return the frame of a request and remember that its answer is awaited."""

    def encode_answer(self, message_id: str, answer: CsmsAnswer) -> str:
        """Return the frame of the answer to a request of the CSMS."""

    def encode_refusal(self, message_id: str) -> str:
        """Return the frame that says a request of the CSMS is not supported."""

    def decode(self, frame: str) -> Incoming:
        """Return what a frame of the CSMS means; never raises, whatever the frame."""

    def connection_lost(self) -> None:
        """Await no answer any more: an answer comes on the connection of its request."""
