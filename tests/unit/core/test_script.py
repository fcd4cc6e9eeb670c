"""Drivers come on their own, as the script says, and leave alone what others do."""

from itertools import pairwise
from random import Random
from typing import Any

import pytest

from cp_image.api.payloads import CarInput, ChargePointType, ConnectorState, StopReason
from cp_image.core.csms_messages import RemoteStopTransaction, Reset
from cp_image.core.messages import (
    AuthorizationStatus,
    Authorize,
    IdTagStatus,
    StartTransaction,
    StopTransaction,
)
from cp_image.core.script_settings import ScriptSettings, Span
from cp_image.core.scripted_station import scripted
from cp_image.core.station import Station
from tests.support.virtual_station import VirtualStation, make_settings

SCRIPT = ScriptSettings(
    idle_s=Span(least=30.0, most=120.0),
    handling_s=Span(least=2.0, most=10.0),
    charge_s=Span(least=60.0, most=300.0),
    consumption=Span(least=6.0, most=32.0),
    id_tags=("TAG1", "TAG2", "TAG3"),
    sessions=0,
)
ONE = make_settings(nb_connectors=1)
HOUR = 3600.0


class Scripted(VirtualStation):
    """A station with drivers, connected as soon as it has power."""

    script = SCRIPT
    seed = "0"

    def _make_station(self) -> Station:
        station: Any = scripted(
            super()._make_station(),
            self.settings,
            self.script,
            lambda stream: Random(f"{self.seed}:{stream}"),
        )
        return station  # type: ignore[no-any-return]  # speaks like one


def make(
    settings: Any = ONE, *, script: ScriptSettings = SCRIPT, seed: str = "0", connected: bool = True
) -> Scripted:
    kind = type("Scripted", (Scripted,), {"script": script, "seed": seed})
    station: Scripted = kind(settings)
    if connected:
        station.connect()
    return station


def test_drivers_come_and_go() -> None:
    station = make()
    station.run(HOUR)
    starts, stops = station.heard(StartTransaction), station.heard(StopTransaction)
    assert len(starts) > 5
    assert len(starts) - len(stops) in {0, 1}
    assert {stop.reason for stop in stops} == {StopReason.LOCAL}
    assert {start.id_tag for start in starts} == {"TAG1", "TAG2", "TAG3"}
    assert station.reported()[:6] == [
        ConnectorState.AVAILABLE,
        ConnectorState.PREPARING,
        ConnectorState.CHARGING,
        ConnectorState.FINISHING,
        ConnectorState.AVAILABLE,
        ConnectorState.PREPARING,
    ]
    begun, ended = station.heard_at(StartTransaction), station.heard_at(StopTransaction)
    assert begun[0] <= 30.0 + 10.0
    for start, stop, following in zip(begun, ended, begun[1:], strict=False):
        assert 60.0 <= stop - start <= 300.0
        assert 30.0 + 2 * 2.0 <= following - stop <= 120.0 + 2 * 10.0
    drawn = {status.consumption_l1 for status in station.connector_history()} - {0.0}
    assert len(drawn) > 5
    assert all(6.0 <= each <= 32.0 for each in drawn)


def test_the_same_seed_is_the_same_day() -> None:
    days = []
    for seed in ("0", "0", "1"):
        station = make(seed=seed)
        station.run(HOUR)
        days.append(station.heard_at(StartTransaction))
    assert days[0] == days[1] != days[2]


def test_each_connector_has_drivers_of_its_own() -> None:
    station = make(make_settings(nb_connectors=2))
    station.run(HOUR)
    by_connector = {start.connector_id for start in station.heard(StartTransaction)}
    assert by_connector == {1, 2}
    plugged = [
        next(s for s in station.connector_history(n) if s.car_cable_capacity > 0) for n in (1, 2)
    ]
    assert plugged[0].car_consumption_l1 != plugged[1].car_consumption_l1
    assert plugged[0].car_consumption_l3 == plugged[0].car_consumption_l1


def test_a_dc_car_asks_for_watts_on_one_phase() -> None:
    settings = make_settings(
        type=ChargePointType.DC,
        nb_connectors=1,
        nb_phases=1,
        voltage_v=400.0,
        max_setpoint=150_000.0,
        max_setpoint_per_connector=150_000.0,
    )
    script = ScriptSettings(
        idle_s=SCRIPT.idle_s,
        handling_s=SCRIPT.handling_s,
        charge_s=SCRIPT.charge_s,
        consumption=Span(least=20_000.0, most=20_000.0),
        id_tags=("A",),
        sessions=1,
    )
    station = make(settings, script=script)
    station.run(HOUR)
    drawn = {status.consumption_l1 for status in station.connector_history()}
    assert drawn == {0.0, 20_000.0}
    assert len(station.heard(StopTransaction)) == 1


def test_after_the_last_session_nobody_comes() -> None:
    script = ScriptSettings(
        idle_s=SCRIPT.idle_s,
        handling_s=SCRIPT.handling_s,
        charge_s=SCRIPT.charge_s,
        consumption=SCRIPT.consumption,
        id_tags=("A",),
        sessions=2,
    )
    station = make(script=script)
    station.run(10 * HOUR)
    assert len(station.heard(StopTransaction)) == 2
    assert station.connector().status is ConnectorState.AVAILABLE


def test_a_refused_tag_starts_nothing_and_the_driver_leaves() -> None:
    station = make()
    for tag in SCRIPT.id_tags:
        station.csms.tags[tag] = IdTagStatus(status=AuthorizationStatus.BLOCKED)
    station.run(HOUR)
    asked = len(station.heard(Authorize))
    arrivals = station.reported().count(ConnectorState.PREPARING)
    assert station.heard(StartTransaction) == []
    assert asked in {arrivals, arrivals - 1}
    assert arrivals > 5


def test_a_driver_whose_transaction_the_csms_stops_leaves() -> None:
    station = make()
    while station.connector().status is not ConnectorState.CHARGING:
        station.run(1.0)
    transaction_id = station.connector().transaction_id
    assert transaction_id is not None
    station.ask(RemoteStopTransaction(transaction_id=transaction_id))
    assert station.connector().status is ConnectorState.FINISHING
    station.run(10.0)
    assert station.connector().status is ConnectorState.AVAILABLE
    station.run(HOUR)
    assert station.heard(StopTransaction)[0].reason is StopReason.REMOTE
    assert len(station.heard(StopTransaction)) > 5


def test_a_car_that_a_power_cut_left_behind_is_taken_away() -> None:
    before = make()
    while before.connector().status is not ConnectorState.CHARGING:
        before.run(1.0)
    after = before.power_cut(dark_s=60.0)
    after.connect()
    assert after.heard(StopTransaction)[-1].reason is StopReason.POWER_LOSS
    after.run(HOUR)
    assert len(after.heard(StopTransaction)) > 5


def test_a_car_of_somebody_else_is_left_to_charge() -> None:
    station = make(connected=False)
    station.connect()
    station.car(1, CarInput(cable=20.0, ready=True, consumption_l1=10.0))
    station.tag("MINE")
    station.run(60.0)
    assert station.connector().id_tag == "MINE"
    assert station.connector().consumption_l1 == 10.0


def test_nobody_charges_while_the_connector_is_faulted() -> None:
    station = make()
    station.fault()
    station.run(HOUR)
    assert station.heard(StartTransaction) == []
    station.fault(faulted=False)
    station.run(HOUR)
    assert len(station.heard(StartTransaction)) > 5


@pytest.mark.parametrize("hard", [True, False])
def test_drivers_come_again_after_a_reset(hard: bool) -> None:
    station = make()
    station.run(HOUR)
    station.ask(Reset(hard=hard))
    station.run(30.0)
    station.connect()
    before = len(station.heard(StartTransaction))
    station.run(HOUR)
    assert len(station.heard(StartTransaction)) > before + 5


def test_nothing_more_is_due_after_the_end() -> None:
    station = make()
    station.run(HOUR)
    station.stop()
    assert station.station.next_deadline() is None
    before = len(station.effects)
    station.run(HOUR)
    assert len(station.effects) == before


def test_drivers_come_while_the_csms_is_away() -> None:
    station = make(connected=False)
    station.run(HOUR)
    plugged = [status.car_cable_capacity > 0 for status in station.connector_history()]
    assert sum(b and not a for a, b in pairwise(plugged)) > 5
    assert station.heard(Authorize) == []
