"""The command trace."""

import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor_cli.commands.each import each_of
from supervisor_cli.commands.options import (
    ChargePointIds,
    Everything,
    InputTimeout,
    examples,
)
from supervisor_cli.context import Settings, run, settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.outcomes import Told, tell
from supervisor_cli.selection import later_ones, need_words, select
from supervisor_cli.terminal import data_console, say

if TYPE_CHECKING:
    from supervisor_cli.client import SimuClient
    from supervisor_cli.frame_stream import TracedFrame
    from supervisor_cli.trace_line import FrameFilter

Show = Callable[["TracedFrame"], None]


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "simuctl trace CP-0001",
            "simuctl trace CP-0001 --last 100 --action StartTransaction --action StopTransaction",
            "simuctl trace 'CP-*' -f --action 'Meter*'",
            "simuctl trace --all -f --last 0 --json | jq .message",
            'simuctl trace CP-0001 -f --grep \'"idTag":"TAG1"\'',
        )
    )(trace)


def trace(  # noqa: PLR0913 - the options of a command
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what passes, until Ctrl-C.")
    ] = False,
    last: Annotated[
        int,
        typer.Option(
            "--last",
            "-n",
            metavar="N",
            min=0,
            max=1000,
            help="How many of those that have passed, of each; it keeps 200.",
        ),
    ] = 20,
    action: Annotated[
        list[str] | None,
        typer.Option(
            "--action", metavar="ACTION", help="Only calls of it, and answers; may be repeated."
        ),
    ] = None,
    grep: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="Only frames in whose JSON it is found."),
    ] = None,
    timeout: InputTimeout = 10.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: an object per frame.")
    ] = False,
) -> None:
    """Show the OCPP frames of charge points: → to the CSMS, ← from it."""
    from supervisor_cli.trace_line import FrameFilter  # noqa: PLC0415 - Rich costs 50 ms

    wanted = FrameFilter(actions=action or (), text=_pattern(grep))
    show = _filtered(wanted, _json_line if as_json else _line)
    need_words(ids or [], everything=everything)
    if follow:
        run(_follow(settings(context), ids or [], last, show, everything=everything))
    else:
        _look_back(settings(context), ids, last, timeout, show, everything=everything)


def _look_back(
    wanted: Settings,
    ids: Sequence[str] | None,
    last: int,
    timeout_s: float,
    show: Show,
    *,
    everything: bool,
) -> None:
    from supervisor_cli.frame_stream import TracedFrame  # noqa: PLC0415 - MQTT costs 100 ms

    found: list[TracedFrame] = []

    async def one(simu: "SimuClient", charge_point_id: str) -> Told:
        frames = await simu.recent_frames(charge_point_id, last=last, timeout_s=timeout_s)
        found.extend(TracedFrame(charge_point_id=charge_point_id, frame=each) for each in frames)
        return Told(charge_point_id=charge_point_id, text=f"{len(frames)} frames")

    outcomes = each_of(wanted, ids, one, everything=everything)
    for each in sorted(found, key=lambda it: (it.frame.at, it.charge_point_id, it.frame.n)):
        show(each)
    failed = [each for each in outcomes if not each.ok]
    if failed:
        tell(outcomes, as_json=False, only_failures=True)


async def _follow(
    wanted: Settings, words: Sequence[str], last: int, show: Show, *, everything: bool
) -> None:
    from contextlib import aclosing  # noqa: PLC0415

    async with wanted.client() as simu:
        if everything and not simu.view.by_id:
            say("there are no charge points yet: waiting for them")
            ids = []
        else:
            ids = select(simu.view.by_id, words, everything=everything)
        frames = simu.frames(
            ids,
            last=last,
            on_note=lambda name, note: say(f"{name} {note}".lstrip()),
            also=later_ones(words, everything=everything),
        )
        async with aclosing(frames):
            async for traced in frames:
                show(traced)


def _filtered(wanted: "FrameFilter", show: Show) -> Show:
    return lambda traced: show(traced) if wanted.takes(traced) else None


def _line(traced: "TracedFrame") -> None:
    from supervisor_cli.trace_line import line  # noqa: PLC0415

    data_console().print(line(traced), soft_wrap=True)
    sys.stdout.flush()  # whoever reads a pipe waits for it


def _json_line(traced: "TracedFrame") -> None:
    import msgspec  # noqa: PLC0415

    from supervisor_cli.trace_line import json_line  # noqa: PLC0415

    sys.stdout.write(msgspec.json.encode(json_line(traced)).decode() + "\n")
    sys.stdout.flush()


def _pattern(regex: str | None) -> re.Pattern[str] | None:
    if regex is None:
        return None
    try:
        return re.compile(regex)
    except re.error as exc:
        raise SimuError(
            f"--grep {regex!r} is no regular expression: {exc}",
            hint="plain words are; put a \\ before what is special",
            exit_code=ExitCode.USAGE,
        ) from exc
