"""Meter: sampled and clock-aligned values, transactionData, and a register that never falls."""

from functools import partial

import pytest

from cp_image.api.payloads import CarInput
from cp_image.core.csms_messages import ChangeConfiguration, MessageTrigger, TriggerMessage
from cp_image.core.messages import (
    BootNotification,
    Heartbeat,
    MeterValues,
    RegistrationStatus,
    StopTransaction,
)
from cp_image.core.meter_values import (
    Location,
    Measurand,
    MeterValue,
    Phase,
    ReadingContext,
    SampledValue,
    Unit,
)
from cp_image.core.transaction_readings import READINGS_MAX
from tests.support import stations
from tests.support.stations import dc_station
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

M, C = Measurand, ReadingContext
EVERYTHING = ",".join(Measurand)
EVERYTHING_OF_AC = ",".join(m for m in Measurand if m is not Measurand.SOC)
assert EPOCH % 86_400 == 86_400 - 6400, "the tests begin at 22:13:20 UTC"
charging = partial(stations.charging, draws=10.0)


def station_with(**keys: str) -> VirtualStation:
    return VirtualStation(make_settings(configuration=keys))


def readings(requests: list[MeterValues]) -> list[MeterValue]:
    return [reading for request in requests for reading in request.meter_values]


def values_of(reading: MeterValue, measurand: Measurand) -> list[float]:
    return [v.value for v in reading.sampled_values if v.measurand is measurand]


def contexts(data: "list[MeterValue] | tuple[MeterValue, ...]") -> list[ReadingContext]:
    assert all(len({v.context for v in reading.sampled_values}) == 1 for reading in data)
    return [reading.sampled_values[0].context for reading in data]


def stop_data(station: VirtualStation) -> tuple[MeterValue, ...]:
    return tuple(station.heard(StopTransaction)[-1].transaction_data)


# -- context, phase, unit, location ----------------------------------------------------------


def test_every_measurand_of_ac_has_its_unit_phase_and_place() -> None:
    station = charging(station_with(MeterValuesSampledData=EVERYTHING_OF_AC))
    station.run(60)
    (reading,) = readings(station.heard(MeterValues))
    told = [(v.measurand, v.phase, v.unit, v.location, v.value) for v in reading.sampled_values]
    out, volts = Location.OUTLET, (Phase.L1_N, Phase.L2_N, Phase.L3_N)
    phases = (Phase.L1, Phase.L2, Phase.L3)
    assert told == [
        (M.ENERGY_ACTIVE_IMPORT_REGISTER, None, Unit.WH, out, 115),
        (M.ENERGY_ACTIVE_IMPORT_INTERVAL, None, Unit.WH, out, 115),
        (M.POWER_ACTIVE_IMPORT, None, Unit.W, out, 6900),
        *((M.POWER_ACTIVE_IMPORT, phase, Unit.W, out, 2300) for phase in phases),
        (M.POWER_OFFERED, None, Unit.W, out, 32 * 690),
        *((M.CURRENT_IMPORT, phase, Unit.A, out, 10) for phase in phases),
        (M.CURRENT_OFFERED, None, Unit.A, out, 32),
        *((M.VOLTAGE, phase, Unit.V, out, 230) for phase in volts),
        # An AC charge point does not know the state of charge.
        (M.FREQUENCY, None, None, out, 50),
        (M.TEMPERATURE, None, Unit.CELSIUS, Location.BODY, 27),
        (M.POWER_FACTOR, None, None, out, 1),
    ]
    assert {v.context for v in reading.sampled_values} == {C.SAMPLE_PERIODIC}


def test_every_measurand_of_dc_has_its_unit_and_place() -> None:
    station = dc_station(MeterValuesSampledData=EVERYTHING)
    station.connect()
    station.car(1, CarInput(cable=150_000.0, battery_wh=60_000.0, soc_pct=50, max_power_w=60_000))
    station.tag()
    station.run(60)
    (reading,) = readings(station.heard(MeterValues))
    told = [(v.measurand, v.phase, v.unit, v.location, v.value) for v in reading.sampled_values]
    out = Location.OUTLET
    assert told == [
        (M.ENERGY_ACTIVE_IMPORT_REGISTER, None, Unit.WH, out, 1000),
        (M.ENERGY_ACTIVE_IMPORT_INTERVAL, None, Unit.WH, out, 1000),
        (M.POWER_ACTIVE_IMPORT, None, Unit.W, out, 60_000),
        (M.POWER_OFFERED, None, Unit.W, out, 150_000),
        (M.CURRENT_IMPORT, None, Unit.A, out, 150),
        (M.CURRENT_OFFERED, None, Unit.A, out, 375),
        (M.VOLTAGE, None, Unit.V, out, 400),
        (M.SOC, None, Unit.PERCENT, Location.EV, 51.667),
        (M.FREQUENCY, None, None, Location.INLET, 50),
        (M.TEMPERATURE, None, Unit.CELSIUS, Location.BODY, 28.2),
        (M.POWER_FACTOR, None, None, Location.INLET, 1),
    ]


def test_the_frequency_is_that_of_the_station() -> None:
    keys = {"MeterValuesSampledData": "Frequency"}
    station = charging(VirtualStation(make_settings(frequency_hz=60.0, configuration=keys)))
    station.run(60)
    assert values_of(readings(station.heard(MeterValues))[0], M.FREQUENCY) == [60]


def test_nothing_is_sent_where_nothing_can_be_measured() -> None:
    station = charging(dc_station(MeterValuesSampledData="SoC"))  # of a car that does not say it
    station.run(600)
    assert station.heard(MeterValues) == []


def test_nothing_is_offered_outside_a_transaction() -> None:
    station = station_with(MeterValuesAlignedData="Power.Offered", ClockAlignedDataInterval="3600")
    station.connect()
    station.plug()
    station.run(3600)
    assert values_of(readings(station.heard(MeterValues))[0], M.POWER_OFFERED) == [0]


# -- intervals -------------------------------------------------------------------------------


def test_an_interval_counts_since_the_last_sample_of_its_kind() -> None:
    station = charging(
        station_with(
            MeterValuesSampledData="Energy.Active.Import.Interval",
            MeterValuesAlignedData="Energy.Active.Import.Interval",
            MeterValueSampleInterval="60",
            ClockAlignedDataInterval="100",
        )
    )
    station.run(240)
    told = readings([r for r in station.heard(MeterValues) if r.connector_id == 1])
    rows = [
        (r.at - EPOCH, c, r.sampled_values[0].value)
        for r, c in zip(told, contexts(told), strict=True)
    ]
    assert rows == [
        (60, C.SAMPLE_PERIODIC, 115),
        (100, C.SAMPLE_CLOCK, 191),
        (120, C.SAMPLE_PERIODIC, 115),
        (180, C.SAMPLE_PERIODIC, 115),
        (200, C.SAMPLE_CLOCK, 192),
        (240, C.SAMPLE_PERIODIC, 115),
    ]


@pytest.mark.parametrize("key", ["MeterValueSampleInterval", "ClockAlignedDataInterval"])
def test_interval_0_is_none(key: str) -> None:
    keys = {
        "MeterValueSampleInterval": "0",
        "ClockAlignedDataInterval": "0",
        "StopTxnSampledData": EVERYTHING_OF_AC,
        "StopTxnAlignedData": EVERYTHING_OF_AC,
    }
    other = {"MeterValueSampleInterval", "ClockAlignedDataInterval"} - {key}
    station = charging(station_with(**keys | {other.pop(): "600"}))
    station.run(3600)
    kind = {"MeterValueSampleInterval": C.SAMPLE_CLOCK}.get(key, C.SAMPLE_PERIODIC)
    assert set(contexts(readings(station.heard(MeterValues)))) == {kind}
    station.unplug()
    assert kind in contexts(stop_data(station))
    assert len(set(contexts(stop_data(station)))) == (1 if kind is C.SAMPLE_CLOCK else 3)


def test_an_idle_station_without_a_grid_has_no_deadline_but_its_heartbeat() -> None:
    station = VirtualStation()
    station.connect()
    station.plug()
    station.run(86_400)
    assert {type(r) for at, r in station.csms.heard if at > EPOCH} == {Heartbeat}


def test_a_changed_sample_interval_is_obeyed_at_once() -> None:
    station = charging(station_with(MeterValueSampleInterval="600"))
    station.run(60)
    station.ask(ChangeConfiguration(key="MeterValueSampleInterval", value="15"))
    station.run(30)
    assert station.heard_at(MeterValues) == [75, 90]
    station.ask(ChangeConfiguration(key="MeterValueSampleInterval", value="0"))
    station.run(3600)
    assert len(station.heard(MeterValues)) == 2
    station.ask(ChangeConfiguration(key="MeterValueSampleInterval", value="60"))
    station.run(60)
    assert station.heard_at(MeterValues)[2:] == [90 + 3600 + 60]


def test_changed_measurands_are_obeyed_at_once() -> None:
    station = charging(station_with(MeterValuesSampledData=""))
    station.run(600)
    assert station.heard(MeterValues) == []
    station.ask(ChangeConfiguration(key="MeterValuesSampledData", value="Voltage"))
    station.run(60)
    (reading,) = readings(station.heard(MeterValues))
    assert {v.measurand for v in reading.sampled_values} == {M.VOLTAGE}


# -- clock-aligned ---------------------------------------------------------------------------


def test_clock_aligned_values_come_on_the_grid_of_midnight_for_all_connectors() -> None:
    station = charging(station_with(ClockAlignedDataInterval="900", MeterValueSampleInterval="0"))
    station.run(100)
    told = station.heard(MeterValues)
    assert [(r.connector_id, r.transaction_id) for r in told] == [(1, 1001), (2, None)]
    assert {r.at for r in readings(told)} == {EPOCH + 100}
    assert (EPOCH + 100) % 900 == 0
    assert set(contexts(readings(told))) == {C.SAMPLE_CLOCK}


def test_the_grid_begins_anew_at_midnight() -> None:
    station = station_with(ClockAlignedDataInterval="7000")
    station.connect()
    station.run(6400 + 7000)
    assert sorted(set(station.heard_at(MeterValues))) == [4000, 6400, 13_400]


def test_the_grid_is_that_of_the_stations_clock() -> None:
    station = station_with(ClockAlignedDataInterval="3600")
    station.csms.clock_offset_s = 1000.0
    station.connect()
    station.run(3600)
    assert {r.at % 3600 for r in readings(station.heard(MeterValues))} == {0}
    station.csms.clock_offset_s = -5000.0
    station.run(7200)
    assert {round(r.at, 3) % 3600 for r in readings(station.heard(MeterValues))} == {0}
    assert len(station.heard(MeterValues)) >= 4


def test_outside_a_transaction_readings_are_lost_without_a_csms() -> None:
    station = station_with(ClockAlignedDataInterval="900")
    station.run(3600)
    station.csms.registration = RegistrationStatus.PENDING
    station.connect()
    station.run(3600)
    assert station.heard(MeterValues) == []
    assert not [key for key in station.stored if key.startswith("queue/")]
    assert len(station.heard(BootNotification)) > 1


def test_in_a_transaction_readings_wait_for_the_csms() -> None:
    station = charging(station_with(ClockAlignedDataInterval="900", MeterValueSampleInterval="0"))
    station.disconnect()
    station.run(3600)
    station.connect()
    station.run(1)
    assert [r.at - EPOCH for r in readings(station.heard(MeterValues))] == [100, 1000, 1900, 2800]


def test_an_idle_connector_that_is_read_writes_nothing_to_the_disk() -> None:
    station = station_with(ClockAlignedDataInterval="900")
    station.connect()
    before = dict(station.stored)
    station.run(7200)
    assert len(station.heard(MeterValues)) == 2 * 8
    assert station.stored == before


# -- transactionData -------------------------------------------------------------------------


def test_a_stop_tells_the_samples_of_its_transaction() -> None:
    station = charging(
        station_with(
            StopTxnSampledData="Energy.Active.Import.Register,Current.Import",
            StopTxnAlignedData="Energy.Active.Import.Register",
            ClockAlignedDataInterval="900",
        )
    )
    station.run(130)
    station.tag()
    data = stop_data(station)
    assert [(r.at - EPOCH, context) for r, context in zip(data, contexts(data), strict=True)] == [
        (0, C.TRANSACTION_BEGIN),
        (60, C.SAMPLE_PERIODIC),
        (100, C.SAMPLE_CLOCK),
        (120, C.SAMPLE_PERIODIC),
        (130, C.TRANSACTION_END),
    ]
    energies = [value for r in data for value in values_of(r, M.ENERGY_ACTIVE_IMPORT_REGISTER)]
    assert energies == [0, 115, 191, 230, 249]
    assert values_of(data[0], M.CURRENT_IMPORT) == [0, 0, 0]
    assert values_of(data[-1], M.CURRENT_IMPORT) == [10, 10, 10]
    assert station.heard(StopTransaction)[0].meter_stop_wh == 249
    assert not [key for key in station.stored if key.startswith("reading/")]


def test_the_intervals_of_a_transaction_add_up() -> None:
    station = charging(station_with(StopTxnSampledData="Energy.Active.Import.Interval"))
    station.run(613)
    station.tag()
    told = sum(r.sampled_values[0].value for r in stop_data(station))
    assert told == station.heard(StopTransaction)[0].meter_stop_wh


def test_nothing_is_collected_unless_it_is_asked_for() -> None:
    station = charging(VirtualStation())
    station.run(600)
    station.tag()
    assert stop_data(station) == ()


def test_a_power_cut_keeps_what_was_collected() -> None:
    station = charging(station_with(StopTxnSampledData="Energy.Active.Import.Register"))
    station.run(150)
    again = station.power_cut(dark_s=1000)
    again.connect()
    data = stop_data(again)
    assert [(r.at - EPOCH, context) for r, context in zip(data, contexts(data), strict=True)] == [
        (0, C.TRANSACTION_BEGIN),
        (60, C.SAMPLE_PERIODIC),
        (120, C.SAMPLE_PERIODIC),
        (150, C.TRANSACTION_END),
    ]
    assert values_of(data[-1], M.ENERGY_ACTIVE_IMPORT_REGISTER) == [287]
    again.run(60)
    assert not [key for key in again.stored if key.startswith("reading/")]


def test_a_long_transaction_is_covered_to_its_ends_by_a_bounded_number() -> None:
    station = charging(
        station_with(
            StopTxnSampledData="Energy.Active.Import.Register", MeterValueSampleInterval="30"
        )
    )
    station.run(86_400)
    assert sum("readings of Sample.Periodic" in text for text in station.logs()) == 1
    kept = [key for key in station.stored if key.startswith("reading/")]
    assert READINGS_MAX / 2 <= len(kept) <= READINGS_MAX + 1
    station.tag()
    data = stop_data(station)
    assert (data[0].at, data[-1].at) == (EPOCH, EPOCH + 86_400)
    assert contexts(data)[0] is C.TRANSACTION_BEGIN
    assert contexts(data)[-1] is C.TRANSACTION_END
    times = [r.at for r in data]
    assert times == sorted(times)
    quarters = [sum(q * 21_600 <= at - EPOCH < (q + 1) * 21_600 for at in times) for q in range(4)]
    assert min(quarters) >= 10


def test_a_night_is_told_in_full() -> None:
    station = charging(station_with(StopTxnSampledData="Energy.Active.Import.Register"))
    station.run(14 * 3600)
    station.tag()
    assert len(stop_data(station)) == 14 * 60 + 2
    assert not any("readings of" in text for text in station.logs())


def test_a_transaction_does_not_tell_the_samples_of_another() -> None:
    station = charging(station_with(StopTxnSampledData="Voltage"))
    station.run(120)
    station.unplug()
    station.plug()
    station.tag()
    station.unplug()
    assert [len(s.transaction_data) for s in station.heard(StopTransaction)] == [4, 2]


# -- the register never falls ----------------------------------------------------------------


def test_what_was_told_is_never_taken_back() -> None:
    station = charging(
        station_with(
            MeterValueSampleInterval="0",
            ClockAlignedDataInterval="60",
            MeterValuesAlignedData="Energy.Active.Import.Register",
        )
    )
    station.run(3600)
    told = max(
        value
        for r in readings(station.heard(MeterValues))
        for value in values_of(r, M.ENERGY_ACTIVE_IMPORT_REGISTER)
    )
    again = station.power_cut()
    assert again.connector().register_wh >= told > 0
    assert isinstance(readings(station.heard(MeterValues))[0].sampled_values[0], SampledValue)


def test_registers_are_told_in_whole_watt_hours() -> None:
    station = charging(
        station_with(MeterValuesSampledData="Energy.Active.Import.Register"), draws=7.3
    )
    station.run(600)
    told = [v.value for r in readings(station.heard(MeterValues)) for v in r.sampled_values]
    assert all(value == int(value) for value in told)
    assert told == sorted(told)


# -- triggered -------------------------------------------------------------------------------


def test_a_triggered_reading_is_one_and_disturbs_no_other() -> None:
    station = charging(station_with(MeterValuesSampledData="Energy.Active.Import.Interval"))
    for _ in range(2):
        station.run(20)
        station.ask(TriggerMessage(requested=MessageTrigger.METER_VALUES, connector_id=1))
    station.run(20)
    told = readings(station.heard(MeterValues))
    rows = [(r.at - EPOCH, r.sampled_values[0].value) for r in told]
    assert contexts(told) == [C.TRIGGER, C.TRIGGER, C.SAMPLE_PERIODIC]
    assert rows == [(20, 38), (40, 38), (60, 115)]
    assert {r.transaction_id for r in station.heard(MeterValues)} == {1001}


def test_outside_a_transaction_a_triggered_reading_names_none() -> None:
    station = VirtualStation()
    station.connect()
    station.ask(TriggerMessage(requested=MessageTrigger.METER_VALUES, connector_id=2))
    (request,) = station.heard(MeterValues)
    assert (request.connector_id, request.transaction_id) == (2, None)
    assert contexts(readings([request])) == [C.TRIGGER]
