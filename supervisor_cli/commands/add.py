"""The command add."""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
import typer

from cp_image.api.payloads import ChargePointType
from launcher.api import Specification
from launcher.fleet import central_system_fault
from supervisor_cli.acceptance import accepted
from supervisor_cli.commands.options import AsJson, NoWait, Timeout, examples
from supervisor_cli.context import Settings, run, settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.outcomes import Told, from_answer, progress_words, tell, words
from supervisor_cli.selection import next_free_id
from supervisor_cli.terminal import doing

CENTRAL_SYSTEM_VARIABLE: Final = "SIMU_CENTRAL_SYSTEM"


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "simuctl add -u ws://localhost:9000/ocpp",
            "simuctl add CP-7 CP-8 -u ws://localhost:9000/ocpp --phases 3 -n 2",
            "simuctl add FAST-1 -u wss://csms.example.com/ocpp --type DC",
        )
    )(add)


def add(  # noqa: PLR0913 - the options of a charge point
    context: typer.Context,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID", show_default="the next free of CP-0001, …", help="Charge point ids."
        ),
    ] = None,
    *,
    central_system: Annotated[
        str,
        typer.Option(
            "--central-system",
            "-u",
            metavar="URL",
            envvar=CENTRAL_SYSTEM_VARIABLE,
            help="CSMS URL, ws:// or wss://, without the charge point id.",
        ),
    ],
    kind: Annotated[
        ChargePointType, typer.Option("--type", "-t", case_sensitive=False, help="AC or DC.")
    ] = ChargePointType.AC,
    nb_connectors: Annotated[
        int, typer.Option("--connectors", "-n", metavar="N", help="How many connectors.")
    ] = 1,
    nb_phases: Annotated[
        int | None,
        typer.Option("--phases", metavar="N", show_default="1", help="1 to 3; DC has one."),
    ] = None,
    voltage: Annotated[
        float | None,
        typer.Option(
            "--voltage",
            metavar="V",
            show_default="AC 230, DC 400",
            help="Phase to neutral for AC.",
        ),
    ] = None,
    max_setpoint: Annotated[
        float | None,
        typer.Option(
            "--max-setpoint",
            metavar="LIMIT",
            show_default="AC 32 per connector, DC 300000",
            help="Of the whole charge point: A per phase for AC, W for DC.",
        ),
    ] = None,
    max_setpoint_per_connector: Annotated[
        float | None,
        typer.Option(
            "--max-setpoint-per-connector",
            metavar="LIMIT",
            show_default="--max-setpoint if given, else AC 32, DC 150000",
            help="Of each connector: A per phase for AC, W for DC.",
        ),
    ] = None,
    vendor: Annotated[str, typer.Option(help="Vendor it reports.")] = "cp-simu",
    model: Annotated[str, typer.Option(help="Model it reports.")] = "Simulated CP",
    serial: Annotated[
        str | None, typer.Option(show_default="its id", help="Serial number it reports.")
    ] = None,
    no_wait: NoWait = False,
    timeout: Timeout = 60.0,
    as_json: AsJson = False,
) -> None:
    """Start charge points, and wait until the CSMS has accepted them."""
    is_dc = kind is ChargePointType.DC
    if is_dc and nb_phases not in {None, 1}:
        raise SimuError(
            f"--phases {nb_phases}: a DC charge point has one", exit_code=ExitCode.USAGE
        )
    per_connector = max_setpoint_per_connector
    if per_connector is None:
        per_connector = max_setpoint if max_setpoint is not None else 150_000.0 if is_dc else 32.0
    if max_setpoint is None:
        max_setpoint = max(300_000.0, per_connector) if is_dc else per_connector * nb_connectors

    def specify(charge_point_id: str) -> Specification:
        return specification(
            id=charge_point_id,
            type=kind,
            vendor=vendor,
            model=model,
            serial=charge_point_id[:25] if serial is None else serial,
            nb_phases=nb_phases or 1,
            nb_connectors=nb_connectors,
            max_setpoint=max_setpoint,
            voltage=voltage if voltage is not None else 400.0 if is_dc else 230.0,
            max_setpoint_per_connector=per_connector,
            central_system=central_system,
        )

    wait_s = None if no_wait else timeout
    outcomes = run(_add(settings(context), list(dict.fromkeys(ids or [])), specify, wait_s))
    tell(outcomes, as_json=as_json)


def specification(**fields: object) -> Specification:
    """Return a specification, checked.

    Raises:
        SimuError: a field is out of its range, or the URL is no WebSocket URL (exit code 2).
    """
    try:
        checked = msgspec.convert(fields, Specification)
    except msgspec.ValidationError as exc:
        reason, _, where = str(exc).partition(" - at ")
        field = where.strip("`").removeprefix("$.")
        text = f"{field} {fields[field]!r}: {reason}" if field in fields else str(exc)
        raise SimuError(
            text, hint="simuctl add --help names the options", exit_code=ExitCode.USAGE
        ) from exc
    fault = central_system_fault(checked.central_system)
    if fault:
        raise SimuError(
            fault, hint="for example ws://localhost:9000/ocpp", exit_code=ExitCode.USAGE
        )
    return checked


async def _add(
    wanted: Settings,
    ids: list[str],
    specify: Callable[[str], Specification],
    wait_s: float | None,
) -> list[Told]:
    for each in ids:
        specify(each)  # what is wrong with the words is said before anything is reached
    async with wanted.client() as simu:
        ids = ids or [next_free_id(simu.view.by_id)]
        with doing(words("starting", len(ids))) as now:
            answer = await simu.start(
                [specify(each) for each in ids], lambda each: now(progress_words("starting", each))
            )
            outcomes = from_answer(answer, done="started", about=simu)
            return await accepted(simu, outcomes, wait_s, now)
