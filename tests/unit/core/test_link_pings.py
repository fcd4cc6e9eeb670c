"""ChangeConfiguration: WebSocketPingInterval reaches the shell."""

from cp_image.core.configuration_keys import Key
from cp_image.core.effects import SetPingInterval
from tests.support.virtual_station import VirtualStation, make_settings


def told(station: VirtualStation) -> list[int]:
    return [effect.interval_s for effect in station.wanted(SetPingInterval)]


def test_the_interval_is_told_at_power_up() -> None:
    assert told(VirtualStation()) == [60]
    settings = make_settings(configuration={Key.WEB_SOCKET_PING_INTERVAL: "0"})
    assert told(VirtualStation(settings)) == [0]


def test_a_change_is_told_at_once() -> None:
    station = VirtualStation()
    station.station._ground.configuration.change(Key.WEB_SOCKET_PING_INTERVAL, "7", station.now)
    station.connect()
    assert told(station) == [60, 7]
