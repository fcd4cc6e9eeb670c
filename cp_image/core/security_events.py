"""Security events: each in the log, and told to the CSMS in order (Security Whitepaper §4)."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cp_image.api.value import Value
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.effects import LogLevel
from cp_image.core.link_faults import LinkFault
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue
from cp_image.core.security_messages import SecurityEventNotification
from cp_image.core.station_clock import StationClock
from cp_image.core.status_reports import StatusReports

LOG_LENGTH: Final = 200
"""How many events the security log holds; the oldest goes first."""

_LOG_PREFIX: Final = "security/log/"
_UNTOLD_KEY: Final = "security/untold"
_MAX_TECH_INFO: Final = 255
_MAX_UNTOLD: Final = 100
"""More than anybody wants to hear after a long time away; the log has them all the same."""


class SecurityEvent(StrEnum):
    """The events of the Whitepaper's appendix; the last ones happen by hand alone."""

    FIRMWARE_UPDATED = "FirmwareUpdated"
    FAILED_TO_AUTHENTICATE = "FailedToAuthenticateAtCentralSystem"
    SETTING_SYSTEM_TIME = "SettingSystemTime"
    STARTUP_OF_THE_DEVICE = "StartupOfTheDevice"
    RESET_OR_REBOOT = "ResetOrReboot"
    RECONFIGURATION = "ReconfigurationOfSecurityParameters"
    INVALID_MESSAGES = "InvalidMessages"
    INVALID_FIRMWARE_SIGNATURE = "InvalidFirmwareSignature"
    INVALID_FIRMWARE_SIGNING_CERTIFICATE = "InvalidFirmwareSigningCertificate"
    INVALID_CENTRAL_SYSTEM_CERTIFICATE = "InvalidCentralSystemCertificate"
    INVALID_CHARGE_POINT_CERTIFICATE = "InvalidChargePointCertificate"
    INVALID_TLS_VERSION = "InvalidTLSVersion"
    INVALID_TLS_CIPHER_SUITE = "InvalidTLSCipherSuite"
    TAMPER_DETECTION = "TamperDetectionActivated"
    MEMORY_EXHAUSTION = "MemoryExhaustion"
    LOG_CLEARED = "SecurityLogWasCleared"
    REPLAY_ATTACKS = "AttemptedReplayAttacks"
    CENTRAL_SYSTEM_FAILED = "CentralSystemFailedToAuthenticate"


_QUIET_S: Final = 60.0
"""So long after an invalid message the next ones are only counted."""

_SPARED: Final = frozenset(
    {
        SecurityEvent.INVALID_MESSAGES,
        SecurityEvent.SETTING_SYSTEM_TIME,
        SecurityEvent.STARTUP_OF_THE_DEVICE,
        SecurityEvent.RESET_OR_REBOOT,
    }
)
"""A CSMS to which security means nothing is spared them: it may not know the message."""


class LoggedEvent(Value):
    """An event as it is kept; `at` is station time."""

    event: SecurityEvent
    at: float
    tech_info: str


class SecurityEvents:
    """The security log of a station, and what of it the CSMS is still to hear.

    Args:
        secured: whether a security profile is in force.
    """

    def __init__(
        self,
        *,
        stored: Mapping[str, bytes],
        configuration: Configuration,
        queue: RequestQueue,
        clock: StationClock,
        outbox: Outbox,
        secured: Callable[[], bool],
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._outbox = outbox
        self._secured = secured
        self._log: dict[str, LoggedEvent] = {}
        for key in sorted(key for key in stored if key.startswith(_LOG_PREFIX)):
            kept = outbox.recall(stored, key, LoggedEvent)
            if kept is not None:
                self._log[key] = kept
        self._next_number = int(max(self._log, default="0").rpartition("/")[2]) + 1
        self._last_fault: LinkFault | None = None
        self._quiet_until: float | None = None
        self._unsaid = 0
        """invalid messages that were only counted"""
        self.reports: StatusReports[LoggedEvent] = StatusReports(
            key=_UNTOLD_KEY,
            kind=LoggedEvent,
            to_request=_notification,
            stored=stored,
            queue=queue,
            outbox=outbox,
        )

    def happened(self, event: SecurityEvent, tech_info: str, now: float) -> None:
        """Write an event down and tell it."""
        logged = LoggedEvent(
            event=event, at=self._clock.at(now), tech_info=tech_info[:_MAX_TECH_INFO]
        )
        self._write(logged)
        if self._configuration.boolean(Key.DISABLE_SECURITY_EVENT_NOTIFICATIONS):
            return
        if event in _SPARED and not self._secured():
            return
        if self.reports.untold >= _MAX_UNTOLD:
            self._outbox.log(LogLevel.WARNING, f"{event} is not told: too much is untold already")
            return
        self.reports.tell(logged)

    def connected(self) -> None:
        """The CSMS is there: what fails after this is news again."""
        self._last_fault = None

    def link_failed(self, fault: LinkFault | None, reason: str, now: float) -> None:
        """A connection could not be made; the same fault at each attempt is one event."""
        if fault is None or fault is self._last_fault:
            return
        self._last_fault = fault
        self.happened(_EVENTS[fault], reason, now)

    def invalid_message(self, complaint: str, now: float) -> None:
        """Something came that is no valid OCPP message; a flood of it is no flood of events."""
        if self._quiet_until is not None and now < self._quiet_until:
            self._unsaid += 1
            return
        since = f" ({self._unsaid} more since the last one told)" if self._unsaid else ""
        room = _MAX_TECH_INFO - len(since)
        self._quiet_until, self._unsaid = now + _QUIET_S, 0
        self.happened(SecurityEvent.INVALID_MESSAGES, complaint[:room] + since, now)

    def lines(self, begins_at: float | None, ends_at: float | None) -> list[LoggedEvent]:
        """Return the log between two instants of station time; None is unlimited."""
        return [
            event
            for event in self._log.values()
            if (begins_at is None or event.at >= begins_at)
            and (ends_at is None or event.at <= ends_at)
        ]

    def _write(self, logged: LoggedEvent) -> None:
        key = f"{_LOG_PREFIX}{self._next_number:012d}"
        self._next_number += 1
        self._log[key] = logged
        self._outbox.keep(key, logged)
        while len(self._log) > LOG_LENGTH:
            oldest = next(iter(self._log))
            del self._log[oldest]
            self._outbox.forget(oldest)


_EVENTS: Final[Mapping[LinkFault, SecurityEvent]] = MappingProxyType(
    {
        LinkFault.CSMS_CERTIFICATE: SecurityEvent.INVALID_CENTRAL_SYSTEM_CERTIFICATE,
        LinkFault.PASSWORD: SecurityEvent.FAILED_TO_AUTHENTICATE,
        LinkFault.CLIENT_CERTIFICATE: SecurityEvent.FAILED_TO_AUTHENTICATE,
        LinkFault.OWN_SECRETS: SecurityEvent.INVALID_CHARGE_POINT_CERTIFICATE,
        LinkFault.TLS_VERSION: SecurityEvent.INVALID_TLS_VERSION,
        LinkFault.TLS_CIPHER_SUITE: SecurityEvent.INVALID_TLS_CIPHER_SUITE,
    }
)


def _notification(logged: LoggedEvent) -> SecurityEventNotification:
    return SecurityEventNotification(
        type=logged.event.value, at=logged.at, tech_info=logged.tech_info or None
    )
