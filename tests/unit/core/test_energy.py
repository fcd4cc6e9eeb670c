"""Meter: setpoints, what is drawn, and the register."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api.payloads import CarInput, ChargePointType, ConnectorState
from cp_image.core.energy import Meter, Supply, shared_setpoints
from tests.support.virtual_station import VirtualStation, make_settings

AMPERES = st.floats(0, 1000, allow_nan=False)


@pytest.mark.parametrize(
    ("limits", "total", "expected"),
    [
        ([], 32.0, []),
        ([16.0, 16.0], 32.0, [16.0, 16.0]),
        ([32.0, 32.0], 32.0, [16.0, 16.0]),
        ([32.0, 16.0], 32.0, [21.0, 10.0]),
        ([15.0, 15.0, 15.0], 30.0, [10.0, 10.0, 10.0]),
        ([10.9], 32.0, [10.0]),
        ([32.0, 0.0], 16.0, [16.0, 0.0]),
        ([20.0], 0.0, [0.0]),
    ],
)
def test_a_limit_is_shared_in_proportion(
    limits: list[float], total: float, expected: list[float]
) -> None:
    assert shared_setpoints(limits, total) == expected


@given(limits=st.lists(AMPERES, max_size=8), total=AMPERES)
def test_shares_are_whole_and_within_every_limit(limits: list[float], total: float) -> None:
    setpoints = shared_setpoints(limits, total)
    assert sum(setpoints) <= total + 1e-6
    for setpoint, limit in zip(setpoints, limits, strict=True):
        assert 0 <= setpoint <= limit
        assert setpoint == math.floor(setpoint)


def test_ac_counts_amperes_on_the_phases_there_are() -> None:
    supply = Supply(type=ChargePointType.AC, nb_phases=2, voltage_v=230.0)
    drawn = supply.drawn((10.5, 40.0, 16.0), 32.0)
    assert drawn == (10.5, 32.0, 0.0)
    assert supply.power_w(drawn) == pytest.approx(42.5 * 230)
    assert supply.currents_a(drawn) == (10.5, 32.0)
    assert supply.offered_w(32.0) == 2 * 32 * 230


def test_dc_counts_watts_on_one_phase_whatever_is_asked() -> None:
    supply = Supply(type=ChargePointType.DC, nb_phases=3, voltage_v=400.0)
    drawn = supply.drawn((150_000.5, 5.0, 5.0), 150_000.0)
    assert drawn == (150_000.0, 0.0, 0.0)
    assert supply.power_w(drawn) == 150_000.0
    assert supply.currents_a(drawn) == (375.0,)
    assert supply.offered_w(150_000.0) == 150_000.0


@given(
    steps=st.lists(
        st.tuples(st.floats(-7200, 7200, allow_nan=False), st.floats(0, 350_000, allow_nan=False)),
        max_size=30,
    )
)
def test_the_register_never_falls_even_when_the_clock_is_set_back(
    steps: list[tuple[float, float]],
) -> None:
    meter, now = Meter(12.5), 1000.0
    meter.advance(now)
    for step_s, power_w in steps:
        before = meter.register_wh
        now += step_s
        meter.advance(now)
        assert meter.register_wh >= before
        meter.draw(power_w)
        assert meter.register_wh >= before


@given(cuts=st.lists(st.floats(0, 3600, allow_nan=False), max_size=50))
def test_reading_a_meter_often_changes_nothing(cuts: list[float]) -> None:
    often, once = Meter(0.0), Meter(0.0)
    for meter in (often, once):
        meter.advance(0.0)
        meter.draw(2300.0)
    for at in sorted(cuts):
        often.advance(at)
    for meter in (often, once):
        meter.advance(3600.0)
    assert often.register_wh == once.register_wh == 2300.0
    assert often.whole_wh == 2300


def test_the_cable_and_the_connector_limit_the_setpoint() -> None:
    station = VirtualStation()
    assert station.connector().setpoint == 0  # no cable
    station.plug(cable=20.5)
    assert station.connector().setpoint == 20
    station.plug(cable=63.0)
    assert station.connector().setpoint == 32
    assert station.connector().ocpp_setpoint == station.connector().max_setpoint == 32


def test_only_connectors_in_a_transaction_share() -> None:
    station = VirtualStation(make_settings(max_setpoint=32.0))
    station.connect()
    station.plug(1, draws=32.0)
    station.plug(2, draws=32.0)
    station.tag("TAG1", 1)
    assert (station.connector(1).setpoint, station.connector(2).setpoint) == (32, 32)
    station.tag("TAG2", 2)
    assert (station.connector(1).setpoint, station.connector(2).setpoint) == (16, 16)
    assert station.connector(1).consumption_l1 == 16
    station.unplug(2)
    assert (station.connector(1).setpoint, station.connector(2).setpoint) == (32, 0)
    assert station.connector(1).consumption_l1 == 32


def test_energy_agrees_with_power_and_time_through_changes() -> None:
    station = VirtualStation()
    station.connect()
    station.plug(draws=10.0)
    station.tag()
    assert station.connector().power_w == 6900
    station.run(1800)
    station.car(1, CarInput(consumption_l3=0.0))
    assert station.connector().power_w == 4600
    station.run(1800)
    station.car(1, CarInput(ready=False))
    assert station.connector().status is ConnectorState.SUSPENDED_EV
    assert station.connector().power_w == 0
    station.run(3600)
    station.tag()
    assert station.connector().register_wh == pytest.approx(3450 + 2300)


def test_a_dc_station_charges_in_watts() -> None:
    station = VirtualStation(
        make_settings(
            type=ChargePointType.DC,
            nb_connectors=1,
            voltage_v=400.0,
            max_setpoint=300_000.0,
            max_setpoint_per_connector=250_000.0,
        )
    )
    station.connect()
    station.plug(cable=150_000.0, draws=150_000.5)
    station.tag()
    shown = station.connector()
    assert (shown.setpoint, shown.consumption_l1, shown.consumption_l2) == (150_000, 150_000, 0)
    assert shown.power_w == 150_000
    station.run(3600)
    assert station.connector().session_wh == pytest.approx(150_000)


def test_the_dust_of_floats_is_no_missing_watt_hour() -> None:
    assert Meter(2299.9999999999).whole_wh == 2300
    assert Meter(2299.999).whole_wh == 2299
