"""Smart charging: which profiles are accepted, and which they replace."""

import math

import pytest

from cp_image.core.csms_messages import (
    ChargingProfile,
    ChargingProfileStatus,
    ChargingRateUnit,
    RecurrencyKind,
)
from tests.support.charging import (
    CAP,
    DEFAULT,
    RECURRING,
    TX,
    composite,
    install,
    make_profile,
    set_profile,
)
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

REJECTED = ChargingProfileStatus.REJECTED
W = ChargingRateUnit.W


def installed_ids(station: VirtualStation) -> set[int]:
    return {int(key[8:]) for key in station.stored if key.startswith("profile/")}


def charging(**configuration: str) -> VirtualStation:
    """Transaction 1001 runs on connector 1, 1002 on connector 2."""
    station = VirtualStation(make_settings(nb_connectors=3, configuration=configuration))
    station.connect()
    for connector_id in (1, 2):
        station.plug(connector_id)
        station.tag(f"TAG{connector_id}", connector_id)
    return station


SOUND = [
    (0, make_profile(CAP, (0, 10.0))),
    (0, make_profile(DEFAULT, (0, 10.0))),
    (3, make_profile(DEFAULT, (0, 10.0))),
    (1, make_profile(TX, (0, 10.0))),
    (1, make_profile(TX, (0, 10.0), transaction_id=1001)),
    (2, make_profile(TX, (0, 10.0), transaction_id=1002)),
    (0, make_profile(DEFAULT, (0, 0.0), (1, 10.5))),
    (0, make_profile(DEFAULT, (0, 10.0), level=100)),
    (0, make_profile(DEFAULT, (0, 9000.0), unit=W, phases=1, min_rate=0.0)),
    (
        0,
        make_profile(
            CAP, (0, 9.0), kind=RECURRING, recurrency=RecurrencyKind.DAILY, start_at=EPOCH
        ),
    ),
]
WRONG = {
    "no transaction on the connector": (3, make_profile(TX, (0, 10.0))),
    "a transaction id without a transaction": (3, make_profile(TX, (0, 10.0), transaction_id=1)),
    "the transaction of another connector": (1, make_profile(TX, (0, 10.0), transaction_id=1002)),
    "an unknown transaction": (1, make_profile(TX, (0, 10.0), transaction_id=9)),
    "the id of a transaction with a default": (
        1,
        make_profile(DEFAULT, (0, 10.0), transaction_id=1001),
    ),
    "the id of a transaction with a cap": (0, make_profile(CAP, (0, 10.0), transaction_id=1001)),
    "a TxProfile on connector 0": (0, make_profile(TX, (0, 10.0), transaction_id=1001)),
    "a cap on a connector": (1, make_profile(CAP, (0, 10.0))),
    "an unknown connector": (4, make_profile(DEFAULT, (0, 10.0))),
    "a negative connector": (-1, make_profile(DEFAULT, (0, 10.0))),
    "a level too high": (0, make_profile(DEFAULT, (0, 10.0), level=101)),
    "a negative level": (0, make_profile(DEFAULT, (0, 10.0), level=-1)),
    "no period": (0, make_profile(DEFAULT)),
    "the first period not at 0": (0, make_profile(DEFAULT, (1, 10.0))),
    "a negative first period": (0, make_profile(DEFAULT, (-1, 10.0), (0, 9.0))),
    "equal periods": (0, make_profile(DEFAULT, (0, 10.0), (5, 9.0), (5, 8.0))),
    "descending periods": (0, make_profile(DEFAULT, (0, 10.0), (5, 9.0), (4, 8.0))),
    "a negative limit": (0, make_profile(DEFAULT, (0, 10.0), (5, -0.1))),
    "an infinite limit": (0, make_profile(DEFAULT, (0, math.inf))),
    "a limit that is no number": (0, make_profile(DEFAULT, (0, math.nan))),
    "a negative minimum": (0, make_profile(DEFAULT, (0, 10.0), min_rate=-1.0)),
    "no phases": (0, make_profile(DEFAULT, (0, 10.0), phases=0)),
    "four phases": (0, make_profile(DEFAULT, (0, 10.0), phases=4)),
    "no duration": (0, make_profile(DEFAULT, (0, 10.0), duration_s=0)),
    "recurring without a rhythm": (
        0,
        make_profile(DEFAULT, (0, 10.0), kind=RECURRING, start_at=EPOCH),
    ),
    "recurring without a start": (
        0,
        make_profile(DEFAULT, (0, 10.0), kind=RECURRING, recurrency=RecurrencyKind.DAILY),
    ),
    "never valid": (0, make_profile(DEFAULT, (0, 10.0), valid_from=EPOCH, valid_to=EPOCH)),
}


@pytest.mark.parametrize(("connector_id", "profile"), SOUND)
def test_sound_profiles_are_accepted(connector_id: int, profile: ChargingProfile) -> None:
    station = charging()
    install(station, profile, connector_id)
    assert installed_ids(station) == {1}


@pytest.mark.parametrize(("connector_id", "profile"), WRONG.values(), ids=WRONG.keys())
def test_wrong_profiles_are_rejected_and_change_nothing(
    connector_id: int, profile: ChargingProfile
) -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 12.0)))
    stored = dict(station.stored)
    assert set_profile(station, profile, connector_id) is REJECTED
    assert station.stored == stored
    assert station.connector().ocpp_setpoint == 12.0
    assert any("charging profile 1 is rejected: " in text for text in station.logs())


def test_the_keys_limit_what_is_accepted() -> None:
    station = charging(
        ChargeProfileMaxStackLevel="3",
        ChargingScheduleMaxPeriods="2",
        ChargingScheduleAllowedChargingRateUnit="Current",
        MaxChargingProfilesInstalled="2",
    )
    assert set_profile(station, make_profile(DEFAULT, (0, 10.0), level=4)) is REJECTED
    assert set_profile(station, make_profile(DEFAULT, (0, 3.0), (1, 2.0), (2, 1.0))) is REJECTED
    assert set_profile(station, make_profile(DEFAULT, (0, 10.0), unit=W)) is REJECTED
    install(station, make_profile(DEFAULT, (0, 10.0), (1, 9.0), level=3))
    install(station, make_profile(CAP, (0, 10.0), profile_id=2))
    assert set_profile(station, make_profile(DEFAULT, (0, 10.0), profile_id=3)) is REJECTED
    install(station, make_profile(DEFAULT, (0, 11.0), profile_id=3, level=3))
    assert installed_ids(station) == {2, 3}, "a replacement needs no more room"


def test_amperes_may_be_what_is_not_allowed() -> None:
    station = charging(ChargingScheduleAllowedChargingRateUnit="Power")
    assert set_profile(station, make_profile(DEFAULT, (0, 10.0))) is REJECTED
    install(station, make_profile(DEFAULT, (0, 6900.0), unit=W))
    assert station.connector().ocpp_setpoint == 10.0


def test_the_same_id_replaces_wherever_it_is() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0)))
    install(station, make_profile(DEFAULT, (0, 8.0), level=5), 2)
    assert (station.connector(1).ocpp_setpoint, station.connector(2).ocpp_setpoint) == (32.0, 8.0)
    assert installed_ids(station) == {1}


def test_the_same_purpose_level_and_connector_replaces() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0)))
    install(station, make_profile(DEFAULT, (0, 8.0), profile_id=2))
    assert installed_ids(station) == {2}
    assert composite(station) == [(0, 8.0)]


@pytest.mark.parametrize(
    ("connector_id", "profile"),
    [
        (0, make_profile(DEFAULT, (0, 8.0), profile_id=2, level=1)),
        (1, make_profile(DEFAULT, (0, 8.0), profile_id=2)),
        (0, make_profile(CAP, (0, 8.0), profile_id=2)),
    ],
)
def test_another_level_connector_or_purpose_does_not_replace(
    connector_id: int, profile: ChargingProfile
) -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0)))
    install(station, profile, connector_id)
    assert installed_ids(station) == {1, 2}
    assert station.connector(1).ocpp_setpoint == 8.0


def test_one_message_may_replace_two() -> None:
    station = charging()
    install(station, make_profile(DEFAULT, (0, 10.0), profile_id=1))
    install(station, make_profile(DEFAULT, (0, 9.0), profile_id=2, level=1))
    install(station, make_profile(DEFAULT, (0, 8.0), profile_id=1, level=1))
    assert installed_ids(station) == {1}
    assert composite(station) == [(0, 8.0)]
