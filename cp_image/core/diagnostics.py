"""Diagnostics: OCPP 1.6 §5.9, told as §4.4 says.

The file is made anew for each attempt. A restart loses the log that was asked for, so an upload
that it interrupts has failed; the CSMS is told and may ask again.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from cp_image.api.value import Value, replace
from cp_image.core.attempts import Attempts, attempts
from cp_image.core.csms_messages import GetDiagnostics, GetDiagnosticsAnswer
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import CancelTransfer, LogLevel, Upload
from cp_image.core.events import TransferEnded
from cp_image.core.messages import DiagnosticsStatus, DiagnosticsStatusNotification
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue
from cp_image.core.station_clock import StationClock
from cp_image.core.status_reports import StatusReports

_KEY: Final = "diagnostics/uploading"
_REPORTS_KEY: Final = "diagnostics/untold"


class _Order(Value):
    request: GetDiagnostics
    file_name: str
    attempts: Attempts


class Diagnostics:
    """Uploads what a CSMS wants to know when something is odd.

    Args:
        charge_point_id: begins the name of the file.
        report: makes the text of the file, without the log, of station time.
        transfer_numbers: numbers no other transfer of this life has.
    """

    def __init__(
        self,
        *,
        charge_point_id: str,
        report: Callable[[float], str],
        stored: Mapping[str, bytes],
        queue: RequestQueue,
        clock: StationClock,
        outbox: Outbox,
        transfer_numbers: Iterator[int],
    ) -> None:
        self._charge_point_id = charge_point_id
        self._report = report
        self._clock = clock
        self._outbox = outbox
        self._transfer_numbers = transfer_numbers
        self._interrupted = outbox.recall(stored, _KEY, str)
        self._order: _Order | None = None
        self._transfer: int | None = None
        self._retry_at: float | None = None
        self.reports = StatusReports(
            key=_REPORTS_KEY,
            kind=DiagnosticsStatus,
            to_request=lambda status: DiagnosticsStatusNotification(status=status),
            stored=stored,
            queue=queue,
            outbox=outbox,
        )

    def handlers(self) -> Mapping[type, Handler]:
        """Return what answers the CSMS."""
        return {GetDiagnostics: self._asked}

    def status_now(self) -> DiagnosticsStatus:
        """Return what a triggered DiagnosticsStatusNotification says (OCPP 1.6 §4.4)."""
        if self._transfer is not None:
            return DiagnosticsStatus.UPLOADING
        return DiagnosticsStatus.UPLOAD_FAILED if self._order else DiagnosticsStatus.IDLE

    def power_up(self) -> None:
        """Tell of an upload that a former life has not ended."""
        self.reports.resume()
        if self._interrupted is not None:
            self._log(LogLevel.WARNING, f"{self._interrupted}: interrupted by a restart")
            self._interrupted = None
            self._finish(DiagnosticsStatus.UPLOAD_FAILED)

    def transfer_ended(self, event: TransferEnded, now: float) -> None:
        """A transfer is over; one that is not ours changes nothing."""
        if self._transfer is None or event.number != self._transfer or self._order is None:
            return
        self._transfer = None
        order = self._order
        if event.ok:
            self._log(LogLevel.INFO, f"{order.file_name} is uploaded")
            self._finish(DiagnosticsStatus.UPLOADED)
        elif order.attempts.left == 0 or event.hopeless:
            self._log(LogLevel.ERROR, f"given up, the upload failed: {event.reason}")
            self._finish(DiagnosticsStatus.UPLOAD_FAILED)
        else:
            wait_s = order.attempts.interval_s
            reason = f"the upload failed, again in {wait_s:g} s: {event.reason}"
            self._log(LogLevel.WARNING, reason)
            self._order = replace(order, attempts=order.attempts.one_less())
            self._retry_at = now + wait_s
            self.reports.tell(DiagnosticsStatus.UPLOAD_FAILED)

    def tick(self, now: float) -> None:
        """Try again when it is time."""
        if self._order is not None and self._retry_at is not None and now >= self._retry_at:
            self._upload(self._order, now)

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do; None when it has not."""
        return self._retry_at

    def _asked(self, request: GetDiagnostics, now: float) -> Reply:
        at = self._clock.at(now)
        ends = at if request.stop_at is None else min(at, request.stop_at)
        if request.start_at is not None and request.start_at > ends:
            # §5.9: no file name where there is nothing to be had.
            self._log(LogLevel.WARNING, "asked for a time of which there is none")
            return Reply(answer=GetDiagnosticsAnswer())
        moment = datetime.fromtimestamp(int(at), UTC)
        file_name = f"{self._charge_point_id}-{moment:%Y%m%dT%H%M%SZ}.txt.gz"
        order = _Order(
            request=request,
            file_name=file_name,
            attempts=attempts(request.retries, request.retry_interval_s),
        )
        return Reply(
            answer=GetDiagnosticsAnswer(file_name=file_name),
            then=lambda now: self._begin(order, now),
        )

    def _begin(self, order: _Order, now: float) -> None:
        if self._transfer is not None:
            # The CSMS has changed its mind: as in OCPP 2.0.1 N01 the newest request goes first.
            self._outbox.put(CancelTransfer(number=self._transfer))
            self.reports.tell(DiagnosticsStatus.UPLOAD_FAILED)
        self._upload(order, now)

    def _upload(self, order: _Order, now: float) -> None:
        self._order = order
        self._retry_at = None
        self._transfer = next(self._transfer_numbers)
        self._outbox.keep(_KEY, order.file_name)
        self.reports.tell(DiagnosticsStatus.UPLOADING)
        self._outbox.put(
            Upload(
                number=self._transfer,
                location=order.request.location,
                file_name=order.file_name,
                report=self._report(self._clock.at(now)),
                log_from=self._by_computer(order.request.start_at),
                log_to=self._by_computer(order.request.stop_at),
            )
        )

    def _by_computer(self, at: float | None) -> float | None:
        """Return what the computer's clock, with which the log is written, shows at an instant."""
        return None if at is None else self._clock.instant(at)

    def _finish(self, status: DiagnosticsStatus) -> None:
        self._order = None
        self._outbox.forget(_KEY)
        self.reports.tell(status)

    def _log(self, level: LogLevel, text: str) -> None:
        self._outbox.log(level, f"diagnostics: {text}")
