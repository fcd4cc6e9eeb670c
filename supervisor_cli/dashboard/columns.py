"""The columns of the fleet table: what a cell says, and what a column is sorted by. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from cp_image.api.central_system import without_password
from cp_image.api.payloads import ChargePointState, ChargePointType, ConnectorState
from supervisor_cli import render
from supervisor_cli.dashboard.roster import Row
from supervisor_cli.fleet_view import drawn_since_wh, natural_key, soc_pct_at
from supervisor_cli.terminal import printable

NOT_SO: Final = "dim"
"""The style of what was, and of what is not there."""

Sortable = float | str | tuple[tuple[int, int, str], ...]


class Cell(NamedTuple):
    """A cell's text and style."""

    text: str
    style: str = ""


_EMPTY: Final = Cell("")
_STATES: Final = {state: number for number, state in enumerate(ConnectorState)}
_STATUSES: Final = {state: number for number, state in enumerate(ChargePointState)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """How a column is.

    Attributes:
        width: 0 takes what is left.
        right: whether it is flush right: numbers.
        cell: what it says of a row at a moment, epoch seconds.
        key: what it is sorted by.
        goes: which of them goes first where there is no room for all; 0 never does.
    """

    title: str
    width: int
    cell: Callable[[Row, float], Cell]
    key: Callable[[Row, float], Sortable]
    right: bool = False
    goes: int = 0


def session_wh(row: Row, now: float) -> float:
    """Return the energy of the running session at a moment; 0 without one."""
    if row.connector is None or not row.connector.live:
        return 0.0
    reported = row.connector.reported
    if row.charge_point.unreachable is not None:
        return reported.session_wh  # as it was last heard
    return reported.session_wh + drawn_since_wh(reported, now, _clock_rate(row))


def soc_pct(row: Row, now: float) -> float | None:
    """Return the state of charge of the plugged car; None where it has no battery, or is dead."""
    if row.connector is None or not row.connector.live:
        return None
    reported = row.connector.reported
    if row.charge_point.unreachable is not None:
        return reported.soc_pct  # as it was last heard
    return soc_pct_at(reported, now, _clock_rate(row))


def in_session(row: Row, now: float) -> bool:
    """Whether there is a transaction, or the energy of one."""
    connector = row.connector
    if connector is None or not connector.live:
        return False
    return connector.reported.transaction_id is not None or session_wh(row, now) > 0


def unit(row: Row) -> str:
    """Return what setpoints are in: A, or W for DC."""
    return "W" if row.charge_point.type is ChargePointType.DC else "A"


def _id(row: Row, _now: float) -> Cell:
    return Cell(printable(row.place.charge_point_id), "bold")


def _status(row: Row, _now: float) -> Cell:
    text = render.status_text(row.charge_point)
    return Cell(text.plain, str(text.style))


def _status_key(row: Row, _now: float) -> float:
    state = row.charge_point.state
    if row.charge_point.unreachable is not None or state is None:
        return len(_STATUSES)
    return _STATUSES[state]


def _number(row: Row, _now: float) -> Cell:
    return Cell(str(row.place.connector_id)) if row.connector is not None else _EMPTY


def _connector(row: Row, _now: float) -> Cell:
    if row.connector is None:
        return _EMPTY
    state = row.connector.reported.status
    if not row.connector.live:
        return Cell(f"was {state}", NOT_SO)
    return Cell(str(state), render.CONNECTOR_STYLES[state])


def _connector_key(row: Row, _now: float) -> float:
    state = row.connector.state if row.connector is not None else None
    return len(_STATES) if state is None else _STATES[state]


def _power(row: Row, _now: float) -> Cell:
    if row.connector is None or not row.connector.charging:
        return _EMPTY
    return Cell(f"{row.connector.power_w / 1000:.2f}")


def _power_key(row: Row, _now: float) -> float:
    return row.connector.power_w if row.connector is not None else -1.0


def _session(row: Row, now: float) -> Cell:
    return Cell(f"{session_wh(row, now) / 1000:.3f}") if in_session(row, now) else _EMPTY


def _charge(row: Row, now: float) -> Cell:
    charged = soc_pct(row, now)
    return _EMPTY if charged is None else Cell(f"{charged:.0f}")


def _charge_key(row: Row, now: float) -> float:
    charged = soc_pct(row, now)
    return -1.0 if charged is None else charged


def _clock_rate(row: Row) -> float:
    return row.charge_point.status.clock_rate if row.charge_point.status is not None else 1.0


def _tag(row: Row, _now: float) -> Cell:
    tag = row.connector.reported.id_tag if row.connector is not None else ""
    live = row.connector is not None and row.connector.live
    return Cell(printable(tag), "" if live else NOT_SO) if tag else _EMPTY


def _tag_key(row: Row, _now: float) -> Sortable:
    return natural_key(row.connector.reported.id_tag) if row.connector is not None else ()


def _limit(row: Row, _now: float) -> Cell:
    if row.connector is None or not row.connector.live or not row.connector.plugged:
        return _EMPTY
    return Cell(render.quantity(row.connector.reported.setpoint, unit(row)))


def _limit_key(row: Row, _now: float) -> float:
    return row.connector.reported.setpoint if row.connector is not None else -1.0


def _type(row: Row, _now: float) -> Cell:
    status = row.charge_point.status
    if status is None:
        return _EMPTY
    return Cell("DC" if status.type is ChargePointType.DC else f"AC {status.nb_phases}~")


def _csms(row: Row, _now: float) -> Cell:
    status = row.charge_point.status
    return _EMPTY if status is None else Cell(printable(without_password(status.central_system)))


class Column(Enum):
    """The columns, from left to right."""

    ID = Spec(title="ID", width=10, cell=_id, key=lambda row, _now: row.place.charge_point_id)
    STATUS = Spec(title="STATUS", width=12, cell=_status, key=_status_key)
    NUMBER = Spec(
        title="C", width=2, cell=_number, key=lambda row, _now: row.place.connector_id, right=True
    )
    CONNECTOR = Spec(title="CONNECTOR", width=14, cell=_connector, key=_connector_key)
    POWER = Spec(title="kW", width=7, cell=_power, key=_power_key, right=True, goes=1)
    SESSION = Spec(title="kWh", width=8, cell=_session, key=session_wh, right=True, goes=3)
    CHARGE = Spec(title="SoC%", width=5, cell=_charge, key=_charge_key, right=True, goes=4)
    TAG = Spec(title="TAG", width=10, cell=_tag, key=_tag_key, goes=2)
    LIMIT = Spec(title="LIMIT", width=8, cell=_limit, key=_limit_key, right=True, goes=5)
    TYPE = Spec(
        title="TYPE",
        width=5,
        cell=_type,
        key=lambda row, now: _type(row, now).text,
        goes=6,
    )
    CSMS = Spec(
        title="CSMS",
        width=0,
        cell=_csms,
        key=lambda row, now: _csms(row, now).text,
        goes=7,
    )

    @property
    def spec(self) -> Spec:
        """How it is."""
        return self.value
