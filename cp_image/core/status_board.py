"""The status of each connector, and what the CSMS knows of it: OCPP 1.6 §4.9."""

from collections.abc import Iterator
from typing import Final

from cp_image.api.payloads import ConnectorState, ErrorCode
from cp_image.api.value import Value
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.messages import StatusNotification
from cp_image.core.request_queue import RequestQueue
from cp_image.core.station_clock import StationClock

RETELL_S: Final = 60.0
"""Real seconds before a status the CSMS did not take is told again."""


class _Shown(Value):
    status: ConnectorState
    error_code: ErrorCode
    since: float

    @property
    def news(self) -> tuple[str, str]:
        """What a report is about."""
        return (self.status, self.error_code)


class StatusBoard:
    """Reports each change that lasts; while the CSMS is away only the newest counts.

    Args:
        retell_s: how long it waits, by the station's clock, before it tells again what the CSMS
            did not take.
    """

    def __init__(
        self,
        queue: RequestQueue,
        clock: StationClock,
        configuration: Configuration,
        *,
        retell_s: float = RETELL_S,
    ) -> None:
        self._retell_s = retell_s
        self._queue = queue
        self._clock = clock
        self._configuration = configuration
        self._shown: dict[int, _Shown] = {}
        self._told: dict[int, tuple[str, str]] = {}
        self._known: dict[int, tuple[str, str]] = {}
        self._retell_at: dict[int, float] = {}
        configuration.on_change(Key.MINIMUM_STATUS_DURATION, self.tick)

    def show(
        self, connector_id: int, status: ConnectorState, error_code: ErrorCode, now: float
    ) -> None:
        """Show a status; it is reported if it is another one."""
        shown = self._shown.get(connector_id)
        if shown and (shown.status, shown.error_code) == (status, error_code):
            return
        self._shown[connector_id] = _Shown(status=status, error_code=error_code, since=now)
        self._retell_at.pop(connector_id, None)
        self.tick(now)

    def report_all(self) -> None:
        """Report connector 0 and every connector: the charge point has just been accepted."""
        for connector_id in sorted(self._shown):
            self._report(connector_id)

    def report_changed(self, now: float) -> None:
        """Report what the CSMS does not know yet: the link is back."""
        self.tick(now)

    def trigger(self, connector_id: int) -> None:
        """Report how it stands: the CSMS wants to hear it, whatever it knows (§5.17)."""
        self._report(connector_id, triggered=True)

    def heard(self, report: StatusNotification) -> None:
        """The CSMS has a report."""
        news = (report.status, report.error_code)
        self._known[report.connector_id] = news
        if self._shown[report.connector_id].news == news:
            self._told[report.connector_id] = news  # whoever has told it

    def failed(self, report: StatusNotification, now: float) -> None:
        """The CSMS has refused a report, or not answered it: what it knows now, nobody knows."""
        connector_id = report.connector_id
        self._known.pop(connector_id, None)
        if self._told.get(connector_id) != (report.status, report.error_code):
            return  # a newer one is under way
        del self._told[connector_id]
        if self._shown[connector_id].news == (report.status, report.error_code):
            self._retell_at[connector_id] = now + self._retell_s

    def link_broken(self) -> None:
        """What the CSMS has not confirmed may be lost."""
        self._told = dict(self._known)
        self._retell_at.clear()

    def tick(self, now: float) -> None:
        """Report what has lasted long enough."""
        for connector_id, due_at in list(self._waiting()):
            if now >= due_at:
                self._report(connector_id)

    def next_deadline(self) -> float | None:
        """Return when the next status has lasted long enough; None when none waits."""
        return min((due_at for _, due_at in self._waiting()), default=None)

    def _waiting(self) -> Iterator[tuple[int, float]]:
        # §9.1 MinimumStatusDuration: what lasts less is not reported.
        if not self._queue.open:
            return
        duration_s = self._configuration.integer(Key.MINIMUM_STATUS_DURATION)
        for connector_id, shown in sorted(self._shown.items()):
            if self._told.get(connector_id) != shown.news:
                lasted_at = shown.since + duration_s
                yield connector_id, max(lasted_at, self._retell_at.get(connector_id, lasted_at))

    def _report(self, connector_id: int, *, triggered: bool = False) -> None:
        shown = self._shown[connector_id]
        if self._queue.open:
            self._told[connector_id] = shown.news
        self._queue.push(
            StatusNotification(
                connector_id=connector_id,
                status=shown.status,
                at=self._clock.at(shown.since),
                error_code=shown.error_code.value,
            ),
            triggered=triggered,
        )
