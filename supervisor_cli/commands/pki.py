"""The commands below `pki`: certificates for tests."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from supervisor_cli.commands.options import AsJson, examples
from supervisor_cli.context import settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.terminal import data_console, print_json

if TYPE_CHECKING:
    from supervisor_cli.certificate_description import Description
    from supervisor_cli.certificates import KeyKind, Validity
    from supervisor_cli.pki import Pki

_DEFAULT_DIRECTORY: Final = "~/.local/share/cp-simu/ENVIRONMENT/pki"

PkiDirectory = Annotated[
    Path | None,
    typer.Option(
        "--pki", metavar="DIR", show_default=_DEFAULT_DIRECTORY, help="Directory of the test PKI."
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="Host name or IP address of the CSMS beside localhost, 127.0.0.1, ::1 and this "
        "machine's name; may be repeated.",
    ),
]
Rsa = Annotated[bool, typer.Option("--rsa", help="RSA keys of 2048 bits, instead of EC P-256.")]
Days = Annotated[
    int, typer.Option("--days", metavar="N", min=1, max=36_500, help="How long valid.")
]


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    group = typer.Typer(no_args_is_help=True, help="Make certificates for tests of security.")
    group.command(
        epilog=examples(
            "simuctl pki init",
            "simuctl pki init --name csms.local --pki ./pki",
            "simuctl pki init --intermediate --replace",
        )
    )(init)
    group.command(
        epilog=examples(
            "simuctl pki issue CP-0001 CP-0002",
            "simuctl pki issue CP-0003 --expired",
            "simuctl pki issue --csms --name other.example.com --not-yet-valid",
            "simuctl pki issue --firmware --rsa",
        )
    )(issue)
    group.command(
        epilog=examples(
            "simuctl pki sign-firmware fw-2.0.1.bin", "simuctl pki sign-firmware fw.bin --json"
        )
    )(sign_firmware)
    group.command(epilog=examples("simuctl pki show", "simuctl pki show --json"))(show)
    app.add_typer(group, name="pki")


def init(
    context: typer.Context,
    *,
    pki: PkiDirectory = None,
    name: Names = None,
    rsa: Rsa = False,
    days: Days = 365,
    intermediate: Annotated[
        bool,
        typer.Option("--intermediate", help="Let a CA that the root has signed sign all else."),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where there is a PKI already.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a root CA and the certificate of a CSMS on this machine."""
    from supervisor_cli.certificates import Validity  # noqa: PLC0415 - costs 50 ms
    from supervisor_cli.pki import Pki, usual_names  # noqa: PLC0415

    made = Pki.create(
        _directory(context, pki), _kind(rsa=rsa), intermediate=intermediate, replace=replace
    )
    made.issue_csms([*usual_names(), *(name or ())], _kind(rsa=rsa), Validity.of(days))
    if as_json:
        print_json({"directory": str(made.directory), "certificates": _described(made)})
        return
    authorities = "a root CA, an intermediate CA" if intermediate else "a root CA"
    data_console().print(f"{authorities} and the certificate of a CSMS are in {made.directory}")


def issue(  # noqa: PLR0913 - the options of a certificate
    context: typer.Context,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Charge point ids: common names.")
    ] = None,
    *,
    csms: Annotated[
        bool, typer.Option("--csms", help="Issue the CSMS's certificate anew.")
    ] = False,
    firmware: Annotated[
        bool, typer.Option("--firmware", help="Issue anew the certificate that signs firmware.")
    ] = False,
    pki: PkiDirectory = None,
    name: Names = None,
    rsa: Rsa = False,
    days: Days = 365,
    expired: Annotated[
        bool, typer.Option("--expired", help="Valid until a day ago, to test with.")
    ] = False,
    not_yet_valid: Annotated[
        bool, typer.Option("--not-yet-valid", help="Valid from tomorrow on, to test with.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Issue certificates of charge points, of the CSMS, of who signs firmware, and their keys."""
    from supervisor_cli.pki import Pki, usual_names  # noqa: PLC0415 - costs 50 ms

    if not ids and not csms and not firmware:
        raise _usage("nothing is asked for: name charge point ids, --csms or --firmware")
    if name and not csms:
        raise _usage("--name goes with --csms: a charge point's certificate has its id")
    validity = _validity(days, expired=expired, not_yet_valid=not_yet_valid)
    issuer = Pki.open(_directory(context, pki))
    for each in ids or ():
        issuer.charge_point(each)  # what is wrong with a word is said before anything is made
    issued: list[tuple[Path, Path]] = []
    if csms:
        issuer.issue_csms([*usual_names(), *(name or ())], _kind(rsa=rsa), validity)
        issued.append(issuer.csms)
    if firmware:
        issuer.issue_firmware(_kind(rsa=rsa), validity)
        issued.append(issuer.firmware)
    for each in dict.fromkeys(ids or ()):
        issuer.issue_charge_point(each, _kind(rsa=rsa), validity)
        issued.append(issuer.charge_point(each))
    if as_json:
        print_json([{"certificate": str(cert), "key": str(key)} for cert, key in issued])
        return
    for certificate, key in issued:  # one line each, so that a script can read them
        data_console().print(f"{certificate} {key}", markup=False, soft_wrap=True)


def sign_firmware(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The firmware.")],
    *,
    pki: PkiDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Sign a file for SignedUpdateFirmware; print the signature, base64.

    With --json it is signature and signingCertificate, as the field firmware of the request has
    them.
    """
    from supervisor_cli.pki import Pki  # noqa: PLC0415 - costs 50 ms

    signed = Pki.open(_directory(context, pki)).sign_firmware(file)
    if as_json:
        print_json(
            {"signature": signed.signature, "signingCertificate": signed.signing_certificate}
        )
    else:
        data_console().print(signed.signature, markup=False, soft_wrap=True)


def show(context: typer.Context, *, pki: PkiDirectory = None, as_json: AsJson = False) -> None:
    """Show what certificates there are, until when they are valid, and their fingerprints."""
    from supervisor_cli.pki import Pki  # noqa: PLC0415 - costs 50 ms

    opened = Pki.open(_directory(context, pki))
    if as_json:
        print_json(_described(opened))
    else:
        _print(opened)


def _print(pki: "Pki") -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from supervisor_cli.certificates import When  # noqa: PLC0415

    words = {When.NOW: "", When.EXPIRED: " (expired)", When.NOT_YET: " (not yet valid)"}
    table = Table("file", "subject", "names", "key", "valid from", "until", "SHA-256")
    for path, found in pki.descriptions():
        table.add_row(
            *(
                Text(cell, overflow="fold")
                for cell in (
                    str(path.relative_to(pki.directory)),
                    found.subject,
                    ", ".join(found.names),
                    found.key,
                    f"{found.validity.from_utc:%Y-%m-%d %H:%M}",
                    f"{found.validity.until_utc:%Y-%m-%d %H:%M}{words[found.when]}",
                    found.sha256[:16],
                )
            )
        )
    data_console().print(table)


def _described(pki: "Pki") -> list[dict[str, Any]]:
    return [_fields(path, found) for path, found in pki.descriptions()]


def _fields(path: Path, found: "Description") -> dict[str, Any]:
    return {
        "file": str(path),
        "subject": found.subject,
        "issuer": found.issuer,
        "names": list(found.names),
        "key": found.key,
        "valid_from": found.validity.from_utc,
        "valid_until": found.validity.until_utc,
        "valid": found.when.value,
        "serial": found.serial,
        "sha256": found.sha256,
    }


def _directory(context: typer.Context, given: Path | None) -> Path:
    from supervisor_cli.pki import default_directory  # noqa: PLC0415 - costs 50 ms

    return given or default_directory(settings(context).environment)


def _kind(*, rsa: bool) -> "KeyKind":
    from supervisor_cli.certificates import KeyKind  # noqa: PLC0415 - costs 50 ms

    return KeyKind.RSA if rsa else KeyKind.EC


def _validity(days: int, *, expired: bool, not_yet_valid: bool) -> "Validity":
    from supervisor_cli.certificates import Validity, When  # noqa: PLC0415 - costs 50 ms

    if expired and not_yet_valid:
        raise _usage("--expired and --not-yet-valid exclude each other")
    when = When.EXPIRED if expired else When.NOT_YET if not_yet_valid else When.NOW
    return Validity.of(days, when)


def _usage(text: str) -> SimuError:
    return SimuError(text, hint="simuctl pki issue --help", exit_code=ExitCode.USAGE)
