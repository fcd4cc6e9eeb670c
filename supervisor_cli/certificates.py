"""X.509 certificates for tests: authorities, a CSMS, charge points, who signs firmware.

What is made follows the Security Whitepaper for OCPP 1.6, unless a test asks for something else,
say for a certificate that has expired. Nothing is kept here.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANIZATION: Final = "cp-simu test"
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_RSA_BITS: Final = 2048
_LONGEST_COMMON_NAME: Final = 64  # RFC 5280, ub-common-name
_AGO: Final = timedelta(minutes=5)
"""Clocks of machines differ: what is valid now is valid for a little longer already."""
_AWAY: Final = timedelta(days=1)
_HASH: Final = hashes.SHA256()


class CertificateError(ValueError):
    """A certificate, a key or a request cannot be used; the text says why, never what a key is."""


class KeyKind(StrEnum):
    """Kind of the key that a certificate is for."""

    EC = "ec"
    """elliptic curve, P-256"""
    RSA = "rsa"
    """RSA, 2048 bits"""


class Purpose(Enum):
    """What a certificate is good for; the value is its extended key usage."""

    SERVER = ExtendedKeyUsageOID.SERVER_AUTH
    CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
    FIRMWARE = ExtendedKeyUsageOID.CODE_SIGNING


class When(StrEnum):
    """When a certificate is valid, seen from now."""

    NOW = "now"
    EXPIRED = "expired"
    """it was until a day ago"""
    NOT_YET = "not-yet"
    """it will be in a day"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """From when to when a certificate is valid."""

    from_utc: datetime
    until_utc: datetime

    @classmethod
    def of(cls, days: int, when: When = When.NOW) -> Self:
        """Return a validity of so many days."""
        now, length = datetime.now(UTC), timedelta(days=days)
        start = {
            When.NOW: now - _AGO,
            When.EXPIRED: now - _AWAY - length,
            When.NOT_YET: now + _AWAY,
        }[when]
        return cls(from_utc=start, until_utc=start + length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


def make_root(kind: KeyKind, validity: Validity) -> Credentials:
    """Make an authority that signs itself."""
    key, name = _new_key(kind), _name(f"{ORGANIZATION} root CA")
    builder = _authority(_builder(name, name, key.public_key(), validity), key, path_length=None)
    return _credentials(builder.sign(key, _HASH), key)


def make_intermediate(root: Credentials, kind: KeyKind, validity: Validity) -> Credentials:
    """Make an authority that a root has signed, and that signs no further ones.

    Raises:
        CertificateError: the root cannot be used.
    """
    above, above_key = read_certificate(root.certificate), read_key(root.key)
    key, name = _new_key(kind), _name(f"{ORGANIZATION} intermediate CA")
    builder = _builder(name, above.subject, key.public_key(), validity)
    builder = _authority(builder, key, path_length=0).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(above_key.public_key()), critical=False
    )
    return _credentials(builder.sign(above_key, _HASH), key)


def issue_server(
    root: Credentials, names: Iterable[str], kind: KeyKind, validity: Validity
) -> Credentials:
    """Issue the certificate of a CSMS.

    Args:
        root: the authority.
        names: host names and IP addresses it is reached by; the first is the common name.
        kind: of its new key.
        validity: of the certificate.

    Raises:
        CertificateError: the root or a name cannot be used.
    """
    known = list(dict.fromkeys(names))
    if not known:
        raise CertificateError("a server's certificate needs a name: it has none")
    key = _new_key(kind)
    alternatives = x509.SubjectAlternativeName([_general_name(each) for each in known])
    certificate = _issue(
        root, _name(known[0]), key.public_key(), validity, Purpose.SERVER, alternatives
    )
    return _credentials(certificate, key)


def issue(
    root: Credentials, common_name: str, purpose: Purpose, kind: KeyKind, validity: Validity
) -> Credentials:
    """Issue a certificate for a purpose: a charge point's, whose common name is its id, say.

    Raises:
        CertificateError: the root cannot be used.
    """
    key = _new_key(kind)
    certificate = _issue(root, _name(common_name), key.public_key(), validity, purpose)
    return _credentials(certificate, key)


def sign_request(
    root: Credentials, request: str, common_names: Iterable[str], validity: Validity
) -> bytes:
    """Issue the certificate, PEM, that a charge point asks for; its subject is what it asks for.

    Args:
        root: the authority.
        request: PKCS #10, PEM.
        common_names: those the charge point may ask for.
        validity: of the certificate.

    Raises:
        CertificateError: the request is broken, does not prove its key, or is for another one.
    """
    try:
        asked = x509.load_pem_x509_csr(request.encode())
        key = asked.public_key()
        proven = asked.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as exc:
        raise CertificateError(f"the certificate signing request cannot be read: {exc}") from exc
    if not proven:
        raise CertificateError("the certificate signing request is not signed with its own key")
    if not isinstance(key, _PublicKey):
        raise CertificateError(f"a {type(key).__name__} is neither an EC nor an RSA key")
    allowed = sorted(set(common_names))
    if _common_name(asked.subject) not in allowed:
        raise CertificateError(
            f"the request is for {asked.subject.rfc4514_string()}: its common name must be one "
            f"of {', '.join(allowed)}"
        )
    made = _issue(root, asked.subject, key, validity, Purpose.CLIENT)
    return made.public_bytes(serialization.Encoding.PEM)


def read_certificate(content: bytes) -> x509.Certificate:
    """Return the first certificate of a PEM file.

    Raises:
        CertificateError: it cannot be read.
    """
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as exc:
        raise CertificateError(f"a certificate cannot be read: {exc}") from exc


def read_key(content: bytes) -> PrivateKey:
    """Return the private key of a PEM file.

    Raises:
        CertificateError: it cannot be read, or is of a kind that is not used here.
    """
    try:
        key = serialization.load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise CertificateError("a private key cannot be read") from exc
    if not isinstance(key, PrivateKey):
        raise CertificateError(f"a {type(key).__name__} is neither an EC nor an RSA key")
    return key


# -- inside -----------------------------------------------------------------------------------


def _issue(
    root: Credentials,
    subject: x509.Name,
    public_key: _PublicKey,
    validity: Validity,
    purpose: Purpose,
    alternatives: x509.SubjectAlternativeName | None = None,
) -> x509.Certificate:
    authority, authority_key = read_certificate(root.certificate), read_key(root.key)
    builder = _builder(subject, authority.subject, public_key, validity)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose.value]), critical=False)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
    )
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
        critical=False,
    )
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(authority_key, _HASH)


def _authority(
    builder: x509.CertificateBuilder, key: PrivateKey, path_length: int | None
) -> x509.CertificateBuilder:
    """Return what makes a certificate that others may be signed with."""
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    return (
        builder.add_extension(constraints, critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: _PublicKey, validity: Validity
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.from_utc)
        .not_valid_after(validity.until_utc)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _new_key(kind: KeyKind) -> PrivateKey:
    match kind:
        case KeyKind.EC:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.RSA:
            return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_LONGEST_COMMON_NAME]),
        ]
    )


def _common_name(name: x509.Name) -> str:
    return next((str(it.value) for it in name.get_attributes_for_oid(NameOID.COMMON_NAME)), "")


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.encode("idna").decode())
    except UnicodeError as exc:
        raise CertificateError(f"{name!r} is neither a host name nor an IP address") from exc


def _credentials(certificate: x509.Certificate, key: PrivateKey) -> Credentials:
    return Credentials(
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
