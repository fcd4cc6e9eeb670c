"""The command csms."""

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cp_image.api.secrets import SecurityProfile
from supervisor_cli.commands.options import examples
from supervisor_cli.commands.pki import PkiDirectory
from supervisor_cli.context import run, settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.terminal import printable, say

if TYPE_CHECKING:
    import ssl

    from supervisor_cli.csms_door import Login, Refusal
    from supervisor_cli.frame_line import FrameRecord

_PORT: Final = 9000


class TlsVersion(StrEnum):
    """The versions of TLS that OCPP allows (Security Whitepaper §2)."""

    V1_2 = "1.2"
    V1_3 = "1.3"


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "simuctl csms",
            "simuctl csms --host 0.0.0.0 --port 8180",
            "simuctl csms --security-profile 2 --passwords passwords.json",
            "simuctl csms --json",
        )
    )(csms)


def csms(  # noqa: PLR0913 - the options of a server
    context: typer.Context,
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of this machine to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="0 for any free one.")
    ] = _PORT,
    security_profile: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=3,
            help="0 none, 1 password, 2 TLS and password, 3 TLS with certificates on both sides.",
        ),
    ] = 0,
    pki: PkiDirectory = None,
    password: Annotated[
        str | None,
        typer.Option(metavar="PASSWORD", help="Of every charge point; hex:… for raw bytes."),
    ] = None,
    passwords: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='A password for each: JSON, {"CP-1":"…","CP-2":{"user":"…","password":"…"}}; '
            '"*" is every other one.',
        ),
    ] = None,
    tls: Annotated[
        TlsVersion | None, typer.Option("--tls", help="This version of TLS alone.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each frame as a line of JSON on stdout.")
    ] = False,
) -> None:
    """Run the central system in the box: it accepts any charge point and prints what it hears."""
    asked = _Asked(
        profile=SecurityProfile(security_profile),
        pki=pki,
        environment=settings(context).environment,
        password=password,
        passwords=passwords,
        tls=tls,
    )
    run(_serve(host, port, _security(asked), as_json=as_json))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The options about security."""

    profile: SecurityProfile
    pki: Path | None
    environment: str
    password: str | None
    passwords: Path | None
    tls: TlsVersion | None


def _security(asked: _Asked) -> dict[str, Any]:
    """Return what `DemoCsms` is given for a security profile.

    Raises:
        SimuError: an option is missing or does not fit the profile, or there is no PKI.
    """
    from supervisor_cli.pki import Pki, default_directory  # noqa: PLC0415 - costs 50 ms

    logins = _logins(asked)
    tls = asked.profile >= SecurityProfile.TLS
    if asked.tls is not None and not tls:
        raise _usage(f"--tls {asked.tls.value}: security profile {asked.profile:d} has no TLS")
    security: dict[str, Any] = {"passwords": logins}
    directory = asked.pki or default_directory(asked.environment)
    if not tls and asked.pki is None and not (directory / "root_ca.pem").exists():
        return security
    opened = Pki.open(directory)
    security["issuer"] = opened.sign
    if tls:
        mutual = asked.profile is SecurityProfile.MUTUAL_TLS
        security["require_client_certificate"] = mutual
        security["ssl"] = opened.server_context(
            require_client_certificate=mutual,
            only_version=_version(asked.tls),
        )
    return security


def _version(tls: TlsVersion | None) -> "ssl.TLSVersion | None":
    import ssl  # noqa: PLC0415 - costs 10 ms that --help need not pay

    match tls:
        case None:
            return None
        case TlsVersion.V1_2:
            return ssl.TLSVersion.TLSv1_2
        case TlsVersion.V1_3:
            return ssl.TLSVersion.TLSv1_3


def _logins(asked: _Asked) -> "dict[str, Login] | None":
    from supervisor_cli import passwords  # noqa: PLC0415 - only some need it

    wanted = asked.profile in {SecurityProfile.BASIC, SecurityProfile.TLS}
    given = asked.password is not None or asked.passwords is not None
    if given and not wanted:
        raise _usage(f"security profile {asked.profile:d} has no passwords")
    if wanted and not given:
        raise _usage(f"security profile {asked.profile:d} needs --password or --passwords")
    if not wanted:
        return None
    logins = {} if asked.passwords is None else passwords.read(asked.passwords)
    if asked.password is not None:
        logins[passwords.ANYBODY] = passwords.everybodys(asked.password)
    return logins


async def _serve(host: str, port: int, security: dict[str, Any], *, as_json: bool) -> None:
    import asyncio  # noqa: PLC0415 - costs 50 ms that --help need not pay
    import signal  # noqa: PLC0415

    from supervisor_cli.demo_csms import DemoCsms  # noqa: PLC0415

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def show(record: "FrameRecord") -> None:
        try:
            sys.stdout.write(f"{_json_line(record) if as_json else record}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            stop.set()  # the reader has left, which is its right

    def refused(refusal: "Refusal") -> None:
        say(printable(f"refused {refusal}"))

    try:
        async with DemoCsms(host, port, on_frame=show, on_refusal=refused, **security) as server:
            say(f"listening on {server.url}; Ctrl-C ends it")
            await stop.wait()
    except OSError as exc:
        raise SimuError(
            f"cannot listen on {host}:{port}: {exc.strerror or exc}",
            hint="another --port, or 0 for any free one",
        ) from exc


def _usage(text: str) -> SimuError:
    return SimuError(text, hint="simuctl csms --help", exit_code=ExitCode.USAGE)


def _json_line(record: "FrameRecord") -> str:
    """Return the frame as JSON: at, charge_point_id, direction (in or out), text, violation."""
    import msgspec  # noqa: PLC0415

    from supervisor_cli.frame_line import Direction  # noqa: PLC0415

    fields = {
        "at": record.at_utc,
        "charge_point_id": record.charge_point_id,
        "direction": "in" if record.direction is Direction.TO_CSMS else "out",
        "action": record.action,
        "frame": record.text,
        "violation": record.violation or None,
    }
    return msgspec.json.encode(fields).decode()
