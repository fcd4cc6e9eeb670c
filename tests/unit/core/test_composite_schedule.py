"""Smart charging: GetCompositeSchedule, and what it shares with the limits in force."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api.payloads import ChargePointType
from cp_image.core.composite_schedule import (
    ConnectorPlan,
    Stack,
    StationPlan,
    Timeline,
    composite_schedule,
)
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    ChargingProfile,
    ChargingProfileKind,
    ChargingRateUnit,
    RecurrencyKind,
)
from cp_image.core.energy import Supply
from cp_image.core.limit import to_limit
from cp_image.core.sharing import shared_above_minimums
from tests.support.charging import (
    CAP,
    DEFAULT,
    RECURRING,
    TX,
    ask_composite,
    composite,
    install,
    make_profile,
)
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

A, W = ChargingRateUnit.A, ChargingRateUnit.W
AC = Supply(type=ChargePointType.AC, nb_phases=3, voltage_v=230.0)
START = 1_000_000.0


def charging(**changes: object) -> VirtualStation:
    station = VirtualStation(make_settings(**changes))
    station.connect()
    station.plug(draws=32.0)
    station.tag()
    return station


# -- the message --------------------------------------------------------------------------------


@pytest.mark.parametrize(("connector_id", "duration_s"), [(3, 60), (-1, 60), (1, 0), (0, -1)])
def test_nonsense_is_rejected(connector_id: int, duration_s: int) -> None:
    answer = ask_composite(charging(), connector_id, duration_s)
    assert answer.status is AcceptanceStatus.REJECTED
    assert answer.schedule is None


def test_without_profiles_it_shows_the_hardware() -> None:
    station = charging(max_setpoint=50.0)
    assert composite(station, 1) == [(0, 32.0)]
    assert composite(station, 0) == [(0, 50.0)]
    assert composite(station, 0, unit=W) == [(0, 50.0 * 690)]


def test_it_says_where_and_when() -> None:
    station = charging()
    station.run(10.75)
    answer = ask_composite(station, duration_s=300)
    assert answer.status is AcceptanceStatus.ACCEPTED
    assert answer.connector_id == 1
    assert answer.start_at == EPOCH + 10
    assert answer.schedule is not None
    assert answer.schedule.duration_s == 300
    assert answer.schedule.unit is A


def test_periods_are_relative_to_its_start_and_equal_neighbours_merge() -> None:
    station = charging()
    station.run(100)
    install(
        station,
        make_profile(
            DEFAULT, (0, 10.0), (150, 10.0), (160, 20.0), (170, 40.0), (180, 50.0), start_at=EPOCH
        ),
    )
    assert composite(station) == [(0, 10.0), (60, 20.0), (70, 32.0)]
    assert composite(station, duration_s=70) == [(0, 10.0), (60, 20.0)]
    assert composite(station, unit=W) == [(0, 6900.0), (60, 13800.0), (70, 22080.0)]


def test_the_cap_shows_for_the_charge_point_and_for_connectors() -> None:
    station = charging()
    install(station, make_profile(CAP, (0, 20.0), (60, 40.0), start_at=EPOCH))
    install(station, make_profile(DEFAULT, (0, 24.0), profile_id=2))
    assert composite(station, 0) == [(0, 20.0), (60, 40.0)]
    assert composite(station, 1) == [(0, 20.0), (60, 24.0)]
    assert composite(station, 2) == [(0, 20.0), (60, 24.0)]


def test_the_charge_point_draws_no_more_than_its_connectors_together() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0)))
    install(station, make_profile(TX, (0, 6.0), profile_id=2), 1)
    assert composite(station, 0) == [(0, 16.0)]


def test_phases_show_where_they_are_not_three() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 3680.0), unit=W, phases=1))
    for unit, limit in ((A, 16.0), (W, 3680.0)):
        schedule = ask_composite(station, unit=unit).schedule
        assert schedule is not None
        assert [(p.limit, p.number_phases) for p in schedule.periods] == [(limit, 1)]


def test_min_charging_rate_shows() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0), min_rate=6.0))
    schedule = ask_composite(station, unit=W).schedule
    assert schedule is not None
    assert schedule.min_charging_rate == 6 * 690


def test_limits_have_one_decimal_and_are_never_rounded_up() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10_000.0), unit=W))
    assert composite(station) == [(0, 14.4)]  # 14.49 A
    assert composite(station, unit=W) == [(0, 10_000.0)]


def test_it_ends_early_where_there_are_too_many_periods() -> None:
    station = charging(configuration={"ChargingScheduleMaxPeriods": "2"})
    install(station, make_profile(DEFAULT, (0, 10.0), (60, 8.0), start_at=EPOCH, duration_s=120))
    schedule = ask_composite(station, duration_s=200).schedule
    assert schedule is not None
    assert [(p.start_s, p.limit) for p in schedule.periods] == [(0, 10.0), (60, 8.0)]
    assert schedule.duration_s == 120


def test_centuries_are_answered_in_no_time() -> None:
    station = charging()
    daily = RecurrencyKind.DAILY
    profile = make_profile(
        DEFAULT, (0, 10.0), (60, 10.0), kind=RECURRING, recurrency=daily, start_at=EPOCH
    )
    install(station, profile)
    schedule = ask_composite(station, duration_s=2**60).schedule
    assert schedule is not None
    assert [(p.start_s, p.limit) for p in schedule.periods] == [(0, 10.0)]
    assert schedule.duration_s is not None
    assert 1e8 < schedule.duration_s < 2**60


def test_an_instant_between_two_seconds_shows_the_limit_of_that_instant() -> None:
    station = charging()
    station.run(0.5)
    install(station, make_profile(DEFAULT, (0, 10.0), start_at=EPOCH + 0.25, duration_s=1))
    assert composite(station) == [(0, 10.0), (1, 32.0)]


@pytest.mark.parametrize(
    ("allowed", "type_", "default"),
    [
        ("Current", ChargePointType.AC, A),
        ("Power", ChargePointType.AC, W),
        ("Current,Power", ChargePointType.AC, A),
        ("Current", ChargePointType.DC, A),
        ("Power", ChargePointType.DC, W),
        ("Current,Power", ChargePointType.DC, W),
        ("", ChargePointType.AC, None),
    ],
)
def test_the_unit_is_one_that_is_allowed(
    allowed: str, type_: ChargePointType, default: ChargingRateUnit | None
) -> None:
    configuration = {"ChargingScheduleAllowedChargingRateUnit": allowed}
    station = charging(configuration=configuration, type=type_)
    answer = ask_composite(station)
    assert (answer.schedule.unit if answer.schedule else None) is default
    for unit, name in ((A, "Current"), (W, "Power")):
        status = ask_composite(station, unit=unit).status
        assert (status is AcceptanceStatus.ACCEPTED) is (name in allowed)


# -- properties ---------------------------------------------------------------------------------

LIMITS = st.integers(0, 400).map(lambda tenths: tenths / 10)
INSTANTS = st.integers(-50, 400).map(lambda offset_s: START + offset_s)


@st.composite
def profiles(draw: st.DrawFn) -> ChargingProfile:
    starts = sorted(draw(st.sets(st.integers(1, 200), max_size=4)))
    kind = draw(st.sampled_from(ChargingProfileKind))
    return make_profile(
        DEFAULT,
        *((start_s, draw(LIMITS)) for start_s in (0, *starts)),
        kind=kind,
        level=draw(st.integers(0, 3)),
        start_at=draw(INSTANTS),
        duration_s=draw(st.none() | st.integers(1, 300)),
        recurrency=draw(st.sampled_from(RecurrencyKind)) if kind is RECURRING else None,
        valid_from=draw(st.none() | INSTANTS),
        valid_to=draw(st.none() | INSTANTS),
    )


STACKS = st.lists(profiles(), max_size=4)


def expected_limit(stack: Sequence[ChargingProfile], at: float) -> float | None:
    """Look the limit up the slow way; all schedules are in A."""
    for profile in stack:
        schedule = profile.schedule
        assert schedule.start_at is not None
        valid = (profile.valid_from is None or profile.valid_from <= at) and (
            profile.valid_to is None or at < profile.valid_to
        )
        elapsed_s = at - schedule.start_at
        if profile.recurrency_kind is not None and elapsed_s >= 0:
            elapsed_s %= 86_400 if profile.recurrency_kind is RecurrencyKind.DAILY else 604_800
        ended = schedule.duration_s is not None and elapsed_s >= schedule.duration_s
        if valid and elapsed_s >= 0 and not ended:
            return [p.limit for p in schedule.periods if p.start_s <= elapsed_s][-1]
    return None


def stacked(stack: Sequence[ChargingProfile]) -> Stack:
    timelines = [Timeline(profile=p, origin_at=p.schedule.start_at) for p in stack]
    return Stack(timelines=timelines)


def planned(caps: Sequence[ChargingProfile], own: Sequence[ChargingProfile]) -> ConnectorPlan:
    return ConnectorPlan(supply=AC, max_setpoint=32.0, caps=stacked(caps), own=stacked(own))


@given(
    caps=STACKS,
    own=STACKS,
    after_s=st.integers(0, 299),
    late=st.sampled_from([0, 86_400, 604_800]),
)
def test_a_composite_schedule_is_the_pointwise_minimum(
    caps: list[ChargingProfile], own: list[ChargingProfile], after_s: int, late: int
) -> None:
    from_at = START + late
    start_at, schedule = composite_schedule(
        planned(caps, own), A, from_at=from_at, duration_s=300, max_periods=1440
    )
    assert start_at == from_at
    assert schedule.duration_s == 300
    shown = [p.limit for p in schedule.periods if p.start_s <= after_s][-1]
    looked_up = [expected_limit(stack, from_at + after_s) for stack in (caps, own)]
    assert shown == min(32.0, *(limit for limit in looked_up if limit is not None), 32.0)
    for one, other in zip(schedule.periods, schedule.periods[1:], strict=False):
        assert one.start_s < other.start_s < 300
        assert one.limit != other.limit


@given(caps=STACKS, own=STACKS, at=INSTANTS)
def test_nothing_changes_before_the_next_change(
    caps: list[ChargingProfile], own: list[ChargingProfile], at: float
) -> None:
    plan = planned(caps, own)
    change_at = plan.next_change_at(at)
    limit = plan.limit_at(at)
    if change_at is None:
        assert all(plan.limit_at(at + later_s) == limit for later_s in (1, 1000, 10**7))
        return
    assert change_at > at
    assert plan.limit_at(math.nextafter(change_at, 0)) == limit
    assert plan.limit_at((at + change_at) / 2) == limit


@given(
    origin=st.floats(1.6e9, 1.8e9),
    runs=st.integers(0, 5000),
    step_s=st.integers(1, 86_399),
    weekly=st.booleans(),
)
def test_boundaries_of_recurrences_are_exact_whatever_the_origin(
    origin: float, runs: int, step_s: int, weekly: bool
) -> None:
    rhythm = RecurrencyKind.WEEKLY if weekly else RecurrencyKind.DAILY
    repeats_s = 604_800 if weekly else 86_400
    profile = make_profile(
        DEFAULT, (0, 1.0), (step_s, 2.0), kind=RECURRING, recurrency=rhythm, start_at=origin
    )
    timeline = Timeline(profile=profile, origin_at=origin)
    restart_at = origin + runs * repeats_s
    at: float = restart_at
    for expected in (1.0, 2.0, 1.0, 2.0):
        period = timeline.period_at(at)
        assert period is not None
        assert period.limit == expected
        following = timeline.next_change_at(at)
        assert following is not None
        assert following > at
        at = following
    assert at == origin + (runs + 2) * repeats_s


@given(
    value=LIMITS,
    unit=st.sampled_from(ChargingRateUnit),
    phases=st.sampled_from([None, 1, 2, 3]),
    nb_phases=st.sampled_from([1, 2, 3]),
    type_=st.sampled_from(ChargePointType),
)
def test_a_limit_survives_the_hardwares_unit(
    value: float,
    unit: ChargingRateUnit,
    phases: int | None,
    nb_phases: int,
    type_: ChargePointType,
) -> None:
    supply = Supply(type=type_, nb_phases=nb_phases, voltage_v=230.0)
    limit = to_limit(value, unit, phases, supply)
    assert limit.phases == min(phases or 3, supply.phases)
    assert limit.in_unit(unit, supply) == pytest.approx(value, abs=1e-5)


@given(caps=STACKS, owns=st.lists(STACKS, min_size=1, max_size=3), at=INSTANTS)
def test_no_setpoints_exceed_the_cap_together(
    caps: list[ChargingProfile], owns: list[list[ChargingProfile]], at: float
) -> None:
    plans = [planned(caps, own) for own in owns]
    station = StationPlan(supply=AC, max_setpoint=50.0, caps=stacked(caps), connectors=plans)
    cap = station.cap_at(at).setpoint(AC)
    limits = [plan.limit_at(at).setpoint(AC) for plan in plans]
    setpoints = shared_above_minimums(limits, [6.0] * len(limits), cap)
    assert sum(setpoints) <= cap + 1e-6
    assert all(limit <= cap for limit in limits)
    assert all(setpoint == 0 or setpoint >= 6 for setpoint in setpoints)
    assert station.shown_at(at, A).limit <= cap
    change_at = station.next_change_at(at)
    assert change_at is None or change_at > at
