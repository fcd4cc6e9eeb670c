"""The command logs."""

import itertools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from supervisor_cli.commands.options import ChargePointIds, Everything, examples
from supervisor_cli.context import settings
from supervisor_cli.selection import later_ones, need_words, select, unknown_charge_point
from supervisor_cli.terminal import data_console, printable, say

if TYPE_CHECKING:
    from supervisor_cli.log_line import LogLine

_COLOURS: Final = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green")


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "simuctl logs CP-0001",
            "simuctl logs CP-0001 -f --tail 0",
            "simuctl logs 'CP-*' -f",
            "simuctl logs --all --tail 1000 --json | jq 'select(.level == \"ERROR\")'",
        )
    )(logs)


def logs(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is logged, until Ctrl-C.")
    ] = False,
    tail: Annotated[
        int,
        typer.Option("--tail", "-n", metavar="N", min=0, help="How many lines of each come first."),
    ] = 100,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: an object per line.")
    ] = False,
) -> None:
    """Show what charge points have logged, from their containers: it needs no broker."""
    from supervisor_cli import charge_point_logs, engine, environment  # noqa: PLC0415 - 200 ms

    need_words(ids or [], everything=everything)
    name = settings(context).environment
    client = engine.connect()
    known = environment.charge_point_ids(client, name)
    if follow and everything and not known:
        say("there are no charge points yet: waiting for them")
        wanted = []
    else:
        wanted = select(known, ids or [], everything=everything)
    for absent in (each for each in wanted if each not in known):
        raise unknown_charge_point(absent, known, name)
    also = later_ones(ids or [], everything=everything)
    several = len(wanted) != 1 or (follow and also(wanted[0]))
    show = _json_line if as_json else _prefixed(wanted) if several else _plain_line
    lines = (
        charge_point_logs.LogFollower(name, wanted, also=also).lines(tail)
        if follow
        else charge_point_logs.recent(client, name, wanted, tail)
    )
    for line in lines:
        show(line)


def _prefixed(ids: list[str]) -> Callable[["LogLine"], None]:
    """Return what prints a line and whose it is; others than these may come later."""
    width = max((len(each) for each in ids), default=0)
    colours = itertools.cycle(_COLOURS)
    colour_of = {each: next(colours) for each in ids}

    def show(line: "LogLine") -> None:
        whose = line.charge_point_id
        if whose not in colour_of:
            colour_of[whose] = next(colours)
        _print(line, (f"{whose:<{width}} | ", colour_of[whose]))

    return show


def _plain_line(line: "LogLine") -> None:
    _print(line, ("", ""))


def _print(line: "LogLine", prefix: tuple[str, str]) -> None:
    from rich.text import Text  # noqa: PLC0415

    data_console().print(Text.assemble(prefix, printable(line.text)), soft_wrap=True)
    sys.stdout.flush()  # whoever reads a pipe waits for it


def _json_line(line: "LogLine") -> None:
    import msgspec  # noqa: PLC0415

    sys.stdout.write(msgspec.json.encode(line.fields()).decode() + "\n")
    sys.stdout.flush()
