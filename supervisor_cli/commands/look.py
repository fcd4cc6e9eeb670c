"""Commands that look: ls, show, wait."""

import time
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from cp_image.api.payloads import ChargePointState, ConnectorState
from cp_image.api.value import replace
from launcher.api import LauncherState
from supervisor_cli import json_output
from supervisor_cli.commands.options import AsJson, ChargePointIds, Everything, Timeout, examples
from supervisor_cli.completion import charge_point_ids
from supervisor_cli.context import Settings, run, settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView, FleetView
from supervisor_cli.outcomes import Told, for_each, tell
from supervisor_cli.selection import need_connector, need_words, select, unknown_charge_point
from supervisor_cli.spelling import did_you_mean
from supervisor_cli.terminal import data_console, print_json, say, talk_console

Wanted = ChargePointState | ConnectorState

_WORDS: Final[dict[str, Wanted]] = {
    state.casefold(): state for state in (*ChargePointState, *ConnectorState)
}


def ids_and_statuses(context: typer.Context, args: Sequence[str], incomplete: str) -> list[str]:
    """Return the ids and the statuses that begin so: to the shell both are words of a list."""
    folded = incomplete.casefold()
    statuses = [each.value for word, each in _WORDS.items() if word.startswith(folded)]
    return [*charge_point_ids(context, args, incomplete), *statuses]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command(name="ls", epilog=examples("simuctl ls", "simuctl ls 'CP-*'", "simuctl ls --json"))(
        list_charge_points
    )
    app.command(epilog=examples("simuctl show CP-0001", "simuctl show 'CP-*' --json"))(show)
    app.command(
        epilog=examples(
            "simuctl wait CP-0001 Accepted",
            "simuctl wait CP-0001 Charging -c 2 --timeout 30",
            "simuctl wait --all Available",
        )
    )(wait)


def list_charge_points(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All charge points; so it is without ids.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the charge points and their connectors."""
    if everything:
        need_words(ids or [], everything=everything)
    wanted = settings(context)
    view = run(_snapshot(wanted))
    if ids:
        view = _only(view, ids, wanted)
    if as_json:
        print_json([json_output.charge_point(each) for each in view.charge_points])
    else:
        from supervisor_cli import render  # noqa: PLC0415

        console = data_console() if view.charge_points else talk_console()
        table = render.fleet(view, environment=wanted.environment, columns=console.width)
        console.print(table)
        _print_notes(view)
    if view.launcher is not LauncherState.ALIVE:
        said = "says nothing" if view.launcher is None else "is Dead"
        say(
            f"the launcher {said}: nothing can be added, killed or restarted before it is up; "
            "simuctl doctor says how"
        )


def show(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Show all there is to know about charge points; as JSON one alone, or a list of several."""
    wanted = settings(context)
    need_words(ids or [], everything=everything)
    view = _only(run(_snapshot(wanted)), ids or [], wanted, everything=everything)
    if as_json:
        shown = [json_output.charge_point(each) for each in view.charge_points]
        alone = len(ids or []) == 1 and (ids or [])[0] in view.by_id
        print_json(shown[0] if alone else shown)
        return
    from supervisor_cli import render  # noqa: PLC0415

    for charge_point in view.charge_points:
        data_console().print(render.charge_point_detail(charge_point))
        _print_notes(view, charge_point.charge_point_id)


def wait(
    context: typer.Context,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="Charge point ids, or shell patterns such as 'CP-*'.",
            autocompletion=ids_and_statuses,
        ),
    ] = None,
    status: Annotated[
        str,
        typer.Argument(
            metavar="STATUS",
            help="Of the charge point: Disconnected, Rejected, Pending, Accepted, Dead; of a "
            "connector: Available, Preparing, Charging, SuspendedEVSE, SuspendedEV, Finishing, "
            "Reserved, Unavailable, Faulted.",
        ),
    ] = "",
    *,
    everything: Everything = False,
    connector: Annotated[
        int | None,
        typer.Option(
            "--connector",
            "-c",
            metavar="N",
            min=1,
            show_default="1 for a connector's status",
            help="Which connector.",
        ),
    ] = None,
    timeout: Timeout = 60.0,
    as_json: AsJson = False,
) -> None:
    """Wait until charge points, or a connector of each, have a status."""
    wanted = wanted_state(status, connector)
    number = (connector or 1) if isinstance(wanted, ConnectorState) else None
    words = ids or []
    outcomes = run(_wait(settings(context), words, wanted, number, timeout, everything=everything))
    tell(outcomes, as_json=as_json)


def wanted_state(word: str, connector: int | None) -> Wanted:
    """Return the status that a word means.

    Raises:
        SimuError: there is no such status, or a connector was named for one that only the
            whole charge point has (exit code 2).
    """
    state = _WORDS.get(word.casefold())
    of_charge_point, of_connector = ", ".join(ChargePointState), ", ".join(ConnectorState)
    if state is None:
        raise SimuError(
            f"{word!r} is no status" if word else "which status?",
            hint=did_you_mean(
                word,
                [each.value for each in _WORDS.values()],
                otherwise=f"of a charge point: {of_charge_point}; of a connector: {of_connector}",
            ),
            exit_code=ExitCode.USAGE,
        )
    if connector is not None and isinstance(state, ChargePointState):
        raise SimuError(
            f"{state} is a status of the whole charge point, not of connector {connector}",
            hint=f"leave out -c, or use one of {of_connector}",
            exit_code=ExitCode.USAGE,
        )
    return state


def has_state(view: FleetView, charge_point_id: str, state: Wanted, connector: int | None) -> bool:
    """Whether a charge point, or a connector of it, has a status now."""
    return _current(view.get(charge_point_id), connector) == state


async def _snapshot(wanted: Settings) -> FleetView:
    async with wanted.client() as simu:
        return simu.view.metered(time.time())


async def _wait(
    wanted: Settings,
    words: list[str],
    state: Wanted,
    connector: int | None,
    timeout_s: float,
    *,
    everything: bool,
) -> list[Told]:
    need_words(words, everything=everything)
    thing = "" if connector is None else f"connector {connector} "
    async with wanted.client() as simu:
        ids = select(simu.view.by_id, words, everything=everything)
        for absent in (each for each in ids if each not in simu.view.by_id):
            say(f"{absent} is not there yet; waiting for it")

        async def one(charge_point_id: str) -> Told:
            charge_point = simu.view.get(charge_point_id)
            if charge_point is not None and connector is not None:
                need_connector(charge_point, connector)
            try:
                await simu.wait_for(
                    lambda view: has_state(view, charge_point_id, state, connector),
                    timeout_s=timeout_s,
                )
            except SimuError as exc:
                raise _too_late(
                    simu.view, charge_point_id, f"{thing}{state}", connector, timeout_s
                ) from exc
            return Told(charge_point_id=charge_point_id, text=f"{thing}{state}")

        return await for_each(ids, one)


def _too_late(
    view: FleetView, charge_point_id: str, what: str, connector: int | None, timeout_s: float
) -> SimuError:
    charge_point = view.get(charge_point_id)
    is_now = _current(charge_point, connector)
    hint = f"simuctl show {charge_point_id}"
    if charge_point is None:
        hint = "simuctl ls shows those there are"
        now = "there is no such charge point"
    elif is_now is None and connector is not None and charge_point.alive:
        has = ", ".join(map(str, charge_point.connector_ids)) or "none yet"
        now = f"connector {connector} was not heard of; it has {has}"
    else:
        now = f"it is {is_now or charge_point.state or 'not heard of'}"
    return SimuError(
        f"{charge_point_id}: not {what} within {timeout_s:g} s: {now}",
        hint=hint,
        exit_code=ExitCode.TIMEOUT,
    )


def _current(charge_point: ChargePointView | None, connector: int | None) -> Wanted | None:
    if charge_point is None:
        return None
    if connector is None:
        return charge_point.state
    found = charge_point.connector(connector)
    return found.state if found is not None else None


def _only(
    view: FleetView, words: list[str], wanted: Settings, *, everything: bool = False
) -> FleetView:
    """Return the view with the named charge points alone; each has to be there."""
    ids = select(view.by_id, words, everything=everything)
    for absent in (each for each in ids if each not in view.by_id):
        raise unknown_charge_point(absent, view.by_id, wanted.environment)
    return replace(view, by_id={each: view.by_id[each] for each in ids})


def _print_notes(view: FleetView, charge_point_id: str | None = None) -> None:
    from supervisor_cli import render  # noqa: PLC0415

    noted = render.notes(view, charge_point_id)
    if noted is not None:
        talk_console().print(noted)
