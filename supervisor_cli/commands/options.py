"""The arguments and options that several commands share."""

from typing import Annotated

import typer

from supervisor_cli.completion import charge_point_ids
from supervisor_cli.state import DEFAULT_PORT

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
Battery = Annotated[
    float | None,
    typer.Option(
        "--battery",
        metavar="WH",
        min=100,
        max=1e7,
        help="Capacity of a battery, which then decides what the car asks for.",
    ),
]
StateOfCharge = Annotated[
    float | None,
    typer.Option(
        "--soc",
        metavar="PCT",
        min=0,
        max=100,
        show_default="20",
        help="State of charge of the battery.",
    ),
]
BrokerPort = Annotated[
    int | None,
    typer.Option(
        metavar="PORT",
        min=0,
        max=65535,
        show_default=f"as it is; at first {DEFAULT_PORT}",
        help="Of the broker; 0 for any free one.",
    ),
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
