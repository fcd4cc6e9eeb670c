"""The root certificates a station trusts: Security Whitepaper §3.2 to §3.4.

They begin as those of the files the station is given. What a CSMS installs and deletes is kept; a
file that was changed meanwhile counts anew.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cp_image.api.value import Value
from cp_image.core.certificates import (
    CertificateError,
    CertificateReader,
    same_hash,
    same_pem,
    split_pem,
)
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import LogLevel
from cp_image.core.outbox import Outbox
from cp_image.core.security_messages import (
    CertificateHash,
    CertificateUse,
    DeleteCertificate,
    DeleteCertificateAnswer,
    DeleteCertificateStatus,
    GetInstalledCertificateIds,
    GetInstalledCertificateIdsAnswer,
    HashAlgorithm,
    InstallCertificate,
    InstallCertificateAnswer,
    InstallCertificateStatus,
    InstalledCertificatesStatus,
)
from cp_image.core.station_clock import StationClock

_PREFIX: Final = "security/roots/"
"""Followed by the use."""


class _Kept(Value):
    """What is kept where a CSMS has changed something; `file` is what the file held then."""

    file: str
    pems: tuple[str, ...]


class CertificateStore:
    """Installs, deletes and names root certificates.

    Args:
        files: what the station is given, PEM.
        changed: called with `now` when another certificate is trusted, or one less.
        needed: whether the charge point connects to no CSMS without a certificate.
    """

    def __init__(
        self,
        *,
        files: Mapping[CertificateUse, str],
        stored: Mapping[str, bytes],
        configuration: Configuration,
        reader: CertificateReader,
        clock: StationClock,
        outbox: Outbox,
        changed: Callable[[str, float], None],
        needed: Callable[[], bool],
    ) -> None:
        self._files = files
        self._configuration = configuration
        self._reader = reader
        self._clock = clock
        self._outbox = outbox
        self._changed = changed
        self._needed = needed
        self._in_use = ""
        self._pems = {use: self._recalled(use, stored) for use in CertificateUse}

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what answers the CSMS."""
        return {
            InstallCertificate: self._install,
            DeleteCertificate: self._delete,
            GetInstalledCertificateIds: self._tell,
        }

    def trusted(self, use: CertificateUse) -> tuple[str, ...]:
        """Return the certificates of a use, PEM."""
        return self._pems[use]

    def vouched(self, pem: str) -> None:
        """The connection that stands has been made on the word of this one; empty is of none."""
        self._in_use = pem

    # -- the three requests -------------------------------------------------------------------

    def _install(self, request: InstallCertificate, now: float) -> Reply:
        use = request.use
        try:
            wanted = self._with(request, self._clock.at(now))
        except CertificateError as exc:
            self._outbox.log(LogLevel.WARNING, f"a {use} is not installed: {exc}")
            return _installed(InstallCertificateStatus.REJECTED)
        if wanted == self._pems[use]:
            return _installed(InstallCertificateStatus.ACCEPTED)  # it is there already
        return Reply(
            answer=InstallCertificateAnswer(status=InstallCertificateStatus.ACCEPTED),
            then=lambda now: self._keep(use, wanted, f"a {use} installed", now),
        )

    def _with(self, request: InstallCertificate, at: float) -> tuple[str, ...]:
        """Return the certificates of a use when one is installed.

        Raises:
            CertificateError: it cannot be.
        """
        found = split_pem(request.certificate)
        if len(found) != 1:
            raise CertificateError(f"one PEM certificate is wanted, there are {len(found)}")
        (pem,) = found
        facts, known = self._reader.read(pem), self._pems[request.use]
        if not facts.is_ca:
            raise CertificateError("it is not of an authority")
        if not facts.begins_at <= at <= facts.ends_at:
            raise CertificateError(
                "it has expired" if at > facts.ends_at else "it is not valid yet"
            )
        if pem in known:
            return known
        kept = known
        if request.use is CertificateUse.CENTRAL_SYSTEM_ROOT and self._configuration.boolean(
            Key.ADDITIONAL_ROOT_CERTIFICATE_CHECK
        ):
            kept = self._replaced(pem, at)
        most = self._configuration.integer(Key.CERTIFICATE_STORE_MAX_LENGTH)
        if self._number() - len(known) + len(kept) >= most:
            raise CertificateError(f"there are {most} already: {Key.CERTIFICATE_STORE_MAX_LENGTH}")
        return (*kept, pem)

    def _replaced(self, pem: str, at: float) -> tuple[str, ...]:
        """Return the root that a new one takes the place of; it stays to fall back to.

        Whitepaper AdditionalRootCertificateCheck: there is one root of the CSMS and, for a time,
        the one before, which must have signed it.

        Raises:
            CertificateError: no root has signed the new one.
        """
        why_not: CertificateError | None = None
        for root in self._pems[CertificateUse.CENTRAL_SYSTEM_ROOT]:
            try:
                self._reader.verify_chain((pem,), (root,), at)
            except CertificateError as exc:
                why_not = exc
            else:
                return (root,)
        if why_not is not None:
            raise why_not
        return ()

    def _delete(self, request: DeleteCertificate, _now: float) -> Reply:
        # The hash says nothing of the use: whatever bears the name is meant.
        wanted = request.certificate
        left: dict[CertificateUse, tuple[str, ...]] = {}
        for use in CertificateUse:
            named = self._named(use, wanted.hash_algorithm)
            gone = {pem for pem, name in named.items() if same_hash(name, wanted)}
            if gone:
                left[use] = tuple(pem for pem in self._pems[use] if pem not in gone)
        if not left:
            return _deleted(DeleteCertificateStatus.NOT_FOUND)
        if self._wanted_back(left):
            self._outbox.log(LogLevel.WARNING, "a root certificate is not deleted: it is in use")
            return _deleted(DeleteCertificateStatus.FAILED)
        return Reply(
            answer=DeleteCertificateAnswer(status=DeleteCertificateStatus.ACCEPTED),
            then=lambda now: self._keep_left(left, now),
        )

    def _wanted_back(self, left: Mapping[CertificateUse, tuple[str, ...]]) -> bool:
        """Return whether the CSMS could not be reached any more with what is left."""
        roots = left.get(CertificateUse.CENTRAL_SYSTEM_ROOT)
        if roots is None:
            return False
        if not roots and self._needed():
            return True
        gone = set(self._pems[CertificateUse.CENTRAL_SYSTEM_ROOT]) - set(roots)
        return any(same_pem(pem, self._in_use) for pem in gone)

    def _keep_left(self, left: Mapping[CertificateUse, tuple[str, ...]], now: float) -> None:
        for use, pems in left.items():
            self._keep(use, pems, f"a {use} deleted", now)

    def _tell(self, request: GetInstalledCertificateIds, _now: float) -> Reply:
        names = list(self._named(request.use, HashAlgorithm.SHA256).values())
        status = (
            InstalledCertificatesStatus.ACCEPTED if names else InstalledCertificatesStatus.NOT_FOUND
        )
        return Reply(answer=GetInstalledCertificateIdsAnswer(status=status, certificates=names))

    # -- what there is ------------------------------------------------------------------------

    def _number(self) -> int:
        return sum(len(pems) for pems in self._pems.values())

    def _named(self, use: CertificateUse, algorithm: HashAlgorithm) -> dict[str, CertificateHash]:
        """Return the certificates of a use with their names; one that cannot be read has none."""
        named = {}
        for pem in self._pems[use]:
            try:
                named[pem] = self._reader.name(pem, self._pems[use], algorithm)
            except CertificateError as exc:
                self._outbox.log(LogLevel.WARNING, f"a {use} cannot be read: {exc}")
        return named

    def _keep(self, use: CertificateUse, pems: tuple[str, ...], what: str, now: float) -> None:
        self._pems[use] = pems
        self._outbox.keep(f"{_PREFIX}{use}", _Kept(file=self._files[use], pems=pems))
        self._outbox.log(LogLevel.INFO, what)
        self._changed(what, now)

    def _recalled(self, use: CertificateUse, stored: Mapping[str, bytes]) -> tuple[str, ...]:
        given = split_pem(self._files[use])
        kept = self._outbox.recall(stored, f"{_PREFIX}{use}", _Kept)
        if kept is None:
            return given
        if kept.file == self._files[use]:
            return kept.pems
        were = split_pem(kept.file)
        return (*given, *(pem for pem in kept.pems if pem not in were and pem not in given))


def _installed(status: InstallCertificateStatus) -> Reply:
    return Reply(answer=InstallCertificateAnswer(status=status))


def _deleted(status: DeleteCertificateStatus) -> Reply:
    return Reply(answer=DeleteCertificateAnswer(status=status))
