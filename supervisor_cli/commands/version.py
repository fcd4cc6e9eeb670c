"""The command version."""

import typer

from supervisor_cli.commands.options import AsJson, examples
from supervisor_cli.context import settings
from supervisor_cli.terminal import data_console, print_json


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(epilog=examples("simuctl version", "simuctl version --json"))(version)


def version(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show which simuctl, launcher, engine and images are at work."""
    from supervisor_cli import versions  # noqa: PLC0415 - the engine's client costs 200 ms

    found = versions.look_up(settings(context).environment)
    if as_json:
        print_json(found.builtins())
        return
    for thing, said in found.lines():
        data_console().print(f"{thing:<9} {said}", markup=False, soft_wrap=True)
