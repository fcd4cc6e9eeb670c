"""Boot, TriggerMessage: every message, after the answer, while Pending too."""

import pytest

from cp_image.api.payloads import ChargePointType, ConnectorState
from cp_image.core.csms_messages import (
    MessageTrigger,
    TriggerMessage,
    TriggerMessageAnswer,
    TriggerMessageStatus,
)
from cp_image.core.effects import SendAnswer, SendCall
from cp_image.core.events import CsmsAsked
from cp_image.core.messages import (
    BootNotification,
    DiagnosticsStatus,
    DiagnosticsStatusNotification,
    FirmwareStatus,
    FirmwareStatusNotification,
    Heartbeat,
    MeterValues,
    RegistrationStatus,
    Request,
    StartTransaction,
    StatusNotification,
)
from cp_image.core.meter_values import Measurand, ReadingContext
from tests.support.charging import charging
from tests.support.virtual_station import VirtualStation, make_settings

M = MessageTrigger
KINDS: dict[MessageTrigger, type[Request]] = {
    M.BOOT_NOTIFICATION: BootNotification,
    M.DIAGNOSTICS_STATUS_NOTIFICATION: DiagnosticsStatusNotification,
    M.FIRMWARE_STATUS_NOTIFICATION: FirmwareStatusNotification,
    M.HEARTBEAT: Heartbeat,
    M.METER_VALUES: MeterValues,
    M.STATUS_NOTIFICATION: StatusNotification,
}


def connected(status: RegistrationStatus = RegistrationStatus.ACCEPTED) -> VirtualStation:
    station = VirtualStation()
    station.csms.registration = status
    station.connect()
    return station


def trigger(
    station: VirtualStation, requested: MessageTrigger, connector_id: int | None = None
) -> tuple[TriggerMessageStatus, list[Request]]:
    before = len(station.csms.heard)
    answer = station.ask(TriggerMessage(requested=requested, connector_id=connector_id))
    assert isinstance(answer, TriggerMessageAnswer)
    return answer.status, [request for _, request in station.csms.heard[before:]]


@pytest.mark.parametrize("status", [RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING])
@pytest.mark.parametrize("requested", list(M))
def test_every_message_can_be_triggered_while_pending_too(
    requested: MessageTrigger, status: RegistrationStatus
) -> None:
    station = connected(status)
    answered, heard = trigger(station, requested)
    assert answered is TriggerMessageStatus.ACCEPTED
    assert {type(request) for request in heard} == {KINDS[requested]}


@pytest.mark.parametrize("requested", list(M))
def test_the_answer_leaves_before_the_message(requested: MessageTrigger) -> None:
    request = TriggerMessage(requested=requested)
    effects = connected().handle(CsmsAsked(message_id="x", request=request))
    kinds = [type(e) for e in effects if isinstance(e, (SendAnswer, SendCall))]
    assert kinds == [SendAnswer, SendCall]


def test_status_notification_of_all_and_of_one() -> None:
    station = connected()
    station.plug(2)
    _, heard = trigger(station, M.STATUS_NOTIFICATION)
    told = [(r.connector_id, r.status) for r in heard if isinstance(r, StatusNotification)]
    assert told == [
        (0, ConnectorState.AVAILABLE),
        (1, ConnectorState.AVAILABLE),
        (2, ConnectorState.PREPARING),
    ]
    for connector_id in (0, 2):
        _, heard = trigger(station, M.STATUS_NOTIFICATION, connector_id)
        assert [r.connector_id for r in heard if isinstance(r, StatusNotification)] == [
            connector_id
        ]
        assert len(heard) == 1


def test_meter_values_of_all_and_of_one() -> None:
    station = connected()
    station.plug(1)
    station.tag()
    _, heard = trigger(station, M.METER_VALUES)
    told = [r for r in heard if isinstance(r, MeterValues)]
    assert [(r.connector_id, r.transaction_id) for r in told] == [(1, 1001), (2, None)]
    contexts = {s.context for r in told for v in r.meter_values for s in v.sampled_values}
    assert contexts == {ReadingContext.TRIGGER}
    _, heard = trigger(station, M.METER_VALUES, 2)
    assert [r.connector_id for r in heard if isinstance(r, MeterValues)] == [2]
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("requested", "connector_id"),
    [(M.STATUS_NOTIFICATION, 3), (M.METER_VALUES, 3), (M.METER_VALUES, 0)],
)
def test_an_unknown_connector_is_rejected(requested: MessageTrigger, connector_id: int) -> None:
    assert trigger(connected(), requested, connector_id) == (TriggerMessageStatus.REJECTED, [])


def test_a_connector_that_does_not_matter_is_ignored() -> None:
    answered, heard = trigger(connected(), M.HEARTBEAT, 77)
    assert answered is TriggerMessageStatus.ACCEPTED
    assert heard == [Heartbeat()]


def test_idle_is_what_firmware_and_diagnostics_say_where_nothing_runs() -> None:
    station = connected()
    trigger(station, M.FIRMWARE_STATUS_NOTIFICATION)
    trigger(station, M.DIAGNOSTICS_STATUS_NOTIFICATION)
    assert [r.status for r in station.heard(FirmwareStatusNotification)] == [FirmwareStatus.IDLE]
    assert [r.status for r in station.heard(DiagnosticsStatusNotification)] == [
        DiagnosticsStatus.IDLE
    ]


def test_a_triggered_boot_notification_does_not_start_everything_again() -> None:
    station = connected()
    _, heard = trigger(station, M.BOOT_NOTIFICATION)
    assert [type(request) for request in heard] == [BootNotification]
    station.run(299)
    assert station.heard(Heartbeat) == []


def test_a_triggered_boot_notification_may_end_pending() -> None:
    station = connected(RegistrationStatus.PENDING)
    station.csms.registration = RegistrationStatus.ACCEPTED
    _, heard = trigger(station, M.BOOT_NOTIFICATION)
    assert [type(request) for request in heard] == [BootNotification] + 3 * [StatusNotification]
    station.run(299)
    assert len(station.heard(BootNotification)) == 2


def test_a_triggered_boot_notification_may_end_the_acceptance() -> None:
    station = connected()
    station.csms.registration = RegistrationStatus.PENDING
    station.csms.interval_s = 10
    trigger(station, M.BOOT_NOTIFICATION)
    heard = len(station.csms.heard)
    station.plug()
    assert len(station.csms.heard) == heard
    station.csms.registration = RegistrationStatus.ACCEPTED
    station.run(10)
    assert len(station.heard(BootNotification)) == 3
    assert station.reported()[-1] is ConnectorState.PREPARING


def test_a_triggered_boot_notification_that_fails_changes_nothing() -> None:
    station = connected()
    station.csms.refusals[BootNotification] = 1
    trigger(station, M.BOOT_NOTIFICATION)
    station.plug()
    assert station.reported()[-1] is ConnectorState.PREPARING
    station.run(250)
    assert len(station.heard(BootNotification)) == 2


def test_one_boot_notification_is_enough() -> None:
    station = VirtualStation()
    station.csms.silent = {BootNotification}
    station.connect()
    answered, heard = trigger(station, M.BOOT_NOTIFICATION)
    assert answered is TriggerMessageStatus.ACCEPTED
    assert heard == []  # it is under way


def test_meter_values_of_a_transaction_go_out_while_pending() -> None:
    settings = make_settings(configuration={"AllowOfflineTxForUnknownId": "true"})
    station = VirtualStation(settings)
    station.csms.registration = RegistrationStatus.PENDING
    station.connect()
    station.plug()
    station.tag()
    assert station.connector().status is ConnectorState.CHARGING
    answered, heard = trigger(station, M.METER_VALUES, 1)
    assert answered is TriggerMessageStatus.ACCEPTED
    assert [type(request) for request in heard] == [MeterValues]
    assert isinstance(heard[0], MeterValues)
    assert heard[0].transaction_id is None  # nobody has given it one yet


@pytest.mark.parametrize("sampled", ["", "SoC"])
def test_where_nothing_is_sampled_the_register_is_told(sampled: str) -> None:
    station = VirtualStation(
        make_settings(
            type=ChargePointType.DC,  # which knows the state of charge of a plugged car
            configuration={"MeterValuesSampledData": sampled},
        )
    )
    station.connect()
    answered, heard = trigger(station, M.METER_VALUES, 1)
    assert answered is TriggerMessageStatus.ACCEPTED
    (told,) = [r for r in heard if isinstance(r, MeterValues)]
    (reading,) = told.meter_values
    assert [(v.measurand, v.context) for v in reading.sampled_values] == [
        (Measurand.ENERGY_ACTIVE_IMPORT_REGISTER, ReadingContext.TRIGGER)
    ]


def test_meter_values_do_not_wait_for_a_message_that_is_tried_again_later() -> None:
    station = charging(configuration={"TransactionMessageRetryInterval": "600"})
    station.csms.refusals[MeterValues] = 1
    station.run(61)
    _, heard = trigger(station, M.METER_VALUES, 1)
    assert [r.transaction_id for r in heard if isinstance(r, MeterValues)] == [1001]


def test_meter_values_do_not_wait_for_a_backlog() -> None:
    station = charging()
    station.disconnect()
    station.run(3600)
    station.csms.silent.add(MeterValues)
    station.connect()
    station.csms.silent.clear()
    station.ask(TriggerMessage(requested=M.METER_VALUES, connector_id=1))
    before = len(station.heard(MeterValues))
    station.run(30)  # the one in flight is given up
    told = [
        value.sampled_values[0].context
        for r in station.heard(MeterValues)[before:]
        for value in r.meter_values
    ]
    assert told[0] is ReadingContext.TRIGGER


def test_meter_values_do_not_wait_for_what_queued_up_while_the_csms_was_silent() -> None:
    station = charging(configuration={"MeterValueSampleInterval": "5"})
    station.csms.silent.add(MeterValues)
    station.run(25)
    station.ask(TriggerMessage(requested=M.METER_VALUES, connector_id=1))
    station.csms.silent.clear()
    before = len(station.heard(MeterValues))
    station.run(15)
    first = station.heard(MeterValues)[before]
    assert first.meter_values[0].sampled_values[0].context is ReadingContext.TRIGGER


def test_meter_values_of_a_transaction_without_its_id_name_none() -> None:
    station = VirtualStation()
    station.connect()
    station.csms.refusals[StartTransaction] = 1
    station.plug()
    station.tag()
    _, heard = trigger(station, M.METER_VALUES, 1)
    assert [r.transaction_id for r in heard if isinstance(r, MeterValues)] == [None]
