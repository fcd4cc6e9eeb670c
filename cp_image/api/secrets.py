"""The files in which a charge point is given its secrets, and what they may hold.

They lie in the directory `secrets` of the state directory (``/data/secrets`` in a container),
owned by the user of the charge point's process, mode 0600. Whoever starts a charge point writes
them there before; secrets stand in no environment variable, label, command line, topic or log.
All of them are optional; `needed` says which a security profile cannot do without.
"""

from enum import IntEnum, StrEnum
from typing import Final

DIRECTORY: Final = "secrets"
"""In the state directory, which is the volume of a container."""

AUTHORIZATION_KEY: Final = "authorization_key"
"""Password of HTTP Basic authentication, as `authorization_key_file` writes it."""
ROOT_CA: Final = "root_ca.pem"
"""Whom the certificate of the CSMS must come from: one PEM certificate or several."""
CLIENT_CERT: Final = "client_cert.pem"
"""Certificate of the charge point, PEM, behind it those of the authorities between."""
CLIENT_KEY: Final = "client_key.pem"
"""Private key of the first of them, PEM, not encrypted."""
MANUFACTURER_CA: Final = "manufacturer_ca.pem"
"""Whom signatures of firmware must come from: one PEM certificate or several."""

FILES: Final = (AUTHORIZATION_KEY, ROOT_CA, CLIENT_CERT, CLIENT_KEY, MANUFACTURER_CA)
OWNER_UID: Final = 10001
"""The user of the process in the image."""
DIRECTORY_MODE: Final = 0o700
FILE_MODE: Final = 0o600
LONGEST_FILE_BYTES: Final = 65_536

SHORTEST_KEY_BYTES: Final = 16
LONGEST_KEY_BYTES: Final = 20
"""Security Whitepaper §A.3: what a CSMS may set; a file may hold other lengths."""
LONGEST_FILED_KEY_BYTES: Final = 64

_HEX: Final = b"hex:"


class SecurityProfile(IntEnum):
    """Security Whitepaper §2."""

    NONE = 0
    BASIC = 1
    """HTTP Basic authentication"""
    TLS = 2
    """the CSMS proves by its certificate who it is, the charge point by Basic authentication"""
    MUTUAL_TLS = 3
    """both prove by certificates who they are"""


class TlsVerification(StrEnum):
    """What is asked of the certificate of a CSMS; all but `FULL` is for test systems alone."""

    FULL = "full"
    NO_HOST_NAME = "no-host-name"
    """it may be made out to any name"""
    NONE = "none"
    """anybody is believed to be the CSMS"""


def needed(profile: SecurityProfile) -> tuple[str, ...]:
    """Return the files without which a charge point cannot have a security profile."""
    match profile:
        case SecurityProfile.NONE:
            return ()
        case SecurityProfile.BASIC:
            return (AUTHORIZATION_KEY,)
        case SecurityProfile.TLS:
            return (AUTHORIZATION_KEY, ROOT_CA)
        case SecurityProfile.MUTUAL_TLS:
            return (ROOT_CA, CLIENT_CERT, CLIENT_KEY)


def authorization_key_file(key: bytes) -> bytes:
    """Return what the file of an authorization key holds."""
    return _HEX + key.hex().encode() + b"\n"


def authorization_key(content: bytes) -> bytes:
    """Return the authorization key of a file.

    It stands there as it is, or in hexadecimal digits behind ``hex:``; one newline at the end is
    not part of it, so that an editor or ``echo`` may have written the file.

    Raises:
        ValueError: it is empty or too long, or is no hexadecimal number; the key is not told.
    """
    text = content.removesuffix(b"\n").removesuffix(b"\r")
    if text.startswith(_HEX):
        try:
            text = bytes.fromhex(text.removeprefix(_HEX).decode("ascii"))
        except ValueError:
            raise ValueError("behind hex: it has something else than hexadecimal digits") from None
    if not 1 <= len(text) <= LONGEST_FILED_KEY_BYTES:
        raise ValueError(
            f"an authorization key has 1 to {LONGEST_FILED_KEY_BYTES} bytes, this has {len(text)}"
        )
    return text
