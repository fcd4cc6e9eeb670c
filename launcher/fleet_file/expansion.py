"""From an entry of a fleet file to its charge points."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from cp_image.api import secrets
from cp_image.api.secrets import SecurityProfile, TlsVerification
from launcher.api import Specification
from launcher.fleet import EntryError, read_specification, usual_serial
from launcher.fleet_file import keys, placeholders
from launcher.fleet_file.around import Around
from launcher.fleet_file.options import Given, OptionReader, Options
from launcher.fleet_file.placeholders import PlaceholderError
from launcher.fleet_file.wanted import WantedChargePoint

_SECRETS: Final = "secrets"
_NAMED_BY: Final = {
    secrets.AUTHORIZATION_KEY: "password_file or password",
    secrets.ROOT_CA: "root_ca or pki",
    secrets.CLIENT_CERT: "client_cert or pki",
    secrets.CLIENT_KEY: "client_key or pki",
}
_KEY_OF: Final = {name: key for key, name in keys.SECRET_PATHS.items()}
_OF_PKI: Final = {
    secrets.ROOT_CA: "root_ca.pem",
    secrets.CLIENT_CERT: "charge_points/{id}.pem",
    secrets.CLIENT_KEY: "charge_points/{id}.key",
    secrets.MANUFACTURER_CA: "root_ca.pem",
}
_PAIR: Final = frozenset({secrets.CLIENT_CERT, secrets.CLIENT_KEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a fleet file.

    Attributes:
        options: what holds for it, defaults and templates included.
    """

    line: int
    path: str
    options: Options

    def given(self, name: str) -> Given | None:
        """Return what holds for a key."""
        return self.options.values.get(name)

    def value(self, name: str, otherwise: Any = None) -> Any:
        """Return the value that holds for a key."""
        given = self.given(name)
        return otherwise if given is None else given.value

    def place(self, name: str) -> tuple[int, str]:
        """Return where a key is given; where it is not, the entry."""
        given = self.given(name)
        return (self.line, self.path) if given is None else (given.line, given.path)


class _RefusedError(Exception):
    """An entry gives no charge point; why has been said."""


class Expansion:
    """Makes charge points from entries.

    Args:
        reader: is told what is wrong.
        folder: where paths begin.
        around: what holds beside the file.
        taken: where each id that is taken was given; grows.
        literal: nothing is filled in: braces are braces, as in set-up files of other programs.
    """

    def __init__(
        self,
        reader: OptionReader,
        *,
        folder: str,
        around: Around,
        taken: dict[str, str],
        literal: bool,
    ) -> None:
        self._reader = reader
        self._folder = folder
        self._around = around
        self._taken = taken
        self._literal = literal

    def expand(self, entry: Entry) -> list[WantedChargePoint]:
        """Return the charge points of an entry: those before the first that is faulty."""
        found: list[WantedChargePoint] = []
        try:
            for number in self._numbers(entry):
                found.append(self._one(entry, number))  # noqa: PERF401 - keeps those before
        except _RefusedError:
            pass
        return found

    def _numbers(self, entry: Entry) -> Iterator[int | None]:
        given = entry.given(keys.ID)
        if given is None:
            hint = "id: CP-1, or id: 'CP-{n:04}' and count: 50"
            raise self._refuse_lack(entry, keys.ID, hint)
        counted = placeholders.has_number(given.value)
        if counted and any(self._is_faulty(entry, each) for each in (keys.COUNT, keys.FIRST)):
            raise _RefusedError
        count = entry.given(keys.COUNT)
        if count is None:
            if entry.given(keys.FIRST) is not None:
                raise self._refuse(entry, keys.FIRST, "first needs a count")
            yield None
            return
        first = entry.value(keys.FIRST, 1)
        self._filled(entry, keys.ID, first, None)  # a misspelt place is told as that
        if count.value > 1 and not counted:
            hint = f"id: '{given.value}-{{n:04}}'"
            text = f"a count of {count.value} needs a place for the number: {given.value} has none"
            raise self._refuse(entry, keys.ID, text, hint)
        yield from range(first, first + count.value)

    def _one(self, entry: Entry, number: int | None) -> WantedChargePoint:
        charge_point_id = self._filled(entry, keys.ID, number, None)
        raw: dict[str, Any] = {keys.ID: charge_point_id}
        paths: dict[str, str] = {}
        for name in entry.options.values:
            if name in keys.FIELDS and name != keys.ID:
                raw[name] = self._filled(entry, name, number, charge_point_id)
            elif name in keys.SECRET_PATHS:
                secret = keys.SECRET_PATHS[name]
                paths[secret] = self._filled(entry, name, number, charge_point_id)
        raw.setdefault(keys.SERIAL, usual_serial(charge_point_id))
        if entry.options.configuration:
            raw[keys.CONFIGURATION] = {
                name: given.value for name, given in entry.options.configuration.items()
            }
        password = entry.value(keys.PASSWORD)
        pki = self._filled(entry, keys.PKI, number, charge_point_id)
        lacking = self._lacking(entry, paths, password)
        from_pki = self._complete(paths, lacking, pki, charge_point_id)
        if paths or password is not None:
            raw[_SECRETS] = True
        specification = self._specification(entry, raw)
        missing = tuple(each for each in self._needed(entry) if each in lacking - paths.keys())
        self._check_secrets(entry, specification, paths, missing)
        self._take(entry, charge_point_id)
        return WantedChargePoint(
            specification=specification,
            folder=self._folder,
            paths=paths,
            from_pki=from_pki,
            password=password,
            missing=missing,
            origin=f"{self._reader.file}:{entry.line}",
        )

    def _filled(
        self, entry: Entry, name: str, number: int | None, charge_point_id: str | None
    ) -> Any:
        value = entry.value(name)
        if (
            self._literal
            or not isinstance(value, str)
            or not keys.OF_ENTRIES[name].has_placeholders
        ):
            return value
        try:
            return placeholders.expand(value, number=number, charge_point_id=charge_point_id)
        except PlaceholderError as exc:
            raise self._refuse(entry, name, str(exc), "{{ and }} are braces") from exc

    def _needed(self, entry: Entry) -> tuple[str, ...]:
        """Return the secrets that the security profile of an entry cannot do without."""
        needed = secrets.needed(SecurityProfile(entry.value("security_profile", 0)))
        if entry.value("tls_verification") == TlsVerification.NONE:
            return tuple(each for each in needed if each != secrets.ROOT_CA)
        return needed

    def _lacking(self, entry: Entry, paths: Mapping[str, str], password: str | None) -> set[str]:
        """Return the secrets that would be of use, and are not named."""
        useful = {*secrets.needed(SecurityProfile(entry.value("security_profile", 0)))}
        if useful:
            useful.add(secrets.MANUFACTURER_CA)
        if password is not None:
            useful.discard(secrets.AUTHORIZATION_KEY)
        return useful - paths.keys()

    def _complete(
        self, paths: dict[str, str], lacking: set[str], pki: str | None, charge_point_id: str
    ) -> frozenset[str]:
        """Take what is lacking from a PKI, or from what is supplied; return what is a PKI's."""
        if not lacking >= _PAIR:  # half a pair from elsewhere would not fit
            lacking = lacking - _PAIR
        of_pki = {*(self._around.from_pki if pki is None else _OF_PKI)} & lacking
        for secret in sorted(lacking):
            path = self._around.supplied.get(secret)
            if pki is not None and secret in _OF_PKI:
                path = f"{pki}/{_OF_PKI[secret]}"
            if path is not None:
                paths[secret] = path.replace("{id}", charge_point_id)
        return frozenset(of_pki)

    def _specification(self, entry: Entry, raw: dict[str, Any]) -> Specification:
        try:
            return read_specification(msgspec.json.encode(raw))
        except EntryError as exc:
            text = str(exc).removeprefix(f"charge point {raw[keys.ID]}: ")
            lacking = [name for name in ("type", "central_system") if f"`{name}`" in text]
            if "missing required field" in text and lacking:
                raise self._refuse_lack(entry, lacking[0]) from exc
            about = text.partition(" ")[0]  # "central_system is …", "security profile 2 needs …"
            about = "security_profile" if about == "security" else about
            if entry.given(about) is not None:  # its path names it
                text = text.removeprefix(f"{about} ")
            raise self._refuse(entry, about, text) from exc

    def _check_secrets(
        self,
        entry: Entry,
        specification: Specification,
        paths: Mapping[str, str],
        missing: tuple[str, ...],
    ) -> None:
        if (secrets.CLIENT_CERT in paths) != (secrets.CLIENT_KEY in paths):
            there = secrets.CLIENT_CERT if secrets.CLIENT_CERT in paths else secrets.CLIENT_KEY
            text = "client_cert and client_key go together"
            raise self._refuse(entry, _KEY_OF[there], text)
        if missing and entry.given(_SECRETS) is None:
            named = ", ".join(_NAMED_BY[each] for each in missing)
            text = f"security profile {specification.security_profile:d} needs {named}"
            raise self._refuse(entry, "security_profile", text)

    def _take(self, entry: Entry, charge_point_id: str) -> None:
        first = self._taken.get(charge_point_id)
        if first is not None:
            text = f"{charge_point_id} is named twice, first at {first}"
            raise self._refuse(entry, keys.ID, text)
        self._taken[charge_point_id] = f"{self._reader.file}:{entry.place(keys.ID)[0]}"

    def _refuse_lack(self, entry: Entry, name: str, hint: str = "") -> _RefusedError:
        """Say that a key is not there, unless it is, or may be, and was found wrong already."""
        if self._is_faulty(entry, name):
            return _RefusedError()
        return self._refuse(entry, name, f"it has no {name}", hint)

    def _is_faulty(self, entry: Entry, name: str) -> bool:
        """Whether a key that may hold for an entry has been found wrong where it is given."""
        elsewhere = (f"{keys.DEFAULTS}.", f"{keys.TEMPLATES}.")
        parted = (each.path.rpartition(".") for each in self._reader.faults)
        wrong = {(above, about) for above, _, about in parted} | self._reader.misspelt
        return any(
            about == name and (above == entry.path or f"{above}.".startswith(elsewhere))
            for above, about in wrong
        )

    def _refuse(self, entry: Entry, name: str, text: str, hint: str = "") -> _RefusedError:
        line, path = entry.place(name)
        self._reader.fault(line, path, text, hint)
        return _RefusedError()
