"""Why a connection to the CSMS could not be made, where that matters for security."""

from enum import StrEnum


class LinkFault(StrEnum):
    """What is wrong."""

    CSMS_CERTIFICATE = "the certificate of the CSMS"
    PASSWORD = "the password"  # noqa: S105 - a word
    CLIENT_CERTIFICATE = "the charge point's certificate, which the CSMS refuses"
    OWN_SECRETS = "the charge point's own files"
    TLS_VERSION = "the TLS version"
    TLS_CIPHER_SUITE = "the TLS cipher suite"
