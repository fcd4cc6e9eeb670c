"""The OCPP 1.6 Security Whitepaper: all that a station does about its security."""

from collections.abc import Callable, Mapping
from typing import Any

from cp_image.api.secrets import SecurityProfile
from cp_image.core.certificate_signing import CertificateSigning
from cp_image.core.certificate_store import CertificateStore
from cp_image.core.csms_messages import ChangeConfiguration, TriggerMessage
from cp_image.core.desk import Handler
from cp_image.core.errors import NotAllowedError
from cp_image.core.events import (
    CsmsConnected,
    CsmsDisconnected,
    KeyGenerated,
    SecurityEventWanted,
    TransferEnded,
)
from cp_image.core.extended_trigger import ExtendedTriggers
from cp_image.core.firmware_management import FirmwareManagement
from cp_image.core.ground import Ground
from cp_image.core.link_security import LinkSecurity
from cp_image.core.log_upload import LogUpload
from cp_image.core.messages import FirmwareStatus
from cp_image.core.security_events import SecurityEvent, SecurityEvents
from cp_image.core.security_messages import (
    CertificateUse,
    ExtendedTrigger,
    SignCertificateAnswer,
)
from cp_image.core.signed_firmware import SignedFirmware


class Security:
    """Credentials, certificates, security events, logs and signed firmware of a station.

    Args:
        firmware: the updates without a signature, and the diagnostics.
        reboot: called once, with the reason and `now`, when an update was installed.
    """

    def __init__(
        self,
        ground: Ground,
        *,
        firmware: FirmwareManagement,
        reboot: Callable[[str, float], None],
    ) -> None:
        given, reader = ground.settings.security, ground.certificates
        self._version = ground.settings.firmware_version
        # An update without a signature, of which this start is the reboot.
        self._updated = firmware.firmware.status_now() is FirmwareStatus.INSTALLED
        ground.clock.on_set(self._clock_set)
        self._link = link = LinkSecurity(
            settings=given,
            stored=ground.stored,
            configuration=ground.configuration,
            outbox=ground.outbox,
            roots=lambda: self._store.trusted(CertificateUse.CENTRAL_SYSTEM_ROOT),
        )
        self._events = events = SecurityEvents(
            stored=ground.stored,
            configuration=ground.configuration,
            queue=ground.queue,
            clock=ground.clock,
            outbox=ground.outbox,
            secured=lambda: link.profile is not SecurityProfile.NONE,
        )
        link.report_to(events)
        self._store = store = CertificateStore(
            files={
                CertificateUse.CENTRAL_SYSTEM_ROOT: given.root_ca,
                CertificateUse.MANUFACTURER_ROOT: given.manufacturer_ca,
            },
            stored=ground.stored,
            configuration=ground.configuration,
            reader=reader,
            clock=ground.clock,
            outbox=ground.outbox,
            changed=self._roots_changed,
            needed=lambda: link.profile >= SecurityProfile.TLS,
        )
        self._signing = CertificateSigning(
            ground,
            reader=reader,
            roots=lambda: store.trusted(CertificateUse.CENTRAL_SYSTEM_ROOT),
            link=link,
            events=events,
        )
        self._log_upload = LogUpload(
            ground,
            diagnostics=firmware.diagnostics_report,
            events=events,
            transfer_numbers=firmware.transfer_numbers,
        )
        self._firmware = SignedFirmware(
            ground,
            reader=reader,
            roots=lambda: store.trusted(CertificateUse.MANUFACTURER_ROOT),
            events=events,
            transfer_numbers=firmware.transfer_numbers,
            busy=lambda: firmware.firmware.status_now() is not FirmwareStatus.IDLE,
            reboot=reboot,
        )

    def handlers(self, others: Mapping[type[Any], Handler]) -> Mapping[type[Any], Handler]:
        """Return what answers the CSMS.

        Args:
            others: what answers it elsewhere; of these some are extended here.
        """
        triggers = ExtendedTriggers(
            plain=others[TriggerMessage],
            senders={
                # Whitepaper ExtendedTriggerMessage: that of signed updates is meant.
                ExtendedTrigger.FIRMWARE_STATUS_NOTIFICATION: self._firmware.trigger,
                ExtendedTrigger.LOG_STATUS_NOTIFICATION: self._log_upload.trigger,
                ExtendedTrigger.SIGN_CHARGE_POINT_CERTIFICATE: lambda _now: self._signing.ask(
                    triggered=True
                ),
            },
        )
        return {
            **self._link.handlers(others[ChangeConfiguration]),
            **self._store.handlers(),
            **self._signing.handlers(),
            **self._log_upload.handlers(),
            **self._firmware.handlers(),
            **triggers.handlers(),
        }

    # -- what happens -------------------------------------------------------------------------

    def power_up(self, now: float) -> None:
        """Say how to connect, and go on where a former life has stopped."""
        self._link.power_up()
        self._events.reports.resume()
        self._events.happened(SecurityEvent.STARTUP_OF_THE_DEVICE, "", now)
        if self._updated:
            self._events.happened(SecurityEvent.FIRMWARE_UPDATED, self._version, now)
        self._signing.power_up()
        self._log_upload.power_up()
        self._firmware.power_up(now)

    def connected(self, event: CsmsConnected, now: float) -> None:
        """The WebSocket is open."""
        self._store.vouched(event.root)
        self._events.connected()
        if self._link.connected(now):
            self._signing.plan_renewal()

    def disconnected(self, event: CsmsDisconnected, now: float, *, was_linked: bool) -> None:
        """The WebSocket is closed, or could not be opened."""
        if not was_linked:
            self._events.link_failed(event.fault, event.reason, now)
            self._link.not_connected(event.reason, now)

    def rebooting(self, now: float) -> None:
        """The station is about to begin anew."""
        self._events.happened(SecurityEvent.RESET_OR_REBOOT, "", now)

    def transfer_ended(self, event: TransferEnded, now: float) -> None:
        """A transfer is over."""
        self._log_upload.transfer_ended(event, now)
        self._firmware.transfer_ended(event, now)

    def invalid_message(self, complaint: str, now: float) -> None:
        """The CSMS has sent what is no valid OCPP message."""
        self._events.invalid_message(complaint, now)

    def let_happen(self, event: SecurityEventWanted, now: float) -> None:
        """Let an event happen that nothing here brings about by itself.

        Raises:
            NotAllowedError: the Whitepaper has no such event.
        """
        try:
            found = SecurityEvent(event.name)
        except ValueError as exc:
            known = ", ".join(SecurityEvent)
            raise NotAllowedError(f"there is no security event {event.name}: {known}") from exc
        self._events.happened(found, event.tech_info, now)

    def key_generated(self, event: KeyGenerated) -> None:
        """A private key is made, or could not be."""
        self._signing.key_generated(event)

    def signing_answered(self, number: int, answer: SignCertificateAnswer, now: float) -> None:
        """The CSMS has answered a SignCertificate."""
        self._signing.answered(number, answer, now)

    def concluded(self, number: int) -> None:
        """The CSMS has answered the request with this number, or never will."""
        self._signing.failed(number)
        for reports in (self._events.reports, self._log_upload.reports, self._firmware.reports):
            reports.concluded(number)

    def link_broken(self, number: int) -> None:
        """The request with this number was lost with the link."""
        self._signing.link_broken(number)
        for reports in (self._events.reports, self._log_upload.reports, self._firmware.reports):
            reports.link_broken(number)

    def settle(self, now: float) -> None:
        """Do what is due or has become possible; call it after every event."""
        self._signing.tick(now)
        self._log_upload.tick(now)
        self._firmware.settle(now)

    def next_deadline(self) -> float | None:
        """Return when `settle` has something to do; None when only an event changes that."""
        deadlines = (
            self._signing.next_deadline(),
            self._log_upload.next_deadline(),
            self._firmware.next_deadline(),
        )
        return min((at for at in deadlines if at is not None), default=None)

    def _clock_set(self, by_s: float, now: float) -> None:
        self._events.happened(SecurityEvent.SETTING_SYSTEM_TIME, f"by {by_s:+.0f} s", now)

    def _roots_changed(self, what: str, now: float) -> None:
        self._link.roots_changed()
        self._events.happened(SecurityEvent.RECONFIGURATION, what, now)
