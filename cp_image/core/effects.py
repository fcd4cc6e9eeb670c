"""What a station wants done: the results of `Station.handle` and `Station.tick`.

The shell carries them out in order, all `Persist` of one call in one database transaction first:
what is on the wire was on the disk before.
"""

from enum import StrEnum
from typing import ClassVar

from cp_image.api import payloads
from cp_image.api.secrets import SecurityProfile
from cp_image.api.value import Value
from cp_image.core.csms_messages import CsmsAnswer
from cp_image.core.identity import Identity, KeyKind
from cp_image.core.messages import Request


class SendCall(Value):
    """Send a request; its answer comes back with the same `message_id` (at most 36 characters)."""

    message_id: str
    request: Request


class SendAnswer(Value):
    """Answer a request of the CSMS."""

    message_id: str
    answer: CsmsAnswer


class RefuseCall(Value):
    """Answer a request of the CSMS with the error that says it is not supported."""

    message_id: str


class Reboot(Value):
    """Forget everything that is not persisted and begin anew with `Station.power_up`.

    The shell closes the WebSocket, when what was said before has gone out, and makes a new
    station of what is stored.
    """

    reason: str


class Download(Value):
    """Fetch a file; `TransferEnded` with the same number tells what came of it."""

    number: int
    location: str


class Upload(Value):
    """Send the diagnostics file; `TransferEnded` with the same number tells what came of it.

    Attributes:
        location: URL of the directory it goes to.
        report: its text, to which the shell adds the log lines it remembers.
        with_log: whether it adds them.
        log_from: epoch seconds of the computer's clock; None is unlimited, likewise `log_to`.
    """

    number: int
    location: str
    file_name: str
    report: str
    with_log: bool = True
    log_from: float | None = None
    log_to: float | None = None


class CancelTransfer(Value):
    """Break a `Download` or `Upload` off: nothing more is heard of it."""

    number: int


class SetCredentials(Value):
    """Connect to the CSMS like this from the next connection on.

    Attributes:
        authorization_key: password of HTTP Basic authentication; None where there is none.
        roots: PEM of whom the CSMS's certificate must come from.
        identity: the charge point's own certificate; None where there is none.
    """

    profile: SecurityProfile
    authorization_key: bytes | None = None
    roots: tuple[str, ...] = ()
    identity: Identity | None = None

    UNSEEN: ClassVar = frozenset({"authorization_key"})


class GenerateKeyAndCsr(Value):
    """Make a private key, keep it under a number, and ask for a certificate of it.

    `KeyGenerated` with the same number tells what came of it; the key itself is never seen here.

    Attributes:
        common_name: of the subject.
        organization: likewise; empty leaves it out.
    """

    number: int
    kind: KeyKind
    common_name: str
    organization: str


class ForgetKey(Value):
    """Remove a private key that serves no more."""

    number: int


class PublishStation(Value):
    """The charge point's own status changed; the shell knows the unchanging fields."""

    status: payloads.ChargePointState
    reason: str = ""


class PublishConnector(Value):
    """A connector's status changed."""

    connector_id: int
    status: payloads.ConnectorStatus


class PublishConfiguration(Value):
    """A configuration key has another value: `Station.ocpp_config` tells all."""


class PublishEvent(Value):
    """Something worth telling happened."""

    event: payloads.Event


class Persist(Value):
    """Keep `value` under `key` through a power cut; None forgets it."""

    key: str
    value: bytes | None


class SetPingInterval(Value):
    """Ping the CSMS so often from now on, on an open WebSocket too; 0 never pings."""

    interval_s: int


class Disconnect(Value):
    """Close the WebSocket; the shell connects again by itself."""

    reason: str


class SetSilence(Value):
    """Answer a CALL that does not reach the station, or do not: a rejected one answers nothing."""

    silent: bool


class LogLevel(StrEnum):
    """How loud."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Log(Value):
    """Say something to whoever reads the container's log."""

    level: LogLevel
    text: str


Effect = (
    SendCall
    | SendAnswer
    | RefuseCall
    | Reboot
    | Download
    | Upload
    | CancelTransfer
    | SetCredentials
    | GenerateKeyAndCsr
    | ForgetKey
    | PublishStation
    | PublishConnector
    | PublishConfiguration
    | PublishEvent
    | Persist
    | SetPingInterval
    | SetSilence
    | Disconnect
    | Log
)
