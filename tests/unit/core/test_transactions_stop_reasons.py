"""Transactions: each reason with which a transaction can stop (OCPP 1.6 §7.36)."""

from collections.abc import Callable

import pytest

from cp_image.api.payloads import ConnectorState, ErrorCode, StopReason, TransactionStopped
from cp_image.core.csms_messages import RemoteStopTransaction, Reset, UnlockConnector
from cp_image.core.events import FaultChanged
from cp_image.core.messages import AuthorizationStatus, IdTagStatus, StopTransaction
from tests.support.charging import charging
from tests.support.virtual_station import VirtualStation

R = StopReason


def refuse(station: VirtualStation) -> None:
    station.unplug()
    station.csms.start_status = IdTagStatus(status=AuthorizationStatus.INVALID)
    station.plug()
    station.tag()


def emergency(connector_id: int) -> Callable[[VirtualStation], None]:
    fault = FaultChanged(connector_id=connector_id, faulted=True, emergency=True)

    def hit(station: VirtualStation) -> None:
        station.handle(fault)

    return hit


CAUSES: list[tuple[StopReason, Callable[[VirtualStation], object]]] = [
    (R.LOCAL, lambda station: station.tag()),
    (R.EV_DISCONNECTED, lambda station: station.unplug()),
    (R.REMOTE, lambda station: station.ask(RemoteStopTransaction(transaction_id=1001))),
    (R.DE_AUTHORIZED, refuse),
    (R.SOFT_RESET, lambda station: station.ask(Reset(hard=False))),
    (R.HARD_RESET, lambda station: station.ask(Reset(hard=True))),
    (R.UNLOCK_COMMAND, lambda station: station.ask(UnlockConnector(connector_id=1))),
    (R.OTHER, lambda station: station.fault(1)),
    (R.OTHER, lambda station: station.fault(0)),
    (R.EMERGENCY_STOP, emergency(1)),
    (R.EMERGENCY_STOP, emergency(0)),
]


@pytest.mark.parametrize(("reason", "cause"), CAUSES)
def test_each_cause_has_its_reason(
    reason: StopReason, cause: Callable[[VirtualStation], object]
) -> None:
    station = charging()
    station.run(90)
    cause(station)
    if not station.linked:
        station.connect()  # it has rebooted
    assert station.heard(StopTransaction)[-1].reason is reason
    stopped = [e for e in station.events() if isinstance(e, TransactionStopped)]
    assert stopped[-1].reason is reason


def test_every_reason_is_told_by_somebody() -> None:
    assert {reason for reason, _ in CAUSES} | {R.POWER_LOSS, R.REBOOT} == set(StopReason)


def test_after_a_power_cut_it_is_power_loss() -> None:
    again = charging().power_cut(dark_s=10)
    again.connect()
    assert [stop.reason for stop in again.heard(StopTransaction)] == [R.POWER_LOSS]


def test_after_an_orderly_end_it_is_reboot_with_all_its_energy() -> None:
    station = charging()
    station.run(95)
    station.stop()
    register_wh = station.connector().register_wh
    again = station.power_cut(dark_s=3600)
    again.connect()
    (stop,) = again.heard(StopTransaction)
    assert stop.reason is R.REBOOT
    assert stop.at == station.now
    assert stop.meter_stop_wh >= int(register_wh)
    assert stop.meter_stop_wh == round(3 * 230 * 32 * 95 / 3600 - 0.5)
    assert again.connector().status is ConnectorState.FINISHING


def test_an_orderly_end_excuses_one_start_only() -> None:
    station = charging()
    station.stop()
    again = station.power_cut()
    again.connect()
    again.unplug()
    again.plug()
    again.tag()
    last = again.power_cut()
    last.connect()
    assert [stop.reason for stop in last.heard(StopTransaction)] == [R.REBOOT, R.POWER_LOSS]


def test_an_emergency_is_a_fault_like_any_other() -> None:
    station = charging()
    code = ErrorCode.OTHER_ERROR
    station.handle(FaultChanged(connector_id=1, faulted=True, error_code=code, emergency=True))
    assert station.connector().status is ConnectorState.FAULTED
    assert station.connector().error_code == "OtherError"
    station.fault(1, code, faulted=False)
    assert station.connector().status is ConnectorState.FINISHING


def test_an_emergency_stop_of_an_idle_connector_stops_nothing() -> None:
    station = VirtualStation()
    station.connect()
    emergency(1)(station)
    assert station.connector().status is ConnectorState.FAULTED
    assert station.heard(StopTransaction) == []
