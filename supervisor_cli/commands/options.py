"""The arguments and options that several commands share."""

from typing import Annotated

import typer

from supervisor_cli.completion import charge_point_ids

ChargePointIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Charge point ids, or shell patterns such as 'CP-*'.",
        autocompletion=charge_point_ids,
    ),
]
InputTimeout = Annotated[
    float,
    typer.Option(
        "--timeout", metavar="SECONDS", min=0.1, help="How long a charge point may take to answer."
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="All charge points of the environment.")]
Connector = Annotated[
    int, typer.Option("--connector", "-c", metavar="N", min=1, help="Which connector.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long to wait.")
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Do not wait until the CSMS has accepted it.")
]


def examples(*lines: str) -> str:
    """Return the epilog that shows examples."""
    # \b keeps the lines as they are.
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
