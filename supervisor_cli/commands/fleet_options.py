"""The options that take fleet files, and secrets for those that name none."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cp_image.api.secrets import ROOT_CA, SecurityProfile, TlsVerification
from supervisor_cli.context import settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.secret_files import PLACE_OF_ID
from supervisor_cli.terminal import say

if TYPE_CHECKING:
    from launcher.fleet_file.wanted import WantedChargePoint
    from supervisor_cli.fleets import Fleet

FilesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="Charge points of a fleet file, YAML or JSON; - is stdin; may be repeated.",
    ),
]
CENTRAL_SYSTEM_VARIABLE: Final = "SIMU_CENTRAL_SYSTEM"
CentralSystemOption = Annotated[
    str | None,
    typer.Option(
        "--central-system",
        "-u",
        metavar="URL",
        envvar=CENTRAL_SYSTEM_VARIABLE,
        help="CSMS URL, ws:// or wss://, without the charge point id; wins over what files say.",
    ),
]
CountOption = Annotated[
    int | None,
    typer.Option("--count", metavar="N", min=0, max=10_000, help="How many charge points."),
]
PatternOption = Annotated[
    str | None,
    typer.Option(
        "--id", metavar="PATTERN", help="Their ids, as in 'CP-{n:04}': n counts from --first."
    ),
]
FirstOption = Annotated[
    int | None,
    typer.Option(
        "--first", metavar="N", min=0, show_default="1", help="The number of the first, with --id."
    ),
]
_MOST_NOTES: Final = 10
_MOST_IDS: Final = 3
_DANGERS: Final = (
    (TlsVerification.NONE, "believe anybody to be the CSMS"),
    (TlsVerification.NO_HOST_NAME, "let the CSMS's certificate be made out to any name"),
)


def read_files(
    context: typer.Context,
    files: Sequence[str],
    central_system: str | None,
    secret_paths: Mapping[str, Path | None],
    pki: Path | None,
) -> "Fleet":
    """Return what fleet files ask for, and say what is ignored, dangerous or not in the files.

    Args:
        context: of the command, which has `CentralSystemOption`.
        files: their names; ``-`` is stdin.
        central_system: on the command line it takes the place of what the files say; from the
            environment it fills in where they say nothing.
        secret_paths: for those that need secrets and name none.
        pki: likewise.

    Raises:
        SimuError: a file cannot be read, or is faulty.
    """
    from supervisor_cli.fleets import load_fleet  # noqa: PLC0415 - YAML costs 50 ms

    said = {"central_system": central_system} if central_system is not None else {}
    on_the_line = _is_given(context, "central_system")
    at_hand, of_pki = _supplied(secret_paths, pki, settings(context).environment)
    fleet = load_fleet(
        *files,
        supplied=at_hand,
        from_pki=of_pki,
        over=said if on_the_line else {},
        under={} if on_the_line else said,
    )
    _note(fleet)
    _say_what_a_pki_gives(fleet, at_hand, of_pki)
    return fleet


def _note(fleet: "Fleet") -> None:
    """Say what stands in fleet files and is ignored, and what is dangerous."""
    for verification, what in _DANGERS:
        ids = [
            each.id
            for each in fleet.charge_points
            if each.specification.tls_verification is verification
        ]
        if ids:
            say(f"warning: tls_verification {verification}: {some(ids)} {what}")
    for each in fleet.notes[:_MOST_NOTES]:
        say(f"note: {each}")
    if len(fleet.notes) > _MOST_NOTES:
        say(f"note: … and {len(fleet.notes) - _MOST_NOTES} more")


def _say_what_a_pki_gives(
    fleet: "Fleet", at_hand: Mapping[str, Path], of_pki: Collection[str]
) -> None:
    """Say which charge points get from a PKI what their file does not name."""

    def is_taken(wanted: "WantedChargePoint", name: str) -> bool:
        own = str(at_hand[name].absolute()).replace(PLACE_OF_ID, wanted.id)
        return wanted.paths.get(name) == own

    ids = [each.id for each in fleet.charge_points if any(is_taken(each, name) for name in of_pki)]
    if ids:
        folder = at_hand[ROOT_CA].parent if ROOT_CA in of_pki else ""
        say(f"from the PKI {folder}: what {some(ids)} need")


def some(ids: Sequence[str]) -> str:
    """Return a few ids, and how many more there are."""
    more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
    return ", ".join(ids[:_MOST_IDS]) + more


def _supplied(
    paths: Mapping[str, Path | None], pki: Path | None, environment: str
) -> tuple[dict[str, Path], frozenset[str]]:
    """Return where secrets are for those that need them and name none.

    Args:
        paths: of the options.
        pki: has what the options do not name; None is the environment's own.
        environment: whose.

    Returns:
        Paths by the names of `cp_image.api.secrets`, and which of them are the PKI's.
    """
    from supervisor_cli.pki_sources import from_pki  # noqa: PLC0415 - costs 50 ms

    given = {name: path for name, path in paths.items() if path is not None}
    found = from_pki(pki, environment, SecurityProfile.MUTUAL_TLS, given)
    return given | found, frozenset(found)


def given_options(context: typer.Context, allowed: Collection[str]) -> list[str]:
    """Return the options of the command line, but for those that are allowed, as they are spelt."""
    given = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        on_the_line = source is not None and source.name == "COMMANDLINE"
        if on_the_line and parameter.name not in allowed:
            given.append(parameter.opts[0] if parameter.opts[0].startswith("-") else "ids")
    return given


def refuse_beside(what: str, given: Collection[str]) -> None:
    """Refuse options that do not go together with another.

    Raises:
        SimuError: there are any (exit code 2).
    """
    if given:
        raise SimuError(
            f"{what} and {' and '.join(given)} exclude each other",
            hint="the file says it: simuctl schema describes fleet files",
            exit_code=ExitCode.USAGE,
        )


def _is_given(context: typer.Context, name: str) -> bool:
    """Whether a parameter stands on the command line itself, not in the environment."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
