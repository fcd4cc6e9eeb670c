"""Firmware updates: OCPP 1.6 §5.19, told as §4.5 says.

An update waits for its date, downloads with retries, waits until no transaction runs, installs,
and reboots. It is kept at every step: after a power cut it waits on, begins the download again,
or, where the installation was under way, has failed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cp_image.api.value import Value, replace
from cp_image.core.attempts import Attempts, attempts
from cp_image.core.connector import Connector
from cp_image.core.csms_messages import UpdateFirmware, UpdateFirmwareAnswer
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import CancelTransfer, Download, LogLevel
from cp_image.core.events import TransferEnded
from cp_image.core.firmware_image import VERSION_KEY, FirmwareImage
from cp_image.core.messages import FirmwareStatus, FirmwareStatusNotification
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue
from cp_image.core.station_clock import StationClock
from cp_image.core.status_reports import StatusReports

INSTALLATION_S: Final = 5.0
FAREWELL_S: Final = 35.0
"""How many real seconds the reboot waits for the CSMS to hear of the installation: longer than
for an answer."""

_KEY: Final = "firmware/update"
_NEXT_KEY: Final = "firmware/next"
_REPORTS_KEY: Final = "firmware/untold"


class Phase(StrEnum):
    """How far an update is."""

    WAITING = "waiting"
    """for its date"""
    DOWNLOADING = "downloading"
    RETRYING = "retrying"
    """waits before the next download"""
    DOWNLOADED = "downloaded"
    """waits until no transaction runs"""
    INSTALLING = "installing"
    INSTALLED = "installed"
    """waits for the reboot"""


_STATUSES: Final[Mapping[Phase, FirmwareStatus]] = MappingProxyType(
    {
        Phase.WAITING: FirmwareStatus.IDLE,
        Phase.DOWNLOADING: FirmwareStatus.DOWNLOADING,
        Phase.RETRYING: FirmwareStatus.DOWNLOAD_FAILED,
        Phase.DOWNLOADED: FirmwareStatus.DOWNLOADED,
        Phase.INSTALLING: FirmwareStatus.INSTALLING,
        Phase.INSTALLED: FirmwareStatus.INSTALLED,
    }
)
_CLOSED: Final = frozenset({Phase.DOWNLOADED, Phase.INSTALLING, Phase.INSTALLED})
"""Phases in which no transaction may begin: an installation would never get its turn."""


class FirmwareUpdate(Value):
    """What is kept of an update.

    Attributes:
        due_at: station time of the next download, while it waits for one.
        image: what was downloaded; None before.
    """

    location: str
    due_at: float
    attempts: Attempts
    phase: Phase = Phase.WAITING
    image: FirmwareImage | None = None


class Firmware:
    """The firmware of a station and the update it may be in.

    Args:
        connectors: whose transactions an installation waits for, and which it holds meanwhile.
        transfer_numbers: numbers no other transfer of this life has.
        reboot: called once, with the reason and `now`, when an update was installed.
        farewell_s: how long the reboot waits for the CSMS, by the station's clock.
    """

    def __init__(
        self,
        *,
        stored: Mapping[str, bytes],
        connectors: Sequence[Connector],
        queue: RequestQueue,
        clock: StationClock,
        outbox: Outbox,
        transfer_numbers: Iterator[int],
        reboot: Callable[[str, float], None],
        farewell_s: float = FAREWELL_S,
    ) -> None:
        self._farewell_s = farewell_s
        self._connectors = connectors
        self._queue = queue
        self._clock = clock
        self._outbox = outbox
        self._transfer_numbers = transfer_numbers
        self._reboot = reboot
        self._update = outbox.recall(stored, _KEY, FirmwareUpdate)
        self._next = outbox.recall(stored, _NEXT_KEY, FirmwareUpdate)
        self._transfer: int | None = None
        self._until: float | None = None
        self._rebooting = False
        self.reports = StatusReports(
            key=_REPORTS_KEY,
            kind=FirmwareStatus,
            to_request=lambda status: FirmwareStatusNotification(status=status),
            stored=stored,
            queue=queue,
            outbox=outbox,
        )

    def handlers(self) -> Mapping[type, Handler]:
        """Return what answers the CSMS."""
        return {UpdateFirmware: self._asked}

    def status_now(self) -> FirmwareStatus:
        """Return what a triggered FirmwareStatusNotification says (OCPP 1.6 §4.5)."""
        return _STATUSES[self._update.phase] if self._update else FirmwareStatus.IDLE

    def power_up(self) -> None:
        """Go on where a former life has stopped."""
        self.reports.resume()
        match self._update:
            case FirmwareUpdate(phase=Phase.DOWNLOADING) as update:
                self._download(update)
            case FirmwareUpdate(phase=Phase.INSTALLING):
                self._installation_failed("interrupted by a restart")
            case FirmwareUpdate(phase=Phase.INSTALLED):
                self._finish()  # this start is the reboot

    def transfer_ended(self, event: TransferEnded, now: float) -> None:
        """A transfer is over; one that is not ours changes nothing."""
        if self._transfer is None or event.number != self._transfer or self._update is None:
            return
        self._transfer = None
        if event.ok and event.image is not None:
            self._log(LogLevel.INFO, f"downloaded, {event.image.size_bytes} bytes")
            downloaded = replace(self._update, image=event.image)
            self._enter(downloaded, Phase.DOWNLOADED)
        else:
            self._download_failed(self._update, event, now)

    def settle(self, now: float) -> None:
        """Do what the state of connectors, link and clock allows; call it after every event."""
        self._start_due(now)
        if self._update is not None and self._update.phase in _CLOSED:
            self._install(self._update, now)
        closed = self._update is not None and self._update.phase in _CLOSED
        for connector in self._connectors:
            connector.held = closed

    def next_deadline(self) -> float | None:
        """Return when `settle` has something to do; None when only an event changes that."""
        if self._until is not None:
            return self._until
        if self._update is None or self._update.phase not in {Phase.WAITING, Phase.RETRYING}:
            return None
        return self._due(self._update)

    # -- from step to step --------------------------------------------------------------------

    def _asked(self, request: UpdateFirmware, _now: float) -> Reply:
        update = FirmwareUpdate(
            location=request.location,
            due_at=request.retrieve_at,
            attempts=attempts(request.retries, request.retry_interval_s),
        )
        return Reply(answer=UpdateFirmwareAnswer(), then=lambda _now: self._order(update))

    def _order(self, update: FirmwareUpdate) -> None:
        phase = self._update and self._update.phase
        if phase in {Phase.INSTALLING, Phase.INSTALLED}:
            # What is being written cannot be taken back: the other one comes after it.
            self._next = update
            self._outbox.keep(_NEXT_KEY, update)
            return
        if phase is not None:
            self._log(LogLevel.WARNING, f"replaced by another one while {phase}")
        if self._transfer is not None:
            self._outbox.put(CancelTransfer(number=self._transfer))
            self._transfer = None
            self.reports.tell(FirmwareStatus.DOWNLOAD_FAILED)
        self._keep(update)

    def _start_due(self, now: float) -> None:
        update = self._update
        if update is None or now < self._due(update):
            return
        if update.phase is Phase.WAITING:
            self._download(update)
        elif update.phase is Phase.RETRYING:
            self._download(replace(update, attempts=update.attempts.one_less()))

    def _download(self, update: FirmwareUpdate) -> None:
        self._enter(update, Phase.DOWNLOADING)
        self._transfer = next(self._transfer_numbers)
        self._outbox.put(Download(number=self._transfer, location=update.location))

    def _download_failed(self, update: FirmwareUpdate, event: TransferEnded, now: float) -> None:
        if update.attempts.left == 0 or event.hopeless:
            self._log(LogLevel.ERROR, f"given up, the download failed: {event.reason}")
            self.reports.tell(FirmwareStatus.DOWNLOAD_FAILED)
            self._finish()
            return
        wait_s = update.attempts.interval_s
        self._log(LogLevel.WARNING, f"the download failed, again in {wait_s:g} s: {event.reason}")
        later = replace(update, due_at=self._clock.at(now) + wait_s)
        self._enter(later, Phase.RETRYING)

    def _install(self, update: FirmwareUpdate, now: float) -> None:
        match update.phase:
            case Phase.DOWNLOADED:
                if all(connector.transaction is None for connector in self._connectors):
                    self._until = now + INSTALLATION_S
                    self._enter(update, Phase.INSTALLING)
            case Phase.INSTALLING:
                if self._over(now):
                    self._conclude_installation(update, now)
            case Phase.INSTALLED:
                self._reboot_when_told(now)

    def _conclude_installation(self, update: FirmwareUpdate, now: float) -> None:
        version = update.image.version if update.image else None
        if version is None:
            self._installation_failed("the file is no firmware image")
            return
        self._log(LogLevel.INFO, f"version {version} is installed")
        self._outbox.keep(VERSION_KEY, version)
        self._until = now + self._farewell_s
        self._enter(update, Phase.INSTALLED)
        self._reboot_when_told(now)

    def _installation_failed(self, reason: str) -> None:
        self._log(LogLevel.ERROR, f"the installation failed: {reason}")
        self.reports.tell(FirmwareStatus.INSTALLATION_FAILED)
        self._finish()

    def _reboot_when_told(self, now: float) -> None:
        # Without its CSMS it need not wait: what is untold is told after the reboot.
        told = self.reports.all_told or not self._queue.open
        if (told or self._over(now)) and not self._rebooting:
            self._rebooting = True
            self._until = None
            self._reboot("a firmware update was installed", now)

    def _finish(self) -> None:
        """End an update; one that was asked for meanwhile takes its place."""
        self._until = None
        self._keep(self._next)
        if self._next is not None:
            self._next = None
            self._outbox.forget(_NEXT_KEY)

    def _enter(self, update: FirmwareUpdate, phase: Phase) -> None:
        """Take an update to a phase and tell the status it begins with."""
        self._keep(replace(update, phase=phase))
        self.reports.tell(_STATUSES[phase])

    def _due(self, update: FirmwareUpdate) -> float:
        """Return the instant of the computer's clock at which its next download is due."""
        return self._clock.instant(update.due_at)

    def _over(self, now: float) -> bool:
        return self._until is not None and now >= self._until

    def _keep(self, update: FirmwareUpdate | None) -> None:
        self._update = update
        if update is None:
            self._outbox.forget(_KEY)
        else:
            self._outbox.keep(_KEY, update)

    def _log(self, level: LogLevel, text: str) -> None:
        self._outbox.log(level, f"firmware update: {text}")
