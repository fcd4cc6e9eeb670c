"""Transactions: who may start, who may stop."""

import pytest

from cp_image.api.payloads import ConnectorState, StopReason, TagRefusal, TagRefused
from cp_image.core.effects import SendCall
from cp_image.core.errors import NotNowError
from cp_image.core.messages import (
    AuthorizationStatus,
    Authorize,
    AuthorizeAnswer,
    IdTagStatus,
    StartTransaction,
    StopTransaction,
)
from tests.support.scripted_csms import ACCEPTED
from tests.support.virtual_station import VirtualStation, make_settings

S = ConnectorState
FAMILY = IdTagStatus(status=AuthorizationStatus.ACCEPTED, parent_id_tag="FAMILY")


def connected() -> VirtualStation:
    station = VirtualStation()
    station.csms.tags = {"DAD": FAMILY, "MUM": FAMILY}
    station.connect()
    return station


@pytest.mark.parametrize("status", [s for s in AuthorizationStatus if s != "Accepted"])
def test_a_tag_that_is_not_accepted_starts_nothing(status: AuthorizationStatus) -> None:
    station = connected()
    station.csms.tags["TAG1"] = IdTagStatus(status=status)
    station.plug()
    station.tag()
    station.run(600)
    assert station.heard(StartTransaction) == []
    assert station.connector().status is S.PREPARING
    assert status.value in station.logs()[-1]
    station.tag("TAG2")
    assert station.connector().status is S.CHARGING


def test_a_second_presentation_before_the_cable_cancels() -> None:
    station = connected()
    station.tag()
    station.tag()
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.AVAILABLE]
    station.plug()
    assert station.heard(StartTransaction) == []
    station.tag()
    station.run(600)
    assert station.connector().status is S.CHARGING
    assert station.heard(StopTransaction) == []


def test_a_second_presentation_before_the_answer_cancels() -> None:
    station = connected()
    station.csms.silent = {Authorize}
    station.tag()
    station.tag()
    asked = [call for call in station.wanted(SendCall) if isinstance(call.request, Authorize)]
    station.answer_late(asked[0].message_id, AuthorizeAnswer(id_tag_status=ACCEPTED))
    assert station.connector().status is S.AVAILABLE
    station.csms.silent = set()
    station.tag()
    assert station.connector().status is S.PREPARING


def test_another_tag_has_to_wait_for_the_answer_about_the_first() -> None:
    station = connected()
    station.csms.silent = {Authorize}
    station.tag("TAG1")
    with pytest.raises(NotNowError, match="tag TAG1: it takes no other tag"):
        station.tag("TAG2")
    station.run(30)
    assert "could not be asked" in station.logs()[-1]
    station.csms.silent = set()
    station.tag("TAG2")
    assert station.connector().id_tag == "TAG2"


def test_another_tag_cannot_take_over_an_authorization() -> None:
    station = connected()
    station.tag("TAG1")
    with pytest.raises(NotNowError, match="waits for the cable of tag TAG1"):
        station.tag("TAG2")
    assert station.connector().id_tag == "TAG1"


def test_a_stranger_cannot_stop_a_transaction_without_a_group() -> None:
    station = connected()
    station.plug()
    station.tag("TAG1")
    before = len(station.effects)
    with pytest.raises(NotNowError, match="TAG2 cannot stop it"):
        station.tag("TAG2")
    assert len(station.effects) == before
    assert station.connector().status is S.CHARGING


def test_a_stranger_cannot_stop_a_transaction_of_a_group() -> None:
    station = connected()
    station.plug()
    station.tag("DAD")
    station.tag("TAG2")
    assert station.connector().status is S.CHARGING
    assert "another group" in station.logs()[-1]
    station.csms.tags["TAG3"] = IdTagStatus(
        status=AuthorizationStatus.BLOCKED, parent_id_tag="FAMILY"
    )
    station.tag("TAG3")
    assert station.connector().status is S.CHARGING
    assert station.heard(StopTransaction) == []


def test_a_tag_of_the_same_group_stops_and_is_named() -> None:
    station = connected()
    station.plug()
    station.tag("DAD")
    station.tag("MUM")
    stop = station.heard(StopTransaction)[0]
    assert (stop.reason, stop.id_tag) == (StopReason.LOCAL, "MUM")


def test_the_group_may_come_with_the_answer_to_the_start() -> None:
    station = connected()
    station.csms.start_status = FAMILY
    station.plug()
    station.tag("TAG1")
    station.tag("MUM")
    assert station.heard(StopTransaction)[0].id_tag == "MUM"


def test_the_own_tag_stops_without_asking_even_while_another_is_asked_about() -> None:
    station = connected()
    station.plug()
    station.tag("DAD")
    station.csms.silent = {Authorize}
    station.tag("MUM")
    asked = station.wanted(SendCall)[-1]
    station.tag("DAD")
    assert station.connector().status is S.FINISHING
    station.unplug()
    station.answer_late(asked.message_id, AuthorizeAnswer(id_tag_status=FAMILY))
    assert station.connector().status is S.AVAILABLE  # the late answer starts nothing
    assert [s.id_tag for s in station.heard(StopTransaction)] == ["DAD"]


def test_a_finished_connector_wants_its_cable_out_first() -> None:
    station = connected()
    station.plug()
    station.tag()
    station.tag()
    with pytest.raises(NotNowError, match="connector 1 is Finishing"):
        station.tag()


def test_unplugging_while_the_tag_is_checked_keeps_the_authorization() -> None:
    station = connected()
    station.csms.silent = {Authorize}
    station.plug()
    station.tag()
    asked = station.wanted(SendCall)[-1]
    station.unplug()
    station.csms.silent = set()
    station.answer_late(asked.message_id, AuthorizeAnswer(id_tag_status=ACCEPTED))
    assert station.connector().status is S.PREPARING
    station.plug()
    assert station.connector().status is S.CHARGING


def test_without_a_csms_a_tag_is_refused_for_now() -> None:
    station = VirtualStation()
    station.plug()
    station.tag()
    assert "the CSMS could not be asked" in station.logs()[-1]
    assert [event.why for event in station.events() if isinstance(event, TagRefused)] == [
        TagRefusal.CSMS_SILENT
    ]
    station.connect()
    station.run(600)
    assert station.heard(Authorize) == []
    assert station.connector().status is S.PREPARING


def test_a_link_that_breaks_during_the_question_refuses_the_tag() -> None:
    station = connected()
    station.csms.silent = {Authorize}
    station.plug()
    station.tag()
    station.disconnect()
    assert "could not be asked" in station.logs()[-1]
    station.csms.silent = set()
    station.connect()
    assert station.heard(StartTransaction) == []
    station.tag()
    assert station.connector().status is S.CHARGING


def test_an_error_for_an_answer_refuses_the_tag() -> None:
    station = connected()
    station.csms.refusals[Authorize] = 1
    station.plug()
    station.tag()
    assert station.connector().status is S.PREPARING
    assert "could not be asked" in station.logs()[-1]


def test_one_tag_may_wait_at_two_connectors() -> None:
    station = VirtualStation(make_settings(nb_connectors=2))
    station.connect()
    station.tag("TAG1", 1)
    station.tag("TAG1", 2)
    station.plug(2)
    assert station.connector(1).status is S.PREPARING
    assert station.connector(2).status is S.CHARGING
