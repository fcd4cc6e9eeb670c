"""The command asyncapi."""

import typer

from supervisor_cli.commands.options import AsJson, examples
from supervisor_cli.terminal import print_json


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(epilog=examples("simuctl asyncapi", "simuctl asyncapi --json"))(asyncapi)


def asyncapi(*, as_json: AsJson = False) -> None:
    """Print the MQTT interface as an AsyncAPI 3.0 document."""
    from importlib import metadata  # noqa: PLC0415 - costs 30 ms that only this needs

    from supervisor_cli import asyncapi as interface  # noqa: PLC0415 - likewise 60 ms

    version = metadata.version("cp-simu")
    if as_json:
        print_json(interface.document(version))
    else:
        typer.echo(interface.text(version), nl=False)
