"""What a certificate says, for people."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from supervisor_cli.certificates import Validity, When, read_certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a certificate says.

    Attributes:
        names: host names and addresses it is made out to.
        key: its kind and size.
        serial: hexadecimal.
        sha256: fingerprint, hexadecimal.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    key: str
    validity: Validity
    serial: str
    sha256: str

    @property
    def when(self) -> When:
        """Whether it is valid now."""
        now = datetime.now(UTC)
        if now < self.validity.from_utc:
            return When.NOT_YET
        return When.NOW if now <= self.validity.until_utc else When.EXPIRED


def describe(certificate: bytes) -> Description:
    """Return what a certificate, PEM, says.

    Raises:
        CertificateError: it cannot be read.
    """
    read = read_certificate(certificate)
    try:
        alternatives = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(
            str(name)
            for kind in (x509.DNSName, x509.IPAddress)
            for name in alternatives.get_values_for_type(kind)
        )
    except x509.ExtensionNotFound:
        names = ()
    return Description(
        subject=read.subject.rfc4514_string(),
        issuer=read.issuer.rfc4514_string(),
        names=names,
        key=_key_words(read),
        validity=Validity(from_utc=read.not_valid_before_utc, until_utc=read.not_valid_after_utc),
        serial=f"{read.serial_number:x}",
        sha256=read.fingerprint(hashes.SHA256()).hex(),
    )


def _key_words(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    match key:
        case ec.EllipticCurvePublicKey():
            return f"EC {key.curve.name}"
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case _:
            return type(key).__name__
