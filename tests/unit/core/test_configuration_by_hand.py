"""Configuration keys that somebody at the charge point changes."""

import pytest

from cp_image.api.payloads import InputErrorCode
from cp_image.core.effects import PublishConfiguration
from cp_image.core.errors import NotAllowedError
from cp_image.core.events import ConfigurationWanted
from cp_image.core.messages import Heartbeat
from tests.support.virtual_station import VirtualStation


def wanted(key: str, value: str) -> ConfigurationWanted:
    return ConfigurationWanted(key=key, value=value)


def test_it_is_obeyed_at_once_and_survives_a_power_cut() -> None:
    station = VirtualStation()
    station.connect()
    effects = station.handle(wanted("heartbeatinterval", "0060"))
    assert station.station.ocpp_config()["HeartbeatInterval"] == "60"
    assert [e for e in effects if isinstance(e, PublishConfiguration)]
    station.run(61)
    assert station.heard(Heartbeat)
    again = station.power_cut()
    assert again.station.ocpp_config()["HeartbeatInterval"] == "60"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("Nonsense", "1", "there is no configuration key Nonsense"),
        ("NumberOfConnectors", "3", "NumberOfConnectors is read-only"),
        ("HeartbeatInterval", "often", "is a whole number"),
        ("MeterValuesSampledData", "Colour", "does not take Colour"),
        ("AuthorizationKey", "0123456789abcdef0123", "AuthorizationKey is changed by the CSMS"),
        ("SecurityProfile", "2", "SecurityProfile is changed by the CSMS"),
    ],
)
def test_what_the_csms_may_not_do_nobody_may(key: str, value: str, words: str) -> None:
    station = VirtualStation()
    before = station.station.ocpp_config()
    with pytest.raises(NotAllowedError, match=words) as caught:
        station.handle(wanted(key, value))
    assert caught.value.code is InputErrorCode.NOT_ALLOWED
    assert "0123456789abcdef" not in str(caught.value)
    assert station.station.ocpp_config() == before
