"""The command watch."""

import os
import sys
from typing import Annotated, Final

import typer

from supervisor_cli.commands.fleet_options import CENTRAL_SYSTEM_VARIABLE
from supervisor_cli.commands.options import examples
from supervisor_cli.context import Settings, run, settings
from supervisor_cli.errors import ExitCode, SimuError

_KEEPALIVE_S: Final = 4
"""A broker that says nothing any more is found out within seconds."""


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(epilog=examples("simuctl watch", "simuctl -e ci-42 watch"))(watch)


def watch(
    context: typer.Context,
    *,
    central_system: Annotated[
        str,
        typer.Option(
            "--central-system",
            "-u",
            metavar="URL",
            envvar=CENTRAL_SYSTEM_VARIABLE,
            show_default="that of most of the fleet",
            help="CSMS URL that new charge points get unless told otherwise.",
        ),
    ] = "",
) -> None:
    """Watch and drive the fleet live: a dashboard in the terminal; ? shows its keys."""
    # Textual draws on stderr.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise SimuError(
            "watch needs a terminal, for what it shows and for its keys",
            hint="simuctl ls shows the fleet once; --json is for programs",
            exit_code=ExitCode.USAGE,
        )
    if os.environ.get("TERM") == "dumb":
        raise SimuError(
            "watch needs a terminal that can move its cursor, and TERM is dumb",
            hint="simuctl ls shows the fleet once",
            exit_code=ExitCode.USAGE,
        )
    run(_watch(settings(context), central_system))


async def _watch(wanted: Settings, central_system: str) -> None:
    from supervisor_cli.container_logs import ContainerLogs  # noqa: PLC0415 - engine: 200 ms
    from supervisor_cli.dashboard.app import Watch  # noqa: PLC0415 - Textual: 300 ms

    logs = ContainerLogs(wanted.environment)
    async with wanted.client(keepalive_s=_KEEPALIVE_S) as simu:
        app = Watch(
            simu,
            central_system=central_system,
            logs=logs,
            open_store=wanted.secret_store,
        )
        try:
            await app.run_async()
        finally:
            logs.close()
        if app.failure is not None:
            raise app.failure
