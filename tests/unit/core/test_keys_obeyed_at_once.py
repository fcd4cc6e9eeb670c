"""ChangeConfiguration: what is under way obeys a new value, too."""

import pytest

from cp_image.api.payloads import ConnectorState, StopReason
from cp_image.core.csms_messages import ChangeConfiguration
from cp_image.core.messages import StopTransaction
from tests.support.charging import charging, online
from tests.support.virtual_station import VirtualStation

S = ConnectorState
GOES_ON = {"StopTransactionOnEVSideDisconnect": "false"}


def change(station: VirtualStation, key: str, value: str) -> None:
    station.ask(ChangeConfiguration(key=key, value=value))


def test_a_transaction_that_goes_on_without_a_cable_stops_when_it_must_not() -> None:
    station = charging(configuration=GOES_ON)
    station.unplug()
    assert station.connector().status is S.SUSPENDED_EV
    change(station, "StopTransactionOnEVSideDisconnect", "true")
    assert [stop.reason for stop in station.heard(StopTransaction)] == [StopReason.EV_DISCONNECTED]
    assert station.connector().status is S.AVAILABLE


def test_its_cable_stays_locked_where_it_is_to_stay() -> None:
    keys = GOES_ON | {"UnlockConnectorOnEVSideDisconnect": "false"}
    station = charging(configuration=keys)
    station.unplug()
    change(station, "StopTransactionOnEVSideDisconnect", "true")
    assert station.connector().status is S.FINISHING
    station.tag()
    assert station.connector().status is S.AVAILABLE


def test_a_transaction_with_a_cable_goes_on() -> None:
    station = charging(configuration=GOES_ON)
    change(station, "StopTransactionOnEVSideDisconnect", "true")
    assert station.connector().status is S.CHARGING
    assert station.heard(StopTransaction) == []


@pytest.mark.parametrize(("timeout_s", "left_s"), [("40", 10), ("300", 270)])
def test_a_tag_that_waits_for_its_cable_waits_for_the_new_time(
    timeout_s: str, left_s: float
) -> None:
    station = online()
    station.tag()
    station.run(30)
    change(station, "ConnectionTimeOut", timeout_s)
    station.run(left_s - 1)
    assert station.connector().status is S.PREPARING
    station.run(1)
    assert station.connector().status is S.AVAILABLE


def test_a_tag_that_has_waited_longer_already_waits_no_more() -> None:
    station = online()
    station.tag()
    station.run(30)
    change(station, "ConnectionTimeOut", "20")
    assert station.connector().status is S.AVAILABLE


def test_a_tag_may_wait_for_ever_from_now_on() -> None:
    station = online()
    station.tag()
    station.run(30)
    change(station, "ConnectionTimeOut", "0")
    station.run(86_400)
    assert station.connector().status is S.PREPARING
