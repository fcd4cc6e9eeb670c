"""The options about a charge point's security."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cp_image.api import secrets
from cp_image.api.secrets import SecurityProfile, TlsVerification
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.secret_files import Password, SecretSources
from supervisor_cli.terminal import say

_PANEL = "Security"
_ID = "{id} in it stands for the charge point's id."

ProfileOption = Annotated[
    int,
    typer.Option(
        "--security-profile",
        metavar="N",
        min=0,
        max=3,
        rich_help_panel=_PANEL,
        help="0 none, 1 password, 2 TLS and password, 3 TLS with certificates on both sides.",
    ),
]
PasswordOption = Annotated[
    str | None,
    typer.Option(
        "--password",
        metavar="PASSWORD",
        rich_help_panel=_PANEL,
        help="For HTTP Basic authentication; hex:… for raw bytes. Others see it: better is",
    ),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        rich_help_panel=_PANEL,
        help=f"which holds it. {_ID}",
    ),
]
UserOption = Annotated[
    str | None,
    typer.Option(
        "--authorization-user",
        metavar="NAME",
        rich_help_panel=_PANEL,
        show_default="its id",
        help="User name of HTTP Basic authentication.",
    ),
]
RootCaOption = Annotated[
    Path | None,
    typer.Option(
        "--root-ca",
        metavar="FILE",
        rich_help_panel=_PANEL,
        help=f"PEM: whom the certificate of the CSMS must come from. {_ID}",
    ),
]
ClientCertOption = Annotated[
    Path | None,
    typer.Option(
        "--client-cert",
        metavar="FILE",
        rich_help_panel=_PANEL,
        help=f"PEM: its certificate. {_ID}",
    ),
]
ClientKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--client-key", metavar="FILE", rich_help_panel=_PANEL, help=f"PEM: the key of it. {_ID}"
    ),
]
ManufacturerCaOption = Annotated[
    Path | None,
    typer.Option(
        "--manufacturer-ca",
        metavar="FILE",
        rich_help_panel=_PANEL,
        help=f"PEM: whom signatures of firmware must come from. {_ID}",
    ),
]
PkiOption = Annotated[
    Path | None,
    typer.Option(
        "--pki",
        metavar="DIR",
        rich_help_panel=_PANEL,
        show_default="that of simuctl pki, for what the profile needs",
        help="Test PKI that has root, certificate and key where no option names them.",
    ),
]
InsecureTlsOption = Annotated[
    bool,
    typer.Option(
        "--insecure-tls",
        rich_help_panel=_PANEL,
        help="Believe anybody to be the CSMS. For test systems alone.",
    ),
]
AnyHostNameOption = Annotated[
    bool,
    typer.Option(
        "--any-host-name",
        rich_help_panel=_PANEL,
        help="Let the certificate of the CSMS be made out to any name. For test systems alone.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityOptions:
    """What the options ask for."""

    profile: SecurityProfile
    user: str | None
    verification: TlsVerification
    sources: SecretSources

    def fields(self) -> dict[str, Any]:
        """Return the fields of a specification, none of which is secret."""
        fields: dict[str, Any] = {}
        if self.profile is not SecurityProfile.NONE:
            fields["security_profile"] = self.profile.value
        if self.user is not None:
            fields["authorization_user"] = self.user
        if self.verification is not TlsVerification.FULL:
            fields["tls_verification"] = self.verification.value
        if not self.sources.is_empty:
            fields["secrets"] = True
        return fields


def security_options(
    *,
    profile: int,
    password: str | None,
    user: str | None,
    insecure_tls: bool,
    any_host_name: bool,
    paths: dict[str, Path | None],
    pki: Path | None,
    environment: str,
) -> SecurityOptions:
    """Return what the options ask for, and warn of what is dangerous.

    Args:
        profile: 0 to 3.
        password: stands on the command line.
        user: of HTTP Basic authentication; None is the charge point's id.
        insecure_tls: nothing is verified.
        any_host_name: all but the host name is verified.
        paths: by the name of the file in a container, see `cp_image.api.secrets`.
        pki: directory of the PKI that has what `paths` lack; None is the environment's.
        environment: whose.

    Raises:
        SimuError: something is missing, or does not fit together (exit code 2).
    """
    if insecure_tls and any_host_name:
        raise SimuError(
            "--insecure-tls and --any-host-name exclude each other",
            hint="--insecure-tls verifies nothing, --any-host-name all but the name",
            exit_code=ExitCode.USAGE,
        )
    verification = TlsVerification.FULL
    if any_host_name:
        verification = TlsVerification.NO_HOST_NAME
    if insecure_tls:
        verification = TlsVerification.NONE
    given = {name: path for name, path in paths.items() if path is not None}
    found = _found(pki, environment, SecurityProfile(profile), given)
    asked = SecurityOptions(
        profile=SecurityProfile(profile),
        user=user,
        verification=verification,
        sources=SecretSources(
            password=None if password is None else Password(password),
            paths=given | found,
            from_pki=frozenset(found),
        ),
    )
    asked.sources.require(asked.profile, verification)
    if password is not None:
        say("warning: a password on the command line is seen by others: --password-file FILE")
    if insecure_tls:
        say("warning: --insecure-tls: anybody is believed to be the CSMS")
    if any_host_name:
        say("warning: --any-host-name: the CSMS's certificate may be made out to any name")
    return asked


def _found(
    pki: Path | None, environment: str, profile: SecurityProfile, given: dict[str, Path]
) -> dict[str, Path]:
    """Return what a PKI has of what is not given, and say so."""
    if pki is None and profile < SecurityProfile.TLS:
        return {}
    from supervisor_cli.pki_sources import from_pki  # noqa: PLC0415 - costs 50 ms

    found = from_pki(pki, environment, profile, given)
    if found:
        say(f"from the PKI: {', '.join(map(str, dict.fromkeys(found.values())))}")
    return found


def paths_of(
    password_file: Path | None,
    root_ca: Path | None,
    client_cert: Path | None,
    client_key: Path | None,
    manufacturer_ca: Path | None,
) -> dict[str, Path | None]:
    """Return the options' paths by the name of the file in a container."""
    return {
        secrets.AUTHORIZATION_KEY: password_file,
        secrets.ROOT_CA: root_ca,
        secrets.CLIENT_CERT: client_cert,
        secrets.CLIENT_KEY: client_key,
        secrets.MANUFACTURER_CA: manufacturer_ca,
    }
