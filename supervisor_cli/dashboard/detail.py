"""Everything about the selected charge point, the selected connector first. Pure."""

from dataclasses import dataclass
from typing import Final

from rich.text import Text

from cp_image.api.central_system import without_password
from cp_image.api.payloads import ChargePointState, ChargePointType, ConnectorState
from launcher.api import ContainerCondition
from supervisor_cli import render
from supervisor_cli.dashboard import keys
from supervisor_cli.dashboard.columns import session_wh, soc_pct, unit
from supervisor_cli.dashboard.power_history import sparkline
from supervisor_cli.dashboard.roster import Row
from supervisor_cli.fleet_view import ChargePointView, ConnectorView
from supervisor_cli.terminal import printable

SAMPLES: Final = 25
EVERY_S: Final = 12.0
PAST_S: Final = SAMPLES * EVERY_S
"""How far the line of power goes back."""
_LABEL_WIDTH: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the detail is of.

    Attributes:
        siblings: all rows of the same charge point.
        samples: power over the last minutes, W.
        stale: whether nothing of it may be true any more.
    """

    row: Row
    siblings: list[Row]
    samples: list[float]
    now: float
    stale: bool = False


def detail(subject: Subject) -> Text:
    """Return the detail, a line for each thing."""
    row, charge_point = subject.row, subject.row.charge_point
    lines = _charge_point(charge_point)
    if row.connector is not None:
        lines += _connector(subject, row.connector)
    lines += [_other(each) for each in subject.siblings if each.place != row.place]
    lines += [*_make(charge_point), *_death(charge_point)]
    text = Text("\n").join(lines)
    if subject.stale or charge_point.unreachable is not None:
        text.stylize("dim")
    return text


def next_step(row: Row | None, *, is_pending: bool = False) -> str:
    """Return what somebody who wants a car to charge does next, with the key for it.

    Args:
        row: the selected one.
        is_pending: whether something is being done to it.
    """
    if row is None:
        return f"{_key('add')} makes a charge point"
    charge_point = row.charge_point
    if charge_point.unreachable is ContainerCondition.FROZEN:
        return f"{_key('thaw')} thaws it"
    if charge_point.unreachable is ContainerCondition.CUT:
        return f"{_key('mend')} gives it its network back"
    if charge_point.starting:
        return "wait until it has started"
    if is_pending and not charge_point.alive:
        return "wait until that is done"
    container = charge_point.container
    if container is not None and container.state is ContainerCondition.WAITING:
        return f"{_key('restart')} starts it at once; else the launcher does, soon"
    if charge_point.state in {None, ChargePointState.DEAD}:
        return f"{_key('restart')} gives it its power back"
    if charge_point.state is not ChargePointState.ACCEPTED:
        return "waiting for the CSMS: simuctl csms is one"
    return _step_at(row.connector) if row.connector is not None else ""


def _step_at(connector: ConnectorView) -> str:
    state = connector.state
    if state is ConnectorState.FAULTED:
        return f"{_key('unfault')} clears the fault"
    if state is ConnectorState.PREPARING:
        if connector.plugged:
            return f"{_key('tag')} holds a card to the reader"
        return f"{_key('plug')} plugs a car in"
    if state is ConnectorState.AVAILABLE:
        return f"{_key('plug')} plugs a car in"
    if state is ConnectorState.CHARGING:
        return f"{_key('tag')} with the same card stops"
    if state is ConnectorState.SUSPENDED_EV:
        return f"{_key('draw')}, {_key('ready')}: the car wants energy"
    if state is ConnectorState.FINISHING:
        return f"{_key('unplug')} unplugs the car"
    return ""


def _key(action: str) -> str:
    return keys.of(action).shown


def _charge_point(charge_point: ChargePointView) -> list[Text]:
    headline = Text.assemble(
        (printable(charge_point.charge_point_id), "bold"), "  ", render.status_text(charge_point)
    )
    status = charge_point.status
    if status is None:
        return [headline]
    kind = "DC" if status.type is ChargePointType.DC else f"AC {status.nb_phases}~"
    limit = render.quantity(status.max_setpoint, "W" if kind == "DC" else "A")
    headline.append(f"  {kind}, {status.voltage:g} V, {limit} at most", "dim")
    lines = [headline]
    if charge_point.unreachable is not None:
        lines.append(Text("cannot be heard: this is how it last was", "yellow"))
    if status.reason:
        lines.append(_pair("because", Text(printable(status.reason), "yellow")))
    lines.append(_pair("CSMS", printable(without_password(status.central_system))))
    return lines


def _make(charge_point: ChargePointView) -> list[Text]:
    lines, status, container = [], charge_point.status, charge_point.container
    if status is not None:
        make = " ".join(filter(None, (status.vendor, status.model, status.serial)))
        lines.append(_pair("make", printable(make)))
    if container is not None and container.text and charge_point.death is None:
        lines.append(_pair("container", printable(container.text)))
    if container is not None and container.restarts:
        lines.append(_pair("crashed", f"and started again {container.restarts} times in a row"))
    return lines


def _connector(subject: Subject, connector: ConnectorView) -> list[Text]:
    row, reported = subject.row, connector.reported
    title = Text.assemble((f"connector {connector.connector_id}", "bold"), "  ", _state(connector))
    if reported.error_code != "NoError":
        title.append(f"  {printable(reported.error_code)}", "red")
    if reported.id_tag:
        title.append(f"  {printable(reported.id_tag)}", "bold" if connector.live else "dim")
    if reported.transaction_id is not None:
        title.append(f"  transaction {reported.transaction_id}", "dim")
    lines = [
        title,
        _pair("setpoint", _setpoints(row, connector)),
        _pair("car", _car(row, subject.now)),
    ]
    if not connector.live:
        return [title, *[Text(line.plain, "dim") for line in lines[1:]]]
    power = render.quantity(connector.power_w, "W")
    if unit(row) == "A":
        drawn = (reported.consumption_l1, reported.consumption_l2, reported.consumption_l3)
        power = f"{_phases(row, drawn)}   {power}"
    lines.append(_pair("draws", Text(power, "bold" if connector.charging else "")))
    energy = render.quantity(session_wh(row, subject.now), "Wh")
    moved = session_wh(row, subject.now) - reported.session_wh
    register = render.quantity(reported.register_wh + max(0.0, moved), "Wh")
    lines.append(_pair("energy", f"{energy} in this session, register {register}"))
    minutes = PAST_S / 60
    line = Text(sparkline(subject.samples), "green")
    top = render.quantity(max(subject.samples, default=0.0), "W")
    lines.append(_pair("power", line.append(f"  {minutes:g} min, max {top}", "dim")))
    return lines


def _setpoints(row: Row, connector: ConnectorView) -> Text:
    reported = connector.reported
    return Text.assemble(
        (render.quantity(reported.setpoint, unit(row)), "bold"),
        f" in force, CSMS {render.quantity(reported.ocpp_setpoint, unit(row))}, "
        f"connector {render.quantity(reported.max_setpoint, unit(row))}",
    )


def _car(row: Row, now: float) -> str:
    connector = row.connector
    if connector is None or not connector.plugged:
        return "none plugged"
    reported = connector.reported
    wanted = (
        reported.car_consumption_l1,
        reported.car_consumption_l2,
        reported.car_consumption_l3,
    )
    ready = "ready" if reported.car_ready else "not ready"
    cable = render.quantity(reported.car_cable_capacity, unit(row))
    wish = f"cable {cable}, {ready}, wants {_phases(row, wanted)}"
    charged = soc_pct(row, now) if connector.live else reported.soc_pct
    return wish if charged is None else f"{wish}, SoC {charged:.1f} %"


def _other(row: Row) -> Text:
    if row.connector is None:
        return Text()
    line = Text.assemble((f"connector {row.connector.connector_id}", "dim"), "  ")
    line.append_text(_state(row.connector))
    if row.connector.charging:
        line.append(f"  {render.quantity(row.connector.power_w, 'W')}")
    return line


def _state(connector: ConnectorView) -> Text:
    if connector.live:
        return render.state_text(connector.state)
    return Text(f"was {connector.reported.status}", "dim")


def _death(charge_point: ChargePointView) -> list[Text]:
    death = charge_point.death
    if death is None:
        return []
    memory = ", out of memory" if death.out_of_memory else ""
    lines = [_pair("died", Text(f"exit code {death.exit_code}{memory}", "red"))]
    return lines + [Text(f"  {printable(line)}", "dim") for line in death.last_log[-5:]]


def _phases(row: Row, amounts: tuple[float, float, float]) -> str:
    status = row.charge_point.status
    shown = amounts[: status.nb_phases] if status is not None else amounts
    if unit(row) == "W":
        return render.quantity(amounts[0], "W")
    return f"{' / '.join(f'{amount:.1f}' for amount in shown)} A"


def _pair(label: str, value: str | Text) -> Text:
    return Text.assemble((f"{label:<{_LABEL_WIDTH}}", "dim"), value)
