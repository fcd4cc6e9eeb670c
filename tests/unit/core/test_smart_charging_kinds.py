"""Smart charging: absolute, relative and recurring schedules, in virtual days and weeks."""

import math

import pytest

from cp_image.core.csms_messages import (
    ChargingProfileKind,
    ChargingProfilePurpose,
    RecurrencyKind,
)
from tests.support.charging import (
    ABSOLUTE,
    CAP,
    DEFAULT,
    RECURRING,
    RELATIVE,
    TX,
    ask_composite,
    charge,
    charging,
    composite,
    install,
    make_profile,
    online,
    register_wh,
    run_to,
    setpoints,
)
from tests.support.virtual_station import EPOCH, VirtualStation

DAY_S = 86_400
WEEK_S = 7 * DAY_S
MIDNIGHT = EPOCH - EPOCH % DAY_S + DAY_S
"""The first one after the epoch of the tests."""


@pytest.mark.parametrize("purpose", [DEFAULT, TX])
@pytest.mark.parametrize("kind", [RELATIVE, ABSOLUTE])
def test_without_a_start_a_schedule_begins_with_the_transaction(
    purpose: ChargingProfilePurpose, kind: ChargingProfileKind
) -> None:
    station = charging()
    station.run(100)
    profile = make_profile(purpose, (0, 10.0), (150, 20.0), kind=kind)
    install(station, profile, 1)
    assert setpoints(station)[0] == 10.0
    station.run(49)
    assert setpoints(station)[0] == 10.0
    station.run(1)
    assert setpoints(station)[0] == 20.0


def test_a_relative_default_begins_anew_with_each_transaction() -> None:
    station = online()
    install(station, make_profile(DEFAULT, (0, 10.0), (60, 20.0), kind=RELATIVE))
    assert setpoints(station)[0] == 10.0
    assert station.station.next_deadline() == EPOCH + 300, (
        "the Heartbeat: there is nothing to limit"
    )
    for _ in range(2):
        station.run(1000)
        charge(station)
        assert setpoints(station) == (10.0, 10.0)
        assert composite(station) == [(0, 10.0), (60, 20.0)]
        station.run(60)
        assert setpoints(station) == (20.0, 20.0)
        station.unplug()
        assert setpoints(station)[0] == 10.0


def test_a_cap_without_a_start_begins_when_it_is_accepted() -> None:
    station = online()
    station.run(30)
    install(station, make_profile(CAP, (0, 10.0), (60, 20.0)))
    station.run(59)
    assert setpoints(station)[0] == 10.0
    station.run(1)
    assert setpoints(station)[0] == 20.0


def test_a_daily_profile_for_three_days() -> None:
    station = charging(draws=32.0)
    install(
        station,
        make_profile(
            DEFAULT,
            (0, 16.0),
            (6 * 3600, 0.0),
            (22 * 3600, 10.0),
            kind=RECURRING,
            recurrency=RecurrencyKind.DAILY,
            start_at=MIDNIGHT - 30 * DAY_S,
        ),
    )
    run_to(station, MIDNIGHT)
    before_wh = station.connector().register_wh
    for day in range(3):
        for hour, expected in [(0, 16.0), (5.999, 16.0), (6, 0.0), (21.999, 0.0), (22, 10.0)]:
            run_to(station, MIDNIGHT + day * DAY_S + hour * 3600)
            assert setpoints(station) == (expected, expected), (day, hour)
    run_to(station, MIDNIGHT + 3 * DAY_S)
    # 00:00 to 06:00 at 16 A, 22:00 to 24:00 at 10 A.
    assert register_wh(station) - before_wh == pytest.approx(3 * 690 * (6 * 16 + 2 * 10), abs=1e-6)


def test_a_daily_profile_with_a_duration_falls_back_until_it_restarts() -> None:
    station = online()
    night = make_profile(
        DEFAULT,
        (0, 8.0),
        kind=RECURRING,
        recurrency=RecurrencyKind.DAILY,
        start_at=MIDNIGHT,
        duration_s=3600,
    )
    install(station, night)
    assert setpoints(station)[0] == 32.0, "it has not started"
    run_to(station, MIDNIGHT)
    assert composite(station, duration_s=2 * DAY_S) == [
        (0, 8.0),
        (3600, 32.0),
        (DAY_S, 8.0),
        (DAY_S + 3600, 32.0),
    ]


def test_a_weekly_profile_for_three_weeks() -> None:
    station = online()
    install(
        station,
        make_profile(
            DEFAULT,
            (0, 16.0),
            (5 * DAY_S, 32.0),
            (8 * DAY_S, 1.0),  # beyond the week: cut off
            kind=RECURRING,
            recurrency=RecurrencyKind.WEEKLY,
            start_at=MIDNIGHT,
        ),
    )
    for week in range(3):
        for day, expected in [(0, 16.0), (4.999, 16.0), (5, 32.0), (6.999, 32.0)]:
            run_to(station, MIDNIGHT + week * WEEK_S + day * DAY_S)
            assert setpoints(station)[0] == expected, (week, day)


def test_the_clock_of_the_csms_counts() -> None:
    station = VirtualStation()
    station.csms.clock_offset_s = 0.1 + 7200  # no binary fraction is 0.1
    station.connect()
    install(station, make_profile(DEFAULT, (0, 10.0), (7200 + 60, 5.0), start_at=EPOCH))
    assert setpoints(station)[0] == 10.0
    station.run(59.8)
    assert setpoints(station)[0] == 10.0
    station.run(0.1 + 1e-6)
    assert setpoints(station)[0] == 5.0


@pytest.mark.parametrize("ahead_s", [3600.0, -3600.0])
def test_a_corrected_clock_does_not_move_what_counts_from_an_event(ahead_s: float) -> None:
    station = charging()
    install(station, make_profile(TX, (0, 16.0), (600, 8.0), kind=RELATIVE), 1)
    cap = make_profile(CAP, (0, 12.0), (450, 20.0), kind=RELATIVE, profile_id=2)
    install(station, cap)
    station.csms.clock_offset_s = ahead_s
    run_to(station, EPOCH + 310)  # the first Heartbeat is answered at 300 s
    assert setpoints(station) == (12.0, 12.0)
    assert composite(station) == [(0, 12.0), (140, 16.0), (290, 8.0)]
    for at, expected in [(449, 12.0), (450, 16.0), (599, 16.0), (600, 8.0)]:
        run_to(station, EPOCH + at)
        assert setpoints(station)[0] == expected, at
    answer = ask_composite(station)
    assert answer.start_at == station.now + ahead_s, "what is told is the corrected time"


def test_a_cap_goes_on_after_a_corrected_clock_and_a_power_cut() -> None:
    station = online()
    install(station, make_profile(CAP, (0, 12.0), (900, 20.0), kind=RELATIVE))
    station.csms.clock_offset_s = 3600.0
    station.run(310)
    again = station.power_cut(dark_s=90)
    assert setpoints(again)[0] == 12.0
    run_to(again, EPOCH + 899)
    assert setpoints(again)[0] == 12.0
    again.run(1)
    assert setpoints(again)[0] == 20.0


def test_an_idle_connector_shows_what_a_session_begun_now_would_have() -> None:
    station = online()
    station.run(0.75)
    install(station, make_profile(DEFAULT, (0, 10.0), (60, 20.0), kind=RELATIVE), 1)
    for _ in range(2):
        answer = ask_composite(station)
        assert answer.start_at == math.floor(station.now)
        assert composite(station) == [(0, 10.0), (60, 20.0)]
        assert composite(station, 0) == [(0, 42.0), (60, 52.0)]
        station.run(1000)
