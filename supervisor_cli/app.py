"""The root of simuctl: global options, and the one place where commands are listed."""

from typing import Annotated, Final

import typer

from launcher.api import DEFAULT_ENVIRONMENT
from supervisor_cli.context import Seams, build_settings
from supervisor_cli.late_commands import LateGroup, Panel
from supervisor_cli.state import BROKER_VARIABLE, ENVIRONMENT_VARIABLE

PANELS: Final[tuple[Panel, ...]] = (
    (
        "Environment",
        {
            "environment": ("up", "down", "doctor", "images"),
            "demo": ("demo",),
            "version": ("version",),
        },
    ),
    (
        "Fleet",
        {
            "add": ("add",),
            "lifecycle": ("kill", "stop", "restart", "rm", "freeze", "thaw", "cut", "mend"),
            "setup": ("setup",),
        },
    ),
    (
        "At the charge point",
        {
            "car": ("plug", "unplug", "tag"),
            "charging": ("ready", "suspend", "draw"),
            "faults": ("fault", "unfault", "emergency"),
            "configuration": ("config",),
            "data_transfer": ("data-transfer",),
            "security_event": ("security-event",),
        },
    ),
    (
        "Look",
        {
            "look": ("ls", "show", "wait"),
            "watch": ("watch",),
            "trace": ("trace",),
            "logs": ("logs",),
        },
    ),
    ("CSMS and security", {"csms": ("csms",), "pki": ("pki",)}),
    ("For other programs", {"schema": ("schema",), "asyncapi": ("asyncapi",)}),
)
"""What `simuctl --help` lists, in this order: modules of `supervisor_cli.commands`, and theirs."""


class Root(LateGroup):
    """The commands of simuctl."""

    panels = PANELS


EXAMPLES: Final = """\b
Examples:
  simuctl up
  simuctl add CP-0001 -u ws://localhost:9000/ocpp
  simuctl plug CP-0001
  simuctl tag CP-0001 TAG1
  simuctl wait CP-0001 Charging
  simuctl ls
"""

EXIT_CODES: Final = """
Exit codes:
  0    done
  1    refused or failed: unknown charge point, a state that does not allow it
  2    the command line is wrong
  3    the engine, the broker or the launcher cannot be reached
  4    what was waited for did not come in time
  130  interrupted
"""

app: Final = typer.Typer(
    name="simuctl",
    cls=Root,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - the signature of an option's callback
    if asked:
        from importlib import metadata  # noqa: PLC0415 - costs 30 ms that only this needs

        typer.echo(f"simuctl {metadata.version('cp-simu')}")
        raise typer.Exit


@app.callback(epilog=f"{EXAMPLES}{EXIT_CODES}")
def root(
    context: typer.Context,
    *,
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment",
            "-e",
            metavar="NAME",
            show_default=DEFAULT_ENVIRONMENT,
            help=f"Which environment; also {ENVIRONMENT_VARIABLE}.",
        ),
    ] = None,
    broker: Annotated[
        str | None,
        typer.Option(
            "--broker",
            metavar="HOST:PORT",
            show_default="where `simuctl up` started it, else 127.0.0.1:1883",
            help=f"Its MQTT broker; also {BROKER_VARIABLE}.",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - the callback acts on it
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Run a fleet of simulated EV charge points: one container each, talking OCPP to your CSMS."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit
    seams = context.obj if isinstance(context.obj, Seams) else Seams()
    context.obj = build_settings(environment, broker, seams)
