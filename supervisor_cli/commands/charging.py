"""What the car at a connector wants: ready, suspend, draw."""

from typing import Annotated, Final

import typer
from msgspec import UNSET

from cp_image.api.payloads import CarInput, ChargePointType
from supervisor_cli.commands.car import DEFAULT_SOC_PCT, told
from supervisor_cli.commands.driving import drive
from supervisor_cli.commands.options import (
    AsJson,
    Battery,
    ChargePointIds,
    Connector,
    Everything,
    InputTimeout,
    StateOfCharge,
    examples,
)
from supervisor_cli.completion import charge_point_ids
from supervisor_cli.context import settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView

Amounts = tuple[float | None, float | None, float | None]
"""What is said of L1, L2 and L3; None leaves a phase as it is."""

_HIGHEST: Final = 1e9


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command(epilog=examples("simuctl ready CP-0001", "simuctl ready --all -c 2"))(ready)
    app.command(epilog=examples("simuctl suspend CP-0001", "simuctl suspend 'CP-*'"))(suspend)
    app.command(
        epilog=examples(
            "simuctl draw CP-0001 10",
            "simuctl draw CP-0001 16,10,0",
            "simuctl draw CP-0001 CP-0002 --l2 6",
            "simuctl draw 'FAST-*' 150000",
            "simuctl draw FAST-1 --battery 60000 --soc 35",
        )
    )(draw)


def ready(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    connector: Connector = 1,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Let the car want energy."""

    def build(charge_point: ChargePointView) -> tuple[CarInput, str]:
        return CarInput(ready=True), f"the car wants energy{_if_none(charge_point, connector)}"

    drive(settings(context), ids, connector, build, everything, timeout, as_json)


def suspend(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    connector: Connector = 1,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Let the car want no energy: what charges becomes SuspendedEV."""

    def build(charge_point: ChargePointView) -> tuple[CarInput, str]:
        return CarInput(ready=False), f"the car wants nothing{_if_none(charge_point, connector)}"

    drive(settings(context), ids, connector, build, everything, timeout, as_json)


def draw(  # noqa: PLR0913 - the options of a car
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID... AMOUNT",
            help="Charge points, then what the car asks for: A on each phase, A,A,A on L1,L2,L3, "
            "W for DC. Without AMOUNT where --l1 to --l3 or --battery says it.",
            autocompletion=charge_point_ids,
        ),
    ] = None,
    *,
    everything: Everything = False,
    connector: Connector = 1,
    l1: Annotated[
        float | None, typer.Option("--l1", metavar="A", min=0, help="On L1 alone; W for DC.")
    ] = None,
    l2: Annotated[float | None, typer.Option("--l2", metavar="A", min=0, help="On L2.")] = None,
    l3: Annotated[float | None, typer.Option("--l3", metavar="A", min=0, help="On L3.")] = None,
    battery: Battery = None,
    soc: StateOfCharge = None,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Let the car ask for another amount: the charge point gives it as far as it may."""
    phases: Amounts = (l1, l2, l3)
    by_phase = phases != (None, None, None)
    if battery is not None and by_phase:
        raise _usage("--battery decides what the car asks for, --l1 --l2 --l3 say it")
    if soc is not None and battery is None:
        raise _usage("--soc is of a battery: --battery says how much that holds")
    ids = list(words or [])
    amount: Amounts | None = None
    if not by_phase and battery is None:
        if not ids:
            raise _usage("draw takes charge points and an amount")
        amount = amounts(ids.pop())

    def build(charge_point: ChargePointView) -> tuple[CarInput, str]:
        if battery is not None:
            return with_battery(charge_point, battery, DEFAULT_SOC_PCT if soc is None else soc)
        return drawing(charge_point, amount or phases, each=amount is not None)

    drive(settings(context), ids, connector, build, everything, timeout, as_json)


def amounts(word: str) -> Amounts:
    """Return what a word such as ``16`` or ``16,10,0`` says of the phases.

    One amount is for each phase there is: it stands on L1 alone here.

    Raises:
        SimuError: it is none (exit code 2).
    """
    parts = word.split(",")
    try:
        said = [float(part) for part in parts]
    except ValueError:
        said = []
    if not 1 <= len(said) <= 3 or not all(0 <= each <= _HIGHEST for each in said):
        raise _usage(f"{word!r} is no amount: it is A on each phase, or A,A,A; W for DC")
    padded: list[float | None] = [*said, *([None] * (3 - len(said)))]
    if len(said) == 2:
        padded[2] = 0.0
    return padded[0], padded[1], padded[2]


def drawing(charge_point: ChargePointView, said: Amounts, *, each: bool) -> tuple[CarInput, str]:
    """Return the input that lets a car ask for amounts, and the words for it.

    Args:
        charge_point: its type and phases decide what it can be asked for.
        said: of L1, L2, L3.
        each: whether one amount is meant for each phase, and three for all of them.

    Raises:
        SimuError: the charge point lacks a phase that is asked for, or has not told its type.
    """
    status = told(charge_point)
    nb_phases = 1 if status.type is ChargePointType.DC else status.nb_phases
    if each and said[1] is None:
        first, second, third = (said[0] if phase < nb_phases else 0.0 for phase in range(3))
        said = first, second, third
    absent = [phase + 1 for phase in range(nb_phases, 3) if (said[phase] or 0) > 0]
    if absent:
        plural = "s" if nb_phases > 1 else ""
        raise SimuError(
            f"{charge_point.charge_point_id} has no L{absent[0]}: it is {status.type} with "
            f"{nb_phases} phase{plural}",
            hint="one amount is for each phase there is",
        )
    l1, l2, l3 = (UNSET if amount is None else amount for amount in said)
    unit = "W" if status.type is ChargePointType.DC else "A"
    shown = [(f"L{n}", said[n - 1]) for n in range(1, nb_phases + 1)]
    words = ", ".join(f"{name} {value:g} {unit}" for name, value in shown if value is not None)
    if status.type is ChargePointType.DC:
        words = words.removeprefix("L1 ")
    payload = CarInput(consumption_l1=l1, consumption_l2=l2, consumption_l3=l3)
    return payload, f"the car asks for {words}"


def with_battery(
    charge_point: ChargePointView, battery_wh: float, soc_pct: float
) -> tuple[CarInput, str]:
    """Return the input that gives a car another battery, and the words for it.

    Raises:
        SimuError: the charge point has not told its type.
    """
    told(charge_point)
    payload = CarInput(battery_wh=battery_wh, soc_pct=soc_pct)
    return payload, f"the car has a battery of {battery_wh:g} Wh at {soc_pct:g} %"


def _if_none(charge_point: ChargePointView, connector_id: int) -> str:
    connector = charge_point.connector(connector_id)
    return "" if connector is None or connector.plugged else ", once one is plugged"


def _usage(text: str) -> SimuError:
    return SimuError(text, hint="simuctl draw --help has examples", exit_code=ExitCode.USAGE)
