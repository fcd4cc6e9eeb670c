"""The certificates by which a charge point proves who it is."""

from enum import StrEnum
from typing import Final

from cp_image.api.value import Value

GIVEN: Final = 0
"""Number of the key and certificate in the files the charge point is given."""


class KeyKind(StrEnum):
    """Keys the Security Whitepaper §2.3 allows."""

    EC_P256 = "ec-p256"
    RSA_2048 = "rsa-2048"


class Identity(Value):
    """A private key, by its number, and the certificate chain that goes with it.

    Attributes:
        number: `GIVEN`, or that of the `GenerateKeyAndCsr` that made it.
        chain: PEM, the leaf first.
    """

    number: int
    chain: str
