"""The command schema."""

import typer

from supervisor_cli.commands.options import examples
from supervisor_cli.terminal import print_json


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "simuctl schema > fleet.schema.json",
            "# and in the first line of a fleet file:",
            "# yaml-language-server: $schema=fleet.schema.json",
        )
    )(schema)


def schema() -> None:
    """Print the JSON Schema of fleet files, for an editor that completes and checks them."""
    from launcher.fleet_file import schema as fleet_schema  # noqa: PLC0415 - few need it

    print_json(fleet_schema.schema())
