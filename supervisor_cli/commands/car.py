"""What a driver does at a connector: plug, unplug, tag."""

import math
from typing import Annotated, Final

import typer

from cp_image.api.payloads import (
    CarInput,
    ChargePointStatus,
    ChargePointType,
    IdTagInput,
)
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
from supervisor_cli.context import settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView

DEFAULT_CABLE: Final = {ChargePointType.AC: 32.0, ChargePointType.DC: 250_000.0}
"""Rating of a car's cable: A for AC, W for DC."""
DEFAULT_DRAW: Final = {ChargePointType.AC: 16.0, ChargePointType.DC: 100_000.0}
"""What a car asks for on each phase: A for AC, W for DC."""
DEFAULT_SOC_PCT: Final = 20.0
"""State of charge of a car that comes to charge."""

Draws = tuple[float | None, float | None, float | None]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command(
        epilog=examples(
            "simuctl plug CP-0001",
            "simuctl plug CP-0001 -c 2 --cable 20 --draw 10",
            "simuctl plug FAST-1 --draw 150000",
            "simuctl plug FAST-1 --battery 60000 --soc 20",
            "simuctl plug --all --not-ready",
        )
    )(plug)
    app.command(epilog=examples("simuctl unplug CP-0001", "simuctl unplug 'CP-*'"))(unplug)
    app.command(epilog=examples("simuctl tag CP-0001 TAG1", "simuctl tag --all TAG1 -c 2"))(tag)


def plug(  # noqa: PLR0913 - the options of a car
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    connector: Connector = 1,
    cable: Annotated[
        float | None,
        typer.Option(
            "--cable",
            metavar="RATING",
            show_default="AC 32, DC 250000",
            help="Rating of the cable: A for AC, W for DC.",
        ),
    ] = None,
    draw: Annotated[
        float | None,
        typer.Option(
            "--draw",
            metavar="AMOUNT",
            min=0,
            show_default="AC 16, DC 100000",
            help="What the car asks for on each phase: A for AC, W for DC.",
        ),
    ] = None,
    l1: Annotated[float | None, typer.Option("--l1", metavar="A", min=0, help="On L1.")] = None,
    l2: Annotated[float | None, typer.Option("--l2", metavar="A", min=0, help="On L2.")] = None,
    l3: Annotated[float | None, typer.Option("--l3", metavar="A", min=0, help="On L3.")] = None,
    battery: Battery = None,
    soc: StateOfCharge = None,
    not_ready: Annotated[
        bool, typer.Option("--not-ready", help="The car wants no energy yet.")
    ] = False,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Plug a car in."""
    phases: Draws = (l1, l2, l3)
    if cable is not None and not 0 < cable < math.inf:
        raise SimuError(
            f"--cable {cable:g}: a cable that is plugged carries more than 0, and not all",
            hint="simuctl unplug takes it out",
            exit_code=ExitCode.USAGE,
        )
    if draw is not None and phases != (None, None, None):
        raise SimuError(
            "--draw is for every phase, --l1 --l2 --l3 for one each: they exclude each other",
            exit_code=ExitCode.USAGE,
        )

    if soc is not None and battery is None:
        raise SimuError(
            "--soc is of a battery: --battery says how much that holds",
            hint="simuctl plug CP-0001 --battery 60000 --soc 20",
            exit_code=ExitCode.USAGE,
        )
    if battery is not None and (draw is not None or phases != (None, None, None)):
        raise SimuError(
            "--battery decides what the car asks for, --draw --l1 --l2 --l3 say it: "
            "they exclude each other",
            exit_code=ExitCode.USAGE,
        )

    def build(charge_point: ChargePointView) -> tuple[CarInput, str]:
        if battery is not None:
            return battery_car(
                charge_point, cable=cable, battery_wh=battery, soc_pct=soc, ready=not not_ready
            )
        return car(charge_point, cable=cable, draw=draw, phases=phases, ready=not not_ready)

    drive(settings(context), ids, connector, build, everything, timeout, as_json)


def unplug(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    connector: Connector = 1,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Unplug the car."""

    def build(_charge_point: ChargePointView) -> tuple[CarInput, str]:
        return CarInput(cable=0.0), "unplugged"

    drive(settings(context), ids, connector, build, everything, timeout, as_json)


def tag(
    context: typer.Context,
    ids: ChargePointIds = None,
    id_tag: Annotated[
        str, typer.Argument(metavar="TAG", help="What the card says: 1 to 20 characters.")
    ] = "",
    *,
    everything: Everything = False,
    connector: Connector = 1,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Hold a card to the reader."""
    if not ids and not everything:
        raise SimuError(
            "tag takes a charge point id and a tag",
            hint="simuctl tag CP-0001 TAG1",
            exit_code=ExitCode.USAGE,
        )
    if not 1 <= len(id_tag) <= 20:
        raise SimuError(
            f"tag {id_tag!r} has {len(id_tag)} characters: OCPP 1.6 allows 1 to 20",
            hint="simuctl tag CP-0001 TAG1",
            exit_code=ExitCode.USAGE,
        )

    def build(_charge_point: ChargePointView) -> tuple[IdTagInput, str]:
        return IdTagInput(id=id_tag), f"tag {id_tag} presented"

    drive(settings(context), ids, connector, build, everything, timeout, as_json)


def car(
    charge_point: ChargePointView,
    *,
    cable: float | None,
    draw: float | None,
    phases: Draws,
    ready: bool,
) -> tuple[CarInput, str]:
    """Return the input that plugs a car into a charge point, and the words for it.

    Args:
        charge_point: its type and phases decide what is not said.
        cable: rating; None is the default of the type.
        draw: what the car asks for on each phase; None is the default of the type.
        phases: what it asks for on L1, L2, L3 instead; None is nothing, unless all are None.
        ready: whether it wants energy.

    Raises:
        SimuError: the charge point lacks a phase that is asked for, or has not told its type.
    """
    status = told(charge_point)
    nb_phases = 1 if status.type is ChargePointType.DC else status.nb_phases
    if phases == (None, None, None):
        each = DEFAULT_DRAW[status.type] if draw is None else draw
        drawn = [each if phase < nb_phases else 0.0 for phase in range(3)]
    else:
        drawn = [amount or 0.0 for amount in phases]
    absent = [phase + 1 for phase in range(nb_phases, 3) if drawn[phase] > 0]
    if absent:
        raise SimuError(
            f"{charge_point.charge_point_id} has no L{absent[0]}: it is {status.type} with "
            f"{nb_phases} phase{'s' if nb_phases > 1 else ''}",
            hint="--draw is for each phase there is",
        )
    rating = DEFAULT_CABLE[status.type] if cable is None else cable
    unit = "W" if status.type is ChargePointType.DC else "A"
    wants = " / ".join(f"{amount:g}" for amount in drawn[:nb_phases])
    wish = f"wants {wants} {unit}" if ready else "not ready"
    payload = CarInput(
        cable=rating,
        ready=ready,
        consumption_l1=drawn[0],
        consumption_l2=drawn[1],
        consumption_l3=drawn[2],
    )
    return payload, f"plugged, cable {rating:g} {unit}, {wish}"


def battery_car(
    charge_point: ChargePointView,
    *,
    cable: float | None,
    battery_wh: float,
    soc_pct: float | None,
    ready: bool,
) -> tuple[CarInput, str]:
    """Return the input that plugs a car with a battery in, and the words for it.

    Args:
        charge_point: its type decides what is not said.
        cable: rating; None is the default of the type.
        battery_wh: what the battery holds when it is full.
        soc_pct: its state of charge; None is the default of a car that comes to charge.
        ready: whether it wants energy.

    Raises:
        SimuError: the charge point has not told its type.
    """
    status = told(charge_point)
    rating = DEFAULT_CABLE[status.type] if cable is None else cable
    soc_pct = DEFAULT_SOC_PCT if soc_pct is None else soc_pct
    unit = "W" if status.type is ChargePointType.DC else "A"
    payload = CarInput(cable=rating, ready=ready, battery_wh=battery_wh, soc_pct=soc_pct)
    wish = "" if ready else ", not ready"
    text = f"plugged, cable {rating:g} {unit}, battery {battery_wh:g} Wh at {soc_pct:g} %{wish}"
    return payload, text


def told(charge_point: ChargePointView) -> ChargePointStatus:
    """Return what a charge point says of itself.

    Raises:
        SimuError: nothing yet.
    """
    if charge_point.status is None:
        raise SimuError(
            f"{charge_point.charge_point_id} has not told its type yet",
            hint=f"simuctl show {charge_point.charge_point_id}",
        )
    return charge_point.status
