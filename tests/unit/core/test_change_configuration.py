"""ChangeConfiguration and GetConfiguration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api.payloads import ChargePointType
from cp_image.api.value import replace
from cp_image.core.configuration_keys import KEYS, Configuration, Key
from cp_image.core.configuration_requests import ConfigurationRequests
from cp_image.core.csms_messages import (
    ChangeConfiguration,
    ChangeConfigurationAnswer,
    ConfigurationStatus,
    GetConfiguration,
    GetConfigurationAnswer,
)
from cp_image.core.effects import PublishConfiguration
from cp_image.core.messages import Heartbeat, MeterValues
from cp_image.core.outbox import Outbox
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

C = ConfigurationStatus


def connected(**configuration: str) -> VirtualStation:
    station = VirtualStation(make_settings(configuration=configuration))
    station.connect()
    return station


def change(station: VirtualStation, key: str, value: str) -> ConfigurationStatus:
    answer = station.ask(ChangeConfiguration(key=key, value=value))
    assert isinstance(answer, ChangeConfigurationAnswer)
    return answer.status


def get(station: VirtualStation, *keys: str) -> GetConfigurationAnswer:
    answer = station.ask(GetConfiguration(keys=keys))
    assert isinstance(answer, GetConfigurationAnswer)
    return answer


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("ConnectionTimeOut", "90", C.ACCEPTED),
        ("connectiontimeout", "90", C.ACCEPTED),
        ("ConnectionTimeOut", "-1", C.REJECTED),
        ("ConnectionTimeOut", "abc", C.REJECTED),
        ("ConnectionTimeOut", "", C.REJECTED),
        ("MeterValueSampleInterval", "-1", C.REJECTED),
        ("LightIntensity", "101", C.REJECTED),
        ("LocalPreAuthorize", "yes", C.REJECTED),
        ("LocalPreAuthorize", "TRUE", C.ACCEPTED),
        ("MeterValuesSampledData", "Voltage,Nonsense", C.REJECTED),
        ("MeterValuesSampledData", "Voltage,Current.Import", C.ACCEPTED),
        ("MeterValuesSampledData", "Voltage,SoC", C.REJECTED),
        ("MeterValuesSampledData", "Voltage,Voltage", C.REJECTED),
        ("StopTxnAlignedData", ",", C.REJECTED),
        ("StopTxnAlignedData", "Voltage,", C.REJECTED),
        ("MeterValuesSampledData", "", C.ACCEPTED),
        ("StopTxnSampledData", ",".join(["Voltage"] * 21), C.REJECTED),
        ("ConnectorPhaseRotation", "0.RST,1.RST,2.RTS", C.ACCEPTED),
        ("ConnectorPhaseRotation", "right", C.REJECTED),
        ("ConnectorPhaseRotation", "3.RST", C.REJECTED),
        ("ConnectorPhaseRotation", "01.RST", C.REJECTED),
        ("ConnectorPhaseRotation", "1.RST,1.RTS", C.REJECTED),
        ("MaxEnergyOnInvalidId", "9" * 400, C.REJECTED),
        ("MaxEnergyOnInvalidId", "2147483648", C.REJECTED),
        ("MaxEnergyOnInvalidId", "2147483647", C.ACCEPTED),
        ("NumberOfConnectors", "3", C.REJECTED),
        ("SupportedFeatureProfiles", "Core", C.REJECTED),
        ("ConnectionTimeOutMax", "90", C.NOT_SUPPORTED),
        ("AuthorizationKeys", "secret", C.NOT_SUPPORTED),
    ],
)
def test_each_value_is_validated(key: str, value: str, status: ConfigurationStatus) -> None:
    station = connected()
    before = station.station.ocpp_config()
    assert change(station, key, value) is status
    assert (station.station.ocpp_config() == before) is (status is not C.ACCEPTED)


@pytest.mark.parametrize(("value", "held"), [("007", "7"), ("-0", "0"), ("000", "0")])
def test_a_number_is_held_in_its_shortest_form(value: str, held: str) -> None:
    station = connected()
    assert change(station, "ResetRetries", value) is C.ACCEPTED
    assert get(station, "ResetRetries").keys[0].value == held
    assert get(station.power_cut(), "ResetRetries").keys[0].value == held
    published = len(station.wanted(PublishConfiguration))
    assert change(station, "ResetRetries", held) is C.ACCEPTED
    assert len(station.wanted(PublishConfiguration)) == published


@pytest.mark.parametrize(
    "key",
    [
        "ISO15118CertificateManagementEnabled",
        "ISO15118PnCEnabled",
        "CentralContractValidationAllowed",
        "ContractValidationOffline",
    ],
)
def test_the_keys_of_plug_and_charge_are_held(key: str) -> None:
    station = connected()
    assert get(station, key).keys[0].value == "false"
    assert change(station, key, "no") is C.REJECTED
    assert change(station, key, "true") is C.ACCEPTED
    assert get(station.power_cut(), key).keys[0].value == "true"


def test_a_charge_point_for_direct_current_can_measure_the_battery() -> None:
    station = VirtualStation(make_settings(type=ChargePointType.DC))
    station.connect()
    assert change(station, "MeterValuesSampledData", "Voltage,SoC") is C.ACCEPTED


@pytest.mark.parametrize("key", [key for key in KEYS if key.read_only], ids=lambda key: key.name)
def test_read_only_is_rejected(key: object) -> None:
    assert isinstance(key, type(KEYS[0]))
    assert change(connected(), key.name, key.default or "1") is C.REJECTED


def test_what_only_a_reboot_puts_in_force_says_so() -> None:
    declared = [replace(key, reboot_required=key.name is Key.BLINK_REPEAT) for key in KEYS]
    configuration = Configuration({}, nb_connectors=1, declared=declared)
    handler = ConfigurationRequests(configuration, Outbox()).handlers()[ChangeConfiguration]
    for key, status in (("BlinkRepeat", C.REBOOT_REQUIRED), ("LightIntensity", C.ACCEPTED)):
        reply = handler(ChangeConfiguration(key=key, value="7"), EPOCH)
        assert reply.answer == ChangeConfigurationAnswer(status=status)
        assert reply.then is not None
        reply.then(EPOCH)
        assert configuration.readable()[key] == "7"


def test_a_change_survives_a_power_cut_and_goes_before_the_template() -> None:
    station = connected(ConnectionTimeOut="12")
    assert change(station, "ConnectionTimeOut", "90") is C.ACCEPTED
    again = station.power_cut()
    assert again.station.ocpp_config()["ConnectionTimeOut"] == "90"


def test_a_change_is_published_and_what_changes_nothing_is_not() -> None:
    station = connected()
    for value, published in (("60", 0), ("90", 1), ("abc", 1), ("90", 1), ("91", 2)):
        change(station, "ConnectionTimeOut", value)
        assert len(station.wanted(PublishConfiguration)) == published


def test_a_changed_heartbeat_interval_is_obeyed_at_once() -> None:
    station = connected()
    station.run(100)
    assert change(station, "HeartbeatInterval", "10") is C.ACCEPTED
    station.run(25)
    assert station.heard_at(Heartbeat) == [110.0, 120.0]
    assert change(station, "HeartbeatInterval", "0") is C.ACCEPTED
    station.run(5000)
    assert len(station.heard(Heartbeat)) == 2
    station.disconnect()
    station.ask(ChangeConfiguration(key="HeartbeatInterval", value="10"))
    assert station.station.next_deadline() is None


def test_a_changed_sample_interval_is_obeyed_at_once() -> None:
    station = connected(MeterValueSampleInterval="0", HeartbeatInterval="0")
    station.csms.interval_s = 0
    station.plug()
    station.tag()
    station.run(500)
    assert station.heard(MeterValues) == []
    assert change(station, "MeterValueSampleInterval", "10") is C.ACCEPTED
    station.run(30)
    assert station.heard_at(MeterValues) == [510.0, 520.0, 530.0]
    assert change(station, "MeterValueSampleInterval", "0") is C.ACCEPTED
    station.run(500)
    assert len(station.heard(MeterValues)) == 3


def test_all_keys_are_told() -> None:
    answer = get(connected())
    assert [item.key for item in answer.keys] == sorted(key.name for key in KEYS)
    assert not answer.unknown_keys
    told = {item.key: item for item in answer.keys}
    assert (told["NumberOfConnectors"].value, told["NumberOfConnectors"].read_only) == ("2", True)
    assert (told["ConnectionTimeOut"].value, told["ConnectionTimeOut"].read_only) == ("60", False)
    assert told["StopTxnSampledData"].value is None  # it holds nothing


def test_some_keys_are_told_and_the_others_are_unknown() -> None:
    answer = get(connected(), "heartbeatinterval", "Nonsense", "ConnectionTimeout")
    assert [item.key for item in answer.keys] == ["HeartbeatInterval", "ConnectionTimeOut"]
    assert answer.unknown_keys == ["Nonsense"]


def test_not_more_keys_are_told_than_may_be_asked_for() -> None:
    station = connected(GetConfigurationMaxKeys="2")
    answer = get(station, "Nonsense", "HeartbeatInterval", "ConnectionTimeOut")
    assert [item.key for item in answer.keys] == ["HeartbeatInterval"]
    assert answer.unknown_keys == ["Nonsense"]
    assert "GetConfigurationMaxKeys" in station.logs()[-1]
    assert len(get(station).keys) == len(KEYS)  # without names nothing is limited


def test_what_may_not_be_read_is_never_told() -> None:
    declared = [replace(key, readable=key.name is not Key.BLINK_REPEAT) for key in KEYS]
    configuration = Configuration({}, nb_connectors=1, declared=declared)
    handler = ConfigurationRequests(configuration, Outbox()).handlers()[GetConfiguration]
    answer = handler(GetConfiguration(keys=("BlinkRepeat",)), EPOCH).answer
    assert isinstance(answer, GetConfigurationAnswer)
    assert [(item.key, item.value) for item in answer.keys] == [("BlinkRepeat", None)]
    assert "BlinkRepeat" not in configuration.readable()


@given(key=st.sampled_from([key for key in KEYS if key.readable]), value=st.text(max_size=600))
def test_whatever_is_written_a_key_holds_what_it_takes(key: object, value: str) -> None:
    assert isinstance(key, type(KEYS[0]))
    station = connected()
    status = change(station, key.name, value)
    assert status in {C.ACCEPTED, C.REJECTED}
    key.check(station.station._ground.configuration.text(key.name))
    if status is C.ACCEPTED:
        held = key.canonical(value)
        assert station.station._ground.configuration.text(key.name) == held
        again = station.power_cut()
        assert again.station._ground.configuration.text(key.name) == held
