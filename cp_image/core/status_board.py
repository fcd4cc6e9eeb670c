"""The status of each connector, and what the CSMS knows of it: OCPP 1.6 §4.9."""

from dataclasses import dataclass

from cp_image.api.payloads import ConnectorState
from cp_image.core.faults import ErrorCode
from cp_image.core.messages import StatusNotification
from cp_image.core.request_queue import RequestQueue
from cp_image.core.station_clock import StationClock


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    status: ConnectorState
    error_code: ErrorCode
    since: float


class StatusBoard:
    """Reports each change at once; while the CSMS is away only the newest counts."""

    def __init__(self, queue: RequestQueue, clock: StationClock) -> None:
        self._queue = queue
        self._clock = clock
        self._shown: dict[int, _Shown] = {}
        self._known: dict[int, tuple[str, str]] = {}

    def show(
        self, connector_id: int, status: ConnectorState, error_code: ErrorCode, now: float
    ) -> None:
        """Show a status; it is reported if it is another one."""
        shown = self._shown.get(connector_id)
        if shown and (shown.status, shown.error_code) == (status, error_code):
            return
        self._shown[connector_id] = _Shown(status=status, error_code=error_code, since=now)
        if self._queue.open:
            self._report(connector_id)

    def report_all(self) -> None:
        """Report connector 0 and every connector: the charge point has just been accepted."""
        for connector_id in sorted(self._shown):
            self._report(connector_id)

    def report_changed(self) -> None:
        """Report what the CSMS does not know yet: the link is back."""
        for connector_id, shown in sorted(self._shown.items()):
            if self._known.get(connector_id) != (shown.status, shown.error_code):
                self._report(connector_id)

    def heard(self, report: StatusNotification) -> None:
        """The CSMS has a report."""
        self._known[report.connector_id] = (report.status, report.error_code)

    def _report(self, connector_id: int) -> None:
        shown = self._shown[connector_id]
        self._queue.push(
            StatusNotification(
                connector_id=connector_id,
                status=shown.status,
                at=self._clock.at(shown.since),
                error_code=shown.error_code.value,
            )
        )
