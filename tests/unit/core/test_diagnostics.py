"""Firmware, diagnostics, logs: what is uploaded, and what is told of it (§5.9, §4.4)."""

from cp_image.core.csms_messages import (
    GetDiagnostics,
    GetDiagnosticsAnswer,
    MessageTrigger,
    TriggerMessage,
)
from cp_image.core.effects import CancelTransfer, Upload
from cp_image.core.events import TransferEnded
from cp_image.core.messages import DiagnosticsStatus, DiagnosticsStatusNotification
from tests.support.virtual_station import EPOCH, VirtualStation

S = DiagnosticsStatus
LOCATION = "ftp://files.example.com/diagnostics"


def online() -> VirtualStation:
    station = VirtualStation()
    station.connect()
    return station


def ask(station: VirtualStation, **changes: object) -> str | None:
    request = GetDiagnostics(**({"location": LOCATION, "retries": 0} | changes))  # type: ignore[arg-type]
    answer = station.ask(request)
    assert isinstance(answer, GetDiagnosticsAnswer)
    return answer.file_name


def end(station: VirtualStation, *, ok: bool = True) -> None:
    number = station.wanted(Upload)[-1].number
    station.handle(TransferEnded(number=number, ok=ok, reason="" if ok else "connection refused"))


def told(station: VirtualStation) -> list[DiagnosticsStatus]:
    return [request.status for request in station.heard(DiagnosticsStatusNotification)]


def triggered(station: VirtualStation) -> DiagnosticsStatus:
    station.ask(TriggerMessage(requested=MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION))
    return told(station)[-1]


def test_the_answer_names_the_file_that_is_uploaded() -> None:
    station = online()
    assert triggered(station) is S.IDLE
    name = ask(station)
    assert name == "CP-0001-20231114T221320Z.txt.gz"
    upload = station.wanted(Upload)[0]
    assert (upload.file_name, upload.location) == (name, LOCATION)
    assert triggered(station) is S.UPLOADING
    end(station)
    assert told(station) == [S.IDLE, S.UPLOADING, S.UPLOADING, S.UPLOADED]
    assert triggered(station) is S.IDLE


def test_the_file_tells_what_the_charge_point_is_and_how_it_stands() -> None:
    station = online()
    station.plug()
    station.tag()
    station.run(60)
    ask(station)
    report = station.wanted(Upload)[0].report
    for line in (
        "[charge point]",
        "id = CP-0001",
        "firmware = 1.0.0",
        "[connector 1]",
        "status = Charging",
        "transaction = 1001",
        "[configuration]",
        "HeartbeatInterval = 300",
    ):
        assert line in report.splitlines()


def test_the_file_holds_of_the_configuration_what_may_be_read_and_no_more() -> None:
    station = online()
    ask(station)
    section = station.wanted(Upload)[0].report.partition("[configuration]\n")[2]
    shown = dict(line.split(" = ", 1) for line in section.splitlines() if line)
    assert shown == station.station.ocpp_config()


def test_the_times_of_the_log_are_turned_into_the_computers() -> None:
    station = VirtualStation()
    station.csms.clock_offset_s = 1000
    station.connect()
    station.run(500)
    ask(station, start_at=EPOCH + 1100, stop_at=EPOCH + 1400)
    upload = station.wanted(Upload)[0]
    assert (upload.log_from, upload.log_to) == (EPOCH + 100, EPOCH + 400)
    ask(station)
    upload = station.wanted(Upload)[1]
    assert (upload.log_from, upload.log_to) == (None, None)


def test_there_is_no_file_of_a_time_that_does_not_exist() -> None:
    station = online()
    assert ask(station, start_at=EPOCH + 1) is None  # it is yet to come
    assert ask(station, start_at=EPOCH - 5, stop_at=EPOCH - 10) is None
    assert not station.wanted(Upload)
    assert told(station) == []
    assert ask(station, stop_at=EPOCH - 10) is not None


def test_an_upload_is_tried_again_after_the_interval() -> None:
    station = online()
    name = ask(station, retries=1, retry_interval_s=10)
    end(station, ok=False)
    assert triggered(station) is S.UPLOAD_FAILED
    station.run(9)
    assert len(station.wanted(Upload)) == 1
    station.run(1)
    assert [upload.file_name for upload in station.wanted(Upload)] == [name, name]
    end(station, ok=False)
    station.run(1000)
    assert len(station.wanted(Upload)) == 2
    tried = [S.UPLOADING, S.UPLOAD_FAILED]
    assert told(station) == [*tried, S.UPLOAD_FAILED, *tried]  # one was triggered
    assert triggered(station) is S.IDLE


def test_a_location_that_can_never_be_reached_is_not_tried_again() -> None:
    station = online()
    ask(station, retries=5, retry_interval_s=10)
    station.handle(TransferEnded(number=1, ok=False, reason="no URL", hopeless=True))
    station.run(1000)
    assert len(station.wanted(Upload)) == 1
    assert told(station) == [S.UPLOADING, S.UPLOAD_FAILED]
    assert triggered(station) is S.IDLE


def test_another_request_goes_before_the_one_under_way() -> None:
    station = online()
    ask(station)
    station.run(5)
    name = ask(station)
    assert station.wanted(CancelTransfer) == [CancelTransfer(number=1)]
    assert station.wanted(Upload)[-1].file_name == name
    station.handle(TransferEnded(number=1, ok=True))  # it was over already
    end(station)
    assert told(station) == [S.UPLOADING, S.UPLOAD_FAILED, S.UPLOADING, S.UPLOADED]


def test_another_request_replaces_one_that_waits_for_its_retry() -> None:
    station = online()
    ask(station, retries=5, retry_interval_s=10)
    end(station, ok=False)
    ask(station)
    end(station)
    station.run(1000)
    assert told(station) == [S.UPLOADING, S.UPLOAD_FAILED, S.UPLOADING, S.UPLOADED]


def test_a_power_cut_fails_the_upload() -> None:
    station = online()
    ask(station, retries=5)
    again = station.power_cut()
    again.connect()
    assert told(again) == [S.UPLOADING, S.UPLOAD_FAILED]
    assert not again.wanted(Upload)
    last = again.power_cut()
    last.connect()
    assert told(last) == [S.UPLOADING, S.UPLOAD_FAILED]


def test_what_was_not_told_before_a_power_cut_is_told_after_it() -> None:
    station = online()
    ask(station)
    station.disconnect()
    end(station)
    again = station.power_cut()
    again.connect()
    assert told(again) == [S.UPLOADING, S.UPLOADED]
