"""Signs firmware as SignedUpdateFirmware of the Security Whitepaper wants it."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from supervisor_cli.certificates import read_key
from supervisor_cli.errors import SimuError

_HASH: Final = utils.Prehashed(hashes.SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFile:
    """How a file is signed, as SignedUpdateFirmware has it.

    Attributes:
        signing_certificate: PEM, with those between it and the root.
        signature: base64.
    """

    signing_certificate: str
    signature: str


def sign_file(path: Path, private_key: bytes) -> str:
    """Return the signature of a file, base64: ECDSA or RSA-PSS over its SHA-256.

    Args:
        path: of the file, of any length.
        private_key: PEM.

    Raises:
        CertificateError: the key cannot be used.
        SimuError: the file cannot be read.
    """
    key = read_key(private_key)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError as exc:
        raise SimuError(f"cannot read {path}: {exc.strerror}") from exc
    match key:
        case ec.EllipticCurvePrivateKey():
            signature = key.sign(digest, ec.ECDSA(_HASH))
        case rsa.RSAPrivateKey():
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            signature = key.sign(digest, pss, _HASH)
    return base64.b64encode(signature).decode()
