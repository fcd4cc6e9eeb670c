"""With what a connection to the CSMS is made: URL, password, TLS (Security Whitepaper §2)."""

from __future__ import annotations  # no annotation loads `ssl`: see `late_modules`

import base64
import logging
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote, urlsplit, urlunsplit

from cp_image.api import secrets
from cp_image.api.central_system import without_password
from cp_image.api.secrets import SecurityProfile, TlsVerification
from cp_image.api.value import Value, field
from cp_image.core.effects import SetCredentials
from cp_image.core.identity import GIVEN
from cp_image.core.link_faults import LinkFault
from cp_image.shell.secret_files import SecretFiles
from cp_image.shell.tls_failures import Failure, security_failure

if TYPE_CHECKING:
    from cp_image.shell.alerting_tls import AlertingContext

LOG: Final = logging.getLogger(__name__)

_CIPHER_SUITES: Final = (
    "@SECLEVEL=2:ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AESGCM:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:!aNULL:!SHA1"
)
"""Of TLS 1.2: what Whitepaper §2.3 asks for, the last two of it without forward secrecy, and what
is no worse; said here, for distributions differ in what they offer by default."""


class AccessError(Exception):
    """The charge point has not what its security profile takes; the text says what, for people."""

    fault: Final = LinkFault.OWN_SECRETS


class Access(Value):
    """What one attempt to connect is made with.

    Attributes:
        url: of the charge point at the CSMS.
        headers: of the WebSocket handshake.
        tls: None for ``ws://``.
        has_password: whether `headers` show a password.
        has_certificate: whether `tls` shows a certificate.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: AlertingContext | None = None
    has_password: bool = False
    has_certificate: bool = False

    UNSEEN: ClassVar = frozenset({"headers"})

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown."""
        return without_password(self.url)

    def cause(self, exc: Exception) -> Exception:
        """Return why an attempt failed, of what it ended with."""
        verdict = self.tls.verdict if self.tls is not None else None
        return verdict or exc

    def failure(self, exc: Exception) -> Failure | None:
        """Return what a failed attempt has to do with security; None where it has nothing."""
        return security_failure(
            exc,
            host=urlsplit(self.url).hostname or "",
            has_password=self.has_password,
            has_certificate=self.has_certificate,
        )


def charge_point_url(central_system: str, charge_point_id: str) -> str:
    """Return the URL of a charge point at its CSMS (OCPP-J 1.6 §3.1.1)."""
    return f"{central_system.rstrip('/')}/{quote(charge_point_id, safe='')}"


def warning(verification: TlsVerification) -> str:
    """Return what is not verified, for people; empty where all is."""
    return _WARNINGS[verification]


class CsmsAccess:
    """Makes what each connection is made with, from the newest credentials.

    Args:
        central_system: URL of the CSMS, without the charge point id.
        charge_point_id: what is appended, and the user of the password.
        user: another user of the password; None is the charge point id.
        files: where keys and certificates are.
        problems: by file, why it is of no use.
        verification: what is asked of the certificate of the CSMS.
    """

    def __init__(
        self,
        *,
        central_system: str,
        charge_point_id: str,
        files: SecretFiles,
        user: str | None = None,
        problems: Mapping[str, str] | None = None,
        verification: TlsVerification = TlsVerification.FULL,
    ) -> None:
        self._url = charge_point_url(central_system, charge_point_id)
        self._user = user or charge_point_id
        self._files = files
        self._problems = problems or {}
        self._verification = verification
        self._credentials = SetCredentials(profile=SecurityProfile.NONE)

    def set(self, credentials: SetCredentials) -> None:
        """Use other credentials from the next connection on."""
        self._credentials = credentials

    @property
    def shown_url(self) -> str:
        """The URL of the next connection as it may be shown."""
        return without_password(self._profiled_url())

    def open(self) -> Access:
        """Return what the next connection is made with.

        Raises:
            AccessError: something is missing or of no use.
        """
        url, profile = self._profiled_url(), self._credentials.profile
        by_password = profile in {SecurityProfile.BASIC, SecurityProfile.TLS}
        headers = self._authorization() if by_password else {}
        tls = self._tls() if url.lower().startswith("wss:") else None
        return Access(
            url=url,
            headers=headers,
            tls=tls,
            has_password=by_password,
            has_certificate=profile is SecurityProfile.MUTUAL_TLS,
        )

    def _profiled_url(self) -> str:
        profile = self._credentials.profile
        if profile is SecurityProfile.NONE:
            return self._url
        parts = urlsplit(self._url)
        # A password in the URL is none of the Whitepaper's; TLS is asked for by the profile.
        scheme = "wss" if profile >= SecurityProfile.TLS else parts.scheme
        return urlunsplit(parts._replace(scheme=scheme, netloc=parts.netloc.rpartition("@")[2]))

    def _authorization(self) -> Mapping[str, str]:
        key = self._credentials.authorization_key
        if key is None:
            raise self._missing(secrets.AUTHORIZATION_KEY)
        # Whitepaper §2.3.1: the bytes of the key as they are.
        token = base64.b64encode(self._user.encode() + b":" + key).decode()
        return {"Authorization": f"Basic {token}"}

    # -- TLS ----------------------------------------------------------------------------------

    def _tls(self) -> AlertingContext:
        # Loads `ssl`, which a ws:// charge point does without.
        from cp_image.shell.alerting_tls import AlertingContext  # noqa: PLC0415

        context = AlertingContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHER_SUITES)
        # A certificate that is itself among the roots is trusted, whoever has signed it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if self._verification is not TlsVerification.FULL:
            context.check_hostname = False
            LOG.warning("%s", warning(self._verification))
        if self._verification is TlsVerification.NONE:
            context.verify_mode = ssl.CERT_NONE
        else:
            self._trust(context)
        if self._credentials.profile is SecurityProfile.MUTUAL_TLS:
            self._identify(context)
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        roots = self._credentials.roots
        if roots:
            try:
                context.load_verify_locations(cadata="".join(roots))
            except ssl.SSLError as exc:
                raise AccessError(f"the root certificates cannot be read: {exc.reason}") from exc
        elif self._credentials.profile >= SecurityProfile.TLS:
            raise self._missing(secrets.ROOT_CA)
        elif secrets.ROOT_CA in self._problems:
            raise AccessError(f"{secrets.ROOT_CA}: {self._problems[secrets.ROOT_CA]}")
        else:
            context.load_default_certs()

    def _identify(self, context: ssl.SSLContext) -> None:
        identity = self._credentials.identity
        if identity is None:
            raise self._missing(secrets.CLIENT_CERT)
        if identity.number == GIVEN:
            load_identity(context, self._files.client_cert, self._files.client_key)
            return
        try:
            chain = self._files.chain_of(identity.number, identity.chain)
        except OSError as exc:
            raise AccessError(f"the certificate cannot be kept: {exc.strerror}") from exc
        load_identity(context, chain, self._files.made_key(identity.number))

    def _missing(self, name: str) -> AccessError:
        problem = self._problems.get(name)
        if problem:
            return AccessError(f"{name}: {problem}")
        profile = self._credentials.profile.value
        return AccessError(
            f"security profile {profile} takes {name}, which is not in {self._files.directory}"
        )


def load_identity(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Let the charge point show a certificate.

    Raises:
        AccessError: certificate or key cannot be read, are weak, or do not belong together.
    """
    try:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except _EncryptedError as exc:
        raise AccessError(f"{key.name} is encrypted: its password is nobody's here") from exc
    except FileNotFoundError as exc:
        missing = key if certificate.exists() else certificate
        raise AccessError(f"{missing.name} is not in {missing.parent}") from exc
    except ssl.SSLError as exc:
        raise AccessError(_why_not_loaded(exc.reason or str(exc), certificate, key)) from exc
    except OSError as exc:
        raise AccessError(f"{key.name} cannot be read: {(exc.strerror or '').lower()}") from exc


def _why_not_loaded(reason: str, certificate: Path, key: Path) -> str:
    if reason == "KEY_VALUES_MISMATCH":
        return f"{key.name} is not the key of {certificate.name}"
    if "TOO_SMALL" in reason or "TOO_WEAK" in reason:
        return f"the key of {certificate.name} is too weak"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        return f"{certificate.name} is no whole PEM certificate"
    return f"{key.name} is no whole PEM key"


class _EncryptedError(Exception):
    """OpenSSL wants a password for a key."""


def _refuse_password() -> str:
    raise _EncryptedError


_WARNINGS: Final = {
    TlsVerification.FULL: "",
    TlsVerification.NO_HOST_NAME: (
        "UNSAFE: the certificate of the CSMS may be made out to any name "
        "(SIMU_TLS_VERIFICATION=no-host-name)"
    ),
    TlsVerification.NONE: (
        "UNSAFE: the certificate of the CSMS is not verified (SIMU_TLS_VERIFICATION=none)"
    ),
}
