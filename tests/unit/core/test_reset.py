"""Reset: transactions are stopped first, then the charge point reboots and boots again."""

import pytest

from cp_image.api.payloads import ConnectorState, StopReason
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    RemoteStartTransaction,
    RemoteStartTransactionAnswer,
    Reset,
    ResetAnswer,
)
from cp_image.core.effects import Reboot, SendAnswer, SendCall
from cp_image.core.errors import NotNowError
from cp_image.core.events import CallAnswered, CsmsAsked
from cp_image.core.messages import (
    BootNotification,
    StartTransaction,
    StatusNotification,
    StopTransaction,
    StopTransactionAnswer,
)
from tests.support.virtual_station import VirtualStation

S = ConnectorState
ACCEPTED = ResetAnswer(status=AcceptanceStatus.ACCEPTED)


def connected() -> VirtualStation:
    station = VirtualStation()
    station.connect()
    return station


def charging() -> VirtualStation:
    station = connected()
    station.plug(1)
    station.tag("TAG1", 1)
    station.plug(2)
    station.tag("TAG2", 2)
    station.run(60)
    return station


def stops(station: VirtualStation) -> list[tuple[int, StopReason]]:
    return [(stop.transaction_id, stop.reason) for stop in station.heard(StopTransaction)]


@pytest.mark.parametrize("hard", [False, True])
def test_an_idle_charge_point_reboots_at_once_and_boots_again(hard: bool) -> None:
    station = connected()
    assert station.ask(Reset(hard=hard)) == ACCEPTED
    assert len(station.wanted(Reboot)) == 1
    station.connect()
    assert len(station.heard(BootNotification)) == 2
    assert len(station.heard(StatusNotification)) == 6


def test_soft_stops_the_transactions_and_delivers_that_before_the_reboot() -> None:
    station = charging()
    assert station.ask(Reset(hard=False)) == ACCEPTED
    assert stops(station) == [(1001, StopReason.SOFT_RESET), (1002, StopReason.SOFT_RESET)]
    assert len(station.wanted(Reboot)) == 1
    assert station.reported()[-1] is S.FINISHING
    station.connect()
    assert station.reported()[-1] is S.FINISHING  # the car is still there
    assert len(stops(station)) == 2
    assert len(station.heard(BootNotification)) == 2


def test_hard_reboots_at_once_and_tells_of_the_transactions_afterwards() -> None:
    station = charging()
    assert station.ask(Reset(hard=True)) == ACCEPTED
    assert len(station.wanted(Reboot)) == 1
    assert stops(station) == []
    station.connect()
    assert stops(station) == [(1001, StopReason.HARD_RESET), (1002, StopReason.HARD_RESET)]


@pytest.mark.parametrize("hard", [False, True])
def test_the_answer_leaves_before_what_it_causes(hard: bool) -> None:
    station = charging()
    effects = station.handle(CsmsAsked(message_id="x", request=Reset(hard=hard)))
    kinds = [type(e) for e in effects if isinstance(e, (SendAnswer, SendCall, Reboot))]
    assert kinds == [SendAnswer, Reboot if hard else SendCall]


def test_a_csms_that_takes_no_stop_transaction_holds_a_soft_reset_up_for_a_minute() -> None:
    station = charging()
    station.csms.silent = {StopTransaction}
    station.ask(Reset(hard=False))
    station.run(59)
    assert station.wanted(Reboot) == []
    station.run(1)
    assert len(station.wanted(Reboot)) == 1
    station.csms.silent = set()
    heard = len(stops(station))
    station.connect()
    assert stops(station)[heard:] == [(1001, StopReason.SOFT_RESET), (1002, StopReason.SOFT_RESET)]


def test_a_broken_link_does_not_hold_it_up() -> None:
    station = charging()
    station.csms.silent = {StopTransaction}
    station.ask(Reset(hard=False))
    station.disconnect()
    assert len(station.wanted(Reboot)) == 1


def test_nothing_begins_while_it_waits() -> None:
    station = charging()
    station.unplug(2)
    station.csms.silent = {StatusNotification, StopTransaction}
    station.ask(Reset(hard=False))
    with pytest.raises(NotNowError, match="resetting"):
        station.tag("TAG3", 2)
    rejected = RemoteStartTransactionAnswer(status=AcceptanceStatus.REJECTED)
    assert station.ask(RemoteStartTransaction(id_tag="TAG3", connector_id=2)) == rejected
    assert station.ask(Reset(hard=False)) == ACCEPTED
    assert len(station.heard(StartTransaction)) == 2


def test_a_tag_that_waits_for_its_cable_waits_no_longer() -> None:
    station = charging()
    station.tag("TAG1", 1)
    station.unplug(1)
    station.tag("TAG3", 1)
    station.csms.silent = {StopTransaction}
    station.ask(Reset(hard=False))
    station.plug(1)
    assert len(station.heard(StartTransaction)) == 2


def test_hard_overtakes_soft() -> None:
    station = charging()
    station.csms.silent = {StopTransaction}
    station.ask(Reset(hard=False))
    assert station.wanted(Reboot) == []
    station.ask(Reset(hard=True))
    assert len(station.wanted(Reboot)) == 1


def test_between_reboot_and_end_answers_are_heard_and_nothing_is_said() -> None:
    station = charging()
    station.tag("TAG2", 2)
    station.csms.silent = {StopTransaction}
    core = station.station
    station.tag("TAG1", 1)
    message_id = station.wanted(SendCall)[-1].message_id
    assert station._in_flight is not None
    assert station._in_flight[0] == message_id
    effects = core.handle(CsmsAsked(message_id="x", request=Reset(hard=True)), station.now)
    assert any(isinstance(effect, Reboot) for effect in effects)
    assert core.next_deadline() is None
    answers = core.handle(
        CallAnswered(message_id=message_id, answer=StopTransactionAnswer()), station.now
    )
    assert any("queue/" in getattr(effect, "key", "") for effect in answers)
    assert not any(isinstance(effect, (SendCall, Reboot)) for effect in answers)


def test_the_register_does_not_fall_over_a_reset() -> None:
    station = charging()
    before = station.connector().register_wh
    station.run(600)
    station.ask(Reset(hard=True))
    station.connect()
    assert station.connector().register_wh > before
    assert station.heard(StopTransaction)[0].meter_stop_wh > 0
