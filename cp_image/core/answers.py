"""Takes what the CSMS answers to whoever has asked; so where no answer comes."""

from cp_image.core import messages, security_messages
from cp_image.core.assembly import Parts
from cp_image.core.effects import LogLevel
from cp_image.core.events import CallAnswered, CallFailed
from cp_image.core.ground import Ground
from cp_image.core.request_queue import Entry, PassingEntry


class Answers:
    """Takes requests off the queue, with what has come of them."""

    def __init__(self, ground: Ground, parts: Parts) -> None:
        self._board = ground.board
        self._outbox = ground.outbox
        self._queue = ground.queue
        self._parts = parts

    def answered(self, event: CallAnswered, now: float) -> None:
        """The CSMS has answered; what nobody waits for is ignored."""
        entry = self._queue.answered(event.message_id)
        if entry is None:
            self._outbox.log(
                LogLevel.DEBUG, f"answer {event.message_id} is ignored: nobody waits for it"
            )
            return
        match entry.request, event.answer:
            case messages.BootNotification(), messages.BootAnswer() as answer:
                self._parts.csms.boot_answered(answer, now)
            case messages.Heartbeat(), messages.HeartbeatAnswer() as answer:
                self._parts.csms.heartbeat_answered(answer, now)
            case messages.StatusNotification() as request, messages.EmptyAnswer():
                self._board.heard(request)
            case (
                (messages.Authorize(), messages.AuthorizeAnswer())
                | (messages.StartTransaction(), messages.StartTransactionAnswer())
                | (messages.StopTransaction(), messages.StopTransactionAnswer())
            ):
                self._heard_of_tag(entry, event.answer, now)
            case messages.DataTransfer() as request, messages.DataTransferAnswer() as answer:
                self._parts.data_transfers.answered(entry.number, request, answer, now)
            case (
                messages.MeterValues()
                | messages.FirmwareStatusNotification()
                | messages.DiagnosticsStatusNotification()
                | security_messages.SecurityEventNotification()
                | security_messages.LogStatusNotification()
                | security_messages.SignedFirmwareStatusNotification(),
                messages.EmptyAnswer(),
            ):
                self._concluded(entry.number)  # nothing depends on the others
            case _, security_messages.SignCertificateAnswer() as answer:
                self._parts.security.signing_answered(entry.number, answer, now)
            case request, answer:
                self._outbox.log(
                    LogLevel.ERROR,
                    f"{type(request).__name__} is answered with {type(answer).__name__}: ignored",
                )

    def refused(self, event: CallFailed, now: float) -> None:
        """The CSMS has answered with an error."""
        why = f"{event.error_code} {event.description}".strip()
        self._given_up(self._queue.failed(event.message_id, why, now), now)

    def expire(self, now: float) -> None:
        """Stop waiting for an answer that is overdue."""
        self._given_up(self._queue.expire(now), now)

    def link_broken(self, lost: PassingEntry, now: float) -> None:
        """A request was lost with the link."""
        match lost.request:
            case messages.Authorize(id_tag=id_tag):
                self._parts.tags.failed(lost.number, id_tag, now)
            case messages.DataTransfer() as request:
                self._parts.data_transfers.failed(lost.number, request, now)
            case _:
                self._parts.firmware.link_broken(lost.number)
                self._parts.security.link_broken(lost.number)

    def _heard_of_tag(self, entry: Entry, answer: messages.Answer, now: float) -> None:
        tags = self._parts.tags
        match entry.request, answer:
            case messages.Authorize(id_tag=id_tag), messages.AuthorizeAnswer() as heard:
                tags.answered(entry.number, id_tag, heard.id_tag_status, now)
            case messages.StartTransaction() as request, messages.StartTransactionAnswer() as heard:
                status = heard.id_tag_status
                tags.started(request, status, now)
                self._parts.transactions.started(entry.number, request, heard, now)
                self._parts.refused_transactions.judge(
                    request.connector_id, entry.number, status.status, now
                )
            case messages.StopTransaction(id_tag=id_tag), messages.StopTransactionAnswer() as heard:
                tags.stopped(id_tag, heard.id_tag_status, now)

    def _given_up(self, lost: PassingEntry | None, now: float) -> None:
        if lost is None:
            return
        match lost.request:
            case messages.BootNotification():
                self._parts.csms.boot_failed(now)
            case messages.Heartbeat():
                self._parts.csms.heartbeat_failed()
            case messages.StatusNotification() as request:
                self._board.failed(request, now)
            case messages.Authorize(id_tag=id_tag):
                self._parts.tags.failed(lost.number, id_tag, now)
            case messages.DataTransfer() as request:
                self._parts.data_transfers.failed(lost.number, request, now)
            case _:
                self._concluded(lost.number)

    def _concluded(self, number: int) -> None:
        self._parts.firmware.concluded(number)
        self._parts.security.concluded(number)
