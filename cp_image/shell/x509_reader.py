"""Reads and verifies X.509 certificates with `cryptography`; see `cp_image.core.certificates`.

Importing it costs some megabytes: `cp_image.shell.certificates` does so when it is needed.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from cp_image.core.certificates import CertificateError, CertificateFacts
from cp_image.core.security_messages import CertificateHash, HashAlgorithm

LEAST_RSA_BITS: Final = 2048
LEAST_EC_BITS: Final = 224
"""Security Whitepaper §2.3."""

_HASHES: Final[Mapping[HashAlgorithm, Callable[[], hashes.HashAlgorithm]]] = {
    HashAlgorithm.SHA256: hashes.SHA256,
    HashAlgorithm.SHA384: hashes.SHA384,
    HashAlgorithm.SHA512: hashes.SHA512,
}
_LONGEST_CHAIN: Final = 10


def read(pem: str) -> CertificateFacts:
    """See `CertificateReader.read`."""
    certificate = _load(pem)
    key = certificate.public_key()
    _check_strength(key)
    return CertificateFacts(
        common_name=_name(certificate, x509.NameOID.COMMON_NAME),
        organization=_name(certificate, x509.NameOID.ORGANIZATION_NAME),
        begins_at=certificate.not_valid_before_utc.timestamp(),
        ends_at=certificate.not_valid_after_utc.timestamp(),
        is_ca=_may_vouch(certificate),
        public_key=fingerprint(key),
    )


def name(pem: str, known: Sequence[str], algorithm: HashAlgorithm) -> CertificateHash:
    """See `CertificateReader.name`."""
    certificate = _load(pem)
    others = [each for each in map(_load, known) if each != certificate]
    issuer = next((each for each in others if _issued(certificate, each)), certificate)
    kind = _HASHES[algorithm]
    # The BIT STRING of the key without tag, length and number of unused bits.
    key = issuer.public_key()
    return CertificateHash(
        hash_algorithm=algorithm,
        issuer_name_hash=_digest(certificate.issuer.public_bytes(), kind()),
        issuer_key_hash=_digest(key.public_bytes(*_key_encoding(key)), kind()),
        serial_number=f"{certificate.serial_number:x}",
    )


def verify_chain(chain: Sequence[str], roots: Sequence[str], at: float) -> None:
    """See `CertificateReader.verify_chain`."""
    leaf, *between = (_load(pem) for pem in chain[:_LONGEST_CHAIN])
    anchors = [_load(pem) for pem in roots]
    _check_time(leaf, at)
    _check_strength(leaf.public_key())
    issuers = [issuer for issuer in between if _may_vouch(issuer)]
    current = leaf
    for _ in range(len(issuers) + 1):
        anchor = next((anchor for anchor in anchors if _issued(current, anchor)), None)
        if anchor is not None:
            _check_time(anchor, at)
            return
        found = next((issuer for issuer in issuers if _issued(current, issuer)), None)
        if found is None:
            break
        _check_time(found, at)
        _check_strength(found.public_key())
        issuers.remove(found)
        current = found
    raise CertificateError(
        f"'{_subject(leaf)}' does not come from a root certificate that is installed"
    )


def verify_signature(certificate: str, signature: str, sha256: str) -> None:
    """See `CertificateReader.verify_signature`."""
    key = _load(certificate).public_key()
    try:
        # Some programs break base64 into lines.
        raw = base64.b64decode("".join(signature.split()), validate=True)
    except binascii.Error as exc:
        raise CertificateError("the signature is not base64") from exc
    digest = bytes.fromhex(sha256)
    prehashed = utils.Prehashed(hashes.SHA256())
    ways: tuple[Callable[[], None], ...]
    match key:
        case ec.EllipticCurvePublicKey():
            ways = (lambda: key.verify(raw, digest, ec.ECDSA(prehashed)),)
        case rsa.RSAPublicKey():
            any_salt = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
            ways = (
                lambda: key.verify(raw, digest, any_salt, prehashed),
                lambda: key.verify(raw, digest, padding.PKCS1v15(), prehashed),
            )
        case _:
            raise CertificateError("the signing certificate has neither an EC nor an RSA key")
    for verify in ways:
        try:
            verify()
        except InvalidSignature:
            continue
        return
    raise CertificateError("the file was signed with another key, or was changed since")


def fingerprint(key: CertificatePublicKeyTypes) -> str:
    """Return the SHA-256 of a key's SubjectPublicKeyInfo, hexadecimal."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _digest(der, hashes.SHA256())


def _load(pem: str) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.public_key()
    except (ValueError, TypeError) as exc:
        raise CertificateError("it is no whole PEM certificate") from exc
    except Exception as exc:  # a key of a kind that is not known
        raise CertificateError(f"its key cannot be read: {exc}") from exc
    return certificate


def _check_strength(key: object) -> None:
    match key:
        case rsa.RSAPublicKey() if key.key_size < LEAST_RSA_BITS:
            raise CertificateError(
                f"its RSA key has {key.key_size} bits, at least {LEAST_RSA_BITS} are asked for"
            )
        case ec.EllipticCurvePublicKey() if key.key_size < LEAST_EC_BITS:
            raise CertificateError(
                f"its EC key has {key.key_size} bits, at least {LEAST_EC_BITS} are asked for"
            )


def _check_time(certificate: x509.Certificate, at: float) -> None:
    moment = datetime.fromtimestamp(at, UTC)
    if moment > certificate.not_valid_after_utc:
        raise CertificateError(
            f"'{_subject(certificate)}' has expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
        )
    if moment < certificate.not_valid_before_utc:
        raise CertificateError(
            f"'{_subject(certificate)}' is not valid before "
            f"{certificate.not_valid_before_utc:%Y-%m-%d}"
        )


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate == issuer:
        return True
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return _may_vouch(issuer)


def _may_vouch(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return constraints.value.ca


def _subject(certificate: x509.Certificate) -> str:
    return _name(certificate, x509.NameOID.COMMON_NAME) or certificate.subject.rfc4514_string()


def _name(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _key_encoding(
    key: CertificatePublicKeyTypes,
) -> tuple[serialization.Encoding, serialization.PublicFormat]:
    match key:
        case rsa.RSAPublicKey():
            return serialization.Encoding.DER, serialization.PublicFormat.PKCS1
        case ec.EllipticCurvePublicKey():
            return (
                serialization.Encoding.X962,
                serialization.PublicFormat.UncompressedPoint,
            )
        case _:
            return serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo


def _digest(content: bytes, algorithm: hashes.HashAlgorithm) -> str:
    digest = hashes.Hash(algorithm)
    digest.update(content)
    return digest.finalize().hex()
