"""One CALL open at a time: what goes first, and what goes on meanwhile."""

import pytest

from cp_image.api.payloads import ConnectorState
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    ChangeConfiguration,
    ChangeConfigurationAnswer,
    ConfigurationStatus,
    CsmsRequest,
    MessageTrigger,
    RemoteStartTransaction,
    RemoteStopTransaction,
    RemoteStopTransactionAnswer,
    Reset,
    TriggerMessage,
    UnlockConnector,
)
from cp_image.core.effects import SendAnswer, SendCall
from cp_image.core.events import CsmsAsked
from cp_image.core.messages import (
    Authorize,
    Heartbeat,
    MeterValues,
    StartTransaction,
    StatusNotification,
    StopTransaction,
)
from cp_image.shell.charge_point import message_ids
from tests.support.stations import charging_with
from tests.support.virtual_station import EPOCH, VirtualStation

S = ConnectorState
TRANSACTION_KINDS = (StartTransaction, MeterValues, StopTransaction)


def test_a_silent_csms_blocks_nothing_for_ever() -> None:
    station = charging_with(TransactionMessageAttempts="3", TransactionMessageRetryInterval="10")
    station.csms.silent = {MeterValues}
    station.run(65)
    station.plug(2)
    station.run(35)
    assert station.reported(2)[-1] is S.PREPARING
    # a timeout of 30 s, then 10 s times the attempts so far
    assert station.heard_at(MeterValues) == [60.0, 100.0]
    station.csms.silent = set()
    station.run(50)
    assert station.heard_at(MeterValues)[2:4] == [150.0, 150.0]


def test_while_it_waits_for_a_retry_the_rest_goes_on() -> None:
    station = charging_with(TransactionMessageRetryInterval="1000")
    station.csms.refusals[MeterValues] = 1
    station.run(400)
    assert len(station.heard(MeterValues)) == 1
    assert station.heard_at(Heartbeat) == [300.0]
    station.plug(2)
    assert station.reported(2)[-1] is S.PREPARING
    station.run(660)
    times = [m.meter_values[0].at - EPOCH for m in station.heard(MeterValues)]
    assert times == [60, *(60 * n for n in range(1, 18))]


def test_statuses_keep_their_order_while_the_link_lasts() -> None:
    station = VirtualStation()
    station.connect()
    station.csms.silent = {Heartbeat}
    station.run(300)  # a Heartbeat is in flight
    station.plug()
    station.unplug()
    station.plug()
    station.run(30)
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.AVAILABLE, S.PREPARING]


def test_start_comes_before_the_status_that_follows_from_it() -> None:
    station = charging_with()
    kinds = [type(r) for _, r in station.csms.heard]
    assert kinds[-3:] == [Authorize, StartTransaction, StatusNotification]


def test_what_happens_now_goes_before_the_backlog() -> None:
    station = charging_with()
    station.disconnect()
    station.run(600)
    station.plug(2)
    heard = len(station.csms.heard)
    station.connect()
    kinds = [type(r) for _, r in station.csms.heard[heard:]]
    assert kinds == [StatusNotification] + 10 * [MeterValues]


def test_a_tag_goes_before_what_has_time() -> None:
    station = charging_with()
    station.csms.silent = {Heartbeat}
    station.run(300)  # a Heartbeat is in flight, a reading waits
    heard = len(station.csms.heard)
    station.plug(2)
    station.tag("TAG2", 2)
    station.run(30)
    kinds = [type(r) for _, r in station.csms.heard[heard:]]
    assert kinds[0] is Authorize


def test_a_heartbeat_that_is_lost_with_the_link_does_not_keep_back_the_next() -> None:
    station = VirtualStation()
    station.csms.silent = {Heartbeat}
    station.connect()
    station.run(300)
    station.disconnect()
    station.connect()
    station.run(300)
    assert station.heard_at(Heartbeat) == [300.0, 600.0]


def test_the_csms_is_answered_while_a_call_of_ours_is_open() -> None:
    station = charging_with()
    station.csms.silent = {Heartbeat}
    station.run(300)  # a Heartbeat is in flight
    for value in ("60", "90"):
        answer = station.ask(ChangeConfiguration(key="HeartbeatInterval", value=value))
        assert answer == ChangeConfigurationAnswer(status=ConfigurationStatus.ACCEPTED)
    stop = station.ask(RemoteStopTransaction(transaction_id=1001))
    assert stop == RemoteStopTransactionAnswer(status=AcceptanceStatus.ACCEPTED)
    assert station.heard(StopTransaction) == []  # it waits for its turn
    station.run(30)
    assert len(station.heard(StopTransaction)) == 1


@pytest.mark.parametrize(
    "request_",
    [
        TriggerMessage(requested=MessageTrigger.BOOT_NOTIFICATION),
        Reset(hard=False),
        UnlockConnector(connector_id=1),
        RemoteStopTransaction(transaction_id=1001),
        RemoteStartTransaction(id_tag="TAG2", connector_id=2),
    ],
)
def test_an_answer_leaves_before_what_the_request_causes(request_: CsmsRequest) -> None:
    station = charging_with()
    station.plug(2)
    effects = station.handle(CsmsAsked(message_id="x", request=request_))
    said = [type(effect) for effect in effects if isinstance(effect, (SendAnswer, SendCall))]
    assert said == [SendAnswer, SendCall]


def test_message_ids_are_unique_over_all_lives_and_short() -> None:
    ids = message_ids()
    seen = [next(ids) for _ in range(1000)]
    assert len(set(seen)) == 1000
    assert max(map(len, seen)) <= 36
    assert next(message_ids()) not in seen
