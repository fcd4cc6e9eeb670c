"""Smart charging: profiles are cleared, survive a power cut, and wait for a remote start."""

import json

import pytest

from cp_image.api.payloads import StopReason
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    ChargingProfile,
    ClearChargingProfileStatus,
    RemoteStartTransaction,
    RemoteStartTransactionAnswer,
)
from cp_image.core.messages import StopTransaction
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
    setpoints,
)
from tests.support.virtual_station import EPOCH, VirtualStation

# -- clear, persist -----------------------------------------------------------------------------


def test_clearing_gives_the_limit_back_at_once() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0)))
    assert clear(station) is ClearChargingProfileStatus.ACCEPTED
    assert setpoints(station) == (32.0, 32.0)
    assert clear(station) is ClearChargingProfileStatus.UNKNOWN


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({"charging_profile_id": 2}, {1, 3, 4}),
        ({"charging_profile_id": 2, "connector_id": 2, "stack_level": 7}, {1, 3, 4}),
        ({"charging_profile_id": 9}, {1, 2, 3, 4}),
        ({"connector_id": 0}, {2, 3}),
        ({"connector_id": 1}, {1, 3, 4}),
        ({"connector_id": 7}, {1, 2, 3, 4}),
        ({"purpose": CAP}, {1, 2, 3}),
        ({"purpose": DEFAULT, "stack_level": 1}, {1, 3, 4}),
        ({"purpose": DEFAULT, "connector_id": 0}, {2, 3, 4}),
        ({"stack_level": 5}, {1, 2, 3, 4}),
        ({}, set()),
    ],
)
def test_clear_by_id_purpose_stack_and_connector(
    criteria: dict[str, object], left: set[int]
) -> None:
    station = online()
    install(station, make_profile(DEFAULT, (0, 10.0), profile_id=1))
    install(station, make_profile(DEFAULT, (0, 10.0), profile_id=2, level=1), 1)
    install(station, make_profile(DEFAULT, (0, 10.0), profile_id=3), 2)
    install(station, make_profile(CAP, (0, 10.0), profile_id=4))
    expected = "ACCEPTED" if len(left) < 4 else "UNKNOWN"
    assert clear(station, **criteria) is ClearChargingProfileStatus[expected]
    assert {int(key[8:]) for key in station.stored if key.startswith("profile/")} == left


def test_profiles_survive_a_power_cut() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0), (90, 12.5), start_at=EPOCH))
    install(station, make_profile(CAP, (0, 20.0), profile_id=2))
    install(station, make_profile(TX, (0, 15.0), profile_id=3), 1)
    again = station.power_cut(dark_s=60)
    assert setpoints(again)[0] == 10.0
    assert again.station.next_deadline() == EPOCH + 90
    again.connect()
    assert again.heard(StopTransaction)[-1].reason is StopReason.POWER_LOSS
    assert composite(again) == [(0, 10.0), (30, 12.5)]
    assert composite(again, connector_id=0) == [(0, 20.0)]
    assert clear(again, charging_profile_id=3) is ClearChargingProfileStatus.UNKNOWN


def test_a_broken_record_costs_one_profile_only() -> None:
    station = online()
    install(station, make_profile(DEFAULT, (0, 10.0)))
    stored = {**station.stored, "profile/7": json.dumps({"connector_id": 1}).encode()}
    again = VirtualStation(stored=stored)
    assert setpoints(again)[0] == 10.0
    assert "profile/7" not in again.stored


# -- a TxProfile of a remote start --------------------------------------------------------------


def assign(station: VirtualStation, profile: ChargingProfile) -> None:
    smart_charging = station.station._parts.smart_charging
    connector = station.station._connectors[0]
    assert smart_charging.accepts_tx_profile(connector, profile)
    smart_charging.assign_tx_profile(connector, profile, station.now)


def test_a_profile_waits_for_the_transaction_that_is_about_to_start() -> None:
    station = online()
    station.tag()  # the cable is yet to come
    assign(station, make_profile(TX, (0, 10.0), (60, 8.0), kind=RELATIVE))
    station.run(5)
    station.plug(draws=32.0)
    assert setpoints(station) == (10.0, 10.0)
    assert composite(station) == [(0, 10.0), (60, 8.0)]
    station.unplug()
    assert setpoints(station)[0] == 32.0


def test_a_profile_is_forgotten_with_the_start_that_came_to_nothing() -> None:
    station = online()
    station.tag()
    assign(station, make_profile(TX, (0, 10.0)))
    station.run(61)  # ConnectionTimeOut
    charge(station)
    assert setpoints(station) == (32.0, 32.0)


def test_a_profile_is_given_to_the_transaction_that_runs() -> None:
    station = charging()
    assign(station, make_profile(TX, (0, 10.0)))
    assert composite(station) == [(0, 10.0)]


def test_a_remote_start_takes_sound_tx_profiles_only() -> None:
    station = online()
    accepts = station.station._parts.smart_charging.accepts_tx_profile
    connector = station.station._connectors[0]
    assert accepts(connector, make_profile(TX, (0, 10.0)))
    assert not accepts(connector, make_profile(DEFAULT, (0, 10.0)))
    assert not accepts(connector, make_profile(CAP, (0, 10.0)))
    assert not accepts(connector, make_profile(TX, (1, 10.0)))


def test_a_remote_start_brings_its_profile() -> None:
    station = online()
    station.plug(draws=32.0)
    profile = make_profile(TX, (0, 10.0))
    answer = station.ask(
        RemoteStartTransaction(id_tag="TAG1", connector_id=1, charging_profile=profile)
    )
    assert answer == RemoteStartTransactionAnswer(status=AcceptanceStatus.ACCEPTED)
    assert setpoints(station) == (10.0, 10.0)


def test_an_assigned_profile_without_room_is_dropped() -> None:
    station = online(configuration={"MaxChargingProfilesInstalled": "1"})
    station.tag()
    assign(station, make_profile(TX, (0, 10.0), profile_id=2))
    install(station, make_profile(DEFAULT, (0, 12.0)))
    station.plug(draws=32.0)
    assert setpoints(station) == (12.0, 12.0)
    assert any("charging profile 2 is rejected" in text for text in station.logs())
