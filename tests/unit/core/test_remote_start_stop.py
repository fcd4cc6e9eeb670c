"""RemoteStart, RemoteStop, UnlockConnector, ClearCache."""

import pytest

from cp_image.api.payloads import ConnectorState, StopReason
from cp_image.api.value import replace
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    ChangeAvailability,
    ChangeConfiguration,
    ChargingProfile,
    ChargingProfileKind,
    ChargingProfilePurpose,
    ChargingRateUnit,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ClearCache,
    ClearCacheAnswer,
    RemoteStartTransaction,
    RemoteStartTransactionAnswer,
    RemoteStopTransaction,
    RemoteStopTransactionAnswer,
    ReserveNow,
    UnlockConnector,
    UnlockConnectorAnswer,
    UnlockStatus,
)
from cp_image.core.effects import SendAnswer, SendCall
from cp_image.core.events import CsmsAsked
from cp_image.core.messages import (
    AuthorizationStatus,
    Authorize,
    IdTagStatus,
    RegistrationStatus,
    StartTransaction,
    StopTransaction,
)
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

S = ConnectorState
ACCEPTED, REJECTED = AcceptanceStatus.ACCEPTED, AcceptanceStatus.REJECTED


def connected(**configuration: str) -> VirtualStation:
    station = VirtualStation(make_settings(configuration=configuration))
    station.connect()
    return station


def start(
    station: VirtualStation,
    connector_id: int | None = 1,
    id_tag: str = "TAG1",
    profile: ChargingProfile | None = None,
) -> AcceptanceStatus:
    answer = station.ask(
        RemoteStartTransaction(id_tag=id_tag, connector_id=connector_id, charging_profile=profile)
    )
    assert isinstance(answer, RemoteStartTransactionAnswer)
    return answer.status


def stop(station: VirtualStation, transaction_id: int) -> AcceptanceStatus:
    answer = station.ask(RemoteStopTransaction(transaction_id=transaction_id))
    assert isinstance(answer, RemoteStopTransactionAnswer)
    return answer.status


def unlock(station: VirtualStation, connector_id: int) -> UnlockStatus:
    answer = station.ask(UnlockConnector(connector_id=connector_id))
    assert isinstance(answer, UnlockConnectorAnswer)
    return answer.status


def make_profile(
    purpose: ChargingProfilePurpose = ChargingProfilePurpose.TX_PROFILE,
) -> ChargingProfile:
    return ChargingProfile(
        charging_profile_id=1,
        stack_level=0,
        purpose=purpose,
        kind=ChargingProfileKind.RELATIVE,
        schedule=ChargingSchedule(
            unit=ChargingRateUnit.A, periods=(ChargingSchedulePeriod(start_s=0, limit=10.0),)
        ),
    )


def started(station: VirtualStation) -> list[tuple[int, str]]:
    return [(s.connector_id, s.id_tag) for s in station.heard(StartTransaction)]


# -- remote start ---------------------------------------------------------------------------------


def test_with_a_connector_and_cable_first() -> None:
    station = connected()
    station.plug(2)
    assert start(station, 2) is ACCEPTED
    assert started(station) == [(2, "TAG1")]
    assert station.heard(Authorize) == []


def test_with_a_connector_and_start_first() -> None:
    station = connected()
    assert start(station, 2) is ACCEPTED
    assert station.reported(2)[-1] is S.PREPARING
    station.plug(2)
    assert started(station) == [(2, "TAG1")]


def test_without_a_connector_the_one_with_a_cable_is_taken() -> None:
    station = connected()
    station.plug(2)
    assert start(station, None) is ACCEPTED
    assert started(station) == [(2, "TAG1")]
    assert start(station, None, "TAG2") is ACCEPTED
    station.plug(1)
    assert started(station) == [(2, "TAG1"), (1, "TAG2")]
    assert start(station, None, "TAG3") is REJECTED


def test_the_answer_leaves_before_what_it_causes() -> None:
    station = connected()
    station.plug()
    request = RemoteStartTransaction(id_tag="TAG1", connector_id=1)
    effects = station.handle(CsmsAsked(message_id="x", request=request))
    kinds = [type(e) for e in effects if isinstance(e, (SendAnswer, SendCall))]
    assert kinds == [SendAnswer, SendCall]


def test_connection_time_out_applies() -> None:
    station = connected(ConnectionTimeOut="20")
    assert start(station) is ACCEPTED
    station.run(20)
    assert station.reported()[-1] is S.AVAILABLE
    station.plug()
    assert started(station) == []


def test_authorized_first_where_the_key_says_so() -> None:
    station = connected(AuthorizeRemoteTxRequests="true", LocalPreAuthorize="false")
    station.csms.tags["BAD"] = IdTagStatus(status=AuthorizationStatus.BLOCKED)
    station.plug()
    assert start(station, id_tag="BAD") is ACCEPTED
    assert station.heard(Authorize) == [Authorize(id_tag="BAD")]
    assert started(station) == []
    assert start(station, id_tag="GOOD") is ACCEPTED
    assert station.heard(Authorize)[-1] == Authorize(id_tag="GOOD")
    assert started(station) == [(1, "GOOD")]


def test_the_key_is_obeyed_at_once() -> None:
    station = connected()
    station.ask(ChangeConfiguration(key="AuthorizeRemoteTxRequests", value="true"))
    station.plug()
    start(station)
    assert len(station.heard(Authorize)) == 1


@pytest.mark.parametrize("connector_id", [0, 3])
def test_connector_0_and_unknown_are_rejected(connector_id: int) -> None:
    assert start(connected(), connector_id) is REJECTED


def test_occupied_is_rejected() -> None:
    station = connected()
    assert start(station) is ACCEPTED
    assert start(station, id_tag="TAG2") is REJECTED  # waits for its cable
    station.plug()
    assert start(station, id_tag="TAG2") is REJECTED  # charges
    station.tag()
    assert start(station, id_tag="TAG2") is REJECTED  # is Finishing
    assert started(station) == [(1, "TAG1")]


def test_faulted_is_rejected() -> None:
    station = connected()
    station.fault()
    assert start(station) is REJECTED
    assert start(station, None) is ACCEPTED  # there is another one


def test_unavailable_is_rejected() -> None:
    station = connected()
    station.ask(ChangeAvailability(connector_id=0, operative=False))
    assert start(station) is REJECTED
    assert start(station, None) is REJECTED


def test_reserved_for_another_is_rejected() -> None:
    station = connected()
    station.ask(
        ReserveNow(reservation_id=7, connector_id=1, expires_at=EPOCH + 3600, id_tag="TAG1")
    )
    assert start(station, id_tag="TAG2") is REJECTED
    assert start(station, id_tag="TAG1") is ACCEPTED
    station.plug()
    assert [s.reservation_id for s in station.heard(StartTransaction)] == [7]


@pytest.mark.parametrize("status", [RegistrationStatus.PENDING, None])
def test_before_the_registration_is_accepted_it_is_rejected(
    status: RegistrationStatus | None,
) -> None:
    station = VirtualStation()
    if status is not None:
        station.csms.registration = status
        station.connect()
    assert start(station) is REJECTED
    assert start(station, None) is REJECTED


def test_a_tx_profile_is_in_force_from_the_start() -> None:
    station = connected()
    station.plug()
    assert start(station, profile=make_profile()) is ACCEPTED
    assert station.connector().ocpp_setpoint == 10
    station.tag()
    assert station.connector().ocpp_setpoint == 32  # it dies with its transaction


def test_a_tx_profile_waits_for_the_cable() -> None:
    station = connected()
    assert start(station, profile=make_profile()) is ACCEPTED
    station.plug()
    assert station.connector().ocpp_setpoint == 10


@pytest.mark.parametrize(
    "purpose",
    [ChargingProfilePurpose.TX_DEFAULT_PROFILE, ChargingProfilePurpose.CHARGE_POINT_MAX_PROFILE],
)
def test_another_profile_is_rejected(purpose: ChargingProfilePurpose) -> None:
    station = connected()
    station.plug()
    assert start(station, profile=make_profile(purpose)) is REJECTED
    assert started(station) == []


def test_a_profile_of_a_remote_start_names_no_transaction() -> None:
    station = connected()
    station.plug(1)
    assert start(station, 1) is ACCEPTED
    profile = replace(make_profile(), transaction_id=1001)
    assert start(station, 2, profile=profile) is REJECTED
    assert started(station) == [(1, "TAG1")]


# -- remote stop ----------------------------------------------------------------------------------


def test_a_running_transaction_is_stopped() -> None:
    station = connected()
    station.plug()
    station.tag()
    assert stop(station, 1001) is ACCEPTED
    stopped = station.heard(StopTransaction)
    assert [(s.transaction_id, s.reason, s.id_tag) for s in stopped] == [
        (1001, StopReason.REMOTE, None)
    ]
    assert station.reported()[-1] is S.FINISHING


def test_an_unknown_id_is_rejected() -> None:
    station = connected()
    station.plug()
    station.tag()
    assert stop(station, 1002) is REJECTED
    assert station.heard(StopTransaction) == []
    station.tag()
    assert stop(station, 1001) is REJECTED  # it is over


# -- unlock ---------------------------------------------------------------------------------------


def test_unlock_in_a_transaction_stops_it() -> None:
    station = connected()
    station.plug()
    station.tag()
    assert unlock(station, 1) is UnlockStatus.UNLOCKED
    assert [s.reason for s in station.heard(StopTransaction)] == [StopReason.UNLOCK_COMMAND]
    assert station.reported()[-1] is S.FINISHING


def test_unlock_without_a_transaction_stops_nothing() -> None:
    station = connected()
    station.plug(2)
    station.tag(connector_id=2)
    assert unlock(station, 1) is UnlockStatus.UNLOCKED
    assert station.heard(StopTransaction) == []


@pytest.mark.parametrize("connector_id", [0, 3])
def test_unlock_of_connector_0_and_unknown_is_not_supported(connector_id: int) -> None:
    assert unlock(connected(), connector_id) is UnlockStatus.NOT_SUPPORTED


# -- cache ----------------------------------------------------------------------------------------


def test_the_cache_is_cleared() -> None:
    station = connected(LocalPreAuthorize="true")
    station.tag()
    station.tag()
    station.tag()
    asked = len(station.heard(Authorize))
    station.tag()
    assert station.ask(ClearCache()) == ClearCacheAnswer(status=ACCEPTED)
    station.tag()
    assert len(station.heard(Authorize)) == asked + 1


def test_without_a_cache_nothing_is_cleared() -> None:
    station = connected(AuthorizationCacheEnabled="false")
    assert station.ask(ClearCache()) == ClearCacheAnswer(status=REJECTED)
