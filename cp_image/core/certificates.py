"""What the core asks of X.509 certificates; the shell knows how it is found out.

Reading and verifying are functions of their arguments alone, so a station may call them as it
calls any other; making a key is not, see `cp_image.core.effects.GenerateKeyAndCsr`.
"""

import re
from collections.abc import Sequence
from typing import Final, Protocol

from cp_image.api.value import Value
from cp_image.core.security_messages import CertificateHash, HashAlgorithm

_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL
)
_NOT_HERE: Final = "certificates cannot be read here"


class CertificateError(ValueError):
    """A certificate, a chain or a signature is not valid; the text says why, for people."""


class CertificateFacts(Value):
    """What matters of a certificate.

    Attributes:
        common_name: of its subject; empty without one, likewise `organization`.
        begins_at: epoch seconds, likewise `ends_at`.
        is_ca: whether it may vouch for others.
        public_key: SHA-256 of its SubjectPublicKeyInfo, hexadecimal.
    """

    common_name: str
    organization: str
    begins_at: float
    ends_at: float
    is_ca: bool
    public_key: str


class CertificateReader(Protocol):
    """Reads and verifies certificates."""

    def read(self, pem: str, /) -> CertificateFacts:
        """Return the facts of one certificate.

        Raises:
            CertificateError: it cannot be read, or its key is too weak (Whitepaper §2.3).
        """

    def name(self, pem: str, known: Sequence[str], algorithm: HashAlgorithm, /) -> CertificateHash:
        """Return what OCPP calls a certificate, as RFC 6960 §4.1.1 makes it of its issuer's key.

        Args:
            pem: of the certificate.
            known: among them, PEM, the issuer is looked for; without it the certificate counts as
                issued by itself.
            algorithm: of the hashes.

        Raises:
            CertificateError: one of them cannot be read.
        """

    def verify_chain(self, chain: Sequence[str], roots: Sequence[str], at: float, /) -> None:
        """Check that a chain, the leaf first, leads to one of the roots and is valid at a time.

        Raises:
            CertificateError: it does not.
        """

    def verify_signature(self, certificate: str, signature: str, sha256: str, /) -> None:
        """Check that a file with this digest was signed with the key of a certificate.

        Args:
            certificate: PEM.
            signature: base64 of an ECDSA, RSA-PSS or PKCS #1 signature over SHA-256.
            sha256: of the file, hexadecimal.

        Raises:
            CertificateError: it was not.
        """


class NoCertificates:
    """Reads nothing: for a station that has nothing to do with certificates."""

    def read(self, _pem: str, /) -> CertificateFacts:
        """See `CertificateReader`."""
        raise CertificateError(_NOT_HERE)

    def name(
        self, _pem: str, _known: Sequence[str], _algorithm: HashAlgorithm, /
    ) -> CertificateHash:
        """See `CertificateReader`."""
        raise CertificateError(_NOT_HERE)

    def verify_chain(self, _chain: Sequence[str], _roots: Sequence[str], _at: float, /) -> None:
        """See `CertificateReader`."""
        raise CertificateError(_NOT_HERE)

    def verify_signature(self, _certificate: str, _signature: str, _sha256: str, /) -> None:
        """See `CertificateReader`."""
        raise CertificateError(_NOT_HERE)


def split_pem(text: str) -> tuple[str, ...]:
    """Return the certificates of a PEM text, each with the newline it ends with."""
    # Some CSMSs send the two characters \n for a newline.
    return tuple(f"{pem}\n" for pem in _CERTIFICATE.findall(text.replace("\\n", "\n")))


def same_pem(one: str, other: str) -> bool:
    """Return whether two PEM texts are the same, however their lines are broken."""
    return "".join(one.split()) == "".join(other.split())


def same_hash(one: CertificateHash, other: CertificateHash) -> bool:
    """Return whether two name the same certificate, however their digits are written."""
    return _plain(one) == _plain(other)


def _plain(name: CertificateHash) -> tuple[str, str, str, str]:
    return (
        name.hash_algorithm.value,
        name.issuer_name_hash.lower(),
        name.issuer_key_hash.lower(),
        name.serial_number.lower().lstrip("0"),
    )
