"""Makes private keys and certificate signing requests (RFC 2986) with `cryptography`.

Imported with the first key only, as `cp_image.shell.x509_reader`.
"""

from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cp_image.api.value import Value
from cp_image.core.identity import KeyKind
from cp_image.shell.x509_reader import fingerprint


class MadeKey(Value):
    """A private key and what asks for its certificate, both PEM.

    Attributes:
        public_key: SHA-256 of its SubjectPublicKeyInfo, hexadecimal.
    """

    private_key: bytes
    csr: str
    public_key: str

    UNSEEN: ClassVar = frozenset({"private_key"})


def make_key(kind: KeyKind, common_name: str, organization: str) -> MadeKey:
    """Return a new key and its CSR.

    Args:
        kind: of the key.
        common_name: of the subject.
        organization: likewise; empty leaves it out.
    """
    key = _key(kind)
    names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)]
    if organization:
        names.append(x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization))
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return MadeKey(
        private_key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        csr=csr.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode(),
        public_key=fingerprint(key.public_key()),
    )


def _key(kind: KeyKind) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    match kind:
        case KeyKind.EC_P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.RSA_2048:
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
