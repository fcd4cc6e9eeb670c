"""On whose word a server was believed: the root certificate that ends its verified chain."""

from __future__ import annotations  # no annotation loads `ssl`: see `late_modules`

import ssl
import sys
from typing import Any


def trust_anchor(tls: ssl.SSLObject | ssl.SSLSocket | None) -> str:
    """Return the root certificate, PEM, that the other end was verified with; empty without."""
    if tls is None or tls.context.verify_mode is ssl.CERT_NONE:
        return ""
    chain = _verified_chain(tls)
    return ssl.DER_cert_to_PEM_cert(chain[-1]) if chain else ""


def _verified_chain(tls: Any) -> list[bytes]:
    """Return what was verified, the server's certificate first, DER."""
    if sys.version_info >= (3, 13):
        chain: list[bytes] = tls.get_verified_chain()
        return chain
    inner = tls._sslobj  # noqa: SLF001 - up to 3.12 only there
    return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_verified_chain()]
