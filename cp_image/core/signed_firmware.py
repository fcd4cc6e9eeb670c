"""Signed firmware updates: Security Whitepaper SignedUpdateFirmware.

As `cp_image.core.firmware`, and beyond it: the certificate is checked before the answer, the
signature after the download, and the statuses name the request they belong to.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cp_image.api.value import Value, replace
from cp_image.core.attempts import attempts
from cp_image.core.certificates import CertificateError, CertificateReader, split_pem
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import CancelTransfer, Download, LogLevel
from cp_image.core.events import TransferEnded
from cp_image.core.firmware import FAREWELL_S, INSTALLATION_S
from cp_image.core.firmware_image import VERSION_KEY, FirmwareImage
from cp_image.core.ground import Ground
from cp_image.core.security_events import SecurityEvent, SecurityEvents
from cp_image.core.security_messages import (
    SignedFirmwareStatus,
    SignedFirmwareStatusNotification,
    SignedUpdateFirmware,
    SignedUpdateFirmwareAnswer,
    SignedUpdateFirmwareStatus,
)
from cp_image.core.signed_update import BEGUN, Phase, SignedUpdate
from cp_image.core.status_reports import StatusReports

_KEY: Final = "security/firmware-update"
_REPORTS_KEY: Final = "security/firmware-untold"


class _Report(Value):
    request_id: int
    status: SignedFirmwareStatus


class SignedFirmware:
    """The signed update a station may be in.

    Args:
        roots: returns whom the signing certificate must come from, PEM.
        busy: whether an update without a signature is under way.
        reboot: called once, with the reason and `now`, when an update was installed.
    """

    def __init__(
        self,
        ground: Ground,
        *,
        reader: CertificateReader,
        roots: Callable[[], tuple[str, ...]],
        events: SecurityEvents,
        transfer_numbers: Iterator[int],
        busy: Callable[[], bool],
        reboot: Callable[[str, float], None],
    ) -> None:
        self._connectors = ground.connectors
        self._reader = reader
        self._roots = roots
        self._events = events
        self._queue = ground.queue
        self._clock = ground.clock
        self._outbox = ground.outbox
        self._transfer_numbers = transfer_numbers
        self._busy = busy
        self._reboot = reboot
        self._farewell_s = ground.settings.real_s(FAREWELL_S)
        self._update = ground.outbox.recall(ground.stored, _KEY, SignedUpdate)
        self._transfer: int | None = None
        self._until: float | None = None
        self._rebooting = False
        self._last_status = SignedFirmwareStatus.IDLE
        self.reports: StatusReports[_Report] = StatusReports(
            key=_REPORTS_KEY,
            kind=_Report,
            to_request=lambda report: SignedFirmwareStatusNotification(
                status=report.status, request_id=report.request_id
            ),
            stored=ground.stored,
            queue=ground.queue,
            outbox=ground.outbox,
        )

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what answers the CSMS."""
        return {SignedUpdateFirmware: self._asked}

    def power_up(self, now: float) -> None:
        """Go on where a former life has stopped."""
        self.reports.resume()
        match self._update:
            case SignedUpdate(phase=Phase.DOWNLOADING) as update:
                self._download(update)
            case SignedUpdate(phase=Phase.INSTALLING) as update:
                self._fail(update, S.INSTALLATION_FAILED, "interrupted by a restart")
            case SignedUpdate(phase=Phase.REBOOTING, image=image) as update:  # this start is it
                self._tell(update, S.INSTALLED)
                version = (image and image.version) or ""
                self._events.happened(SecurityEvent.FIRMWARE_UPDATED, version, now)
                self._keep(None)

    def trigger(self, _now: float) -> None:
        """Say how it stands, because the CSMS wants to hear it."""
        update = self._update
        self._queue.push(
            SignedFirmwareStatusNotification(
                status=S.IDLE if update is None else self._last_status,
                request_id=None if update is None else update.request.request_id,
            ),
            triggered=True,
        )

    def transfer_ended(self, event: TransferEnded, now: float) -> None:
        """A transfer is over; one that is not ours changes nothing."""
        update = self._update
        if self._transfer is None or event.number != self._transfer or update is None:
            return
        self._transfer = None
        if event.ok and event.image is not None:
            self._verify(replace(update, image=event.image), event.image, now)
        elif update.attempts.left == 0 or event.hopeless:
            self._fail(update, S.DOWNLOAD_FAILED, f"the download failed: {event.reason}")
        else:
            wait_s = update.attempts.interval_s
            self._log(LogLevel.WARNING, f"failed, again in {wait_s:g} s: {event.reason}")
            self._keep(
                replace(
                    update,
                    phase=Phase.RETRYING,
                    due_at=self._clock.at(now) + wait_s,
                    attempts=update.attempts.one_less(),
                )
            )

    def settle(self, now: float) -> None:
        """Do what the state of connectors, link and clock allows; call it after every event.

        `cp_image.core.firmware` must have settled before: it says first whom it holds.
        """
        update = self._update
        if update is not None:
            self._go_on(update, now)
        update = self._update
        if update is not None and (update.phase in BEGUN or self._may_install(update, now)):
            for connector in self._connectors:
                connector.held = True

    def next_deadline(self) -> float | None:
        """Return when `settle` has something to do; None when only an event changes that."""
        if self._until is not None:
            return self._until
        if self._update is None or self._update.phase in {*BEGUN, Phase.DOWNLOADING}:
            return None
        due = self._clock.instant(self._update.due_at)
        # What waits for transactions to end has its date behind it.
        return None if self._update.phase is Phase.VERIFIED and self._held() else due

    # -- from step to step --------------------------------------------------------------------

    def _asked(self, request: SignedUpdateFirmware, now: float) -> Reply:
        if self._busy() or (self._update is not None and self._update.phase in BEGUN):
            self._log(LogLevel.WARNING, "rejected: another one is under way")
            return _answer(SignedUpdateFirmwareStatus.REJECTED)
        why_not = self._why_not(request, now)
        if why_not:
            text = f"the signing certificate is not valid: {why_not}"
            self._log(LogLevel.WARNING, text)
            return _answer(
                SignedUpdateFirmwareStatus.INVALID_CERTIFICATE,
                lambda now: self._events.happened(
                    SecurityEvent.INVALID_FIRMWARE_SIGNING_CERTIFICATE, text, now
                ),
            )
        status = (
            SignedUpdateFirmwareStatus.ACCEPTED
            if self._update is None
            else SignedUpdateFirmwareStatus.ACCEPTED_CANCELED
        )
        return _answer(status, lambda now: self._order(request, now))

    def _why_not(self, request: SignedUpdateFirmware, now: float) -> str:
        """Return why the signing certificate does not count; empty where it does."""
        chain = split_pem(request.signing_certificate)
        if not chain:
            return "it is no PEM certificate"
        if not self._roots():
            return "no ManufacturerRootCertificate is installed"
        try:
            self._reader.read(chain[0])
            self._reader.verify_chain(chain, self._roots(), self._clock.at(now))
        except CertificateError as exc:
            return str(exc)
        return ""

    def _order(self, request: SignedUpdateFirmware, now: float) -> None:
        if self._transfer is not None:
            self._outbox.put(CancelTransfer(number=self._transfer))
            self._transfer = None
        update = SignedUpdate(
            request=request,
            due_at=request.retrieve_at,
            attempts=attempts(request.retries, request.retry_interval_s),
        )
        self._keep(update)
        if self._clock.at(now) < update.due_at:
            self._tell(update, S.DOWNLOAD_SCHEDULED)

    def _go_on(self, update: SignedUpdate, now: float) -> None:
        match update.phase:
            case Phase.WAITING | Phase.RETRYING:
                if now >= self._clock.instant(update.due_at):
                    self._tell(update, S.DOWNLOADING)
                    self._download(update)
            case Phase.VERIFIED:
                if self._may_install(update, now) and not self._held():
                    self._until = now + INSTALLATION_S
                    self._enter(update, Phase.INSTALLING, S.INSTALLING)
            case Phase.INSTALLING:
                if self._over(now):
                    self._conclude(update, now)
            case Phase.REBOOTING:
                self._reboot_when_told(now)

    def _download(self, update: SignedUpdate) -> None:
        self._keep(replace(update, phase=Phase.DOWNLOADING))
        self._transfer = next(self._transfer_numbers)
        self._outbox.put(Download(number=self._transfer, location=update.request.location))

    def _verify(self, update: SignedUpdate, image: FirmwareImage, now: float) -> None:
        self._log(LogLevel.INFO, f"downloaded, {image.size_bytes} bytes")
        self._tell(update, S.DOWNLOADED)
        request = update.request
        try:
            (signer, *_) = split_pem(request.signing_certificate)
            self._reader.verify_signature(signer, request.signature, image.sha256)
        except CertificateError as exc:
            text = f"the signature is not valid: {exc}"
            self._fail(update, S.INVALID_SIGNATURE, text)
            self._events.happened(SecurityEvent.INVALID_FIRMWARE_SIGNATURE, text, now)
            return
        at = self._clock.at(now)
        install_at = at if request.install_at is None else request.install_at
        verified = replace(update, due_at=install_at)
        self._enter(verified, Phase.VERIFIED, S.SIGNATURE_VERIFIED)
        if at < install_at or self._held():
            self._tell(verified, S.INSTALL_SCHEDULED)

    def _conclude(self, update: SignedUpdate, now: float) -> None:
        version = update.image.version if update.image else None
        self._until = None
        if version is None:
            self._fail(update, S.INSTALLATION_FAILED, "the file is no firmware image")
            return
        self._log(LogLevel.INFO, f"version {version} is installed")
        self._outbox.keep(VERSION_KEY, version)
        self._until = now + self._farewell_s
        self._enter(update, Phase.REBOOTING, S.INSTALL_REBOOTING)
        self._reboot_when_told(now)

    def _reboot_when_told(self, now: float) -> None:
        told = self.reports.all_told or not self._queue.open
        if (told or self._over(now)) and not self._rebooting:
            self._rebooting = True
            self._until = None
            self._reboot("a signed firmware update was installed", now)

    # -- what it stands on --------------------------------------------------------------------

    def _may_install(self, update: SignedUpdate, now: float) -> bool:
        return update.phase is Phase.VERIFIED and now >= self._clock.instant(update.due_at)

    def _held(self) -> bool:
        """Return whether a transaction holds the installation up."""
        return any(connector.transaction is not None for connector in self._connectors)

    def _over(self, now: float) -> bool:
        return self._until is not None and now >= self._until

    def _fail(self, update: SignedUpdate, status: SignedFirmwareStatus, why: str) -> None:
        self._log(LogLevel.ERROR, why)
        self._tell(update, status)
        self._until = None
        self._keep(None)

    def _enter(self, update: SignedUpdate, phase: Phase, status: SignedFirmwareStatus) -> None:
        self._keep(replace(update, phase=phase))
        self._tell(update, status)

    def _tell(self, update: SignedUpdate, status: SignedFirmwareStatus) -> None:
        self._last_status = status
        self.reports.tell(_Report(request_id=update.request.request_id, status=status))

    def _keep(self, update: SignedUpdate | None) -> None:
        self._update = update
        if update is None:
            self._outbox.forget(_KEY)
        else:
            self._outbox.keep(_KEY, update)

    def _log(self, level: LogLevel, text: str) -> None:
        self._outbox.log(level, f"signed firmware update: {text}")


S = SignedFirmwareStatus


def _answer(
    status: SignedUpdateFirmwareStatus, then: Callable[[float], None] | None = None
) -> Reply:
    return Reply(answer=SignedUpdateFirmwareAnswer(status=status), then=then)
