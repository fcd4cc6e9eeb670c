"""The car: raw consumption, or a battery that decides by its state of charge."""

import itertools

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cp_image.api.payloads import CarInput, ChargePointType, ConnectorState, StopReason
from cp_image.core.battery import TAPER_STEPS, Battery
from cp_image.core.energy import Supply
from cp_image.core.errors import NotNowError
from cp_image.core.messages import MeterValues, StopTransaction
from cp_image.core.meter_values import Measurand
from tests.support.stations import dc_station
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

S = ConnectorState
AC3 = Supply(type=ChargePointType.AC, nb_phases=3, voltage_v=230.0)
DC = Supply(type=ChargePointType.DC, nb_phases=1, voltage_v=400.0)


def charging(station: VirtualStation, change: CarInput) -> VirtualStation:
    station.connect()
    station.car(1, change)
    station.tag()
    return station


# -- the battery itself ----------------------------------------------------------------------


def battery(soc_pct: float, taper_from_pct: float = 80.0) -> Battery:
    return Battery(
        capacity_wh=50_000.0,
        stored_wh=500.0 * soc_pct,
        max_power_w=100_000.0,
        taper_from_pct=taper_from_pct,
    )


@pytest.mark.parametrize(
    ("soc_pct", "takes_w", "next_pct"),
    [
        (0.0, 100_000, 80.0),
        (79.9, 100_000, 80.0),
        (80.0, 97_500, 81.0),
        (80.5, 97_500, 81.0),
        (81.0, 92_500, 82.0),
        (90.0, 47_500, 91.0),
        (99.0, 2500, 100.0),
        (99.999, 2500, 100.0),
    ],
)
def test_a_battery_takes_less_and_less_above_the_knee(
    soc_pct: float, takes_w: float, next_pct: float
) -> None:
    it = battery(soc_pct)
    assert it.takes_w == pytest.approx(takes_w)
    assert it.next_step_wh == pytest.approx(500 * next_pct)


def test_a_full_battery_takes_nothing_more() -> None:
    assert battery(100.0).takes_w == 0
    assert battery(100.0).next_step_wh is None
    assert battery(100.0).soc_pct == 100
    assert battery(50.0).holding(60_000.0).soc_pct == 100
    assert battery(50.0).holding(-1.0).soc_pct == 0


def test_without_a_taper_it_takes_all_until_it_is_full() -> None:
    it = battery(99.9, taper_from_pct=100.0)
    assert (it.takes_w, it.next_step_wh) == (100_000, 50_000)


def test_a_battery_that_does_not_say_its_power_is_full_in_half_an_hour() -> None:
    assert Battery(capacity_wh=60_000.0, stored_wh=0.0).takes_w == 120_000


@given(
    capacity_wh=st.floats(100, 1e7),
    taper_from_pct=st.floats(0, 100),
    start_pct=st.floats(0, 100),
)
@example(capacity_wh=100.0, taper_from_pct=99.99999999999999, start_pct=0.0)
@example(capacity_wh=1e7, taper_from_pct=99.99999999999999, start_pct=99.99999999999999)
def test_each_step_takes_less_than_the_one_before_and_the_last_fills_it(
    capacity_wh: float, taper_from_pct: float, start_pct: float
) -> None:
    it = Battery(
        capacity_wh=capacity_wh,
        stored_wh=min(capacity_wh, capacity_wh * start_pct / 100),
        taper_from_pct=taper_from_pct,
    )
    for _ in range(TAPER_STEPS + 2):
        edge_wh = it.next_step_wh
        if edge_wh is None:
            break
        assert edge_wh > it.stored_wh
        after = it.holding(edge_wh)
        assert after.takes_w < it.takes_w
        it = after
    assert (it.soc_pct, it.takes_w) == (100, 0)


def test_on_ac_its_charger_limits_it_on_the_phases_it_uses() -> None:
    assert battery(50.0).wanted(AC3) == (16, 16, 16)
    one_phase = Battery(capacity_wh=5e4, stored_wh=0.0, nb_phases=1, max_current_a=32.0)
    assert one_phase.wanted(AC3) == (32, 0, 0)
    slow = Battery(capacity_wh=5e4, stored_wh=0.0, nb_phases=2, max_power_w=4600.0)
    assert slow.wanted(AC3) == (10, 10, 0)
    assert battery(50.0).wanted(DC) == (100_000, 0, 0)


# -- inputs ----------------------------------------------------------------------------------


def test_a_battery_is_published_with_its_charge() -> None:
    station = VirtualStation()
    station.car(1, CarInput(cable=32.0, battery_wh=50_000.0, soc_pct=40))
    shown = station.connector()
    assert (shown.soc_pct, shown.car_consumption_l1, shown.car_consumption_l3) == (40, 16, 16)
    assert shown.battery_wh == 50_000.0
    station.car(1, CarInput(soc_pct=60))
    assert station.connector().soc_pct == 60
    station.unplug()
    assert (station.connector().soc_pct, station.connector().battery_wh) == (None, None)
    station.car(1, CarInput(cable=32.0))
    assert station.connector().soc_pct == 60


def test_a_car_without_a_battery_has_no_charge_to_tell() -> None:
    station = VirtualStation()
    station.plug()
    assert station.connector().soc_pct is None


def test_raw_consumption_takes_the_battery_away() -> None:
    station = VirtualStation()
    station.car(1, CarInput(cable=32.0, battery_wh=50_000.0))
    assert station.connector().soc_pct == 20
    station.car(1, CarInput(consumption_l1=10.0))
    shown = station.connector()
    assert (shown.soc_pct, shown.car_consumption_l1, shown.car_consumption_l2) == (None, 10, 0)


def test_a_charge_needs_a_battery() -> None:
    station = VirtualStation()
    with pytest.raises(NotNowError, match="the car has no battery: battery_wh comes with"):
        station.car(1, CarInput(cable=32.0, soc_pct=50))
    assert station.connector().status is S.AVAILABLE


def test_what_is_left_out_stays() -> None:
    station = VirtualStation()
    station.car(
        1,
        CarInput(
            cable=32.0,
            battery_wh=50_000.0,
            soc_pct=50,
            max_power_w=4600,
            max_current_a=20.0,
            nb_phases=1,
            taper_from_pct=60,
        ),
    )
    assert station.connector().car_consumption_l1 == 20
    station.car(1, CarInput(nb_phases=2))
    assert station.connector().car_consumption_l2 == 10
    station.car(1, CarInput(soc_pct=61))
    assert station.connector().car_consumption_l1 == pytest.approx(10 * 0.975)
    station.car(1, CarInput(battery_wh=100_000.0))
    assert station.connector().soc_pct == 61


@pytest.mark.parametrize(
    "payload",
    [
        b'{"battery_wh": 0}',
        b'{"battery_wh": "much"}',
        b'{"battery_wh": 50000, "soc_pct": 101}',
        b'{"battery_wh": 50000, "soc_pct": -1}',
        b'{"battery_wh": 50000, "max_power_w": -1}',
        b'{"battery_wh": 50000, "nb_phases": 4}',
        b'{"battery_wh": 50000, "consumption_l1": 16}',
        b'{"soc_pct": 50, "consumption_l2": 0}',
    ],
)
def test_what_no_car_can_be_is_refused(payload: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(payload, type=CarInput)


# -- charging --------------------------------------------------------------------------------


def test_a_dc_car_charges_tapers_and_is_full() -> None:
    station = charging(
        dc_station(MeterValueSampleInterval="0"),
        CarInput(cable=150_000.0, battery_wh=50_000.0, soc_pct=60, max_power_w=100_000),
    )
    station.run(6 * 60 - 1)
    assert station.connector().power_w == 100_000
    station.run(1)  # 10 kWh at 100 kW take 6 minutes: the knee
    assert station.connector().power_w == pytest.approx(97_500)
    assert station.connector().soc_pct == pytest.approx(80)
    station.run(3600)
    shown = station.connector()
    assert (shown.status, shown.soc_pct, shown.power_w) == (S.SUSPENDED_EV, 100, 0)
    assert shown.register_wh == pytest.approx(20_000)
    expected_s = 360 + sum(
        500 * 3600 / (100_000 * (TAPER_STEPS - step - 0.5) / TAPER_STEPS)
        for step in range(TAPER_STEPS)
    )
    assert shown.metered_at - EPOCH == pytest.approx(expected_s)


def test_a_full_car_sleeps_until_somebody_stops_it() -> None:
    station = charging(dc_station(), CarInput(cable=150_000.0, battery_wh=50_000.0, soc_pct=100))
    assert station.connector().status is S.SUSPENDED_EV
    station.run(60)
    station.car(1, CarInput(soc_pct=99))
    assert station.connector().status is S.CHARGING
    station.unplug()
    assert station.heard(StopTransaction)[0].reason is StopReason.EV_DISCONNECTED


def test_a_timer_that_comes_late_counts_every_step_it_slept_through() -> None:
    change = CarInput(cable=150_000.0, battery_wh=50_000.0, soc_pct=70)
    late, punctual = (charging(dc_station(), change) for _ in range(2))
    late.now += 3600
    for station in (late, punctual):
        station.run(3600 if station is punctual else 0)
    assert late.connector().register_wh == pytest.approx(punctual.connector().register_wh)
    assert late.connector().soc_pct == 100


def test_a_power_cut_keeps_battery_and_register_in_step() -> None:
    station = charging(
        dc_station(), CarInput(cable=150_000.0, battery_wh=50_000.0, soc_pct=30, max_power_w=60_000)
    )
    station.run(150)
    again = station.power_cut(dark_s=100)
    shown = again.connector()
    assert shown.register_wh == pytest.approx(2500)  # as of 150 s: it is kept every 10 s
    assert shown.soc_pct == pytest.approx(35)
    again.connect()
    again.unplug()
    again.car(1, CarInput(cable=150_000.0))
    again.tag()
    again.run(60)
    assert again.connector().soc_pct == pytest.approx(37)


def test_a_stored_car_of_before_there_were_batteries_is_still_a_car() -> None:
    old = b'{"car":{"cable":20.0,"ready":true,"wanted":[7.0,7.0,7.0]},"spent":false}'
    station = VirtualStation(stored={"car/1": old})
    assert station.connector().car_consumption_l2 == 7
    assert station.connector().soc_pct is None


def test_an_ac_car_tapers_where_its_battery_takes_less_than_its_charger() -> None:
    station = charging(
        VirtualStation(make_settings(configuration={"MeterValueSampleInterval": "0"})),
        CarInput(cable=32.0, battery_wh=11_040.0, soc_pct=0, max_power_w=11_040),
    )
    station.run(0.8 * 3600 - 1)
    assert station.connector().power_w == pytest.approx(11_040)
    station.run(1)
    assert station.connector().consumption_l1 == pytest.approx(16 * 0.975)
    station.run(7200)
    assert station.connector().soc_pct == 100


# -- properties ------------------------------------------------------------------------------

CHANGES = st.lists(
    st.tuples(
        st.floats(1, 1800, allow_nan=False),
        st.one_of(
            st.builds(CarInput, soc_pct=st.floats(0, 100)),
            st.builds(CarInput, max_power_w=st.floats(1000, 350_000)),
            st.builds(CarInput, taper_from_pct=st.floats(0, 100)),
            st.builds(CarInput, ready=st.booleans()),
            st.builds(CarInput, cable=st.floats(6, 200_000)),
            st.builds(CarInput, battery_wh=st.floats(5000, 150_000)),
        ),
    ),
    max_size=12,
)


def tapering_pieces(station: VirtualStation) -> float:
    """Return the integral of the published power over time, in Wh."""
    history = station.connector_history()
    total = sum(
        before.power_w * (after.metered_at - before.metered_at) / 3600
        for before, after in itertools.pairwise(history)
    )
    return total + history[-1].power_w * (station.now - history[-1].metered_at) / 3600


@given(changes=CHANGES, direct=st.booleans(), capacity_wh=st.floats(5000, 150_000))
@settings(max_examples=30, deadline=None)
def test_energy_is_the_integral_of_power_and_fills_the_battery(
    changes: list[tuple[float, CarInput]], direct: bool, capacity_wh: float
) -> None:
    station = dc_station() if direct else VirtualStation()
    charging(station, CarInput(cable=1e5, battery_wh=capacity_wh, soc_pct=50))
    for wait_s, change in changes:
        before = station.connector()
        station.run(wait_s)
        station.car(1, CarInput())  # an input that changes nothing
        station.car(1, change)
        shown = station.connector()
        assert shown.register_wh >= before.register_wh
        assert shown.soc_pct is not None
        assert 0 <= shown.soc_pct <= 100
    station.tag()
    assert station.connector().register_wh == pytest.approx(tapering_pieces(station), rel=1e-6)


@given(
    soc_pct=st.floats(0, 99),
    capacity_wh=st.floats(5000, 150_000),
    power_w=st.floats(1000, 150_000),
    waits=st.lists(st.floats(1, 3600), min_size=1, max_size=10),
)
@settings(max_examples=30, deadline=None)
def test_what_the_meter_counts_is_what_the_battery_gains(
    soc_pct: float, capacity_wh: float, power_w: float, waits: list[float]
) -> None:
    station = charging(
        dc_station(),
        CarInput(cable=150_000.0, battery_wh=capacity_wh, soc_pct=soc_pct, max_power_w=power_w),
    )
    for wait_s in waits:
        station.run(wait_s)
        for shown in station.connector_history()[-2:]:
            assert shown.soc_pct is not None
            gained_wh = (shown.soc_pct - soc_pct) / 100 * capacity_wh
            assert gained_wh == pytest.approx(shown.register_wh, rel=1e-6, abs=capacity_wh * 2e-5)


@given(
    phases=st.integers(1, 3),
    draws=st.floats(0.1, 40),
    volts=st.floats(100, 400),
    battery_wh=st.one_of(st.none(), st.floats(5000, 150_000)),
    direct=st.booleans(),
    wait_s=st.floats(60, 3600),
)
@settings(max_examples=40, deadline=None)
def test_all_measurands_of_a_sample_agree(
    phases: int,
    draws: float,
    volts: float,
    battery_wh: float | None,
    direct: bool,
    wait_s: float,
) -> None:
    measurands = [m for m in Measurand if direct or m is not Measurand.SOC]
    keys = {"MeterValuesSampledData": ",".join(measurands), "MeterValueSampleInterval": "60"}
    station = VirtualStation(
        make_settings(
            nb_phases=phases,
            voltage_v=volts,
            type=ChargePointType.DC if direct else ChargePointType.AC,
            configuration=keys,
        )
    )
    raw = CarInput(cable=32.0, consumption_l1=draws, consumption_l2=draws, consumption_l3=draws)
    charging(station, raw if battery_wh is None else CarInput(cable=32.0, battery_wh=battery_wh))
    station.run(wait_s)
    registers: list[float] = []
    for request in station.heard(MeterValues):
        values = {
            m: [v.value for v in request.meter_values[0].sampled_values if v.measurand is m]
            for m in Measurand
        }
        power_w, *by_phase = values[Measurand.POWER_ACTIVE_IMPORT]
        products = [
            current * voltage
            for current, voltage in zip(
                values[Measurand.CURRENT_IMPORT], values[Measurand.VOLTAGE], strict=True
            )
        ]
        assert sum(products) == pytest.approx(power_w, abs=1.0)
        assert products == pytest.approx(by_phase or [power_w], abs=0.5)
        assert power_w <= values[Measurand.POWER_OFFERED][0] + 0.5
        assert max(values[Measurand.CURRENT_IMPORT]) <= values[Measurand.CURRENT_OFFERED][0] + 0.01
        (register_wh,) = values[Measurand.ENERGY_ACTIVE_IMPORT_REGISTER]
        (interval_wh,) = values[Measurand.ENERGY_ACTIVE_IMPORT_INTERVAL]
        assert register_wh - (registers[-1] if registers else 0) == interval_wh
        registers.append(register_wh)
        assert len(values[Measurand.SOC]) == (1 if direct and battery_wh is not None else 0)


def test_a_knee_that_is_a_rounding_away_from_full_is_charged_across() -> None:
    station = charging(
        dc_station(),
        CarInput(cable=150_000.0, battery_wh=100, soc_pct=0, taper_from_pct=99.99999999999999),
    )
    station.run(3600)
    assert station.connector().soc_pct == 100
    assert station.connector().status is S.SUSPENDED_EV
