"""A CSMS in the core's words, for tests in virtual time: it answers as it is told to."""

from collections import Counter
from dataclasses import dataclass

from cp_image.core import messages, security_messages
from cp_image.core.messages import (
    Answer,
    AuthorizationStatus,
    IdTagStatus,
    RegistrationStatus,
    Request,
)

ACCEPTED = IdTagStatus(status=AuthorizationStatus.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A CALLERROR."""

    error_code: str = "InternalError"


class ScriptedCsms:
    """Accepts everything unless told otherwise.

    Attributes:
        registration: answer to BootNotification; `interval_s` goes with it.
        clock_offset_s: how far its clock is ahead of the charge point's.
        tags: what Authorize says of a tag; unlisted ones are accepted.
        start_status: what StartTransaction says of its tag; None is as `tags` say.
        signs: whether it takes a SignCertificate.
        stop_status: what StopTransaction says of the tag that stopped; None says nothing.
        silent: kinds of requests that are heard but never answered.
        refusals: how many requests of a kind are answered with a CALLERROR.
        heard: every request that came in, with its time.
    """

    def __init__(self) -> None:
        self.registration = RegistrationStatus.ACCEPTED
        self.interval_s = 300
        self.clock_offset_s = 0.0
        self.tags: dict[str, IdTagStatus] = {}
        self.start_status: IdTagStatus | None = None
        self.stop_status: IdTagStatus | None = None
        self.signs = True
        self.silent: set[type[Request]] = set()
        self.refusals: Counter[type[Request]] = Counter()
        self.heard: list[tuple[float, Request]] = []
        self.next_transaction_id = 1001

    def hear(self, request: Request, now: float) -> Answer | Refusal | None:
        """Return the answer to a request; None is silence."""
        self.heard.append((now, request))
        kind = type(request)
        if kind in self.silent:
            return None
        if self.refusals[kind] > 0:
            self.refusals[kind] -= 1
            return Refusal()
        return self._answer(request, now)

    def _answer(self, request: Request, now: float) -> Answer:
        match request:
            case messages.BootNotification():
                return messages.BootAnswer(
                    status=self.registration,
                    csms_at=now + self.clock_offset_s,
                    interval_s=self.interval_s,
                )
            case messages.Heartbeat():
                return messages.HeartbeatAnswer(csms_at=now + self.clock_offset_s)
            case messages.Authorize():
                return messages.AuthorizeAnswer(id_tag_status=self._tag(request.id_tag))
            case messages.StartTransaction():
                self.next_transaction_id += 1
                return messages.StartTransactionAnswer(
                    transaction_id=self.next_transaction_id - 1,
                    id_tag_status=self.start_status or self._tag(request.id_tag),
                )
            case messages.StopTransaction():
                return messages.StopTransactionAnswer(id_tag_status=self.stop_status)
            case messages.DataTransfer():
                return messages.DataTransferAnswer(status=messages.DataTransferStatus.ACCEPTED)
            case (
                messages.StatusNotification()
                | messages.MeterValues()
                | messages.DiagnosticsStatusNotification()
                | messages.FirmwareStatusNotification()
                | security_messages.SecurityEventNotification()
                | security_messages.LogStatusNotification()
                | security_messages.SignedFirmwareStatusNotification()
            ):
                return messages.EmptyAnswer()
            case security_messages.SignCertificate():
                return security_messages.SignCertificateAnswer(accepted=self.signs)

    def _tag(self, id_tag: str) -> IdTagStatus:
        return self.tags.get(id_tag, ACCEPTED)
