"""ChangeConfiguration, keys: declared limits are kept, defaults are valid."""

import pytest

from cp_image.core.configuration_keys import (
    KEYS,
    Configuration,
    ConfigurationError,
    ConfigurationKey,
    Key,
    ValueType,
)
from cp_image.core.effects import Log, Persist
from cp_image.core.outbox import Outbox
from tests.support.virtual_station import VirtualStation, make_settings


def test_every_name_is_declared_once() -> None:
    assert sorted(key.name for key in KEYS) == sorted(Key)


@pytest.mark.parametrize("key", [key for key in KEYS if key.default], ids=lambda key: key.name)
def test_every_default_is_valid(key: object) -> None:
    assert isinstance(key, type(KEYS[0]))
    key.check(key.default)


@pytest.mark.parametrize(
    "key", [key for key in KEYS if key.type is ValueType.INTEGER], ids=lambda key: key.name
)
def test_every_number_is_limited(key: ConfigurationKey) -> None:
    assert key.minimum is not None
    assert key.maximum is not None
    assert key.minimum < key.maximum < 2**31


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        (Key.CONNECTION_TIME_OUT, "-1", "is at least 0"),
        (Key.CONNECTION_TIME_OUT, "abc", "is a whole number"),
        (Key.CONNECTION_TIME_OUT, "", "is a whole number"),
        (Key.CONNECTION_TIME_OUT, "-", "is a whole number"),
        (Key.CONNECTION_TIME_OUT, "1.5", "is a whole number"),
        (Key.CONNECTION_TIME_OUT, "٣", "is a whole number"),
        (Key.HEARTBEAT_INTERVAL, "10000001", "is at most 10000000"),
        (Key.STOP_TRANSACTION_ON_INVALID_ID, "yes", "is true or false"),
        (Key.METER_VALUES_SAMPLED_DATA, "Voltage,Nonsense", "does not take Nonsense"),
        ("ConnectionTime", "60", "does not exist"),
        (Key.LIGHT_INTENSITY, "101", "is at most 100"),
        (Key.CONNECTOR_PHASE_ROTATION, "0.RST,1.XYZ", "does not take 1.XYZ"),
        (Key.CONNECTOR_PHASE_ROTATION, "0.RST,1.RST,1.TSR", "has at most 2 elements"),
        (Key.CONNECTOR_PHASE_ROTATION, "1.RST,1.TSR", "says connector 1 twice"),
        (Key.CONNECTOR_PHASE_ROTATION, "2.RST", "has no connector 2"),
        (Key.METER_VALUES_SAMPLED_DATA, ",".join(["Voltage"] * 21), "says Voltage twice"),
        (Key.METER_VALUES_SAMPLED_DATA, "Voltage,,SoC", "has an empty element"),
        (Key.METER_VALUES_SAMPLED_DATA, " , ", "has an empty element"),
        (Key.HEARTBEAT_INTERVAL, "9" * 400, "is at most 10000000"),
        (Key.MAX_ENERGY_ON_INVALID_ID, "9" * 400, "is at most 2147483647"),
        (Key.METER_VALUES_SAMPLED_DATA, ",".join(["Voltage"] * 70), "has at most 500 characters"),
    ],
)
def test_what_a_key_does_not_take_is_refused(name: str, value: str, rule: str) -> None:
    configuration = Configuration({}, nb_connectors=1)
    before = configuration.readable()
    with pytest.raises(ConfigurationError, match=rule) as refused:
        configuration.set(name, value)
    assert name in str(refused.value)
    assert value[:20] in str(refused.value)
    assert configuration.readable() == before


def test_values_are_read_by_their_type() -> None:
    configuration = Configuration(
        {
            "ConnectionTimeOut": "12",
            "StopTransactionOnInvalidId": "FALSE",
            "MeterValuesSampledData": " Voltage , Current.Import",
        },
        nb_connectors=3,
    )
    assert configuration.integer(Key.CONNECTION_TIME_OUT) == 12
    assert configuration.boolean(Key.STOP_TRANSACTION_ON_INVALID_ID) is False
    assert configuration.elements(Key.METER_VALUES_SAMPLED_DATA) == ("Voltage", "Current.Import")
    assert configuration.integer(Key.NUMBER_OF_CONNECTORS) == 3


def test_a_station_shows_its_keys_sorted_and_without_empty_ones() -> None:
    settings = make_settings(configuration={"MeterValuesSampledData": ""})
    shown = VirtualStation(settings).station.ocpp_config()
    assert list(shown) == sorted(shown)
    assert shown["NumberOfConnectors"] == "2"
    assert shown["SupportedFeatureProfiles"] == (
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
    )
    assert shown["ConnectorPhaseRotation"] == "0.RST,1.RST,2.RST"
    assert "MeterValuesSampledData" not in shown
    assert all(isinstance(value, str) and value for value in shown.values())


def test_names_are_found_in_any_case() -> None:
    configuration = Configuration({"connectiontimeout": "12"}, nb_connectors=1)
    assert configuration.integer(Key.CONNECTION_TIME_OUT) == 12
    found = configuration.find("METERVALUESAMPLEINTERVAL")
    assert found is not None
    assert found.name is Key.METER_VALUE_SAMPLE_INTERVAL
    assert configuration.find("Nonsense") is None


def test_one_phase_has_no_rotation() -> None:
    configuration = Configuration({}, nb_connectors=1, nb_phases=1)
    assert configuration.elements(Key.CONNECTOR_PHASE_ROTATION) == (
        "0.NotApplicable",
        "1.NotApplicable",
    )


def test_a_list_may_be_as_long_as_its_own_key_says() -> None:
    overrides = {"MeterValuesSampledData": "Voltage,Current.Import"}
    with pytest.raises(ConfigurationError, match="at most 1 elements"):
        Configuration({**overrides, "MeterValuesSampledDataMaxLength": "1"}, nb_connectors=1)
    Configuration({**overrides, "MeterValuesSampledDataMaxLength": "2"}, nb_connectors=1)


def test_nobody_sets_the_number_of_connectors() -> None:
    configuration = Configuration({"NumberOfConnectors": "7"}, nb_connectors=2)
    assert configuration.integer(Key.NUMBER_OF_CONNECTORS) == 2


def kept(outbox: Outbox) -> dict[str, bytes]:
    effects = [effect for effect in outbox.take() if isinstance(effect, Persist)]
    return {effect.key: effect.value for effect in effects if effect.value is not None}


def test_a_change_is_kept_and_told_and_goes_before_the_template() -> None:
    outbox = Outbox()
    told: list[float] = []
    template = {"ConnectionTimeOut": "12"}
    configuration = Configuration(template, nb_connectors=1, stored={}, outbox=outbox)
    assert kept(outbox) == {}
    configuration.on_change(Key.CONNECTION_TIME_OUT, told.append)
    configuration.change(Key.CONNECTION_TIME_OUT, "90", 5.0)
    configuration.change(Key.CONNECTION_TIME_OUT, "90", 6.0)
    configuration.change(Key.HEARTBEAT_INTERVAL, "17", 7.0)
    assert told == [5.0]
    stored = kept(outbox)
    assert set(stored) == {"configuration/ConnectionTimeOut", "configuration/HeartbeatInterval"}
    again = Configuration(template, nb_connectors=1, stored=stored, outbox=outbox)
    assert again.integer(Key.CONNECTION_TIME_OUT) == 90
    assert again.integer(Key.HEARTBEAT_INTERVAL) == 17


@pytest.mark.parametrize("record", [b'"abc"', b"17"])
def test_a_stored_value_that_is_no_good_is_dropped_and_said(record: bytes) -> None:
    outbox = Outbox()
    stored = {"configuration/HeartbeatInterval": record}
    configuration = Configuration({}, nb_connectors=1, stored=stored, outbox=outbox)
    assert configuration.integer(Key.HEARTBEAT_INTERVAL) == 300
    effects = outbox.take()
    assert Persist(key="configuration/HeartbeatInterval", value=None) in effects
    assert any(isinstance(effect, Log) for effect in effects)


def test_a_station_cannot_be_built_on_a_wrong_key() -> None:
    with pytest.raises(ConfigurationError, match="HeartbeatInterval"):
        VirtualStation(make_settings(configuration={"HeartbeatInterval": "often"}))
