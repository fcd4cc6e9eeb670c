"""The fleet as rows, one for each connector. Pure; only what has changed is made anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from cp_image.api.payloads import ChargePointState, ConnectorState
from launcher.api import ContainerCondition
from supervisor_cli.fleet_view import ChargePointView, ConnectorView, FleetView, natural_key


class Place(NamedTuple):
    """A connector of a charge point; `connector_id` is 0 where none has been heard of."""

    charge_point_id: str
    connector_id: int


class Group(StrEnum):
    """What a row counts as; a connector of a charge point that is not Accepted is Offline."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED = "Suspended"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"
    OFFLINE = "Offline"


_GROUP_OF: Final = {
    ConnectorState.AVAILABLE: Group.AVAILABLE,
    ConnectorState.PREPARING: Group.PREPARING,
    ConnectorState.CHARGING: Group.CHARGING,
    ConnectorState.SUSPENDED_EV: Group.SUSPENDED,
    ConnectorState.SUSPENDED_EVSE: Group.SUSPENDED,
    ConnectorState.FINISHING: Group.FINISHING,
    ConnectorState.RESERVED: Group.RESERVED,
    ConnectorState.UNAVAILABLE: Group.UNAVAILABLE,
    ConnectorState.FAULTED: Group.FAULTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A connector in the table.

    Attributes:
        connector: None where the charge point has told of none.
        by_id: its place in natural order.
    """

    place: Place
    charge_point: ChargePointView
    connector: ConnectorView | None
    group: Group
    by_id: tuple[object, ...]

    @property
    def charging(self) -> bool:
        """Whether its meter runs."""
        return self.connector is not None and self.connector.power_w > 0


class Roster:
    """The rows of a fleet; those of a charge point that has not changed stay the same objects."""

    def __init__(self) -> None:
        self._views: dict[str, ChargePointView] = {}
        self._rows: dict[str, tuple[Row, ...]] = {}

    def heed(self, fleet: FleetView) -> set[str]:
        """Take a view over; return the ids of what was added, changed or removed."""
        changed = {key for key, view in fleet.by_id.items() if self._views.get(key) is not view}
        for key in changed:
            self._views[key] = fleet.by_id[key]
            self._rows[key] = _rows(fleet.by_id[key])
        for key in [each for each in self._views if each not in fleet.by_id]:
            changed.add(key)
            del self._views[key], self._rows[key]
        return changed

    @property
    def rows(self) -> list[Row]:
        """All rows, in no order."""
        return [row for rows in self._rows.values() for row in rows]

    def of(self, charge_point_ids: Iterable[str]) -> list[Row]:
        """Return the rows of some charge points; what is not there has none."""
        return [row for each in charge_point_ids for row in self._rows.get(each, ())]

    def row(self, place: Place) -> Row | None:
        """Return a row, or None where there is none."""
        found = (row for row in self._rows.get(place.charge_point_id, ()) if row.place == place)
        return next(found, None)


def counts(rows: Iterable[Row]) -> dict[Group, int]:
    """Return how many rows each group has."""
    counted = dict.fromkeys(Group, 0)
    for row in rows:
        counted[row.group] += 1
    return counted


def _rows(charge_point: ChargePointView) -> tuple[Row, ...]:
    connectors = [each for each in charge_point.connectors if each.connector_id > 0]
    rows = tuple(_row(charge_point, each) for each in connectors)
    return rows or (_row(charge_point, None),)


def _row(charge_point: ChargePointView, connector: ConnectorView | None) -> Row:
    number = connector.connector_id if connector is not None else 0
    return Row(
        place=Place(charge_point.charge_point_id, number),
        charge_point=charge_point,
        connector=connector,
        group=_group(charge_point, connector),
        by_id=(natural_key(charge_point.charge_point_id), number),
    )


def _group(charge_point: ChargePointView, connector: ConnectorView | None) -> Group:
    container = charge_point.container
    if (
        charge_point.state is not ChargePointState.ACCEPTED
        or charge_point.unreachable is not None
        or connector is None
        or (container is not None and container.state is ContainerCondition.WAITING)
        or (container is not None and container.unheard)
    ):
        return Group.OFFLINE
    return _GROUP_OF[connector.reported.status]
