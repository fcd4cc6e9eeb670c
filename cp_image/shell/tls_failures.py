"""What went wrong with TLS or the password, in words for people and as a `LinkFault`."""

import ssl
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from websockets.exceptions import InvalidMessage, InvalidStatus

from cp_image.api.value import Value
from cp_image.core.link_faults import LinkFault


class Failure(Value):
    """Why a connection could not be made."""

    reason: str
    fault: LinkFault


def security_failure(
    exc: Exception, *, host: str, has_password: bool, has_certificate: bool
) -> Failure | None:
    """Return what a failed attempt has to do with security; None where it has nothing.

    Args:
        exc: what the attempt ended with.
        host: name of the CSMS, as the URL has it.
        has_password: whether the charge point has shown a password.
        has_certificate: whether it has shown a certificate.
    """
    if isinstance(exc, InvalidStatus):
        return _refused(exc) if has_password else None
    for cause in _causes(exc):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _unverified(cause, host)
        if isinstance(cause, ssl.SSLError):
            return _alert(cause)
    if has_certificate and isinstance(exc, (ConnectionResetError, EOFError, InvalidMessage)):
        # Under TLS 1.3 a certificate is refused after the handshake, and some servers refuse it
        # without an alert.
        text = (
            "the CSMS hangs up on the handshake: it seems to refuse the charge point's certificate"
        )
        return Failure(reason=f"TLS: {text}", fault=LinkFault.CLIENT_CERTIFICATE)
    return None


def _refused(exc: InvalidStatus) -> Failure | None:
    status = exc.response.status_code
    if status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return None
    return Failure(
        reason=f"HTTP {status} {HTTPStatus(status).phrase}: the CSMS refuses user or password",
        fault=LinkFault.PASSWORD,
    )


def _unverified(exc: ssl.SSLCertVerificationError, host: str) -> Failure:
    code = getattr(exc, "verify_code", None)
    words = _VERIFY_WORDS.get(code) if isinstance(code, int) else None
    text = f"does not verify: {exc.verify_message}" if words is None else words.format(host=host)
    return Failure(
        reason=f"TLS: the certificate of the CSMS {text}", fault=LinkFault.CSMS_CERTIFICATE
    )


def _alert(exc: ssl.SSLError) -> Failure | None:
    name = (exc.reason or "").upper()
    for part, words, fault in _ALERTS:
        if part in name:
            return Failure(reason=f"TLS: {words}", fault=fault)
    return None


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


_VERIFY_WORDS: Final = {
    2: "comes from an authority that is not among the root certificates",
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed and not among the root certificates",
    19: "comes from a self-signed authority that is not among the root certificates",
    20: "comes from an authority that is not among the root certificates",
    21: "comes from an authority that is not among the root certificates",
    23: "is revoked",
    26: "is not one of a server",
    62: "is not made out to {host}",
    64: "is not made out to {host}",
    66: "has a key that is too weak",
    67: "comes from an authority whose key is too weak",
    68: "is signed with a hash that is too weak",
}
"""OpenSSL's X509_V_ERR codes."""

_CLIENT: Final = LinkFault.CLIENT_CERTIFICATE
_CIPHER: Final = LinkFault.TLS_CIPHER_SUITE
_CSMS: Final = LinkFault.CSMS_CERTIFICATE
_ALERTS: Final = (
    ("ALERT_PROTOCOL_VERSION", "the CSMS takes none of TLS 1.2 and 1.3", LinkFault.TLS_VERSION),
    ("UNSUPPORTED_PROTOCOL", "the CSMS speaks none of TLS 1.2 and 1.3", LinkFault.TLS_VERSION),
    ("WRONG_SSL_VERSION", "the CSMS speaks none of TLS 1.2 and 1.3", LinkFault.TLS_VERSION),
    ("ALERT_HANDSHAKE_FAILURE", "the CSMS takes none of the cipher suites offered", _CIPHER),
    ("ALERT_INSUFFICIENT_SECURITY", "the CSMS takes none of the cipher suites offered", _CIPHER),
    ("NO_SHARED_CIPHER", "the CSMS takes none of the cipher suites offered", _CIPHER),
    ("WRONG_CIPHER_RETURNED", "the CSMS picks a cipher suite that was not offered", _CIPHER),
    ("UNKNOWN_CIPHER_RETURNED", "the CSMS picks a cipher suite that was not offered", _CIPHER),
    ("DH_KEY_TOO_SMALL", "the CSMS picks a key exchange that is too weak", _CIPHER),
    ("EE_KEY_TOO_SMALL", "the certificate of the CSMS has a key that is too weak", _CSMS),
    ("ALERT_CERTIFICATE_EXPIRED", "the CSMS: the charge point's certificate has expired", _CLIENT),
    ("ALERT_CERTIFICATE_REVOKED", "the CSMS: the charge point's certificate is revoked", _CLIENT),
    ("ALERT_UNKNOWN_CA", "the CSMS does not know who made the charge point's certificate", _CLIENT),
    ("ALERT_CERTIFICATE_REQUIRED", "the CSMS wants a certificate of the charge point", _CLIENT),
    ("CERTIFICATE", "the CSMS refuses the charge point's certificate", _CLIENT),
    ("ALERT_ACCESS_DENIED", "the CSMS refuses the charge point's certificate", _CLIENT),
    ("ALERT_DECRYPT_ERROR", "the CSMS refuses the charge point's certificate", _CLIENT),
)
"""Parts of OpenSSL's reasons; the first that fits counts."""
