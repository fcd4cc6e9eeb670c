"""The files of secrets that charge points are to be given, read from this machine.

What is in them is not looked at beyond its size: that a charge point is given an expired
certificate, or half a key, may be the very test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cp_image.api import secrets
from cp_image.api.secrets import SecurityProfile, TlsVerification
from supervisor_cli.errors import ExitCode, SimuError

PLACE_OF_ID: Final = "{id}"
"""In a path: the id of the charge point stands there."""

_OPTIONS: Final = {
    secrets.AUTHORIZATION_KEY: "--password-file",
    secrets.ROOT_CA: "--root-ca",
    secrets.CLIENT_CERT: "--client-cert",
    secrets.CLIENT_KEY: "--client-key",
    secrets.MANUFACTURER_CA: "--manufacturer-ca",
}


@dataclass(frozen=True, slots=True)
class Password:
    """A password that no `repr` shows."""

    text: str

    def __repr__(self) -> str:
        return "Password(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSources:
    """Where the secrets of charge points are, as the options of a command say.

    Attributes:
        password: stands on the command line itself; `repr` does not show it.
        paths: by the name of the file, see `cp_image.api.secrets`; may have `PLACE_OF_ID`.
        from_pki: the names of those that a test PKI has.
        named_by: what people gave them by, by the same names.
    """

    password: Password | None = None
    paths: Mapping[str, Path] = field(default_factory=dict)
    from_pki: frozenset[str] = frozenset()
    named_by: Mapping[str, str] = field(default_factory=lambda: _OPTIONS)

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return self.password is None and not self.paths

    def require(self, profile: SecurityProfile, verification: TlsVerification) -> None:
        """Check that a security profile has what it needs.

        Raises:
            SimuError: something is missing, or is given twice (exit code 2).
        """
        given = {*self.paths, *([secrets.AUTHORIZATION_KEY] if self.password is not None else [])}
        if self.password is not None and secrets.AUTHORIZATION_KEY in self.paths:
            raise _usage("--password and --password-file exclude each other")
        if (secrets.CLIENT_CERT in given) != (secrets.CLIENT_KEY in given):
            raise _usage("--client-cert and --client-key go together")
        for name in secrets.needed(profile):
            if name == secrets.ROOT_CA and verification is TlsVerification.NONE:
                continue  # nobody's certificate is looked at
            if name not in given:
                raise _usage(f"security profile {profile:d} needs {_OPTIONS[name]}")

    def read(self, charge_point_id: str) -> dict[str, bytes]:
        """Return the files of a charge point: name -> what it holds.

        Raises:
            SimuError: one cannot be read, is too long, or is no password.
        """
        found = {}
        for name, path in self.paths.items():
            own = Path(str(path).replace(PLACE_OF_ID, charge_point_id))
            if name in self.from_pki and not own.is_file():
                raise SimuError(
                    f"the PKI holds no certificate of {charge_point_id}: {own} is missing",
                    hint=f"simuctl pki issue {charge_point_id} --pki {own.parent.parent} issues it",
                )
            found[name] = _read(own, name, self.named_by[name])
        if self.password is not None:
            where = self.named_by[secrets.AUTHORIZATION_KEY][: -len("-file")]
            found[secrets.AUTHORIZATION_KEY] = _key(self.password.text.encode(), where)
        return found


def _read(path: Path, name: str, option: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise SimuError(f"{option}: cannot read {path}: {exc.strerror}") from exc
    if len(content) > secrets.LONGEST_FILE_BYTES:
        raise SimuError(
            f"{option}: {path} has {len(content)} bytes: up to {secrets.LONGEST_FILE_BYTES} are "
            "taken"
        )
    return _key(content, f"{option} {path}") if name == secrets.AUTHORIZATION_KEY else content


def _key(content: bytes, where: str) -> bytes:
    try:
        return secrets.authorization_key_file(secrets.authorization_key(content))
    except ValueError as exc:
        raise SimuError(f"{where}: {exc}", exit_code=ExitCode.USAGE) from exc


def _usage(text: str) -> SimuError:
    return SimuError(text, hint="simuctl add --help names the options", exit_code=ExitCode.USAGE)
