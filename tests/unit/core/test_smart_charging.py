"""Smart charging: what profiles do to statuses, setpoints and energy."""

import pytest

from cp_image.api.payloads import ChargePointType, ConnectorState
from cp_image.core.csms_messages import (
    ChargingRateUnit,
    ClearChargingProfileStatus,
)
from cp_image.core.messages import MeterValues
from cp_image.core.meter_values import Measurand
from tests.support.charging import (
    CAP,
    DEFAULT,
    RELATIVE,
    TX,
    charge,
    charging,
    clear,
    composite,
    install,
    make_profile,
    online,
    register_wh,
    run_to,
    setpoints,
)
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

W = ChargingRateUnit.W
DC = make_settings(
    type=ChargePointType.DC,
    nb_phases=1,
    voltage_v=400.0,
    max_setpoint=300_000.0,
    max_setpoint_per_connector=150_000.0,
)


# -- effect -------------------------------------------------------------------------------------


def test_a_default_profile_limits_at_once_and_everything_follows() -> None:
    station = charging()
    assert setpoints(station) == (32.0, 32.0)
    install(station, make_profile(DEFAULT, (0, 10.0)))
    status = station.connector()
    assert (status.ocpp_setpoint, status.setpoint) == (10.0, 10.0)
    assert status.consumption_l1 == 10.0
    assert status.power_w == 10 * 3 * 230
    assert setpoints(station, 2) == (10.0, 0.0)


def test_current_and_power_offered_follow() -> None:
    station = charging(configuration={"MeterValuesSampledData": "Current.Offered,Power.Offered"})
    install(station, make_profile(DEFAULT, (0, 10.0), (60, 6.0), start_at=EPOCH))
    station.run(60)
    sampled = station.heard(MeterValues)[-1].meter_values[-1].sampled_values
    assert {value.measurand: value.value for value in sampled} == {
        Measurand.CURRENT_OFFERED: 6.0,
        Measurand.POWER_OFFERED: 6.0 * 3 * 230,
    }


def test_the_energy_follows_each_boundary_exactly() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0), (100, 20.0), (250, 5.0), start_at=EPOCH))
    station.run(300)
    ampere_seconds = 10 * 100 + 20 * 150 + 5 * 50
    assert register_wh(station) == pytest.approx(ampere_seconds * 690 / 3600, abs=1e-9)


def test_a_tick_that_comes_late_takes_no_energy() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0), (100, 20.0), (250, 0.0), start_at=EPOCH))
    station.now = EPOCH + 3600  # the computer slept
    ampere_seconds = 10 * 100 + 20 * 150
    assert register_wh(station) == pytest.approx(ampere_seconds * 690 / 3600, abs=1e-9)
    assert ConnectorState.SUSPENDED_EVSE in station.reported()


def test_an_idle_station_wakes_for_nothing_but_boundaries() -> None:
    station = VirtualStation()
    assert station.station.next_deadline() is None
    station = online()
    install(station, make_profile(DEFAULT, (0, 10.0), start_at=EPOCH))
    install(station, make_profile(CAP, (0, 10.0), (7, 9.0), profile_id=2, start_at=EPOCH))
    assert station.station.next_deadline() == EPOCH + 7
    install(station, make_profile(DEFAULT, (0, 10.0), (5, 5.0), profile_id=3, kind=RELATIVE))
    assert station.station.next_deadline() == EPOCH + 7, "there is no transaction it would limit"


def test_zero_suspends_and_more_resumes() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 16.0), (60, 0.0), (120, 8.0), start_at=EPOCH))
    station.run(60)
    assert station.connector().status is ConnectorState.SUSPENDED_EVSE
    assert station.connector().power_w == 0
    station.run(60)
    assert station.connector().status is ConnectorState.CHARGING
    assert station.reported()[-2:] == [ConnectorState.SUSPENDED_EVSE, ConnectorState.CHARGING]


def test_less_than_min_charging_rate_is_nothing() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 5.0), (60, 6.0), start_at=EPOCH, min_rate=6.0))
    assert station.connector().status is ConnectorState.SUSPENDED_EVSE
    assert setpoints(station) == (5.0, 0.0)
    station.run(60)
    assert station.connector().status is ConnectorState.CHARGING
    assert setpoints(station) == (6.0, 6.0)


def test_who_falls_below_its_minimum_leaves_its_share_to_the_other() -> None:
    station = charging()
    charge(station, 2)
    install(station, make_profile(DEFAULT, (0, 32.0), min_rate=6.0))
    install(station, make_profile(CAP, (0, 10.0), profile_id=2))
    assert setpoints(station, 1) == (10.0, 10.0)
    assert setpoints(station, 2) == (10.0, 0.0)
    assert station.connector(2).status is ConnectorState.SUSPENDED_EVSE


# -- units --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("watts", "phases", "nb_phases", "amperes"),
    [
        (11_040.0, None, 3, 16.0),
        (11_040.0, 3, 3, 16.0),
        (3_680.0, 1, 3, 16.0),
        (3_680.0, None, 1, 16.0),
        (3_680.0, 3, 1, 16.0),
        (7_360.0, 2, 3, 16.0),
    ],
)
def test_watts_become_amperes_per_phase(
    watts: float, phases: int | None, nb_phases: int, amperes: float
) -> None:
    station = charging(nb_phases=nb_phases)
    install(station, make_profile(DEFAULT, (0, watts), unit=W, phases=phases))
    assert setpoints(station) == (amperes, amperes)
    assert station.connector().power_w == watts


def test_fewer_phases_carry_the_current() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 16.0), phases=1))
    status = station.connector()
    assert (status.consumption_l1, status.consumption_l2, status.consumption_l3) == (16.0, 0, 0)


def test_dc_counts_in_watts() -> None:
    station = VirtualStation(DC)
    station.connect()
    station.plug(cable=200_000.0, draws=150_000.0)
    station.tag()
    install(station, make_profile(DEFAULT, (0, 50_000.0), unit=W))
    assert setpoints(station) == (50_000.0, 50_000.0)
    install(station, make_profile(DEFAULT, (0, 100.0), phases=3))
    assert setpoints(station) == (40_000.0, 40_000.0)
    assert station.connector().power_w == 40_000.0
    assert composite(station, unit=None) == [(0, 40_000.0)]
    assert composite(station, unit=ChargingRateUnit.A) == [(0, 100.0)]


# -- purposes -----------------------------------------------------------------------------------


def test_the_cap_is_shared_over_the_connectors() -> None:
    station = charging()
    charge(station, 2)
    install(station, make_profile(CAP, (0, 32.0)))
    assert setpoints(station, 1) == (32.0, 16.0)
    assert setpoints(station, 2) == (32.0, 16.0)
    install(station, make_profile(CAP, (0, 20.0)))
    assert setpoints(station, 1) == (20.0, 10.0)
    station.unplug(2)
    assert setpoints(station, 1) == (20.0, 20.0)


def test_a_cap_beyond_the_hardware_changes_nothing() -> None:
    station = charging(max_setpoint=20.0)
    charge(station, 2)
    install(station, make_profile(CAP, (0, 100.0)))
    assert setpoints(station, 1) == (32.0, 10.0)


def test_a_tx_profile_overrules_the_default_even_upwards() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0), level=9))
    install(station, make_profile(TX, (0, 20.0), profile_id=2, transaction_id=1001), 1)
    assert setpoints(station) == (20.0, 20.0)
    install(station, make_profile(CAP, (0, 15.0), profile_id=3))
    assert setpoints(station) == (15.0, 15.0)


def test_a_gap_in_a_tx_profile_falls_back_to_the_default_then_to_the_maximum() -> None:
    station = charging()
    tx = make_profile(TX, (0, 20.0), profile_id=2, start_at=EPOCH + 10, duration_s=20)
    install(station, tx, 1)
    install(station, make_profile(DEFAULT, (0, 10.0), start_at=EPOCH, duration_s=40))
    assert composite(station) == [(0, 10.0), (10, 20.0), (30, 10.0), (40, 32.0)]
    for at, expected in [(9, 10.0), (10, 20.0), (29, 20.0), (30, 10.0), (39, 10.0), (40, 32.0)]:
        run_to(station, EPOCH + at)
        assert setpoints(station) == (expected, expected), at


def test_a_tx_profile_dies_with_its_transaction() -> None:
    station = charging()
    install(station, make_profile(TX, (0, 10.0)), 1)
    assert setpoints(station) == (10.0, 10.0)
    station.tag()
    assert setpoints(station)[0] == 32.0
    assert not [key for key in station.stored if key.startswith("profile/")]
    station.unplug()
    charge(station)
    assert setpoints(station) == (32.0, 32.0)
    assert clear(station, charging_profile_id=1) is ClearChargingProfileStatus.UNKNOWN


def test_a_default_outlives_a_transaction() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0)))
    station.unplug()
    charge(station)
    assert setpoints(station) == (10.0, 10.0)


def test_connector_zero_is_the_default_for_all_and_the_connectors_own_wins_at_equal_level() -> None:
    station = online()
    install(station, make_profile(DEFAULT, (0, 10.0), level=1))
    install(station, make_profile(DEFAULT, (0, 20.0), profile_id=2, level=1), 1)
    assert (setpoints(station, 1)[0], setpoints(station, 2)[0]) == (20.0, 10.0)
    install(station, make_profile(DEFAULT, (0, 10.0), level=2))
    assert setpoints(station, 1)[0] == 10.0, "the higher level goes"
    install(station, make_profile(DEFAULT, (0, 25.0), profile_id=2, level=3), 1)
    assert setpoints(station, 1)[0] == 25.0


def test_the_higher_level_wins_while_it_is_valid() -> None:
    station = online()
    install(station, make_profile(DEFAULT, (0, 10.0)))
    install(
        station,
        make_profile(
            DEFAULT,
            (0, 25.0),
            profile_id=2,
            level=1,
            start_at=EPOCH,
            valid_from=EPOCH + 10,
            valid_to=EPOCH + 20,
        ),
    )
    for at, expected in [(0, 10.0), (9, 10.0), (10, 25.0), (19, 25.0), (20, 10.0)]:
        run_to(station, EPOCH + at)
        assert setpoints(station)[0] == expected, at
    assert composite(station) == [(0, 10.0)]


def test_a_replacement_that_is_not_valid_yet_leaves_the_default_behaviour() -> None:
    station = online()
    install(station, make_profile(DEFAULT, (0, 10.0)))
    install(station, make_profile(DEFAULT, (0, 6.0), profile_id=2, valid_from=EPOCH + 60))
    assert setpoints(station)[0] == 32.0
    station.run(60)
    assert setpoints(station)[0] == 6.0
