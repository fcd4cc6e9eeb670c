"""Transaction messages: order, retries, silence, lost links."""

from collections import Counter

import pytest

from cp_image.api.payloads import ConnectorState, StopReason, TransactionStarted
from cp_image.core.configuration_keys import Configuration
from cp_image.core.effects import Persist
from cp_image.core.messages import (
    Authorize,
    MeterValues,
    Request,
    StartTransaction,
    StopTransaction,
)
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue
from tests.support.stations import charging_with
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

S = ConnectorState
TRANSACTION_KINDS = (StartTransaction, MeterValues, StopTransaction)


def transaction_messages(station: VirtualStation) -> list[Request]:
    return [r for _, r in station.csms.heard if isinstance(r, TRANSACTION_KINDS)]


def queued(station: VirtualStation) -> list[str]:
    return sorted(key for key in station.stored if key.startswith("queue/"))


def test_offline_the_transaction_goes_on_and_is_told_later_with_its_times() -> None:
    station = charging_with()
    station.run(30)
    station.disconnect()
    station.run(150)
    station.tag()
    station.unplug()
    assert len(queued(station)) == 4
    station.run(5000)
    station.connect()
    start, *readings, stop = transaction_messages(station)
    assert isinstance(start, StartTransaction)
    assert [m.meter_values[0].at - EPOCH for m in station.heard(MeterValues)] == [60, 120, 180]
    assert len(readings) == 3
    assert isinstance(stop, StopTransaction)
    assert (stop.at - EPOCH, stop.transaction_id, stop.meter_stop_wh) == (180, 1001, 552)
    assert queued(station) == []
    assert not [key for key in station.stored if key.startswith("transaction")]


def test_a_new_session_does_not_wait_behind_a_long_backlog() -> None:
    station = charging_with()
    station.disconnect()
    station.run(3600)
    station.csms.silent = {MeterValues}
    station.connect()
    station.plug(2)
    station.tag("TAG2", 2)
    station.run(30)
    kinds = [type(r) for _, r in station.csms.heard]
    assert Authorize in kinds[kinds.index(MeterValues) :]
    assert station.connector(2).status is S.CHARGING
    assert len(station.heard(StartTransaction)) == 1  # the lane keeps its order


def test_a_call_in_flight_when_the_link_breaks_is_said_again() -> None:
    station = VirtualStation()
    station.connect()
    station.plug()
    station.csms.silent = {StartTransaction}
    station.tag()
    station.disconnect()
    station.csms.silent = set()
    station.connect()
    first, second = station.heard(StartTransaction)
    assert first == second
    assert station.connector().transaction_id == 1001


def test_stop_and_readings_wait_for_the_transaction_id() -> None:
    station = VirtualStation(make_settings(configuration={"TransactionMessageRetryInterval": "5"}))
    station.connect()
    station.plug()
    station.csms.refusals[StartTransaction] = 2
    station.tag()
    station.run(4)
    station.unplug()
    assert station.heard(StopTransaction) == []
    station.run(60)
    assert station.heard_at(StartTransaction) == [0.0, 5.0, 15.0]  # 5 s, then twice 5 s
    stop = station.heard(StopTransaction)[0]
    assert (stop.transaction_id, stop.at) == (1001, EPOCH + 4)
    assert len({r.at for r in station.heard(StartTransaction)}) == 1
    started = [e for e in station.events() if isinstance(e, TransactionStarted)]
    assert [e.transaction_id for e in started] == [1001]


def test_a_transaction_message_is_dropped_after_its_attempts() -> None:
    station = charging_with(TransactionMessageAttempts="2", TransactionMessageRetryInterval="10")
    station.csms.refusals[MeterValues] = 2
    station.run(75)
    assert station.heard_at(MeterValues) == [60.0, 70.0]
    assert "MeterValues is dropped after 2 attempts: InternalError no" in station.logs()
    assert queued(station) == []
    station.run(60)
    assert station.heard_at(MeterValues)[2:] == [120.0]


@pytest.mark.parametrize("attempts", ["0", "1"])
def test_one_attempt_is_the_least(attempts: str) -> None:
    station = charging_with(TransactionMessageAttempts=attempts)
    station.csms.refusals[StopTransaction] = 1
    station.tag()
    station.run(600)
    assert len(station.heard(StopTransaction)) == 1
    assert queued(station) == []


def test_what_hangs_on_a_dropped_start_is_dropped_too() -> None:
    station = VirtualStation(make_settings(configuration={"TransactionMessageAttempts": "1"}))
    station.connect()
    station.plug()
    station.csms.refusals[StartTransaction] = 1
    station.tag()
    station.run(120)
    assert station.connector().status is S.CHARGING
    station.unplug()
    assert transaction_messages(station) == station.heard(StartTransaction)
    assert sum("was never answered" in text for text in station.logs()) == 3
    assert queued(station) == []
    station.plug()
    station.tag()
    assert station.connector().transaction_id == 1001


def test_a_week_without_a_link_loses_nothing() -> None:
    station = charging_with(MeterValueSampleInterval="600")
    station.disconnect()
    station.run(7 * 86_400)
    station.connect()
    assert len(station.heard(MeterValues)) == 7 * 144
    registers = [m.meter_values[0].sampled_values[0].value for m in station.heard(MeterValues)]
    assert registers == sorted(registers)
    station.tag()
    assert station.heard(StopTransaction)[0].reason is StopReason.LOCAL
    assert station.heard(StopTransaction)[0].meter_stop_wh == 11_040 * 24 * 7


def test_every_message_is_told_once() -> None:
    station = charging_with()
    station.run(3600)
    station.tag()
    told = Counter(map(repr, transaction_messages(station)))
    assert set(told.values()) == {1}
    assert len(told) == 62


def test_numbers_are_not_given_twice_over_power_cuts() -> None:
    outbox = Outbox()
    queue = RequestQueue(
        stored={"transaction-id/000000000041": b"7"},
        outbox=outbox,
        configuration=Configuration({}, nb_connectors=1),
        message_ids=iter(()),
    )
    request = StartTransaction(connector_id=1, id_tag="TAG1", meter_start_wh=0, at=EPOCH)
    assert queue.push_start(request) == 42
    (kept,) = outbox.take()
    assert isinstance(kept, Persist)
    assert kept.key == "queue/000000000042"
