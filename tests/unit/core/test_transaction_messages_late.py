"""Transaction messages: answers that come late, also to a start that was given up."""

from cp_image.api.payloads import ConnectorState
from cp_image.core.effects import SendCall
from cp_image.core.events import CallFailed
from cp_image.core.messages import (
    MeterValues,
    Request,
    StartTransaction,
    StartTransactionAnswer,
    StopTransaction,
)
from tests.support.scripted_csms import ACCEPTED
from tests.support.virtual_station import VirtualStation, make_settings

S = ConnectorState
TRANSACTION_KINDS = (StartTransaction, MeterValues, StopTransaction)


def transaction_messages(station: VirtualStation) -> list[Request]:
    return [r for _, r in station.csms.heard if isinstance(r, TRANSACTION_KINDS)]


def queued(station: VirtualStation) -> list[str]:
    return sorted(key for key in station.stored if key.startswith("queue/"))


def test_an_answer_that_comes_late_still_counts() -> None:
    station = VirtualStation()
    station.connect()
    station.plug()
    station.csms.silent = {StartTransaction}
    station.tag()
    (call,) = [c for c in station.wanted(SendCall) if isinstance(c.request, StartTransaction)]
    station.run(40)
    station.csms.silent = set()
    station.answer_late(
        call.message_id, StartTransactionAnswer(transaction_id=4711, id_tag_status=ACCEPTED)
    )
    assert station.connector().transaction_id == 4711
    station.run(600)
    assert len(station.heard(StartTransaction)) == 1
    station.handle(
        CallFailed(message_id=call.message_id, error_code="InternalError", description="late")
    )
    assert station.connector().transaction_id == 4711


def lost_start(station: VirtualStation) -> str:
    """Let the CSMS be silent about a start until it is dropped; return its message id."""
    station.connect()
    station.plug()
    station.csms.silent = {StartTransaction}
    station.tag()
    calls = [c for c in station.wanted(SendCall) if isinstance(c.request, StartTransaction)]
    station.run(31)
    station.csms.silent = set()
    assert any("StartTransaction is dropped" in text for text in station.logs())
    return calls[-1].message_id


def one_attempt() -> VirtualStation:
    return VirtualStation(make_settings(configuration={"TransactionMessageAttempts": "1"}))


STARTED = StartTransactionAnswer(transaction_id=4711, id_tag_status=ACCEPTED)


def test_a_dropped_start_may_still_be_answered() -> None:
    station = one_attempt()
    message_id = lost_start(station)
    station.answer_late(message_id, STARTED)
    assert station.connector().transaction_id == 4711
    station.run(60)
    station.tag()
    assert {r.transaction_id for r in station.heard(MeterValues)} == {4711}
    assert [r.transaction_id for r in station.heard(StopTransaction)] == [4711]
    assert queued(station) == []


def test_what_hangs_on_a_dropped_start_waits_for_its_late_answer() -> None:
    station = one_attempt()
    message_id = lost_start(station)
    station.run(60)
    station.tag()
    station.unplug()
    station.plug()
    station.tag()
    assert station.heard(StopTransaction) == []
    station.answer_late(message_id, STARTED)
    assert [type(r) for r in transaction_messages(station)[-2:]] == [MeterValues, StopTransaction]
    assert [r.transaction_id for r in station.heard(StopTransaction)] == [4711]
    assert station.connector().transaction_id == 1001  # the next one's
    assert queued(station) == []


def test_a_dropped_start_is_answered_once() -> None:
    station = one_attempt()
    message_id = lost_start(station)
    station.answer_late(message_id, STARTED)
    station.answer_late(
        message_id, StartTransactionAnswer(transaction_id=4712, id_tag_status=ACCEPTED)
    )
    assert station.connector().transaction_id == 4711


def test_an_answer_to_an_earlier_attempt_counts_while_the_next_one_is_awaited() -> None:
    station = VirtualStation(
        make_settings(
            configuration={
                "TransactionMessageAttempts": "2",
                "TransactionMessageRetryInterval": "10",
            }
        )
    )
    station.connect()
    station.plug()
    station.csms.silent = {StartTransaction}
    station.tag()
    station.run(75)
    calls = [c for c in station.wanted(SendCall) if isinstance(c.request, StartTransaction)]
    assert len(calls) == 2
    assert station.connector().transaction_id is None
    station.answer_late(calls[0].message_id, STARTED)
    assert station.connector().transaction_id == 4711


def test_what_waits_for_a_late_answer_is_dropped_with_the_link() -> None:
    station = one_attempt()
    lost_start(station)
    station.tag()
    assert len(queued(station)) == 1
    station.disconnect()
    assert queued(station) == []
    assert "StopTransaction is dropped: its StartTransaction was never answered" in station.logs()
    station.connect()
    assert station.heard(StopTransaction) == []


def test_readings_wait_for_a_late_answer_in_bounds() -> None:
    station = one_attempt()
    message_id = lost_start(station)
    station.run(86_400)
    station.tag()
    assert len(queued(station)) == 101
    station.answer_late(message_id, STARTED)
    assert len(station.heard(MeterValues)) == 100
    assert len(station.heard(StopTransaction)) == 1
