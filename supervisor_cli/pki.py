"""A directory with a test PKI: a root CA, the certificate of a CSMS, those of charge points.

::

    root_ca.pem root_ca.key                   the authority
    intermediate_ca.pem intermediate_ca.key   who signs in its stead, if anybody does
    csms.pem csms.key                         the CSMS's own
    firmware.pem firmware.key                 of who signs firmware
    charge_points/ID.pem ID.key               a charge point's own

What a file holds is PEM; behind a certificate stands that of the intermediate authority, where
there is one. Keys are not encrypted: they are for tests, and of mode 0600.
"""

import os
import re
import socket
import ssl
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Self

from cp_image.api.payloads import CHARGE_POINT_ID_PATTERN, CHARGE_POINT_ID_RULE
from supervisor_cli import certificates, firmware_signing
from supervisor_cli.certificate_description import Description, describe
from supervisor_cli.certificates import (
    CertificateError,
    Credentials,
    KeyKind,
    Purpose,
    Validity,
)
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.firmware_signing import SignedFile

ROOT: Final = "root_ca"
INTERMEDIATE: Final = "intermediate_ca"
CSMS: Final = "csms"
FIRMWARE: Final = "firmware"
CHARGE_POINTS: Final = "charge_points"
DEFAULT_DAYS: Final = 365
ROOT_DAYS: Final = 3650


def default_directory(environment: str) -> Path:
    """Return where the PKI of an environment is: below XDG_DATA_HOME, or ~/.local/share."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "cp-simu" / environment / "pki"


def usual_names() -> tuple[str, ...]:
    """Return the names by which a CSMS on this machine is reached."""
    return ("localhost", "127.0.0.1", "::1", socket.gethostname())


class Pki:
    """A test PKI in a directory; `create` makes one, `open` takes one that is there.

    Every method raises `SimuError` where a file cannot be read or written.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def create(
        cls,
        directory: Path,
        kind: KeyKind = KeyKind.EC,
        *,
        intermediate: bool = False,
        replace: bool = False,
    ) -> Self:
        """Make a new authority; what an older one has issued is worth nothing then.

        Args:
            directory: where everything is kept.
            kind: of the authority's key.
            intermediate: whether another authority, which the first one has signed, signs.
            replace: also an authority that is there.

        Raises:
            SimuError: there is one already, and it is not to be replaced.
        """
        pki = cls(directory)
        if pki.root_ca.exists() and not replace:
            raise SimuError(
                f"{directory} holds a PKI already: what it has issued would be worth nothing",
                hint="--replace makes a new one all the same; simuctl pki show looks at it",
            )
        root = certificates.make_root(kind, Validity.of(ROOT_DAYS))
        for path in pki._paths(INTERMEDIATE):
            path.unlink(missing_ok=True)
        if intermediate:
            pki._write(
                INTERMEDIATE, certificates.make_intermediate(root, kind, Validity.of(ROOT_DAYS))
            )
        pki._write(ROOT, root)
        return pki

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Take the PKI in a directory.

        Raises:
            SimuError: there is none.
        """
        pki = cls(directory)
        if not pki.root_ca.is_file():
            raise SimuError(
                f"{directory} holds no PKI: it has no {pki.root_ca.name}",
                hint="simuctl pki init makes one",
            )
        return pki

    @property
    def root_ca(self) -> Path:
        """Certificate of the authority."""
        return self.directory / f"{ROOT}.pem"

    @property
    def csms(self) -> tuple[Path, Path]:
        """Certificate and key of the CSMS."""
        return self._paths(CSMS)

    @property
    def firmware(self) -> tuple[Path, Path]:
        """Certificate and key of who signs firmware."""
        return self._paths(FIRMWARE)

    def charge_point(self, charge_point_id: str) -> tuple[Path, Path]:
        """Return the certificate and the key of a charge point, which need not be there.

        Raises:
            SimuError: it is no charge point id, and so no name of a file (exit code 2).
        """
        if re.search(CHARGE_POINT_ID_PATTERN, charge_point_id) is None:
            raise SimuError(
                f"{charge_point_id!r} is no charge point id: {CHARGE_POINT_ID_RULE}",
                exit_code=ExitCode.USAGE,
            )
        return self._paths(f"{CHARGE_POINTS}/{charge_point_id}")

    def issue_csms(
        self, names: Iterable[str], kind: KeyKind = KeyKind.EC, validity: Validity | None = None
    ) -> None:
        """Issue the certificate of the CSMS, instead of one that is there."""
        given = validity or Validity.of(DEFAULT_DAYS)
        try:
            made = certificates.issue_server(self._issuer(), names, kind, given)
        except CertificateError as exc:
            raise SimuError(f"cannot issue the CSMS's certificate: {exc}") from exc
        self._write_issued(CSMS, made)

    def issue_charge_point(
        self,
        charge_point_id: str,
        kind: KeyKind = KeyKind.EC,
        validity: Validity | None = None,
    ) -> None:
        """Issue the certificate of a charge point, instead of one that is there."""
        self.charge_point(charge_point_id)
        stem = f"{CHARGE_POINTS}/{charge_point_id}"
        self._issue(stem, charge_point_id, Purpose.CLIENT, kind, validity)

    def issue_firmware(self, kind: KeyKind = KeyKind.EC, validity: Validity | None = None) -> None:
        """Issue the certificate of who signs firmware, instead of one that is there."""
        name = f"{certificates.ORGANIZATION} firmware"
        self._issue(FIRMWARE, name, Purpose.FIRMWARE, kind, validity)

    def sign_firmware(self, path: Path) -> SignedFile:
        """Sign a file as firmware.

        Raises:
            SimuError: there is no certificate for that, or the file cannot be read.
        """
        certificate, key = self.firmware
        if not certificate.is_file():
            raise SimuError(
                f"{self.directory} holds no certificate to sign firmware with",
                hint="simuctl pki issue --firmware issues one",
            )
        try:
            signature = firmware_signing.sign_file(path, _read(key))
        except CertificateError as exc:
            raise SimuError(f"cannot use {key}: {exc}") from exc
        return SignedFile(signing_certificate=_read(certificate).decode(), signature=signature)

    def sign(self, request: str, common_names: Iterable[str]) -> str:
        """Issue the certificate that a charge point asks for; return it, PEM.

        Raises:
            CertificateError: it must not have it.
        """
        try:
            issuer, chain = self._issuer(), self._chain()
        except SimuError as exc:
            raise CertificateError(str(exc)) from exc
        validity = Validity.of(DEFAULT_DAYS)
        made = certificates.sign_request(issuer, request, common_names, validity)
        return (made + chain).decode()

    def server_context(
        self,
        *,
        require_client_certificate: bool,
        only_version: ssl.TLSVersion | None = None,
    ) -> ssl.SSLContext:
        """Return what a CSMS listens with.

        Args:
            require_client_certificate: who has none from this PKI is turned away.
            only_version: of TLS; None is 1.2 and later.

        Raises:
            SimuError: the CSMS has no certificate, or a file is broken.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = only_version or ssl.TLSVersion.TLSv1_2
        if only_version is not None:
            context.maximum_version = only_version
        certificate, key = self.csms
        try:
            context.load_cert_chain(certificate, key)
            if require_client_certificate:
                context.load_verify_locations(self.root_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except FileNotFoundError as exc:
            raise SimuError(
                f"{self.directory} holds no certificate of a CSMS",
                hint="simuctl pki issue --csms issues one",
            ) from exc
        except OSError as exc:  # ssl.SSLError is one
            raise SimuError(f"cannot use {certificate}, {key} and {self.root_ca}: {exc}") from exc
        return context

    def descriptions(self) -> Iterator[tuple[Path, Description]]:
        """Yield every certificate with what it says: authorities first, charge points last.

        Raises:
            SimuError: a certificate cannot be read.
        """
        own = (self._paths(stem)[0] for stem in (ROOT, INTERMEDIATE, CSMS, FIRMWARE))
        there = [path for path in own if path.exists()]
        for path in [*there, *sorted((self.directory / CHARGE_POINTS).glob("*.pem"))]:
            try:
                yield path, describe(_read(path))
            except CertificateError as exc:
                raise SimuError(f"{path}: {exc}") from exc

    def _paths(self, stem: str) -> tuple[Path, Path]:
        # Not with_suffix: an id may have dots.
        return self.directory / f"{stem}.pem", self.directory / f"{stem}.key"

    def _issuer(self) -> Credentials:
        """Return the authority that signs."""
        stem = INTERMEDIATE if self._paths(INTERMEDIATE)[0].exists() else ROOT
        certificate, key = self._paths(stem)
        return Credentials(certificate=_read(certificate), key=_read(key))

    def _chain(self) -> bytes:
        """Return what goes behind a certificate, up to the root."""
        between = self._paths(INTERMEDIATE)[0]
        return _read(between) if between.exists() else b""

    def _issue(
        self,
        stem: str,
        common_name: str,
        purpose: Purpose,
        kind: KeyKind,
        validity: Validity | None,
    ) -> None:
        given = validity or Validity.of(DEFAULT_DAYS)
        try:
            made = certificates.issue(self._issuer(), common_name, purpose, kind, given)
        except CertificateError as exc:
            raise SimuError(f"cannot issue a certificate for {common_name}: {exc}") from exc
        self._write_issued(stem, made)

    def _write_issued(self, stem: str, made: Credentials) -> None:
        chain = made.certificate + self._chain()
        self._write(stem, Credentials(certificate=chain, key=made.key))

    def _write(self, stem: str, credentials: Credentials) -> None:
        certificate, key = self._paths(stem)
        _replace(key, credentials.key, 0o600)
        _replace(certificate, credentials.certificate, 0o644)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise SimuError(f"cannot read {path}: {exc.strerror}") from exc


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Write a file; readers see all of it or nothing, and nobody a key before its mode is set."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
            draft.write(content)
        Path(draft.name).chmod(mode)
        Path(draft.name).replace(path)
    except OSError as exc:
        raise SimuError(
            f"cannot write {path}: {exc.strerror}", hint="--pki DIR takes another directory"
        ) from exc
