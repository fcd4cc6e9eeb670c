"""The security of new charge points: its fields in the form, and what is made of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cp_image.api import secrets
from cp_image.api.secrets import SecurityProfile, TlsVerification
from launcher.api import Specification
from launcher.fleet_file.wanted import WantedChargePoint
from supervisor_cli.dashboard.forms import Field, Values
from supervisor_cli.errors import SimuError
from supervisor_cli.pki_sources import from_pki

GROUP: Final = "security"
_PROFILES: Final = tuple(f"{each:d}" for each in SecurityProfile)
_PEM: Final = "PEM; {id} in it"
_FILES: Final = {
    "password_file": secrets.AUTHORIZATION_KEY,
    "root_ca": secrets.ROOT_CA,
    "client_cert": secrets.CLIENT_CERT,
    "client_key": secrets.CLIENT_KEY,
    "manufacturer_ca": secrets.MANUFACTURER_CA,
}
"""The fields that name a file, and what the file is called in a container."""


def security_fields() -> list[Field]:
    """Return what is asked for; files may have the charge point's ``{id}`` in their names."""
    pki = "that of simuctl pki"
    fields = [
        Field(name="profile", label="profile", value="0", choices=_PROFILES, note="0 none … 3 TLS"),
        Field(name="password", label="password", note="profiles 1, 2", secret=True),
        Field(name="password_file", label="or in a file", otherwise="none"),
        Field(name="user", label="user name", otherwise="its id"),
        Field(name="root_ca", label="root CA", otherwise=pki, note=_PEM),
        Field(name="client_cert", label="certificate", otherwise=pki, note=_PEM),
        Field(name="client_key", label="key of it", otherwise=pki, note=_PEM),
        Field(name="manufacturer_ca", label="firmware CA", otherwise="none", note=_PEM),
        Field(name="pki", label="PKI", otherwise=pki, note="directory"),
        Field(
            name="tls_verification",
            label="CSMS is checked",
            value=TlsVerification.FULL,
            choices=tuple(TlsVerification),
            note="less for tests",
        ),
    ]
    return [each.in_group(GROUP) for each in fields]


def read_security(values: Values) -> dict[str, object]:
    """Return what a specification says of it, none of which is secret."""
    profile = SecurityProfile(int(values["profile"]))
    return {
        "security_profile": int(profile),
        "authorization_user": values["user"].strip(),
        "tls_verification": values["tls_verification"],
        "secrets": profile is not SecurityProfile.NONE,
    }


def with_secrets(
    specification: Specification, values: Values, environment: str
) -> WantedChargePoint:
    """Return a charge point with the places of its secrets.

    Args:
        specification: of the charge point.
        values: of the form.
        environment: whose test PKI is used where a security profile needs one.

    Raises:
        SimuError: a secret is missing, given twice, or given where none is wanted.
    """
    profile = specification.security_profile
    password, pki = values["password"] or None, _path(values["pki"])
    given = {
        name: path for field, name in _FILES.items() if (path := _path(values[field])) is not None
    }
    if profile is SecurityProfile.NONE:
        if password or given or pki:
            raise SimuError("a password or a root CA is for a security profile of 1 to 3")
        return WantedChargePoint(specification=specification, folder="")
    of_pki = from_pki(pki, environment, profile, given)
    paths = {name: str(path) for name, path in (of_pki | given).items()}
    _check(specification, paths, password)
    return WantedChargePoint(
        specification=specification,
        folder="",
        paths=paths,
        from_pki=frozenset(of_pki),
        password=password,
        origin="the form",
    )


def _check(specification: Specification, paths: Mapping[str, str], password: str | None) -> None:
    profile = specification.security_profile
    if password and secrets.AUTHORIZATION_KEY in paths:
        raise SimuError("a password and a file that holds it exclude each other")
    if (secrets.CLIENT_CERT in paths) != (secrets.CLIENT_KEY in paths):
        raise SimuError("a certificate and the key of it go together")
    there = {*paths, *((secrets.AUTHORIZATION_KEY,) if password else ())}
    if specification.tls_verification is TlsVerification.NONE:
        there.add(secrets.ROOT_CA)  # nobody's certificate is looked at
    lacking = [name for name in secrets.needed(profile) if name not in there]
    if secrets.AUTHORIZATION_KEY in lacking:
        raise SimuError(f"security profile {profile:d} needs a password")
    if lacking:
        raise SimuError(f"security profile {profile:d} needs certificates: simuctl pki makes them")


def _path(text: str) -> Path | None:
    text = text.strip()
    return Path(text).expanduser().absolute() if text else None
