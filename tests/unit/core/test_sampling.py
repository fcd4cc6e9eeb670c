"""Meter: measurands, phases, units, rhythm."""

from functools import partial

from cp_image.api.payloads import CarInput, ChargePointType, ConnectorState
from cp_image.core.messages import MeterValues
from cp_image.core.meter_values import Measurand, Phase, ReadingContext, Unit
from tests.support import stations
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

charging = partial(stations.charging, draws=10.0)
Row = tuple[Measurand, Phase | None, Unit | None, float]


def rows(request: MeterValues) -> list[Row]:
    (reading,) = request.meter_values
    assert all(v.context is ReadingContext.SAMPLE_PERIODIC for v in reading.sampled_values)
    return [(v.measurand, v.phase, v.unit, v.value) for v in reading.sampled_values]


def test_three_phases_tell_current_and_voltage_per_phase() -> None:
    station = charging(VirtualStation())
    station.car(1, CarInput(consumption_l2=8.0, consumption_l3=0.0))
    station.run(60)
    assert rows(station.heard(MeterValues)[0]) == [
        (Measurand.ENERGY_ACTIVE_IMPORT_REGISTER, None, Unit.WH, 69.0),
        (Measurand.POWER_ACTIVE_IMPORT, None, Unit.W, 4140.0),
        (Measurand.POWER_ACTIVE_IMPORT, Phase.L1, Unit.W, 2300.0),
        (Measurand.POWER_ACTIVE_IMPORT, Phase.L2, Unit.W, 1840.0),
        (Measurand.POWER_ACTIVE_IMPORT, Phase.L3, Unit.W, 0.0),
        (Measurand.CURRENT_IMPORT, Phase.L1, Unit.A, 10.0),
        (Measurand.CURRENT_IMPORT, Phase.L2, Unit.A, 8.0),
        (Measurand.CURRENT_IMPORT, Phase.L3, Unit.A, 0.0),
        (Measurand.VOLTAGE, Phase.L1_N, Unit.V, 230.0),
        (Measurand.VOLTAGE, Phase.L2_N, Unit.V, 230.0),
        (Measurand.VOLTAGE, Phase.L3_N, Unit.V, 230.0),
    ]


def test_one_phase_tells_the_whole() -> None:
    station = charging(VirtualStation(make_settings(nb_phases=1)))
    station.run(60)
    assert rows(station.heard(MeterValues)[0]) == [
        (Measurand.ENERGY_ACTIVE_IMPORT_REGISTER, None, Unit.WH, 38.0),
        (Measurand.POWER_ACTIVE_IMPORT, None, Unit.W, 2300.0),
        (Measurand.CURRENT_IMPORT, None, Unit.A, 10.0),
        (Measurand.VOLTAGE, None, Unit.V, 230.0),
    ]


def test_dc_tells_the_current_at_its_voltage_and_what_it_offers() -> None:
    keys = {"MeterValuesSampledData": "Current.Import,Current.Offered,Power.Offered"}
    station = charging(
        VirtualStation(
            make_settings(
                type=ChargePointType.DC,
                voltage_v=400.0,
                max_setpoint=300_000.0,
                max_setpoint_per_connector=250_000.0,
                configuration=keys,
            )
        )
    )
    station.plug(cable=200_000.0, draws=100_000.0)
    station.run(60)
    assert rows(station.heard(MeterValues)[0]) == [
        (Measurand.CURRENT_IMPORT, None, Unit.A, 250.0),
        (Measurand.CURRENT_OFFERED, None, Unit.A, 500.0),
        (Measurand.POWER_OFFERED, None, Unit.W, 200_000.0),
    ]


def test_the_rhythm_begins_with_the_transaction_and_ends_with_it() -> None:
    station = VirtualStation(make_settings(configuration={"MeterValueSampleInterval": "15"}))
    station.connect()
    station.run(7)
    station.plug()
    station.tag()
    station.run(50)
    station.tag()
    station.run(600)
    assert station.heard_at(MeterValues) == [22.0, 37.0, 52.0]
    assert [m.transaction_id for m in station.heard(MeterValues)] == [1001] * 3


def test_a_timer_that_comes_late_leaves_out_what_it_slept_through() -> None:
    station = charging(VirtualStation())
    station.now += 3 * 60 + 5
    station.run(0)
    station.run(60)
    assert station.heard_at(MeterValues) == [185.0, 240.0]


def test_a_paused_car_is_metered_but_not_published_anew() -> None:
    station = charging(VirtualStation())
    station.car(1, CarInput(ready=False))
    published = len(station.connector_history())
    station.run(300)
    assert len(station.heard(MeterValues)) == 5
    assert station.connector().status is ConnectorState.SUSPENDED_EV
    assert len(station.connector_history()) == published


def test_a_charging_connector_is_published_with_each_sample_only() -> None:
    station = charging(VirtualStation())
    published = len(station.connector_history())
    station.run(300)
    fresh = station.connector_history()[published:]
    assert [status.register_wh for status in fresh] == [115, 230, 345, 460, 575]
    assert [status.session_wh for status in fresh] == [115, 230, 345, 460, 575]


def test_no_interval_or_no_measurand_means_no_meter_values() -> None:
    for keys in ({"MeterValueSampleInterval": "0"}, {"MeterValuesSampledData": ""}):
        station = charging(VirtualStation(make_settings(configuration=keys)))
        station.run(86_400)
        assert station.heard(MeterValues) == []
        station.tag()
        assert station.connector().register_wh == 6900 * 24


def test_readings_carry_the_time_of_the_csms() -> None:
    station = VirtualStation()
    station.csms.clock_offset_s = 5000.0
    charging(station)
    station.run(60)
    assert station.heard(MeterValues)[0].meter_values[0].at == EPOCH + 5060
