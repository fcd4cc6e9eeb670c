"""The options that take fleet files, and secrets for those that name none."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cp_image.api.secrets import SecurityProfile
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.terminal import say

if TYPE_CHECKING:
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
    int, typer.Option("--first", metavar="N", min=0, help="The number of the first.")
]
_MOST_NOTES: Final = 10


def note(fleet: "Fleet") -> None:
    """Say what stands in fleet files and is ignored."""
    for each in fleet.notes[:_MOST_NOTES]:
        say(f"note: {each}")
    if len(fleet.notes) > _MOST_NOTES:
        say(f"note: … and {len(fleet.notes) - _MOST_NOTES} more")


def supplied(
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


def is_given(context: typer.Context, name: str) -> bool:
    """Whether a parameter stands on the command line itself, not in the environment."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
