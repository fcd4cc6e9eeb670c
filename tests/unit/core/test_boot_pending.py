"""Boot: what the CSMS may ask before it has accepted the charge point, and after a rejection."""

import pytest

from cp_image.core.csms_messages import (
    ChangeAvailability,
    ChangeConfiguration,
    ChangeConfigurationAnswer,
    ConfigurationStatus,
    GetConfiguration,
    MessageTrigger,
    RemoteStopTransaction,
    TriggerMessage,
)
from cp_image.core.effects import RefuseCall, SendAnswer, SendCall, SetSilence
from cp_image.core.events import CsmsAsked
from cp_image.core.messages import (
    BootAnswer,
    BootNotification,
    Heartbeat,
    RegistrationStatus,
)
from tests.support.scripted_csms import ScriptedCsms
from tests.support.virtual_station import VirtualStation
from tests.support.wired_station import WiredStation


def booting(status: RegistrationStatus) -> VirtualStation:
    station = VirtualStation()
    station.csms.registration = status
    station.csms.interval_s = 60
    station.connect()
    return station


@pytest.mark.parametrize(
    "request_",
    [
        GetConfiguration(),
        ChangeConfiguration(key="ConnectionTimeOut", value="90"),
        ChangeAvailability(connector_id=0, operative=False),
        RemoteStopTransaction(transaction_id=1),
    ],
    ids=lambda request: type(request).__name__,
)
def test_requests_are_answered_while_pending(request_: object) -> None:
    station = booting(RegistrationStatus.PENDING)
    assert station.ask(request_) is not None  # type: ignore[arg-type]
    station.run(59)
    assert len(station.csms.heard) == 1  # and nothing but the BootNotification is said


def test_the_configuration_can_be_changed_while_pending() -> None:
    station = booting(RegistrationStatus.PENDING)
    answer = station.ask(ChangeConfiguration(key="HeartbeatInterval", value="9"))
    assert answer == ChangeConfigurationAnswer(status=ConfigurationStatus.ACCEPTED)
    station.run(59)
    assert station.heard(Heartbeat) == []


@pytest.mark.parametrize("requested", list(MessageTrigger))
def test_after_a_rejection_nothing_is_sent(requested: MessageTrigger) -> None:
    station = booting(RegistrationStatus.REJECTED)
    request = TriggerMessage(requested=requested)
    effects = station.handle(CsmsAsked(message_id="x", request=request))
    assert not any(isinstance(effect, (SendAnswer, RefuseCall, SendCall)) for effect in effects)
    assert "TriggerMessage" in station.logs()[-1]
    station.run(59)
    assert len(station.csms.heard) == 1
    station.run(1)
    assert len(station.heard(BootNotification)) == 2


def test_what_was_triggered_before_a_rejection_is_not_sent_after_it() -> None:
    station = VirtualStation()
    station.csms.silent = {BootNotification}
    station.connect()
    station.ask(TriggerMessage(requested=MessageTrigger.HEARTBEAT))
    rejected = BootAnswer(status=RegistrationStatus.REJECTED, csms_at=station.now, interval_s=60)
    station.answer_late(station.wanted(SendCall)[0].message_id, rejected)
    station.csms.silent = set()
    station.csms.registration = RegistrationStatus.REJECTED
    station.run(100)
    assert len(station.heard(BootNotification)) == 2
    assert station.heard(Heartbeat) == []


def test_what_was_triggered_while_the_boot_notification_is_open_comes_after_it() -> None:
    station = VirtualStation()
    station.csms.silent = {BootNotification}
    station.connect()
    station.ask(TriggerMessage(requested=MessageTrigger.HEARTBEAT))
    assert len(station.csms.heard) == 1
    station.csms.silent = set()
    station.run(30)
    assert station.heard(Heartbeat) == [Heartbeat()]


def test_after_a_rejection_what_cannot_be_read_is_not_answered_either() -> None:
    csms = ScriptedCsms()
    csms.registration = RegistrationStatus.REJECTED
    csms.interval_s = 60
    station = WiredStation(csms=csms)
    station.connect()
    for frame in ('[2,"x","Nonsense",{}]', '[2,"x","Reset",{}]', '[2,"x"]'):
        assert station.hear(frame) == []
    csms.registration = RegistrationStatus.PENDING
    station.run(60)
    assert len(station.hear('[2,"x","Nonsense",{}]')) == 1


def test_a_reboot_ends_the_silence() -> None:
    csms = ScriptedCsms()
    csms.registration = RegistrationStatus.REJECTED
    station = VirtualStation(csms=csms)
    station.connect()
    again = station.power_cut()
    again.csms.silent = {BootNotification}
    again.connect()
    assert again.wanted(SetSilence) == [SetSilence(silent=False)]
