"""Transactions: remote starts, cables pulled at the car, and what is told of a refusal."""

import pytest

from cp_image.api.payloads import ConnectorState, StopReason, TagRefusal, TagRefused
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    ChangeConfiguration,
    ChangeConfigurationAnswer,
    ConfigurationStatus,
    RemoteStartTransaction,
    RemoteStartTransactionAnswer,
    UnlockConnector,
)
from cp_image.core.errors import NotNowError
from cp_image.core.messages import (
    AuthorizationStatus,
    Authorize,
    IdTagStatus,
    StartTransaction,
    StopTransaction,
)
from tests.support.scripted_csms import ACCEPTED
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

S = ConnectorState


def connected(**keys: str) -> VirtualStation:
    station = VirtualStation(make_settings(configuration=keys))
    station.connect()
    return station


def remote_start(station: VirtualStation, id_tag: str = "TAG1") -> AcceptanceStatus:
    answer = station.ask(RemoteStartTransaction(id_tag=id_tag, connector_id=1))
    assert isinstance(answer, RemoteStartTransactionAnswer)
    return answer.status


class TestAuthorizeRemoteTxRequests:
    def test_false_starts_without_a_question(self) -> None:
        station = connected(AuthorizeRemoteTxRequests="false")
        station.plug()
        assert remote_start(station) is AcceptanceStatus.ACCEPTED
        assert station.connector().status is S.CHARGING
        assert station.heard(Authorize) == []

    def test_true_asks_as_for_a_presented_tag(self) -> None:
        station = connected(AuthorizeRemoteTxRequests="true")
        station.csms.tags["BAD"] = IdTagStatus(status=AuthorizationStatus.BLOCKED)
        station.plug()
        assert remote_start(station, "BAD") is AcceptanceStatus.ACCEPTED
        assert station.connector().status is S.PREPARING
        assert remote_start(station, "TAG1") is AcceptanceStatus.ACCEPTED
        assert [asked.id_tag for asked in station.heard(Authorize)] == ["BAD", "TAG1"]
        assert station.connector().id_tag == "TAG1"

    def test_the_cable_may_come_later_but_not_too_late(self) -> None:
        station = connected(ConnectionTimeOut="20")
        remote_start(station)
        station.run(20)
        assert station.reported() == [S.AVAILABLE, S.PREPARING, S.AVAILABLE]
        remote_start(station)
        station.run(19)
        station.plug()
        assert station.heard(StartTransaction)[0].at == EPOCH + 39

    def test_the_tag_that_is_then_presented_cancels(self) -> None:
        station = connected()
        remote_start(station)
        station.tag("tag1")
        assert station.connector().status is S.AVAILABLE

    def test_a_connector_that_waits_for_another_tag_takes_none(self) -> None:
        station = connected()
        station.tag("TAG2")
        assert remote_start(station) is AcceptanceStatus.REJECTED


def test_tags_are_the_same_in_whatever_case() -> None:
    station = connected()
    station.plug()
    station.tag("Tag1")
    station.tag("tAG1")
    assert station.heard(StopTransaction)[0].id_tag == "tAG1"


class TestRefusedIsTold:
    def test_with_what_the_csms_says(self) -> None:
        station = connected()
        station.csms.tags["TAG1"] = IdTagStatus(status=AuthorizationStatus.EXPIRED)
        station.run(7)
        station.tag()
        assert station.events() == [
            TagRefused(
                at=EPOCH + 7,
                connector_id=1,
                id_tag="TAG1",
                why=TagRefusal.EXPIRED,
                text="tag TAG1 is refused: Expired",
            )
        ]

    def test_when_the_connector_has_gone_meanwhile(self) -> None:
        station = connected()
        station.csms.silent = {Authorize}
        station.plug()
        station.tag()
        station.fault()
        station.run(60)
        assert [e for e in station.events() if isinstance(e, TagRefused)] == []


class TestPulledAtTheCar:
    """StopTransactionOnEVSideDisconnect and UnlockConnectorOnEVSideDisconnect."""

    def pulled(self, **keys: str) -> VirtualStation:
        station = connected(**keys)
        family = IdTagStatus(status=AuthorizationStatus.ACCEPTED, parent_id_tag="FAMILY")
        station.csms.tags = {"DAD": family, "MUM": family}
        station.tag("MUM")  # so that the cache knows her
        station.tag("MUM")
        station.plug()
        station.tag("DAD")
        station.run(600)
        station.unplug()
        return station

    def test_the_transaction_stops_and_the_connector_is_free(self) -> None:
        station = self.pulled()
        assert station.heard(StopTransaction)[0].reason is StopReason.EV_DISCONNECTED
        assert station.connector().status is S.AVAILABLE

    def test_or_is_suspended_and_goes_on_when_plugged_again(self) -> None:
        station = self.pulled(StopTransactionOnEVSideDisconnect="false")
        assert station.heard(StopTransaction) == []
        assert station.connector().status is S.SUSPENDED_EV
        stood_at_wh = station.connector().register_wh
        station.run(600)
        station.plug()
        assert station.connector().status is S.CHARGING
        assert station.connector().register_wh == stood_at_wh
        station.tag("DAD")
        assert len(station.heard(StopTransaction)) == len(station.heard(StartTransaction)) == 1

    @pytest.mark.parametrize(("value", "stops"), [("false", 0), ("true", 1)])
    def test_the_csms_decides_while_the_cable_is_in(self, value: str, stops: int) -> None:
        other = "true" if value == "false" else "false"
        station = connected(StopTransactionOnEVSideDisconnect=other)
        station.plug()
        station.tag("DAD")
        wish = ChangeConfiguration(key="StopTransactionOnEVSideDisconnect", value=value)
        answer = station.ask(wish)
        assert answer == ChangeConfigurationAnswer(status=ConfigurationStatus.ACCEPTED)
        station.unplug()
        assert len(station.heard(StopTransaction)) == stops
        told = station.power_cut().station.ocpp_config()
        assert told["StopTransactionOnEVSideDisconnect"] == value

    @pytest.mark.parametrize("id_tag", ["dad", "MUM"])
    def test_a_cable_that_stays_locked_is_let_go_by_its_user(self, id_tag: str) -> None:
        station = self.pulled(UnlockConnectorOnEVSideDisconnect="false")
        assert station.heard(StopTransaction)[0].reason is StopReason.EV_DISCONNECTED
        assert station.connector().status is S.FINISHING
        with pytest.raises(NotNowError, match="keeps the cable of tag DAD locked"):
            station.tag("TAG2")
        station.tag(id_tag)
        assert station.connector().status is S.AVAILABLE
        station.plug()
        station.tag("TAG2")
        assert station.connector().status is S.CHARGING

    def test_a_car_that_comes_back_gets_nothing_before_that(self) -> None:
        station = self.pulled(UnlockConnectorOnEVSideDisconnect="false")
        station.plug()
        assert station.connector().status is S.FINISHING
        station.unplug()
        assert station.connector().status is S.FINISHING
        station.plug()
        station.tag("DAD")
        assert station.connector().status is S.FINISHING
        station.unplug()
        assert station.connector().status is S.AVAILABLE

    def test_the_csms_can_unlock_it(self) -> None:
        station = self.pulled(UnlockConnectorOnEVSideDisconnect="false")
        station.ask(UnlockConnector(connector_id=1))
        assert station.connector().status is S.AVAILABLE

    def test_a_fault_or_a_power_cut_unlocks_it(self) -> None:
        station = self.pulled(UnlockConnectorOnEVSideDisconnect="false")
        assert station.power_cut().connector().status is S.AVAILABLE
        station.fault()
        station.fault(faulted=False)
        assert station.connector().status is S.AVAILABLE
        station.plug()
        station.tag("TAG2")
        assert station.connector().status is S.CHARGING


def test_a_tag_waits_for_its_cable_no_longer_than_connection_time_out() -> None:
    station = connected(ConnectionTimeOut="20", LocalPreAuthorize="true")
    station.csms.tags["TAG1"] = ACCEPTED
    station.tag()
    station.run(20)
    station.plug()
    assert station.heard(StartTransaction) == []
    assert station.connector().status is S.PREPARING
