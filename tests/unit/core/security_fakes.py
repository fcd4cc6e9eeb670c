"""A reader of certificates that are no certificates: what they hold stands in them as JSON."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from cp_image.core.certificates import CertificateError, CertificateFacts
from cp_image.core.security_messages import CertificateHash, HashAlgorithm
from tests.support.virtual_station import EPOCH

YEAR_S = 365 * 86_400.0


def fake_pem(name: str, *, issuer: str = "", **facts: Any) -> str:
    """Return a certificate of `name`, made by `issuer`; without one it vouches for itself."""
    body = base64.b64encode(json.dumps({"name": name, "issuer": issuer or name, **facts}).encode())
    return f"-----BEGIN CERTIFICATE-----\n{body.decode()}\n-----END CERTIFICATE-----\n"


class FakeReader:
    """Believes what stands in a certificate.

    Attributes:
        asked: how often it was asked anything.
    """

    def __init__(self) -> None:
        self.asked = 0

    def read(self, pem: str, /) -> CertificateFacts:
        self.asked += 1
        content = _content(pem)
        name = content["name"]
        return CertificateFacts(
            common_name=name,
            organization=content.get("organization", ""),
            begins_at=content.get("begins_at", EPOCH - 1000),
            ends_at=content.get("ends_at", EPOCH + YEAR_S),
            is_ca=content.get("is_ca", content["issuer"] == name),
            public_key=content.get("public_key", f"key of {name}"),
        )

    def name(self, pem: str, known: Sequence[str], algorithm: HashAlgorithm, /) -> CertificateHash:
        assert pem in known
        return CertificateHash(
            hash_algorithm=algorithm,
            issuer_name_hash=f"{algorithm}-of-{_content(pem)['name']}".lower(),
            issuer_key_hash="ab",
            serial_number="1f",
        )

    def verify_chain(self, chain: Sequence[str], roots: Sequence[str], at: float, /) -> None:
        facts = self.read(chain[0])
        if not facts.begins_at <= at <= facts.ends_at:
            raise CertificateError(f"'{facts.common_name}' has expired")
        known = {_content(pem)["name"] for pem in (*chain[1:], *roots)}
        if not roots or _content(chain[0])["issuer"] not in known:
            raise CertificateError("it does not come from a root certificate that is installed")

    def verify_signature(self, certificate: str, signature: str, sha256: str, /) -> None:
        if signature != f"{_content(certificate)['name']} signs {sha256}":
            raise CertificateError("the file was signed with another key")


def _content(pem: str) -> dict[str, Any]:
    try:
        content = json.loads(base64.b64decode(pem.splitlines()[1]))
    except (ValueError, IndexError) as exc:
        raise CertificateError("it is no whole PEM certificate") from exc
    if content.get("weak"):
        raise CertificateError("its key is too weak")
    assert isinstance(content, dict)
    return content
