"""What happens to a station: the inputs of `Station.handle`."""

from cp_image.api.payloads import CarInput, ErrorCode
from cp_image.api.value import Value
from cp_image.core.csms_messages import CsmsRequest
from cp_image.core.firmware_image import FirmwareImage
from cp_image.core.link_faults import LinkFault
from cp_image.core.messages import Answer, DataTransfer
from cp_image.core.transfer_faults import TransferFault


class CsmsConnected(Value):
    """The WebSocket is open.

    Attributes:
        root: the certificate, PEM, on whose word the CSMS is believed; empty without one.
    """

    root: str = ""


class CsmsDisconnected(Value):
    """The WebSocket is closed, or could not be opened.

    Attributes:
        reason: for people.
        fault: what was wrong, where it could not be opened for the sake of security.
    """

    reason: str
    fault: LinkFault | None = None


class CallAnswered(Value):
    """The CSMS answered a request of ours."""

    message_id: str
    answer: Answer


class CallFailed(Value):
    """The CSMS answered a request of ours with a CALLERROR, or with what the schema refuses."""

    message_id: str
    error_code: str
    description: str


class CsmsAsked(Value):
    """The CSMS asks something; every request gets one `SendAnswer` or `RefuseCall`."""

    message_id: str
    request: CsmsRequest


class InvalidMessageHeard(Value):
    """The CSMS has sent what is no valid OCPP message; `complaint` says why, for people.

    What it was to be, if that can be told, is an event of its own.
    """

    complaint: str


class CarChanged(Value):
    """The car, its cable or what it asks for changed."""

    connector_id: int
    car: CarInput


class TagPresented(Value):
    """A tag is held to the reader of a connector."""

    connector_id: int
    id_tag: str


class FaultChanged(Value):
    """An injected fault of a connector (0: of the whole charge point) is set or cleared.

    Attributes:
        error_code: which one; None sets InternalError, and clears all of them.
        emergency: whether somebody has hit the emergency stop.
    """

    connector_id: int
    faulted: bool
    error_code: ErrorCode | None = None
    emergency: bool = False


class TransferEnded(Value):
    """A `Download` or `Upload` is over.

    Attributes:
        reason: why it failed, for people; empty where it did not.
        fault: likewise, where it is one of these; None for all else.
        hopeless: whether every other attempt would fail for that, too: it is the location.
        image: what was downloaded; None for an upload, and where it failed.
    """

    number: int
    ok: bool
    reason: str = ""
    fault: TransferFault | None = None
    hopeless: bool = False
    image: FirmwareImage | None = None


class KeyGenerated(Value):
    """What came of a `GenerateKeyAndCsr`.

    Attributes:
        csr: PEM; empty where there is no key.
        public_key: SHA-256 of its SubjectPublicKeyInfo, hexadecimal; empty likewise.
        reason: why there is none, for people.
    """

    number: int
    csr: str = ""
    public_key: str = ""
    reason: str = ""


class DataTransferWanted(Value):
    """Somebody wants to tell the CSMS something; `request_id` comes back with what came of it."""

    request: DataTransfer
    request_id: str | None = None


class SecurityEventWanted(Value):
    """Somebody lets a security event happen, say opens the housing; `name` is the Whitepaper's."""

    name: str
    tech_info: str = ""


class ConfigurationWanted(Value):
    """Somebody at the charge point gives a configuration key another value."""

    key: str
    value: str


class Stopped(Value):
    """The process is asked to end in order: the last words are said."""


Event = (
    CsmsConnected
    | CsmsDisconnected
    | CallAnswered
    | CallFailed
    | CsmsAsked
    | InvalidMessageHeard
    | CarChanged
    | TagPresented
    | FaultChanged
    | DataTransferWanted
    | ConfigurationWanted
    | SecurityEventWanted
    | TransferEnded
    | KeyGenerated
    | Stopped
)
