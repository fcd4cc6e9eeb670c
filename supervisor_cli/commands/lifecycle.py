"""Commands on charge points that are there: kill, stop, restart, rm, freeze, thaw, cut, mend."""

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launcher.api import Answer, CommandType, ErrorCode
from supervisor_cli.acceptance import accepted
from supervisor_cli.commands.confirmation import confirm_removal
from supervisor_cli.commands.options import (
    AsJson,
    ChargePointIds,
    Everything,
    NoWait,
    Timeout,
    examples,
)
from supervisor_cli.context import Settings, run, settings
from supervisor_cli.outcomes import Told, from_answer, tell
from supervisor_cli.selection import need_words, select
from supervisor_cli.stages import stages
from supervisor_cli.terminal import say

if TYPE_CHECKING:
    import asyncio

    from supervisor_cli.client import SimuClient


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command(epilog=examples("simuctl kill CP-0001", "simuctl kill 'CP-*'"))(kill)
    app.command(epilog=examples("simuctl stop CP-0001", "simuctl stop --all"))(stop)
    app.command(epilog=examples("simuctl restart CP-0001", "simuctl restart --all --no-wait"))(
        restart
    )
    app.command(epilog=examples("simuctl rm CP-0001", "simuctl rm --all --yes"))(rm)
    for command in (freeze, thaw, cut, mend):
        name = command.__name__
        app.command(epilog=examples(f"simuctl {name} CP-0001", f"simuctl {name} 'CP-*'"))(command)


def kill(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Cut the power of charge points; what they remember stays, and the car stays plugged."""
    _act(context, ids, CommandType.KILL, ("killing", "killed"), everything, as_json)


def stop(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """End charge points in order: they say goodbye; what they remember stays."""
    _act(context, ids, CommandType.STOP, ("stopping", "stopped"), everything, as_json)


def freeze(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Hang charge points: they do nothing any more, but their connections stay open."""
    _act(context, ids, CommandType.FREEZE, ("freezing", "frozen"), everything, as_json)


def thaw(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Let frozen charge points go on where they hung."""
    _act(context, ids, CommandType.THAW, ("thawing", "thawed"), everything, as_json)


def cut(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Take charge points their network until it is mended; the car stays, and charges on."""
    _act(context, ids, CommandType.CUT, ("cutting off", "cut off"), everything, as_json)


def mend(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Give charge points that are cut off their network back."""
    _act(context, ids, CommandType.MEND, ("mending", "mended"), everything, as_json)


def restart(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    no_wait: NoWait = False,
    timeout: Timeout = 60.0,
    as_json: AsJson = False,
) -> None:
    """Give charge points their power back, with all they remember; a living one is cut first."""
    outcomes = run(
        _command(
            settings(context),
            CommandType.RESTART,
            ids or [],
            everything=everything,
            verb="restarting",
            done="restarted",
            wait_s=None if no_wait else timeout,
        )
    )
    tell(outcomes, as_json=as_json)


def rm(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove charge points with all they remember."""
    wanted = settings(context)
    outcomes = run(_remove(wanted, ids or [], everything=everything, asked=yes))
    tell(outcomes, as_json=as_json)


def _act(
    context: typer.Context,
    ids: list[str] | None,
    kind: CommandType,
    verb_and_done: tuple[str, str],
    everything: bool,  # noqa: FBT001 - handed on
    as_json: bool,  # noqa: FBT001 - handed on
) -> None:
    verb, done = verb_and_done
    outcomes = run(
        _command(settings(context), kind, ids or [], everything=everything, verb=verb, done=done)
    )
    tell(outcomes, as_json=as_json)


async def _command(
    wanted: Settings,
    kind: CommandType,
    named: Sequence[str],
    *,
    everything: bool,
    verb: str,
    done: str,
    wait_s: float | None = None,
) -> list[Told]:
    need_words(named, everything=everything)
    async with wanted.client() as simu:
        ids = select(simu.view.by_id, named, everything=everything)
        answer = await _begun(
            simu.command(kind, ids, lambda each: shown.show(verb, each.done, each.total))
        )
        with stages() as shown:
            shown.show(verb, 0, len(ids))
            outcomes = from_answer(await answer, done=done, about=simu)
            if kind is CommandType.RESTART:
                outcomes = await accepted(simu, outcomes, wait_s, say, shown.show)
            return outcomes


async def _remove(
    wanted: Settings, named: Sequence[str], *, everything: bool, asked: bool
) -> list[Told]:
    need_words(named, everything=everything)
    async with wanted.client() as simu:
        ids = select(simu.view.by_id, named, everything=everything)
        if not asked:
            await _confirm(wanted, ids)
        answer = await _begun(
            simu.command(
                CommandType.REMOVE, ids, lambda each: shown.show("removing", each.done, each.total)
            )
        )
        with stages() as shown:
            shown.show("removing", 0, len(ids))
            outcomes = from_answer(await answer, done="removed", about=simu)
            return [await _cleared(simu, each) for each in outcomes]


async def _begun(command: Coroutine[Any, Any, Answer]) -> "asyncio.Task[Answer]":
    """Let a command go out; what shows how far it is, is loaded while the launcher is at it."""
    import asyncio  # noqa: PLC0415

    task = asyncio.create_task(command)
    await asyncio.sleep(0)
    return task


async def _cleared(simu: "SimuClient", outcome: Told) -> Told:
    """Remove what the broker alone remembers of a charge point."""
    if outcome.code != ErrorCode.UNKNOWN_CHARGE_POINT:
        return outcome
    if simu.view.get(outcome.charge_point_id) is None:
        return outcome
    await simu.clear(outcome.charge_point_id)
    return Told(
        charge_point_id=outcome.charge_point_id, text="removed: only the broker remembered it"
    )


async def _confirm(wanted: Settings, ids: Sequence[str]) -> None:
    import asyncio  # noqa: PLC0415

    what = ids[0] if len(ids) == 1 else f"{len(ids)} charge points ({', '.join(ids)})"
    # In a thread, so that the connection stays alive while somebody thinks.
    await asyncio.to_thread(
        confirm_removal,
        wanted,
        what,
        hint="--yes removes without asking",
        declined="nothing was removed",
    )
