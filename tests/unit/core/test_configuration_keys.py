"""Configuration keys: declared limits are kept, defaults are valid."""

import pytest

from cp_image.core.configuration_keys import KEYS, Configuration, ConfigurationError, Key
from tests.support.virtual_station import VirtualStation, make_settings


def test_every_name_is_declared_once() -> None:
    assert sorted(key.name for key in KEYS) == sorted(Key)


@pytest.mark.parametrize("key", [key for key in KEYS if key.default], ids=lambda key: key.name)
def test_every_default_is_valid(key: object) -> None:
    assert isinstance(key, type(KEYS[0]))
    key.check(key.default)


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
        ("ConnectionTimeout", "60", "does not exist"),
    ],
)
def test_what_a_key_does_not_take_is_refused(name: str, value: str, rule: str) -> None:
    configuration = Configuration({}, nb_connectors=1)
    before = configuration.readable()
    with pytest.raises(ConfigurationError, match=rule) as refused:
        configuration.set(name, value)
    assert name in str(refused.value)
    assert f"'{value}'" in str(refused.value)
    assert configuration.readable() == before


def test_values_are_read_by_their_type() -> None:
    configuration = Configuration(
        {
            "ConnectionTimeOut": "12",
            "StopTransactionOnInvalidId": "FALSE",
            "MeterValuesSampledData": " Voltage , Current.Import,",
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
    assert shown["SupportedFeatureProfiles"] == "Core"
    assert "MeterValuesSampledData" not in shown
    assert all(isinstance(value, str) and value for value in shown.values())


def test_a_station_cannot_be_built_on_a_wrong_key() -> None:
    with pytest.raises(ConfigurationError, match="HeartbeatInterval"):
        VirtualStation(make_settings(configuration={"HeartbeatInterval": "often"}))
