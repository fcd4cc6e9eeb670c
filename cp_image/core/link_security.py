"""How the charge point proves to its CSMS who it is: Security Whitepaper §2.

What the CSMS changes is tried first: where no connection comes about with it, the charge point
falls back to what has worked. A security profile never goes down.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cp_image.api.secrets import SecurityProfile
from cp_image.api.value import Value, replace
from cp_image.core.configuration_keys import (
    Configuration,
    ConfigurationError,
    ConfigurationKey,
    Key,
)
from cp_image.core.csms_messages import (
    ChangeConfiguration,
    ChangeConfigurationAnswer,
    ConfigurationStatus,
)
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import Disconnect, ForgetKey, LogLevel, SetCredentials
from cp_image.core.identity import GIVEN, Identity
from cp_image.core.outbox import Outbox
from cp_image.core.security_events import SecurityEvent, SecurityEvents
from cp_image.core.security_settings import SecuritySettings

ATTEMPTS: Final = 3
"""So often the new credentials are tried before the charge point falls back."""

_KEY: Final = "security/link"


class Credentials(Value, omit_defaults=True):
    """By what the charge point is known; None where it has no such thing."""

    profile: SecurityProfile = SecurityProfile.NONE
    key: bytes | None = None
    identity: Identity | None = None

    def __repr__(self) -> str:
        """Return it without the key."""
        return f"Credentials(profile={self.profile})"


class _Kept(Value, omit_defaults=True):
    """What is kept where something was changed.

    Attributes:
        given: what the files held then: what differs from it now was changed by hand since.
        candidate: what is being tried; None while nothing is.
    """

    given: Credentials
    current: Credentials
    candidate: Credentials | None = None


class LinkSecurity:
    """Holds the credentials and lets the CSMS change them.

    Args:
        roots: returns whom the certificate of the CSMS must come from, PEM.
    """

    def __init__(
        self,
        *,
        settings: SecuritySettings,
        stored: Mapping[str, bytes],
        configuration: Configuration,
        outbox: Outbox,
        roots: Callable[[], tuple[str, ...]],
    ) -> None:
        self._configuration = configuration
        self._outbox = outbox
        self._roots = roots
        self._events: SecurityEvents | None = None
        self._given = _given(settings)
        self._current, self._candidate = self._recalled(stored)
        self._attempts_left = ATTEMPTS
        configuration.set(Key.SECURITY_PROFILE, str(self._current.profile.value))

    @property
    def profile(self) -> SecurityProfile:
        """The profile in force."""
        return self._current.profile

    @property
    def identity(self) -> Identity | None:
        """The charge point's own certificate; None where it has none."""
        return self._current.identity

    def report_to(self, events: SecurityEvents) -> None:
        """Tell changes and refusals there."""
        self._events = events

    def handlers(self, change: Handler) -> Mapping[type[Any], Handler]:
        """Return what answers the CSMS.

        Args:
            change: what answers ChangeConfiguration for all other keys.
        """

        def change_any(request: ChangeConfiguration, now: float) -> Reply:
            key = self._configuration.find(request.key)
            if key is None or key.name not in {Key.SECURITY_PROFILE, Key.AUTHORIZATION_KEY}:
                return change(request, now)
            return self._change(key, request.value)

        return {ChangeConfiguration: change_any}

    def power_up(self) -> None:
        """Say how to connect."""
        self._apply()

    def roots_changed(self) -> None:
        """The CSMS may come from another authority from now on."""
        self._apply()

    def connected(self, now: float) -> bool:
        """The connection stands: what was tried is good.

        Returns:
            Whether something was tried.
        """
        candidate = self._candidate
        if candidate is None:
            return False
        before, self._current, self._candidate = self._current, candidate, None
        self._keep()
        self._configuration.change(Key.SECURITY_PROFILE, str(candidate.profile.value), now)
        self._forget_identity(before.identity, self._current.identity)
        self._tell(_difference(before, candidate), now)
        return True

    def not_connected(self, reason: str, now: float) -> None:
        """No connection came about; after some attempts the charge point falls back."""
        candidate = self._candidate
        if candidate is None:
            return
        self._attempts_left -= 1
        if self._attempts_left > 0:
            return
        what = _difference(self._current, candidate)
        self._candidate = None
        self._keep()
        self._forget_identity(candidate.identity, self._current.identity)
        text = f"{what} does not work, back to what did: {reason}"
        self._outbox.log(LogLevel.WARNING, f"security: {text}")
        self._tell(text, now)
        self._apply()

    def take_identity(self, identity: Identity, now: float) -> None:
        """Be known by another certificate from now on."""
        wanted = replace(self._candidate or self._current, identity=identity)
        if wanted.profile is SecurityProfile.MUTUAL_TLS:
            self._try(wanted)
        else:
            self._adopt(wanted, now)

    # -- ChangeConfiguration ------------------------------------------------------------------

    def _change(self, key: ConfigurationKey, value: str) -> Reply:
        try:
            self._configuration.check(key, value)
        except ConfigurationError as exc:
            return self._rejected(str(exc))
        if self._candidate is not None:
            return self._rejected(f"{key.name} cannot be changed while another change is tried")
        if key.name is Key.AUTHORIZATION_KEY:
            return self._change_key(bytes.fromhex(value))
        return self._change_profile(SecurityProfile(int(value)))

    def _change_key(self, key: bytes) -> Reply:
        wanted = replace(self._current, key=key)
        used = self._current.profile in {SecurityProfile.BASIC, SecurityProfile.TLS}
        if used and wanted != self._current:
            return Reply(answer=_ACCEPTED, then=lambda _now: self._try(wanted))
        return Reply(answer=_ACCEPTED, then=lambda now: self._adopt(wanted, now))

    def _change_profile(self, profile: SecurityProfile) -> Reply:
        current = self._current
        if profile < current.profile:
            # Whitepaper §2.2: never to a lower one.
            return self._rejected(f"SecurityProfile {profile} is lower than {current.profile}")
        if profile == current.profile:
            return Reply(answer=_ACCEPTED)
        missing = self._missing(profile)
        if missing:
            return self._rejected(f"SecurityProfile {profile} cannot be without {missing}")
        wanted = replace(current, profile=profile)
        return Reply(answer=_ACCEPTED, then=lambda _now: self._try(wanted))

    def _missing(self, profile: SecurityProfile) -> str:
        """Return what a profile cannot do without and this station has not; empty where all is."""
        by_password = profile in {SecurityProfile.BASIC, SecurityProfile.TLS}
        if by_password and self._current.key is None:
            return "an AuthorizationKey"
        if profile >= SecurityProfile.TLS and not self._roots():
            return "a CentralSystemRootCertificate"
        if profile is SecurityProfile.MUTUAL_TLS and self._current.identity is None:
            return "a certificate of the charge point"
        return ""

    def _rejected(self, why: str) -> Reply:
        self._outbox.log(LogLevel.WARNING, f"ChangeConfiguration is rejected: {why}")
        return Reply(answer=ChangeConfigurationAnswer(status=ConfigurationStatus.REJECTED))

    # -- from one to the other ----------------------------------------------------------------

    def _try(self, wanted: Credentials) -> None:
        self._candidate = wanted
        self._attempts_left = ATTEMPTS
        self._keep()
        self._apply()
        self._outbox.put(Disconnect(reason=_difference(self._current, wanted)))

    def _adopt(self, wanted: Credentials, now: float) -> None:
        """Take over what does not concern the connection that stands."""
        if wanted == self._current:
            return
        before, self._current = self._current, wanted
        self._keep()
        self._forget_identity(before.identity, wanted.identity)
        self._apply()
        self._tell(_difference(before, wanted), now)

    def _apply(self) -> None:
        wanted = self._candidate or self._current
        self._outbox.put(
            SetCredentials(
                profile=wanted.profile,
                authorization_key=wanted.key,
                roots=self._roots(),
                identity=wanted.identity,
            )
        )

    def _forget_identity(self, old: Identity | None, new: Identity | None) -> None:
        if old is None or old.number == GIVEN or (new is not None and new.number == old.number):
            return
        self._outbox.put(ForgetKey(number=old.number))

    def _tell(self, what: str, now: float) -> None:
        if self._events is not None:
            self._events.happened(SecurityEvent.RECONFIGURATION, what, now)

    def _keep(self) -> None:
        self._outbox.keep(
            _KEY, _Kept(given=self._given, current=self._current, candidate=self._candidate)
        )

    def _recalled(self, stored: Mapping[str, bytes]) -> tuple[Credentials, Credentials | None]:
        kept = self._outbox.recall(stored, _KEY, _Kept)
        given = self._given
        if kept is None:
            return given, None
        current = kept.current
        if given.key != kept.given.key:
            current = replace(current, key=given.key)
        if given.identity != kept.given.identity:
            current = replace(current, identity=given.identity)
        if given.profile > current.profile:
            current = replace(current, profile=given.profile)
        # What was being tried was made of what is no longer so.
        return current, kept.candidate if current == kept.current else None


_ACCEPTED: Final = ChangeConfigurationAnswer(status=ConfigurationStatus.ACCEPTED)


def _given(settings: SecuritySettings) -> Credentials:
    chain = settings.client_cert
    return Credentials(
        profile=settings.profile,
        key=settings.authorization_key,
        identity=Identity(number=GIVEN, chain=chain) if chain else None,
    )


def _difference(old: Credentials, new: Credentials) -> str:
    """Return for people what is new."""
    if new.profile is not old.profile:
        return f"security profile {new.profile.value}"
    if new.identity != old.identity:
        return "another certificate of the charge point"
    return "another AuthorizationKey"
