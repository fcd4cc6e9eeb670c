"""The options of `simuctl add` about a charge point's container."""

from typing import Annotated

import typer

from launcher.api import Networking, OnCrash

OnCrashOption = Annotated[
    OnCrash,
    typer.Option(
        "--on-crash",
        case_sensitive=False,
        help="When its process ends by itself: report it, or restart it, later each time.",
    ),
]
NetworkingOption = Annotated[
    Networking,
    typer.Option(
        "--networking",
        case_sensitive=False,
        help="bridge: an address of its own; host: the engine's own network, for density.",
    ),
]
MemoryOption = Annotated[
    int | None,
    typer.Option("--memory", metavar="MIB", show_default="128", help="Memory of its container."),
]
CpusOption = Annotated[
    float | None,
    typer.Option("--cpus", metavar="N", show_default="1", help="Processors' time it may use."),
]
PidsOption = Annotated[
    int | None,
    typer.Option(
        "--pids", metavar="N", show_default="64", help="Processes and threads it may have."
    ),
]
LogOption = Annotated[
    int | None,
    typer.Option("--log", metavar="MB", show_default="1", help="Size of each of its 2 log files."),
]
