"""Transactions: a session from cable and tag to the empty connector."""

import pytest

from cp_image.api.payloads import (
    CarInput,
    ConnectorState,
    StopReason,
    TransactionStarted,
    TransactionStopped,
)
from cp_image.core.errors import UnknownConnectorError
from cp_image.core.events import CarChanged, Event, FaultChanged, TagPresented
from cp_image.core.messages import (
    AuthorizationStatus,
    Authorize,
    IdTagStatus,
    MeterValues,
    StartTransaction,
    StopTransaction,
)
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

S = ConnectorState


def connected(**changes: object) -> VirtualStation:
    station = VirtualStation(make_settings(**changes))
    station.connect()
    return station


def charging(**changes: object) -> VirtualStation:
    station = connected(**changes)
    station.plug()
    station.tag()
    assert station.connector().status is S.CHARGING
    return station


def test_cable_first() -> None:
    station = connected()
    station.plug()
    station.run(5)
    station.tag()
    station.run(3600)
    station.tag()
    station.run(5)
    station.unplug()
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.CHARGING, S.FINISHING, S.AVAILABLE]
    assert station.heard(StartTransaction) == [
        StartTransaction(connector_id=1, id_tag="TAG1", meter_start_wh=0, at=EPOCH + 5)
    ]
    assert station.heard(StopTransaction) == [
        StopTransaction(
            transaction_id=1001,
            meter_stop_wh=11_040,
            at=EPOCH + 3605,
            reason=StopReason.LOCAL,
            id_tag="TAG1",
        )
    ]
    assert station.events() == [
        TransactionStarted(
            at=EPOCH + 5, connector_id=1, id_tag="TAG1", transaction_id=1001, meter_start_wh=0
        ),
        TransactionStopped(
            at=EPOCH + 3605,
            connector_id=1,
            id_tag="TAG1",
            transaction_id=1001,
            meter_start_wh=0,
            meter_stop_wh=11_040,
            reason=StopReason.LOCAL,
        ),
    ]


def test_tag_first() -> None:
    station = connected()
    station.tag()
    assert station.connector().id_tag == "TAG1"
    station.run(59)
    station.plug()
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.CHARGING]
    assert station.heard(StartTransaction)[0].at == EPOCH + 59
    station.run(600)
    assert station.connector().status is S.CHARGING  # ConnectionTimeOut is over and done with


def test_the_second_session_starts_where_the_meter_stands() -> None:
    station = charging()
    station.run(3600)
    station.tag()
    station.unplug()
    station.plug()
    station.tag("TAG2")
    assert station.heard(StartTransaction)[1].meter_start_wh == 11_040
    assert station.connector().transaction_id == 1002
    assert station.connector().session_wh == 0
    assert station.connector().id_tag == "TAG2"


def test_no_cable_in_time_withdraws_the_authorization() -> None:
    station = connected(configuration={"ConnectionTimeOut": "20"})
    station.tag()
    station.run(19)
    assert station.connector().status is S.PREPARING
    station.run(1)
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.AVAILABLE]
    assert station.connector().id_tag == ""
    station.plug()
    assert station.heard(StartTransaction) == []


def test_connection_timeout_0_waits_for_ever() -> None:
    station = connected(configuration={"ConnectionTimeOut": "0"})
    station.tag()
    station.run(86_400)
    station.plug()
    assert station.connector().status is S.CHARGING


def test_a_plugged_car_without_a_tag_does_not_flap() -> None:
    station = connected()
    station.plug()
    station.run(86_400)
    assert station.reported() == [S.AVAILABLE, S.PREPARING]


def test_unplugging_before_any_tag_is_all() -> None:
    station = connected()
    station.plug()
    station.unplug()
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.AVAILABLE]
    assert station.events() == []


def test_unplugging_stops() -> None:
    station = charging()
    station.run(60)
    station.unplug()
    stop = station.heard(StopTransaction)[0]
    assert (stop.reason, stop.id_tag, stop.meter_stop_wh) == (StopReason.EV_DISCONNECTED, None, 184)
    assert station.reported()[-2:] == [S.FINISHING, S.AVAILABLE]


def test_unplugging_can_leave_the_transaction_open() -> None:
    station = charging(configuration={"StopTransactionOnEVSideDisconnect": "false"})
    station.unplug()
    assert station.connector().status is S.SUSPENDED_EV
    assert station.connector().power_w == 0
    station.run(600)
    station.plug()
    assert station.connector().status is S.CHARGING
    assert station.connector().transaction_id == 1001
    station.unplug()
    station.tag()
    assert station.reported()[-2:] == [S.FINISHING, S.AVAILABLE]
    assert [s.reason for s in station.heard(StopTransaction)] == [StopReason.LOCAL]


@pytest.mark.parametrize("change", [CarInput(ready=False), CarInput(consumption_l1=0.0)])
def test_a_car_that_takes_nothing_is_suspended(change: CarInput) -> None:
    station = connected(nb_phases=1)
    station.plug()
    station.tag()
    station.car(1, change)
    assert station.connector().status is S.SUSPENDED_EV
    assert station.connector().consumption_l1 == 0
    station.run(60)
    station.car(1, CarInput(ready=True, consumption_l1=16.0))
    assert station.connector().status is S.CHARGING
    assert station.reported() == [
        S.AVAILABLE,
        S.PREPARING,
        S.CHARGING,
        S.SUSPENDED_EV,
        S.CHARGING,
    ]


def test_phases_that_are_not_there_keep_nobody_charging() -> None:
    station = connected(nb_phases=1)
    station.car(1, CarInput(cable=32.0, consumption_l2=16.0, consumption_l3=16.0))
    station.tag()
    assert station.connector().status is S.SUSPENDED_EV


def test_a_setpoint_of_0_suspends_from_the_other_side() -> None:
    station = charging()
    station.plug(cable=0.5)
    assert station.connector().status is S.SUSPENDED_EVSE
    station.car(1, CarInput(ready=False))
    assert station.connector().status is S.SUSPENDED_EVSE  # it goes first
    station.plug(cable=32.0)
    assert station.connector().status is S.SUSPENDED_EV


def test_a_charge_point_without_power_to_give_starts_suspended() -> None:
    station = connected(max_setpoint=0.0)
    station.plug()
    station.tag()
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.SUSPENDED_EVSE]


@pytest.mark.parametrize(
    "status",
    [
        AuthorizationStatus.INVALID,
        AuthorizationStatus.BLOCKED,
        AuthorizationStatus.EXPIRED,
        AuthorizationStatus.CONCURRENT_TX,
    ],
)
class TestStartRefused:
    def test_the_transaction_stops(self, status: AuthorizationStatus) -> None:
        station = connected()
        station.csms.start_status = IdTagStatus(status=status)
        station.plug()
        station.tag()
        stop = station.heard(StopTransaction)[0]
        assert (stop.reason, stop.id_tag) == (StopReason.DE_AUTHORIZED, None)
        assert stop.transaction_id == 1001
        assert station.connector().status is S.FINISHING
        assert station.connector().power_w == 0

    def test_or_gets_no_more_energy(self, status: AuthorizationStatus) -> None:
        station = connected(configuration={"StopTransactionOnInvalidId": "false"})
        station.csms.start_status = IdTagStatus(status=status)
        station.plug()
        station.tag()
        station.run(3600)
        assert station.connector().status is S.SUSPENDED_EVSE
        assert station.connector().register_wh == 0
        assert station.connector().transaction_id == 1001
        assert len(station.heard(MeterValues)) == 60
        station.tag()
        assert station.heard(StopTransaction)[0].reason is StopReason.LOCAL


def test_a_transaction_that_is_over_is_not_stopped_again_when_its_start_is_refused() -> None:
    station = connected()
    station.csms.silent = {StartTransaction}
    station.plug()
    station.tag()
    station.unplug()
    station.csms.silent = set()
    station.csms.start_status = IdTagStatus(status=AuthorizationStatus.INVALID)
    station.run(200)
    assert [s.reason for s in station.heard(StopTransaction)] == [StopReason.EV_DISCONNECTED]
    assert station.connector().status is S.AVAILABLE


def test_two_connectors_run_side_by_side() -> None:
    station = connected()
    for connector_id in (1, 2):
        station.plug(connector_id)
        station.tag(f"TAG{connector_id}", connector_id)
    station.run(600)
    station.tag("TAG2", 2)
    assert station.connector(1).status is S.CHARGING
    assert station.connector(2).status is S.FINISHING
    assert [s.transaction_id for s in station.heard(StopTransaction)] == [1002]
    assert {m.connector_id: m.transaction_id for m in station.heard(MeterValues)} == {
        1: 1001,
        2: 1002,
    }


@pytest.mark.parametrize(
    "event",
    [
        CarChanged(connector_id=3, car=CarInput(cable=16.0)),
        CarChanged(connector_id=0, car=CarInput(cable=16.0)),
        TagPresented(connector_id=9, id_tag="TAG1"),
        TagPresented(connector_id=0, id_tag="TAG1"),
        FaultChanged(connector_id=3, faulted=True),
    ],
)
def test_an_unknown_connector_is_refused_and_changes_nothing(event: Event) -> None:
    station = charging()
    before = len(station.effects)
    with pytest.raises(UnknownConnectorError, match=r"CP-0001: it has connectors 1 to 2"):
        station.handle(event)
    assert len(station.effects) == before
    assert len(station.heard(Authorize)) == 1
    station.run(0)
    assert station.connector().status is S.CHARGING
