"""The command csms."""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from supervisor_cli.commands.options import examples
from supervisor_cli.context import run
from supervisor_cli.errors import SimuError
from supervisor_cli.terminal import say

if TYPE_CHECKING:
    from supervisor_cli.frame_line import FrameRecord

_PORT: Final = 9000


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "simuctl csms", "simuctl csms --host 0.0.0.0 --port 8180", "simuctl csms --json"
        )
    )(csms)


def csms(
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of this machine to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="0 for any free one.")
    ] = _PORT,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each frame as a line of JSON on stdout.")
    ] = False,
) -> None:
    """Run the central system in the box: it accepts any charge point and prints what it hears."""
    run(_serve(host, port, as_json=as_json))


async def _serve(host: str, port: int, *, as_json: bool) -> None:
    import asyncio  # noqa: PLC0415 - costs 50 ms that --help need not pay
    import signal  # noqa: PLC0415

    from supervisor_cli.demo_csms import DemoCsms  # noqa: PLC0415

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def show(record: "FrameRecord") -> None:
        try:
            sys.stdout.write(f"{_json_line(record) if as_json else record}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            stop.set()  # the reader has left, which is its right

    try:
        async with DemoCsms(host, port, on_frame=show) as server:
            say(f"listening on {server.url}; Ctrl-C ends it")
            await stop.wait()
    except OSError as exc:
        raise SimuError(
            f"cannot listen on {host}:{port}: {exc.strerror or exc}",
            hint="another --port, or 0 for any free one",
        ) from exc


def _json_line(record: "FrameRecord") -> str:
    """Return the frame as JSON: at, charge_point_id, direction (in or out), text, violation."""
    import msgspec  # noqa: PLC0415

    from supervisor_cli.frame_line import Direction  # noqa: PLC0415

    fields = {
        "at": record.at_utc,
        "charge_point_id": record.charge_point_id,
        "direction": "in" if record.direction is Direction.TO_CSMS else "out",
        "action": record.action,
        "frame": record.text,
        "violation": record.violation or None,
    }
    return msgspec.json.encode(fields).decode()
