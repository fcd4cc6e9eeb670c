"""The view as Rich renderables: pure, and safe for whatever text a payload carries."""

from collections.abc import Mapping
from typing import Final

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cp_image.api.central_system import without_password
from cp_image.api.payloads import ChargePointState, ChargePointType, ConnectorState
from launcher.api import ContainerCondition, ContainerStatus
from supervisor_cli.fleet_view import ChargePointView, ConnectorView, FleetView
from supervisor_cli.terminal import printable

CHARGE_POINT_STYLES: Final[Mapping[ChargePointState, str]] = {
    ChargePointState.ACCEPTED: "green",
    ChargePointState.PENDING: "yellow",
    ChargePointState.REJECTED: "yellow",
    ChargePointState.DISCONNECTED: "yellow",
    ChargePointState.DEAD: "bold red",
}
CONNECTOR_STYLES: Final[Mapping[ConnectorState, str]] = {
    ConnectorState.AVAILABLE: "green",
    ConnectorState.PREPARING: "cyan",
    ConnectorState.CHARGING: "bold green",
    ConnectorState.SUSPENDED_EVSE: "yellow",
    ConnectorState.SUSPENDED_EV: "yellow",
    ConnectorState.FINISHING: "cyan",
    ConnectorState.RESERVED: "magenta",
    ConnectorState.UNAVAILABLE: "dim",
    ConnectorState.FAULTED: "bold red",
}
_ROOMY_COLUMNS: Final = 100
_NARROW_COLUMNS: Final = 56
"""So many the columns up to the tag need beside that of the ids."""
_LEAST_ID: Final = 16
"""Shorter ids are not folded, however narrow it is."""
_NOTHING: Final = Text("-", style="dim")


_MOST_NOTES: Final = 3


def quantity(value: float, unit: str) -> str:
    """Return an amount for people: ``16 A``, ``10.3 A``, ``150 kW``, ``1.25 kWh``.

    Args:
        value: in `unit`.
        unit: A, W or Wh; W and Wh get a k or M.
    """
    prefix = ""
    if unit != "A":
        for step in ("k", "M"):
            if abs(value) < 1000:
                break
            value, prefix = value / 1000, step
    return f"{round(value, 2 if prefix else 1):g} {prefix}{unit}"


def fleet(view: FleetView, *, environment: str, columns: int) -> RenderableType:
    """Return the table of `simuctl ls`: a row per connector, fewer columns where it is narrow."""
    if not view.charge_points:
        return Text.assemble(
            f"no charge points in environment {environment}; the first one: ",
            ("simuctl add -u ws://localhost:9000", "bold"),
        )
    longest = min(_LEAST_ID, max(cell_len(printable(each)) for each in view.by_id))
    roomy, narrow = columns >= _ROOMY_COLUMNS, columns < _NARROW_COLUMNS + longest
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("ID", overflow="fold", min_width=longest)
    table.add_column("STATUS", no_wrap=True)
    table.add_column("C", justify="right", no_wrap=True)
    table.add_column("CONNECTOR", no_wrap=True)
    table.add_column("POWER", justify="right", no_wrap=True)
    if not narrow:
        table.add_column("SESSION", justify="right", no_wrap=True)
        table.add_column("TAG", overflow="fold")
    if roomy:
        table.add_column("LIMIT", justify="right", no_wrap=True)
        table.add_column("TYPE", no_wrap=True)
        table.add_column("CSMS", overflow="fold")
    for charge_point in view.charge_points:
        first = True
        for row in _connector_rows(charge_point):
            cells = [_id(charge_point) if first else Text(), _status(charge_point, first=first)]
            cells += row[: 3 if narrow else 6 if roomy else 5]
            if roomy and first:
                cells += [_type(charge_point), _csms(charge_point)]
            table.add_row(*cells)
            first = False
    return table


def charge_point_detail(charge_point: ChargePointView) -> RenderableType:
    """Return all there is to say about a charge point, for `simuctl show`."""
    parts: list[RenderableType] = [
        _headline(charge_point),
        Padding(_make(charge_point), (0, 2), expand=False),
    ]
    parts += [
        Padding(_connector_detail(charge_point, connector), (1, 2, 0, 2), expand=False)
        for connector in charge_point.connectors
    ]
    unheard = [n for n in charge_point.connector_ids if n not in charge_point.reported]
    if unheard:
        numbers = ", ".join(map(str, unheard))
        parts.append(Padding(Text(f"not heard of yet: connector {numbers}", "dim"), (1, 2, 0, 2)))
    return Group(*parts)


def notes(view: FleetView, charge_point_id: str | None = None) -> Text | None:
    """Return what could not be decoded, of one charge point or of all; None where all is well.

    Of many only the first are shown.
    """
    lines = [
        f"{printable(topic)}: {printable(why)}"
        for topic, why in sorted(view.undecodable.items())
        if charge_point_id is None or charge_point_id in topic.split("/")
    ]
    if not lines:
        return None
    if len(lines) > _MOST_NOTES:
        lines = [*lines[:_MOST_NOTES], f"and {len(lines) - _MOST_NOTES} more"]
    return Text("\n".join(["messages that could not be read:", *lines]), "yellow")


def state_text(state: ChargePointState | ConnectorState | None) -> Text:
    """Return a status in its colour; None is one that was never heard."""
    if state is None:
        return Text("unknown", "dim")
    if isinstance(state, ChargePointState):
        return Text(state, CHARGE_POINT_STYLES[state])
    return Text(state, CONNECTOR_STYLES[state])


def status_text(charge_point: ChargePointView) -> Text:
    """Return what a charge point is, or why it cannot be seen, in its colour."""
    if charge_point.unreachable is not None:
        return Text(charge_point.unreachable, "bold yellow")
    container = charge_point.container
    if container is not None and container.state is ContainerCondition.WAITING:
        return Text("restarting", "yellow")
    if container is not None and container.unheard:
        return Text("silent", "bold red")
    if charge_point.starting:
        return Text("starting", "yellow")
    return state_text(charge_point.state)


def _connector_rows(charge_point: ChargePointView) -> list[list[Text]]:
    rows = [_connector_cells(charge_point, each) for each in charge_point.connectors]
    return rows or [[_NOTHING] * 6]


def _connector_cells(charge_point: ChargePointView, connector: ConnectorView) -> list[Text]:
    reported = connector.reported
    number = Text(str(connector.connector_id))
    tag = Text(printable(reported.id_tag)) if reported.id_tag else _NOTHING
    if not connector.live:
        return [number, _last(connector), _NOTHING, _NOTHING, tag, _NOTHING]
    return [
        number,
        _charge(state_text(reported.status), reported.soc_pct),
        Text(quantity(connector.power_w, "W")) if connector.charging else _NOTHING,
        Text(quantity(reported.session_wh, "Wh")) if _in_session(connector) else _NOTHING,
        tag,
        Text(quantity(reported.setpoint, _unit(charge_point))) if connector.plugged else _NOTHING,
    ]


def _charge(text: Text, soc_pct: float | None) -> Text:
    """Return a text with the state of charge behind it, where the car has told one."""
    return text if soc_pct is None else Text.assemble(text, f" {soc_pct:.0f}%")


def _in_session(connector: ConnectorView) -> bool:
    return connector.reported.transaction_id is not None or connector.reported.session_wh > 0


def _last(connector: ConnectorView) -> Text:
    """Return what a connector was when its charge point was last heard: not what it is."""
    return Text(f"was {connector.reported.status}", "dim")


def _id(charge_point: ChargePointView) -> Text:
    return Text(printable(charge_point.charge_point_id), "bold")


def _status(charge_point: ChargePointView, *, first: bool) -> Text:
    return status_text(charge_point) if first else Text()


def _type(charge_point: ChargePointView) -> Text:
    status = charge_point.status
    if status is None:
        return _NOTHING
    return Text("DC" if status.type is ChargePointType.DC else f"AC {status.nb_phases}~")


def _csms(charge_point: ChargePointView) -> Text:
    status = charge_point.status
    return _NOTHING if status is None else Text(printable(without_password(status.central_system)))


def _unit(charge_point: ChargePointView) -> str:
    return "W" if charge_point.type is ChargePointType.DC else "A"


def _headline(charge_point: ChargePointView) -> Text:
    line = Text.assemble(_id(charge_point), "  ", status_text(charge_point))
    if charge_point.status is not None and charge_point.status.reason:
        line.append(f"  {printable(charge_point.status.reason)}", "dim")
    if not charge_point.alive and charge_point.connectors:
        line.append("  what follows is as it was last heard", "dim")
    return line


def _make(charge_point: ChargePointView) -> Table:
    table = _pairs()
    status = charge_point.status
    if status is not None:
        unit = _unit(charge_point)
        make = " ".join(filter(None, (status.vendor, status.model, status.serial)))
        table.add_row("CSMS", printable(without_password(status.central_system)))
        table.add_row("make", printable(make))
        table.add_row("type", Text.assemble(_type(charge_point), f", {status.voltage:g} V"))
        table.add_row("limit", quantity(status.max_setpoint, unit))
        if status.container:
            table.add_row("container", printable(status.container))
    if charge_point.container is not None:
        table.add_row("", _container(charge_point.container))
    death = charge_point.death
    if death is not None:
        memory = ", out of memory" if death.out_of_memory else ""
        table.add_row("died", Text(f"exit code {death.exit_code}{memory}", "red"))
        for line in death.last_log:
            table.add_row("", printable(line))
    return table


def _container(container: ContainerStatus) -> Text:
    words = [str(container.state)]
    if container.cut and container.state is not ContainerCondition.CUT:
        words.append("its network is cut")
    if container.exit_code is not None:
        words.append(f"exit code {container.exit_code}")
    if container.out_of_memory:
        words.append("out of memory")
    if container.restarts:
        words.append(f"started again {container.restarts} times in a row")
    if container.network:
        words.append(f"network {printable(container.network)}")
    if container.text and container.text not in ", ".join(words):
        words.append(printable(container.text))
    return Text(", ".join(words))


def _connector_detail(charge_point: ChargePointView, connector: ConnectorView) -> Table:
    reported, unit = connector.reported, _unit(charge_point)
    table = _pairs()
    state = state_text(reported.status) if connector.live else _last(connector)
    table.add_row(Text(f"connector {connector.connector_id}", "bold"), state)
    if reported.error_code != "NoError":
        table.add_row("error", Text(printable(reported.error_code), "red"))
    if reported.id_tag:
        table.add_row("tag", printable(reported.id_tag))
    if reported.transaction_id is not None:
        table.add_row("transaction", str(reported.transaction_id))
    table.add_row("car", _car(charge_point, connector))
    table.add_row(
        "setpoint",
        f"{quantity(reported.setpoint, unit)} in force, "
        f"{quantity(reported.ocpp_setpoint, unit)} from the CSMS, "
        f"{quantity(reported.max_setpoint, unit)} at most",
    )
    if connector.live:
        drawn = (reported.consumption_l1, reported.consumption_l2, reported.consumption_l3)
        table.add_row("draws", _phases(charge_point, drawn))
        table.add_row("power", quantity(connector.power_w, "W"))
    table.add_row("session", quantity(reported.session_wh, "Wh"))
    table.add_row("register", quantity(reported.register_wh, "Wh"))
    return table


def _car(charge_point: ChargePointView, connector: ConnectorView) -> str:
    reported = connector.reported
    if not connector.plugged:
        return "none plugged"
    wanted = (
        reported.car_consumption_l1,
        reported.car_consumption_l2,
        reported.car_consumption_l3,
    )
    ready = "ready" if reported.car_ready else "not ready"
    cable = quantity(reported.car_cable_capacity, _unit(charge_point))
    wish = f"cable {cable}, {ready}, wants {_phases(charge_point, wanted)}"
    return wish if reported.soc_pct is None else f"{wish}, battery at {reported.soc_pct:.1f} %"


def _phases(charge_point: ChargePointView, amounts: tuple[float, float, float]) -> str:
    status = charge_point.status
    shown = amounts[: status.nb_phases] if status is not None else amounts
    return " / ".join(quantity(amount, _unit(charge_point)) for amount in shown)


def _pairs() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table
