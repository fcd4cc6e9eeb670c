"""Certificates made on the spot, good ones and bad ones."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate, its key and what stands between it and its root."""

    certificate: x509.Certificate
    key: Key
    between: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> str:
        """The chain, the leaf first."""
        return "".join(pem_of(certificate) for certificate in (self.certificate, *self.between))

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def server(self, directory: Path, *, clients: "Authority | None" = None) -> ssl.SSLContext:
        """Return what a TLS server takes that shows it; `clients` vouches for its clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # weak certificates are part of the tests
        chain, key = directory / "server.pem", directory / "server.key"
        chain.write_text(self.pem)
        key.write_bytes(self.key_pem)
        context.load_cert_chain(chain, key)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=clients.pem)
        return context


class Authority:
    """Vouches for others."""

    def __init__(self, name: str = "Root", *, issuer: "Authority | None" = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self._issuer = issuer
        self.certificate: x509.Certificate = sign(
            subject=name_of(name),
            public_key=self.key.public_key(),
            issuer=issuer.certificate.subject if issuer else name_of(name),
            key=issuer.key if issuer else self.key,
            ca=True,
        )

    @classmethod
    @cache
    def shared(cls) -> Self:
        """Return one that all tests may trust."""
        return cls("Shared root")

    @property
    def pem(self) -> str:
        return pem_of(self.certificate)

    def issue(
        self,
        common_name: str,
        *,
        organization: str = "",
        hosts: tuple[str, ...] = (),
        key: Key | None = None,
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + 365 * DAY,
    ) -> Issued:
        """Return a certificate of a server or a charge point."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = sign(
            subject=name_of(common_name, organization),
            public_key=key.public_key(),
            issuer=self.certificate.subject,
            key=self.key,
            hosts=hosts,
            begins=begins,
            ends=ends,
        )
        between = () if self._issuer is None else (self.certificate,)
        return Issued(certificate=certificate, key=key, between=between)

    def sign_csr(self, csr: str, **changes: object) -> str:
        """Return the chain of what a CSR asks for."""
        request = x509.load_pem_x509_csr(csr.encode())
        assert request.is_signature_valid
        certificate = sign(
            **{  # type: ignore[arg-type]
                "subject": request.subject,
                "public_key": request.public_key(),
                "issuer": self.certificate.subject,
                "key": self.key,
            }
            | changes
        )
        between = () if self._issuer is None else (self.certificate,)
        return "".join(pem_of(item) for item in (certificate, *between))


def sign(
    *,
    subject: x509.Name,
    public_key: object,
    issuer: x509.Name,
    key: Key,
    ca: bool = False,
    hosts: tuple[str, ...] = (),
    names: Sequence[x509.GeneralName] = (),
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + 365 * DAY,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)  # type: ignore[arg-type]  # what a CSR holds
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    alternatives = [*names, *(x509.DNSName(host) for host in hosts)]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    if not ca:
        usage = x509.ExtendedKeyUsage(
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        )
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(key, hashes.SHA256())


def name_of(common_name: str, organization: str = "") -> x509.Name:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(names)


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@cache
def weak_key() -> rsa.RSAPrivateKey:
    """Return an RSA key of 1024 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)
