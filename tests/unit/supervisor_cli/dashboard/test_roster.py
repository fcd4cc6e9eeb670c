"""Rows, groups, filters and orders as pure functions."""

import pytest

from cp_image.api.payloads import ChargePointState, ConnectorState
from launcher.api import ContainerCondition
from supervisor_cli.dashboard.columns import Column
from supervisor_cli.dashboard.roster import Group, Place, Roster, counts
from supervisor_cli.dashboard.selection import Choice, chosen
from supervisor_cli.fleet_view import FleetView
from tests.unit.supervisor_cli.dashboard.stage import NOW, fleet
from tests.unit.supervisor_cli.world import ROOT, World, connector_status


def view(world: World) -> FleetView:
    seen = FleetView()
    for topic, payload in world.retained.items():
        seen = seen.apply(ROOT, topic, payload)
    return seen


def roster(world: World) -> Roster:
    made = Roster()
    made.heed(view(world))
    return made


def ids(world: World, choice: Choice) -> list[str]:
    return [str(row.place.charge_point_id) for row in chosen(roster(world).rows, choice, NOW)]


def test_a_row_for_each_connector() -> None:
    places = {row.place for row in roster(fleet()).rows}
    assert {Place("CP-1", 1), Place("CP-1", 2), Place("CP-2", 1)} <= places


def test_what_has_not_changed_stays_the_same_row() -> None:
    world = fleet()
    made, seen = Roster(), view(world)
    made.heed(seen)
    before = {row.place: row for row in made.rows}
    world.connector("CP-2", 1, connector_status(status=ConnectorState.PREPARING))
    topic = "cp_simu/cps/CP-2/connectors/1/status"
    assert made.heed(seen.apply(ROOT, topic, world.retained[topic])) == {"CP-2"}
    changed = [row.place for row in made.rows if before[row.place] is not row]
    assert changed == [Place("CP-2", 1)]


def test_what_is_gone_has_no_rows() -> None:
    made, seen = Roster(), view(fleet())
    made.heed(seen)
    gone = seen.apply(ROOT, "cp_simu/cps/CP-2/status", b"")
    assert made.heed(gone) == {"CP-2"}
    assert made.of(["CP-2"]) == []
    assert made.row(Place("CP-2", 1)) is None


@pytest.mark.parametrize("state", ConnectorState)
def test_every_status_has_a_group(state: ConnectorState) -> None:
    world = World()
    world.charge_point("CP-1", connector_status(status=state))
    (row,) = roster(world).rows
    assert row.group.value.startswith(state.value.removesuffix("EVSE").removesuffix("EV"))


@pytest.mark.parametrize("state", [each for each in ChargePointState if each != "Accepted"])
def test_what_is_not_accepted_is_offline(state: ChargePointState) -> None:
    world = World()
    world.charge_point("CP-1", connector_status(), status=state)
    assert [row.group for row in roster(world).rows] == [Group.OFFLINE]


@pytest.mark.parametrize(
    "condition", [ContainerCondition.FROZEN, ContainerCondition.CUT, ContainerCondition.WAITING]
)
def test_what_cannot_be_reached_is_offline(condition: ContainerCondition) -> None:
    world = World()
    world.charge_point("CP-1")
    world.container("CP-1", condition)
    assert [row.group for row in roster(world).rows] == [Group.OFFLINE]


def test_a_dead_ones_connectors_do_not_count_as_charging() -> None:
    counted = counts(roster(fleet()).rows)
    assert counted[Group.CHARGING] == 2
    assert counted[Group.OFFLINE] == 1


def test_ids_are_in_natural_order() -> None:
    assert ids(fleet(), Choice()) == ["CP-1", "CP-1", "CP-2", "CP-3", "CP-10", "FAST-1"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("cp-1", ["CP-1", "CP-1", "CP-10"]),
        ("CP-?", ["CP-1", "CP-1", "CP-2", "CP-3"]),
        ("charging", ["CP-1", "FAST-1"]),
        ("dead", ["CP-10"]),
        ("dave", ["FAST-1"]),
        ("csms.example", ["FAST-1"]),
        ("charging tag1", ["CP-1"]),
        ("!charging cp-1", ["CP-1", "CP-10"]),
        ("!*-1 !cp*", []),
        ("  ", ["CP-1", "CP-1", "CP-2", "CP-3", "CP-10", "FAST-1"]),
    ],
)
def test_a_filter_finds_id_status_tag_and_csms(words: str, found: list[str]) -> None:
    assert ids(fleet(), Choice(words=words)) == found


@pytest.mark.parametrize(
    ("column", "first", "last"),
    [
        (Column.POWER, "CP-1", "FAST-1"),
        (Column.SESSION, "CP-1", "FAST-1"),
        (Column.CHARGE, "CP-1", "FAST-1"),
        (Column.CONNECTOR, "CP-1", "CP-10"),
        (Column.STATUS, "CP-1", "CP-10"),
        (Column.CSMS, "CP-1", "FAST-1"),
    ],
)
def test_every_order_has_its_ends(column: Column, first: str, last: str) -> None:
    ordered = ids(fleet(), Choice(sort_by=column))
    assert (ordered[0], ordered[-1]) == (first, last)


@pytest.mark.parametrize("column", Column)
def test_every_column_sorts_both_ways(column: Column) -> None:
    up = ids(fleet(), Choice(sort_by=column))
    down = ids(fleet(), Choice(sort_by=column, descending=True))
    assert sorted(up) == sorted(down)
    keys = {row.place: column.spec.key(row, NOW) for row in roster(fleet()).rows}
    rows = chosen(roster(fleet()).rows, Choice(sort_by=column, descending=True), NOW)
    if column is not Column.ID:
        values = [keys[row.place] for row in rows]
        assert values == sorted(values, reverse=True)
