"""Logs for the CSMS: Security Whitepaper GetLog, told by LogStatusNotification."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cp_image.api.value import Value, replace
from cp_image.core.attempts import Attempts, attempts
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import CancelTransfer, LogLevel, Upload
from cp_image.core.events import TransferEnded
from cp_image.core.ground import Ground
from cp_image.core.security_events import LoggedEvent, SecurityEvents
from cp_image.core.security_messages import (
    GetLog,
    GetLogAnswer,
    GetLogStatus,
    LogStatus,
    LogStatusNotification,
    LogType,
)
from cp_image.core.status_reports import StatusReports
from cp_image.core.transfer_faults import TransferFault

_KEY: Final = "security/log-uploading"
_REPORTS_KEY: Final = "security/log-untold"


class _Report(Value):
    request_id: int
    status: LogStatus


class _Order(Value):
    request: GetLog
    file_name: str
    attempts: Attempts


class LogUpload:
    """Uploads the security log, or that of the diagnostics.

    Args:
        diagnostics: makes the text of a diagnostics file, of station time.
        transfer_numbers: numbers no other transfer of this life has.
    """

    def __init__(
        self,
        ground: Ground,
        *,
        diagnostics: Callable[[float], str],
        events: SecurityEvents,
        transfer_numbers: Iterator[int],
    ) -> None:
        self._charge_point_id = ground.settings.charge_point_id
        self._diagnostics = diagnostics
        self._events = events
        self._queue = ground.queue
        self._clock = ground.clock
        self._outbox = ground.outbox
        self._transfer_numbers = transfer_numbers
        self._interrupted = ground.outbox.recall(ground.stored, _KEY, int)
        self._order: _Order | None = None
        self._transfer: int | None = None
        self._retry_at: float | None = None
        self.reports: StatusReports[_Report] = StatusReports(
            key=_REPORTS_KEY,
            kind=_Report,
            to_request=lambda report: LogStatusNotification(
                status=report.status, request_id=report.request_id
            ),
            stored=ground.stored,
            queue=ground.queue,
            outbox=ground.outbox,
        )

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what answers the CSMS."""
        return {GetLog: self._asked}

    def power_up(self) -> None:
        """Tell of an upload that a former life has not ended."""
        self.reports.resume()
        if self._interrupted is not None:
            self._log(LogLevel.WARNING, "interrupted by a restart")
            self._finish(self._interrupted, LogStatus.UPLOAD_FAILURE)

    def trigger(self, _now: float) -> None:
        """Say how it stands, because the CSMS wants to hear it."""
        order = self._order
        self._queue.push(
            LogStatusNotification(
                status=LogStatus.IDLE if order is None else LogStatus.UPLOADING,
                request_id=None if order is None else order.request.request_id,
            ),
            triggered=True,
        )

    def transfer_ended(self, event: TransferEnded, now: float) -> None:
        """A transfer is over; one that is not ours changes nothing."""
        order = self._order
        if self._transfer is None or event.number != self._transfer or order is None:
            return
        self._transfer = None
        if event.ok:
            self._log(LogLevel.INFO, f"{order.file_name} is uploaded")
            self._finish(order.request.request_id, LogStatus.UPLOADED)
        elif order.attempts.left == 0 or event.hopeless:
            self._log(LogLevel.ERROR, f"given up, the upload failed: {event.reason}")
            self._finish(order.request.request_id, _failure(event.fault))
        else:
            wait_s = order.attempts.interval_s
            self._log(LogLevel.WARNING, f"failed, again in {wait_s:g} s: {event.reason}")
            self._order = replace(order, attempts=order.attempts.one_less())
            self._retry_at = now + wait_s

    def tick(self, now: float) -> None:
        """Try again when it is time."""
        if self._order is not None and self._retry_at is not None and now >= self._retry_at:
            self._upload(self._order, now)

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do; None when it has not."""
        return self._retry_at

    def _asked(self, request: GetLog, now: float) -> Reply:
        at = self._clock.at(now)
        if request.start_at is not None and request.start_at > min(at, request.stop_at or at):
            self._log(LogLevel.WARNING, "asked for a time of which there is none")
            return Reply(answer=GetLogAnswer(status=GetLogStatus.REJECTED))
        kind = "security" if request.log_type is LogType.SECURITY else "diagnostics"
        moment = datetime.fromtimestamp(int(at), UTC)
        order = _Order(
            request=request,
            file_name=f"{self._charge_point_id}-{kind}-{moment:%Y%m%dT%H%M%SZ}.txt.gz",
            attempts=attempts(request.retries, request.retry_interval_s),
        )
        # Whitepaper GetLog: the newest request goes first, the one before is broken off.
        status = GetLogStatus.ACCEPTED if self._order is None else GetLogStatus.ACCEPTED_CANCELED
        return Reply(
            answer=GetLogAnswer(status=status, file_name=order.file_name),
            then=lambda now: self._begin(order, now),
        )

    def _begin(self, order: _Order, now: float) -> None:
        if self._transfer is not None:
            self._outbox.put(CancelTransfer(number=self._transfer))
        if self._order is not None:
            self._tell(self._order.request.request_id, LogStatus.UPLOAD_FAILURE)
        self._tell(order.request.request_id, LogStatus.UPLOADING)
        self._upload(order, now)

    def _upload(self, order: _Order, now: float) -> None:
        request = order.request
        of_security = request.log_type is LogType.SECURITY
        self._order = order
        self._retry_at = None
        self._transfer = next(self._transfer_numbers)
        self._outbox.keep(_KEY, request.request_id)
        self._outbox.put(
            Upload(
                number=self._transfer,
                location=request.location,
                file_name=order.file_name,
                report=(
                    security_log(self._events.lines(request.start_at, request.stop_at))
                    if of_security
                    else self._diagnostics(self._clock.at(now))
                ),
                with_log=not of_security,
                log_from=self._by_computer(request.start_at),
                log_to=self._by_computer(request.stop_at),
            )
        )

    def _by_computer(self, at: float | None) -> float | None:
        return None if at is None else self._clock.instant(at)

    def _finish(self, request_id: int, status: LogStatus) -> None:
        self._order = None
        self._interrupted = None
        self._outbox.forget(_KEY)
        self._tell(request_id, status)

    def _tell(self, request_id: int, status: LogStatus) -> None:
        self.reports.tell(_Report(request_id=request_id, status=status))

    def _log(self, level: LogLevel, text: str) -> None:
        self._outbox.log(level, f"log upload: {text}")


def _failure(fault: TransferFault | None) -> LogStatus:
    match fault:
        case TransferFault.BAD_MESSAGE:
            return LogStatus.BAD_MESSAGE
        case TransferFault.DENIED:
            return LogStatus.PERMISSION_DENIED
        case TransferFault.NOT_SUPPORTED:
            return LogStatus.NOT_SUPPORTED_OPERATION
        case None:
            return LogStatus.UPLOAD_FAILURE


def security_log(events: list[LoggedEvent]) -> str:
    """Return the security log as text, a line for each event, the oldest first."""
    lines = (
        f"{datetime.fromtimestamp(event.at, UTC).isoformat(timespec='milliseconds')} "
        f"{event.event.value} {event.tech_info}".rstrip()
        for event in events
    )
    return "\n".join(("[security]", *lines, ""))
