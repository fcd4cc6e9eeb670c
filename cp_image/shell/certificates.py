"""The core's `CertificateReader`, which loads what it takes with the first question."""

from collections.abc import Sequence

from cp_image.core.certificates import CertificateFacts
from cp_image.core.security_messages import CertificateHash, HashAlgorithm


class Certificates:
    """Reads certificates; a charge point that asks nothing of it does without `cryptography`."""

    def read(self, pem: str, /) -> CertificateFacts:
        """See `CertificateReader`."""
        from cp_image.shell import x509_reader  # noqa: PLC0415 - see the class

        return x509_reader.read(pem)

    def name(self, pem: str, known: Sequence[str], algorithm: HashAlgorithm, /) -> CertificateHash:
        """See `CertificateReader`."""
        from cp_image.shell import x509_reader  # noqa: PLC0415 - see the class

        return x509_reader.name(pem, known, algorithm)

    def verify_chain(self, chain: Sequence[str], roots: Sequence[str], at: float, /) -> None:
        """See `CertificateReader`."""
        from cp_image.shell import x509_reader  # noqa: PLC0415 - see the class

        x509_reader.verify_chain(chain, roots, at)

    def verify_signature(self, certificate: str, signature: str, sha256: str, /) -> None:
        """See `CertificateReader`."""
        from cp_image.shell import x509_reader  # noqa: PLC0415 - see the class

        x509_reader.verify_signature(certificate, signature, sha256)
