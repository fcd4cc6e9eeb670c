"""TLS handshakes with the central system in the box that come to nothing: why, for people."""

import ssl
from collections.abc import Callable
from typing import Final


def tell_failures(context: ssl.SSLContext, tell: Callable[[str], None]) -> None:
    """Have every handshake that fails told, and answered with an alert.

    asyncio would do neither: it closes the connection without a word.

    Args:
        context: what a server listens with, from now on.
        tell: called with the reason.
    """

    class Telling(ssl.SSLObject):
        _failed = False

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as exc:
                if self._failed:
                    raise
                self._failed = True
                tell(why_failed(exc))
                if "ALERT" in (exc.reason or ""):
                    raise  # it is the other end that has said so
                # As if the other end had to say more: the alert is sent then.
                raise ssl.SSLWantReadError from exc

    context.sslobject_class = Telling


def why_failed(exc: ssl.SSLError) -> str:
    """Return why a handshake failed, seen from the server."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"TLS: the charge point's certificate does not verify: {exc.verify_message}"
    reason = (exc.reason or str(exc)).upper()
    for part, words in _WORDS:
        if part in reason:
            return f"TLS: {words}"
    return f"TLS: {reason.lower().replace('_', ' ')}"


_OURS: Final = "the charge point refuses the certificate of the CSMS"
_WORDS: Final = (
    ("ALERT_UNKNOWN_CA", f"{_OURS}: its root does not vouch for it"),
    ("ALERT_CERTIFICATE_EXPIRED", f"{_OURS}: it has expired, or is not valid yet"),
    ("ALERT_BAD_CERTIFICATE", f"{_OURS}: it is not valid yet, or made out to another name"),
    ("ALERT_CERTIFICATE_UNKNOWN", _OURS),
    ("ALERT_UNSUPPORTED_CERTIFICATE", _OURS),
    ("ALERT_HANDSHAKE_FAILURE", "the charge point takes no cipher suite that is offered"),
    ("DID_NOT_RETURN_A_CERTIFICATE", "the charge point shows no certificate"),
    ("ALERT_PROTOCOL_VERSION", "the charge point takes no version of TLS that is offered"),
    ("UNSUPPORTED_PROTOCOL", "the charge point speaks no version of TLS that is offered"),
    ("VERSION_TOO_LOW", "the charge point speaks no version of TLS that is offered"),
    ("NO_SHARED_CIPHER", "the charge point offers no cipher suite that is taken"),
    ("HTTP_REQUEST", "it speaks ws:// where wss:// is served"),
    ("WRONG_VERSION_NUMBER", "it speaks something else than TLS"),
    ("KEY_TOO_SMALL", "the key of the charge point's certificate is too weak"),
)
"""Parts of OpenSSL's reasons; the first that fits counts."""
