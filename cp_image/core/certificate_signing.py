"""The charge point has its own certificate made: Security Whitepaper §3.1.

It makes a key, asks with SignCertificate, waits for CertificateSigned, and asks again with a new
key where none comes. A certificate that ends is renewed in time.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cp_image.api.secrets import SecurityProfile
from cp_image.api.value import Value, replace
from cp_image.core.certificate_to_come import CertificateToCome
from cp_image.core.certificates import CertificateError, CertificateReader, split_pem
from cp_image.core.configuration_keys import Key
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import ForgetKey, GenerateKeyAndCsr, LogLevel
from cp_image.core.events import KeyGenerated
from cp_image.core.ground import Ground
from cp_image.core.identity import Identity
from cp_image.core.link_security import LinkSecurity
from cp_image.core.security_events import SecurityEvent, SecurityEvents
from cp_image.core.security_messages import (
    CertificateSigned,
    CertificateSignedAnswer,
    CertificateSignedStatus,
    SignCertificate,
    SignCertificateAnswer,
)

RENEWED_BEFORE_S: Final = 30 * 86_400.0
"""A certificate is renewed a month before it ends (Whitepaper A03), or in its last third."""

_KEY: Final = "security/signing"
_LAST_KEY: Final = "security/last-key-number"
_MAX_DOUBLINGS: Final = 16
_RENEWED_AGAIN_S: Final = 86_400.0
"""A renewal that came to nothing is begun again the next day."""


class _Asked(Value):
    """A certificate that is asked for.

    Attributes:
        csr: empty until the key is made, likewise `public_key`.
        repeated: how often it was asked again.
        waits_until: instant at which it is asked again; None while nothing is to be waited for.
        triggered: whether the CSMS wants it, before it accepts the charge point, too.
    """

    number: int
    csr: str = ""
    public_key: str = ""
    repeated: int = 0
    waits_until: float | None = None
    triggered: bool = False


class CertificateSigning:
    """Asks for certificates and takes them.

    Args:
        roots: returns whom a certificate must come from, PEM.
    """

    def __init__(
        self,
        ground: Ground,
        *,
        reader: CertificateReader,
        roots: Callable[[], tuple[str, ...]],
        link: LinkSecurity,
        events: SecurityEvents,
    ) -> None:
        self._charge_point_id = ground.settings.charge_point_id
        self._kind = ground.settings.security.key_kind
        self._configuration = ground.configuration
        self._reader = reader
        self._roots = roots
        self._link = link
        self._events = events
        self._queue = ground.queue
        self._clock = ground.clock
        self._outbox = outbox = ground.outbox
        self._asked = outbox.recall(ground.stored, _KEY, _Asked)
        self._last_number = outbox.recall(ground.stored, _LAST_KEY, int) or 0
        self._to_come = CertificateToCome(
            stored=ground.stored, clock=ground.clock, outbox=outbox, use=self._use
        )
        self._call: int | None = None
        self._renew_at: float | None = None
        """station time"""

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what answers the CSMS."""
        return {CertificateSigned: self._signed}

    def power_up(self) -> None:
        """Go on where a former life has stopped."""
        self.plan_renewal()
        if self._asked is not None and not self._asked.csr:
            self._generate(self._asked)  # the key was not made in time
        elif self._asked is not None and self._asked.waits_until is None:
            self._ask(self._asked)

    def ask(self, *, triggered: bool = False) -> None:
        """Have a certificate made; one that is being asked for is asked for anew."""
        self._generate(_Asked(number=0, triggered=triggered))

    def key_generated(self, event: KeyGenerated) -> None:
        """A key is made, or could not be."""
        asked = self._asked
        if asked is None or asked.number != event.number:
            self._outbox.put(ForgetKey(number=event.number))  # it came too late
            return
        if not event.csr:
            self._give_up(f"no key could be made: {event.reason}")
            return
        self._ask(replace(asked, csr=event.csr, public_key=event.public_key))

    def answered(self, number: int, answer: SignCertificateAnswer, now: float) -> None:
        """The CSMS has said whether a certificate will come."""
        asked = self._asked
        if number != self._call or asked is None:
            return
        self._call = None
        if not answer.accepted:
            self._give_up("the CSMS has rejected SignCertificate")
            return
        # Whitepaper CertSigningWaitMinimum: the wait doubles each time.
        least_s = self._configuration.integer(Key.CERT_SIGNING_WAIT_MINIMUM)
        wait_s = least_s * 2 ** min(asked.repeated, _MAX_DOUBLINGS)
        self._keep(replace(asked, waits_until=now + wait_s))

    def failed(self, number: int) -> None:
        """The CSMS has answered with an error, or not at all."""
        if number == self._call:
            self._call = None
            self._give_up("the CSMS does not answer SignCertificate")

    def link_broken(self, number: int) -> None:
        """Request `number` was lost with the link: it is said again on the next one."""
        if number == self._call and self._asked is not None:
            self._ask(self._asked)

    def tick(self, now: float) -> None:
        """Do what is due."""
        asked = self._asked
        if asked is not None and asked.waits_until is not None and now >= asked.waits_until:
            if asked.repeated >= self._configuration.integer(Key.CERT_SIGNING_REPEAT_TIMES):
                self._give_up("no certificate has come")
            else:
                self._generate(replace(asked, repeated=asked.repeated + 1))
        self._to_come.tick(now)
        due = None if self._to_come.is_awaited else self._renew_at
        if asked is None and due is not None and self._clock.at(now) >= due:
            self._renew_at = self._clock.at(now) + _RENEWED_AGAIN_S
            self._log(LogLevel.INFO, "the certificate of the charge point is to be renewed")
            self.ask()

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do; None when only an event changes that."""
        deadlines = [self._to_come.next_deadline()]
        if self._asked is not None:
            deadlines.append(self._asked.waits_until)
        elif self._renew_at is not None and not self._to_come.is_awaited:
            deadlines.append(self._clock.instant(self._renew_at))
        return min((at for at in deadlines if at is not None), default=None)

    # -- asking -------------------------------------------------------------------------------

    def _generate(self, wanted: _Asked) -> None:
        if self._asked is not None:
            self._outbox.put(ForgetKey(number=self._asked.number))
        self._call = None
        self._last_number += 1
        self._outbox.keep(_LAST_KEY, self._last_number)
        self._keep(
            _Asked(number=self._last_number, repeated=wanted.repeated, triggered=wanted.triggered)
        )
        self._outbox.put(
            GenerateKeyAndCsr(
                number=self._last_number,
                kind=self._kind,
                common_name=self._charge_point_id,
                organization=self._configuration.text(Key.CPO_NAME),
            )
        )

    def _ask(self, asked: _Asked) -> None:
        self._keep(asked)
        self._call = self._queue.push(SignCertificate(csr=asked.csr), triggered=asked.triggered)

    def _give_up(self, why: str) -> None:
        self._log(LogLevel.ERROR, f"no certificate of the charge point: {why}")
        if self._asked is not None:
            self._outbox.put(ForgetKey(number=self._asked.number))
        self._keep(None)

    # -- taking -------------------------------------------------------------------------------

    def _signed(self, request: CertificateSigned, now: float) -> Reply:
        chain = split_pem(request.certificate_chain)
        try:
            asked, begins_at = self._examined(request.certificate_chain, chain, now)
        except CertificateError as exc:
            text = f"the certificate of a CertificateSigned is rejected: {exc}"
            self._log(LogLevel.WARNING, text)
            return Reply(
                answer=CertificateSignedAnswer(status=CertificateSignedStatus.REJECTED),
                then=lambda now: self._events.happened(
                    SecurityEvent.INVALID_CHARGE_POINT_CERTIFICATE, text, now
                ),
            )
        identity = Identity(number=asked.number, chain="".join(chain))
        return Reply(
            answer=CertificateSignedAnswer(status=CertificateSignedStatus.ACCEPTED),
            then=lambda now: self._take(identity, begins_at, now),
        )

    def _take(self, identity: Identity, begins_at: float, now: float) -> None:
        self._keep(None)
        self._to_come.take(identity, begins_at, now)
        if self._to_come.is_awaited:
            moment = datetime.fromtimestamp(begins_at, UTC)
            self._log(LogLevel.INFO, f"another certificate will be used from {moment:%FT%TZ} on")

    def _use(self, identity: Identity, now: float) -> None:
        self._log(LogLevel.INFO, "the charge point has another certificate")
        self._link.take_identity(identity, now)

    def _examined(self, text: str, chain: tuple[str, ...], now: float) -> tuple[_Asked, float]:
        """Return what a chain was asked for with, and when it begins to be valid.

        Raises:
            CertificateError: it cannot be taken.
        """
        asked = self._asked
        if asked is None or not asked.csr:
            raise CertificateError("none was asked for")
        most = self._configuration.integer(Key.CERTIFICATE_SIGNED_MAX_CHAIN_SIZE)
        if len(text) > most:
            raise CertificateError(f"the chain has more than {most} characters")
        if not chain:
            raise CertificateError("it is no PEM certificate")
        if not self._roots():
            raise CertificateError(
                "no CentralSystemRootCertificate is installed that could vouch for it"
            )
        facts = self._reader.read(chain[0])
        # Whitepaper A02: one that is not valid yet is used as soon as it is.
        self._reader.verify_chain(chain, self._roots(), max(self._clock.at(now), facts.begins_at))
        if facts.public_key != asked.public_key:
            raise CertificateError("it is of another key than the one that was to be signed")
        if facts.common_name != self._charge_point_id:
            raise CertificateError(
                f"its common name is '{facts.common_name}', not '{self._charge_point_id}'"
            )
        organization = self._configuration.text(Key.CPO_NAME)
        if organization and facts.organization != organization:
            raise CertificateError(
                f"its organization is '{facts.organization}', not '{organization}'"
            )
        return asked, facts.begins_at

    # -- renewal ------------------------------------------------------------------------------

    def plan_renewal(self) -> None:
        """Find out when the certificate in use is to be renewed; call it when it has changed."""
        identity = self._link.identity
        self._renew_at = None
        if identity is None or self._link.profile is not SecurityProfile.MUTUAL_TLS:
            return
        try:
            facts = self._reader.read(identity.chain)
        except CertificateError as exc:
            self._log(LogLevel.WARNING, f"the certificate of the charge point: {exc}")
            return
        third_s = (facts.ends_at - facts.begins_at) / 3
        self._renew_at = facts.ends_at - min(RENEWED_BEFORE_S, third_s)

    def _keep(self, asked: _Asked | None) -> None:
        self._asked = asked
        if asked is None:
            self._outbox.forget(_KEY)
        else:
            self._outbox.keep(_KEY, asked)

    def _log(self, level: LogLevel, text: str) -> None:
        self._outbox.log(level, f"security: {text}")
