"""The forms of the actions: what each asks for, and what it makes of the answers."""

from dataclasses import dataclass
from typing import Final

from cp_image.api.payloads import CarInput, ChargePointType, IdTagInput
from supervisor_cli.commands.car import (
    DEFAULT_CABLE,
    DEFAULT_DRAW,
    DEFAULT_SOC_PCT,
    battery_car,
    car,
)
from supervisor_cli.commands.charging import drawing, with_battery
from supervisor_cli.dashboard.deeds import Build
from supervisor_cli.dashboard.forms import Field, FormScreen, Values, number
from supervisor_cli.dashboard.roster import Row
from supervisor_cli.errors import SimuError
from supervisor_cli.fleet_view import ChargePointView

DEFAULT_TAG: Final = "TAG1"
_YES_NO: Final = ("yes", "no")


def plug(row: Row, what: str) -> FormScreen[Build]:
    """Ask for a car to plug in.

    Args:
        row: of a connector that is hit; its type says what is usual.
        what: is hit, in words.
    """
    kind = row.charge_point.type or ChargePointType.AC
    unit = "W" if kind is ChargePointType.DC else "A"
    fields = [
        Field(name="cable", label="cable", otherwise=f"{DEFAULT_CABLE[kind]:g}", note=unit),
        Field(name="ready", label="car ready", value="yes", choices=_YES_NO),
        _each_phase(kind, otherwise=f"{DEFAULT_DRAW[kind]:g}"),
    ]
    if kind is ChargePointType.AC:
        fields += [
            Field(name="l1", label="or on L1", note=unit),
            Field(name="l2", label="on L2", note=unit),
            Field(name="l3", label="on L3", note=unit),
        ]
    return FormScreen(f"Plug a car in at {what}", [*fields, *_battery()], read_plug)


def read_plug(values: Values) -> Build:
    """Return what plugs the car in.

    Raises:
        SimuError: a field is no number, or what is asked for is said in two ways.
    """
    cable, wish = number(values, "cable", "cable"), _read_wish(values)
    ready = values["ready"] == "yes"
    if cable == 0:
        raise SimuError("a cable that is plugged carries more than 0; u unplugs it")

    def build(charge_point: ChargePointView, _connector_id: int) -> tuple[CarInput, str]:
        if wish.battery_wh is not None:
            return battery_car(
                charge_point,
                cable=cable,
                battery_wh=wish.battery_wh,
                soc_pct=wish.soc_pct,
                ready=ready,
            )
        return car(charge_point, cable=cable, draw=wish.each, phases=wish.phases, ready=ready)

    return build


def tag(row: Row, what: str, last_tag: str) -> FormScreen[tuple[str, Build]]:
    """Ask for a card; the one of the running session stands there, else the last one."""
    running = row.connector.reported.id_tag if row.connector is not None else ""
    fields = [Field(name="tag", label="card", value=running or last_tag, note="1 to 20 characters")]
    return FormScreen(f"Hold a card to the reader of {what}", fields, read_tag)


def read_tag(values: Values) -> tuple[str, Build]:
    """Return the tag, and what presents it.

    Raises:
        SimuError: it is too long, or empty.
    """
    id_tag = values["tag"].strip()
    if not 1 <= len(id_tag) <= 20:
        raise SimuError(f"a tag has 1 to 20 characters, this one {len(id_tag)}")
    return id_tag, lambda _view, _number: (IdTagInput(id=id_tag), f"tag {id_tag} presented")


def draw(row: Row, what: str) -> FormScreen[Build]:
    """Ask for what the car is to ask for; empty stays as it is."""
    kind = row.charge_point.type or ChargePointType.AC
    unit = "W" if kind is ChargePointType.DC else "A"
    reported = row.connector.reported if row.connector is not None else None
    now = (
        (reported.car_consumption_l1, reported.car_consumption_l2, reported.car_consumption_l3)
        if reported is not None
        else (0.0, 0.0, 0.0)
    )
    phases = row.charge_point.status.nb_phases if row.charge_point.status is not None else 3
    fields = [_each_phase(kind, otherwise=f"{now[0]:g}")]
    if kind is ChargePointType.AC and phases > 1:
        fields += [
            Field(
                name=f"l{phase + 1}",
                label=f"or L{phase + 1}",
                otherwise=f"{now[phase]:g}",
                note=unit,
            )
            for phase in range(phases)
        ]
    return FormScreen(f"What the car asks for at {what}", [*fields, *_battery()], read_draw)


def read_draw(values: Values) -> Build:
    """Return what changes the consumption.

    Raises:
        SimuError: a field is no number, all are empty, or it is said in two ways.
    """
    wish = _read_wish(values)
    if wish == _Wish():
        raise SimuError("nothing is asked for: say it for one phase at least")

    def build(charge_point: ChargePointView, _connector_id: int) -> tuple[CarInput, str]:
        if wish.battery_wh is not None:
            soc_pct = DEFAULT_SOC_PCT if wish.soc_pct is None else wish.soc_pct
            return with_battery(charge_point, wish.battery_wh, soc_pct)
        if wish.each is not None:
            return drawing(charge_point, (wish.each, None, None), each=True)
        return drawing(charge_point, wish.phases, each=False)

    return build


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a car asks for: on each phase, or on some, or what its battery does."""

    each: float | None = None
    phases: tuple[float | None, float | None, float | None] = (None, None, None)
    battery_wh: float | None = None
    soc_pct: float | None = None


def _each_phase(kind: ChargePointType, *, otherwise: str) -> Field:
    note = "W" if kind is ChargePointType.DC else "A on each phase"
    return Field(name="draw", label="asks for", otherwise=otherwise, note=note)


def _battery() -> list[Field]:
    return [
        Field(name="battery", label="or a battery of", otherwise="none", note="Wh"),
        Field(name="soc", label="charged to", otherwise=f"{DEFAULT_SOC_PCT:g}", note="%"),
    ]


def _read_wish(values: Values) -> _Wish:
    """Return what the car asks for.

    Raises:
        SimuError: a field is no number, or it is said in two ways.
    """
    each = number(values, "draw", "asks for")
    l1, l2, l3 = (
        number(values, name, name.upper()) if name in values else None
        for name in ("l1", "l2", "l3")
    )
    battery_wh, soc_pct = number(values, "battery", "battery"), number(values, "soc", "charged to")
    by_phase = (l1, l2, l3) != (None, None, None)
    if battery_wh is None and soc_pct is not None:
        raise SimuError("the state of charge is of a battery: say what that holds, too")
    if battery_wh is not None and (each is not None or by_phase):
        raise SimuError("a battery decides what the car asks for: leave that empty")
    if each is not None and by_phase:
        raise SimuError("say it for each phase, or for L1, L2 and L3")
    if battery_wh is not None and not 100 <= battery_wh <= 1e7:
        raise SimuError(f"a battery holds 100 to 10000000 Wh, not {battery_wh:g}")
    if soc_pct is not None and soc_pct > 100:
        raise SimuError(f"a battery is charged to 100 % at most, not {soc_pct:g}")
    return _Wish(each=each, phases=(l1, l2, l3), battery_wh=battery_wh, soc_pct=soc_pct)
