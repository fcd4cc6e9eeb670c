"""Smart charging: limits in A and in W on one, two and three phases (OCPP 1.6 §7.14)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api.payloads import ChargePointType
from cp_image.core.composite_schedule import ConnectorPlan, Stack, StationPlan, Timeline
from cp_image.core.csms_messages import (
    ChargingProfile,
    ChargingRateUnit,
    RemoteStartTransaction,
)
from cp_image.core.energy import Supply
from tests.support.charging import (
    CAP,
    DEFAULT,
    TX,
    ask_composite,
    charge,
    charging,
    clear,
    composite,
    install,
    make_profile,
    setpoints,
)
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

A, W = ChargingRateUnit.A, ChargingRateUnit.W
AC = Supply(type=ChargePointType.AC, nb_phases=3, voltage_v=230.0)


def shown(station: VirtualStation, connector_id: int, unit: ChargingRateUnit) -> tuple[float, int]:
    """Return limit and phases of a composite schedule."""
    schedule = ask_composite(station, connector_id, 60, unit).schedule
    assert schedule is not None
    (period,) = schedule.periods
    return period.limit, period.number_phases or 3


# -- a cap in W ---------------------------------------------------------------------------------


def test_a_cap_in_watts_leaves_alone_what_is_within_it_on_one_phase() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 3680.0), unit=W, phases=1), 1)
    install(station, make_profile(CAP, (0, 7360.0), unit=W, profile_id=2))
    assert setpoints(station) == (16.0, 16.0)
    assert station.connector().power_w == 3680.0
    assert shown(station, 1, W) == (3680.0, 1)
    assert shown(station, 1, A) == (16.0, 1)


def test_a_cap_in_watts_is_used_up_by_a_session_on_one_phase() -> None:
    station = charging()
    install(station, make_profile(CAP, (0, 10_000.0), unit=W))
    assert setpoints(station) == (14.492754, 14.0)
    install(station, make_profile(TX, (0, 32.0), profile_id=2, phases=1), 1)
    assert setpoints(station) == (32.0, 32.0)
    assert station.connector().power_w == 7360.0
    assert shown(station, 1, W) == (7360.0, 1)
    assert shown(station, 1, A) == (32.0, 1)


def test_sessions_on_one_phase_each_use_up_a_cap_in_watts_together() -> None:
    station = charging()
    charge(station, 2)
    install(station, make_profile(CAP, (0, 11_040.0), unit=W))
    install(station, make_profile(TX, (0, 16.0), profile_id=2, phases=1), 1)
    install(station, make_profile(TX, (0, 16.0), profile_id=3, phases=1), 2)
    assert setpoints(station, 1) == setpoints(station, 2) == (16.0, 16.0)
    install(station, make_profile(CAP, (0, 4_600.0), unit=W))
    assert setpoints(station, 1) == setpoints(station, 2) == (16.0, 10.0)


def test_beside_a_session_on_three_phases_amperes_per_phase_are_shared() -> None:
    station = charging()
    charge(station, 2)
    install(station, make_profile(CAP, (0, 11_040.0), unit=W))
    install(station, make_profile(TX, (0, 16.0), profile_id=2, phases=1), 1)
    assert setpoints(station, 1) == setpoints(station, 2) == (16.0, 8.0)
    assert sum(station.connector(n).power_w for n in (1, 2)) <= 11_040.0


def test_the_hardware_counts_amperes_per_phase_whatever_the_phases() -> None:
    station = charging(max_setpoint=32.0)
    charge(station, 2)
    for connector_id in (1, 2):
        tx = make_profile(TX, (0, 32.0), profile_id=connector_id, phases=1)
        install(station, tx, connector_id)
    assert setpoints(station, 1) == setpoints(station, 2) == (32.0, 16.0)


def test_a_cap_in_watts_on_one_phase_switches_all_to_it() -> None:
    station = charging()
    install(station, make_profile(CAP, (0, 3_680.0), unit=W, phases=1))
    assert setpoints(station) == (16.0, 16.0)
    assert station.connector().power_w == 3680.0
    assert shown(station, 0, W) == (3680.0, 1)
    assert shown(station, 0, A) == (16.0, 1)


def test_a_minimum_in_watts_counts_on_the_phases_that_charge() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 11_040.0), unit=W, min_rate=4_140.0))
    install(station, make_profile(CAP, (0, 16.0), phases=1, profile_id=2))
    assert setpoints(station) == (16.0, 0.0), "4140 W on one phase are 18 A"


def test_both_units_show_the_same_periods() -> None:
    station = charging()
    install(station, make_profile(CAP, (0, 6_900.0), (60, 4_600.0), unit=W, start_at=EPOCH))
    install(station, make_profile(DEFAULT, (0, 24.0), (90, 10.0), profile_id=2, phases=1))
    assert composite(station, unit=A) == [(0, 24.0), (60, 20.0), (90, 10.0)]
    assert composite(station, unit=W) == [(0, 5520.0), (60, 4600.0), (90, 2300.0)]


# -- properties ---------------------------------------------------------------------------------


@st.composite
def profiles(draw: st.DrawFn) -> ChargingProfile:
    unit = draw(st.sampled_from(ChargingRateUnit))
    limit = draw(st.integers(0, 400)) * (0.1 if unit is A else 55.0)
    return make_profile(
        DEFAULT,
        (0, limit),
        unit=unit,
        phases=draw(st.sampled_from([None, 1, 2, 3])),
    )


def stacked(profile: ChargingProfile | None) -> Stack:
    return Stack(timelines=[Timeline(profile=profile, origin_at=EPOCH)] if profile else [])


def most_watts(profile: ChargingProfile, phases: int) -> float:
    """Return what a profile allows on some phases."""
    limit = profile.schedule.periods[0].limit
    return limit if profile.schedule.unit is W else limit * 230 * phases


@given(
    cap=st.none() | profiles(),
    owns=st.lists(st.none() | profiles(), min_size=1, max_size=3),
)
def test_the_setpoint_is_what_the_tightest_limit_leaves(
    cap: ChargingProfile | None, owns: list[ChargingProfile | None]
) -> None:
    plans = [
        ConnectorPlan(
            supply=AC, max_setpoint=32.0, caps=stacked(cap), own=stacked(own), running=True
        )
        for own in owns
    ]
    for plan, own in zip(plans, owns, strict=True):
        limit = plan.limit_at(EPOCH)
        said = [profile for profile in (cap, own) if profile is not None]
        phases = min([3, *(profile.schedule.periods[0].number_phases or 3 for profile in said)])
        assert limit.phases == phases
        expected = min([32.0 * 230 * phases, *(most_watts(profile, phases) for profile in said)])
        assert limit.in_unit(W, AC) == pytest.approx(expected, abs=1e-3)
        assert limit.setpoint(AC) * 230 * phases == pytest.approx(expected, abs=1e-3)
    station = StationPlan(supply=AC, max_setpoint=64.0, caps=stacked(cap), connectors=plans)
    shared = station.cap_at(EPOCH)
    most = max(plan.limit_at(EPOCH).phases for plan in plans)
    if cap is not None and cap.schedule.unit is W:
        assert shared.setpoint(AC) * 230 * most <= cap.schedule.periods[0].limit + 1e-3
    if len({plan.limit_at(EPOCH).phases for plan in plans}) == 1:
        in_amperes, in_watts = (station.shown_at(EPOCH, unit) for unit in (A, W))
        assert in_amperes.number_phases == in_watts.number_phases
        assert in_amperes.limit * 230 * most == pytest.approx(in_watts.limit, abs=0.1 * 690 + 0.1)


# -- phases that cannot be switched while charging (§9.4 ConnectorSwitch3to1PhaseSupported) --------

FIXED = {"ConnectorSwitch3to1PhaseSupported": "false"}


def test_unless_told_otherwise_a_session_is_switched_to_fewer_phases() -> None:
    station = charging()
    assert station.station.ocpp_config()["ConnectorSwitch3to1PhaseSupported"] == "true"
    install(station, make_profile(TX, (0, 16.0), phases=1), 1)
    assert station.connector().power_w == 16 * 230


def test_a_running_session_keeps_its_phases() -> None:
    station = charging(configuration=FIXED)
    install(station, make_profile(TX, (0, 16.0), phases=1), 1)
    status = station.connector()
    assert (status.consumption_l1, status.consumption_l2, status.consumption_l3) == (16, 16, 16)
    assert shown(station, 1, A) == (16.0, 3)
    assert shown(station, 1, W) == (11_040.0, 3)


@pytest.mark.parametrize("cap", [False, True])
def test_watts_are_then_held_by_amperes_on_all_phases(cap: bool) -> None:
    station = charging(configuration=FIXED)
    purpose, connector_id = (CAP, 0) if cap else (TX, 1)
    install(station, make_profile(purpose, (0, 4_140.0), unit=W, phases=1), connector_id)
    assert setpoints(station) == (6.0, 6.0)
    assert station.connector().power_w == 4_140.0
    assert shown(station, 1, W) == (4_140.0, 3)
    assert shown(station, 1, A) == (6.0, 3)


def test_a_session_that_begins_on_one_phase_stays_on_it() -> None:
    station = charging(configuration=FIXED)
    station.unplug()
    install(station, make_profile(DEFAULT, (0, 16.0), (60, 20.0), phases=1))
    charge(station)
    assert station.connector().power_w == 16 * 230
    clear(station)
    assert station.connector().power_w == 32 * 230
    assert shown(station, 1, W) == (7360.0, 1)
    station.unplug()
    charge(station)
    assert station.connector().power_w == 32 * 690, "the next session has all phases"


def test_the_profile_of_a_remote_start_says_on_which_phases_it_begins() -> None:
    station = VirtualStation(make_settings(configuration=FIXED))
    station.connect()
    station.plug(draws=32.0)
    profile = make_profile(TX, (0, 16.0), phases=1)
    request = RemoteStartTransaction(id_tag="TAG1", connector_id=1, charging_profile=profile)
    station.ask(request)
    assert station.connector().power_w == 16 * 230
