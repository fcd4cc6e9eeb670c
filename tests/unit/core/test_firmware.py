"""Firmware, diagnostics, logs: an update, every status in order (OCPP 1.6 §5.19, §4.5)."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cp_image.api.payloads import ConnectorState
from cp_image.core.csms_messages import (
    MessageTrigger,
    TriggerMessage,
    UpdateFirmware,
    UpdateFirmwareAnswer,
)
from cp_image.core.effects import CancelTransfer, Download, Reboot
from cp_image.core.events import TransferEnded
from cp_image.core.firmware import FAREWELL_S, INSTALLATION_S
from cp_image.core.firmware_image import FirmwareImage
from cp_image.core.messages import (
    BootNotification,
    FirmwareStatus,
    FirmwareStatusNotification,
    RegistrationStatus,
)
from tests.support.virtual_station import EPOCH, VirtualStation

S = FirmwareStatus
LOCATION = "https://files.example.com/cp-simu-2.0.1.bin"
WHOLE = [S.DOWNLOADING, S.DOWNLOADED, S.INSTALLING, S.INSTALLED]


def image(**changes: object) -> FirmwareImage:
    fields = {
        "file_name": "cp-simu-2.0.1.bin",
        "size_bytes": 1000,
        "sha256": "ab" * 32,
        "first_line": "",
    }
    return FirmwareImage(**(fields | changes))  # type: ignore[arg-type]


def online() -> VirtualStation:
    station = VirtualStation()
    station.connect()
    return station


def update(station: VirtualStation, **changes: object) -> None:
    fields = {"location": LOCATION, "retrieve_at": station.now, "retries": 0}
    request = UpdateFirmware(**(fields | changes))  # type: ignore[arg-type]
    assert station.ask(request) == UpdateFirmwareAnswer()


def end_download(station: VirtualStation, of: FirmwareImage | None = None) -> None:
    number = station.wanted(Download)[-1].number
    station.handle(TransferEnded(number=number, ok=True, image=of or image()))


def fail_download(station: VirtualStation) -> None:
    number = station.wanted(Download)[-1].number
    station.handle(TransferEnded(number=number, ok=False, reason="connection refused"))


def told(station: VirtualStation) -> list[FirmwareStatus]:
    return [request.status for request in station.heard(FirmwareStatusNotification)]


def triggered(station: VirtualStation) -> FirmwareStatus:
    before = len(told(station))
    station.ask(TriggerMessage(requested=MessageTrigger.FIRMWARE_STATUS_NOTIFICATION))
    assert len(told(station)) == before + 1
    return told(station)[-1]


def versions(station: VirtualStation) -> list[str]:
    return [request.firmware_version for request in station.heard(BootNotification)]


def test_an_update_goes_through_every_status_and_shows_after_the_reboot() -> None:
    station = online()
    update(station)
    assert station.wanted(Download) == [Download(number=1, location=LOCATION)]
    assert told(station) == [S.DOWNLOADING]
    end_download(station)
    assert told(station) == [S.DOWNLOADING, S.DOWNLOADED, S.INSTALLING]
    station.run(INSTALLATION_S)
    assert told(station) == WHOLE
    assert len(station.wanted(Reboot)) == 1
    station.connect()
    assert versions(station) == ["1.0.0", "2.0.1"]
    station.run(3600)
    assert told(station) == WHOLE
    assert len(station.wanted(Reboot)) == 1
    assert versions(station.power_cut()) == versions(station)
    again = station.power_cut()
    again.connect()
    assert versions(again)[-1] == "2.0.1"


def test_it_waits_for_its_date() -> None:
    station = online()
    update(station, retrieve_at=EPOCH + 600)
    station.run(599)
    assert not station.wanted(Download)
    assert triggered(station) is S.IDLE
    station.run(1)
    assert len(station.wanted(Download)) == 1


def test_its_date_is_by_the_clock_of_the_csms() -> None:
    station = VirtualStation()
    station.csms.clock_offset_s = 1000
    station.connect()
    update(station, retrieve_at=EPOCH + 1600)
    station.run(599)
    assert not station.wanted(Download)
    station.run(1)
    assert len(station.wanted(Download)) == 1


def test_a_download_is_tried_again_after_the_interval() -> None:
    station = online()
    update(station, retries=2, retry_interval_s=10)
    fail_download(station)
    assert triggered(station) is S.DOWNLOAD_FAILED
    station.run(9)
    assert len(station.wanted(Download)) == 1
    station.run(1)
    fail_download(station)
    station.run(10)
    fail_download(station)
    station.run(1000)
    tried = [S.DOWNLOADING, S.DOWNLOAD_FAILED]
    assert told(station) == [*tried, S.DOWNLOAD_FAILED, *tried, *tried]  # one was triggered
    assert len({download.number for download in station.wanted(Download)}) == 3
    assert triggered(station) is S.IDLE
    assert station.connector().status is ConnectorState.AVAILABLE


def test_a_retry_that_succeeds_installs() -> None:
    station = online()
    update(station, retries=1, retry_interval_s=10)
    fail_download(station)
    station.run(10)
    end_download(station)
    station.run(INSTALLATION_S)
    assert told(station) == [S.DOWNLOADING, S.DOWNLOAD_FAILED, *WHOLE]


def test_a_location_that_can_never_be_reached_is_not_tried_again() -> None:
    station = online()
    update(station, retries=5, retry_interval_s=10)
    number = station.wanted(Download)[-1].number
    station.handle(TransferEnded(number=number, ok=False, reason="no URL", hopeless=True))
    station.run(1000)
    assert len(station.wanted(Download)) == 1
    assert told(station) == [S.DOWNLOADING, S.DOWNLOAD_FAILED]
    assert triggered(station) is S.IDLE


def test_a_csms_that_asks_for_endless_retries_at_once_causes_no_flood() -> None:
    station = online()
    update(station, retries=10**9, retry_interval_s=0)
    fail_download(station)
    station.run(0.5)
    assert len(station.wanted(Download)) == 1


def test_without_retries_in_the_request_the_charge_point_decides() -> None:
    station = online()
    update(station, retries=None)
    for _ in range(3):
        fail_download(station)
        station.run(600)
    assert len(station.wanted(Download)) == 3
    assert triggered(station) is S.IDLE


def test_an_installation_waits_for_the_transaction_and_lets_no_other_begin() -> None:
    station = online()
    station.plug()
    station.tag()
    update(station)
    end_download(station)
    station.run(3600)
    assert told(station) == [S.DOWNLOADING, S.DOWNLOADED]
    assert triggered(station) is S.DOWNLOADED
    assert station.connector(1).status is ConnectorState.CHARGING
    assert station.connector(2).status is ConnectorState.UNAVAILABLE
    station.tag()
    assert told(station)[-1] is S.INSTALLING
    assert station.connector(1).status is ConnectorState.UNAVAILABLE
    assert station.reported(0)[-1] is ConnectorState.UNAVAILABLE
    assert triggered(station) is S.INSTALLING
    station.run(INSTALLATION_S)
    station.connect()
    assert station.connector(1).status is ConnectorState.FINISHING
    assert station.connector(2).status is ConnectorState.AVAILABLE
    assert station.reported(0)[-1] is ConnectorState.AVAILABLE


@pytest.mark.parametrize(
    "broken",
    [
        image(size_bytes=0),
        image(first_line="firmware-version:"),
        image(first_line="Firmware-Version: " + "9" * 51),
    ],
)
def test_a_broken_image_is_not_installed(broken: FirmwareImage) -> None:
    station = online()
    update(station)
    end_download(station, broken)
    station.run(3600)
    assert told(station) == [*WHOLE[:3], S.INSTALLATION_FAILED]
    assert not station.wanted(Reboot)
    assert station.connector(2).status is ConnectorState.AVAILABLE
    assert triggered(station) is S.IDLE


@pytest.mark.parametrize(
    ("of", "version"),
    [
        (image(first_line="firmware-version: 7.3-beta \r"), "7.3-beta"),
        (image(file_name="cp-simu-2.0.1.bin"), "2.0.1"),
        (image(file_name="fw_v3.1-rc2.tar.gz"), "3.1"),
        (image(file_name="firmware-2.0.1"), "2.0.1"),
        (image(file_name="fw-2.0.1.7z"), "2.0.1"),
        (image(file_name="nightly.bin"), "nightly"),
        (image(file_name=".hidden"), ".hidden"),
        (image(file_name=""), "abababababab"),
        (image(size_bytes=0), None),
    ],
)
def test_the_version_of_an_image(of: FirmwareImage, version: str | None) -> None:
    assert of.version == version


@given(name=st.text(max_size=300), line=st.text(max_size=200))
def test_every_image_has_a_version_that_ocpp_can_carry_or_is_broken(name: str, line: str) -> None:
    version = image(file_name=name, first_line=line).version
    assert version is None or 1 <= len(version) <= 50


def test_another_update_replaces_one_that_waits() -> None:
    station = online()
    update(station, retrieve_at=EPOCH + 600)
    update(station, location="http://other/9.9.bin", retrieve_at=EPOCH + 900)
    station.run(899)
    assert not station.wanted(Download)
    station.run(1)
    assert [download.location for download in station.wanted(Download)] == ["http://other/9.9.bin"]


def test_another_update_breaks_a_download_off() -> None:
    station = online()
    update(station)
    update(station, location="http://other/9.9.bin", retrieve_at=EPOCH + 900)
    assert station.wanted(CancelTransfer) == [CancelTransfer(number=1)]
    assert told(station) == [S.DOWNLOADING, S.DOWNLOAD_FAILED]
    station.handle(TransferEnded(number=1, ok=True, image=image()))  # it was over already
    assert triggered(station) is S.IDLE
    station.run(900)
    end_download(station, image(file_name="9.9.bin"))
    station.run(INSTALLATION_S)
    station.connect()
    assert versions(station)[-1] == "9.9"


def test_another_update_replaces_one_that_waits_for_a_transaction() -> None:
    station = online()
    station.plug()
    station.tag()
    update(station)
    end_download(station)
    update(station, retrieve_at=EPOCH + 900)
    assert station.connector(2).status is ConnectorState.AVAILABLE


def test_another_update_comes_after_an_installation() -> None:
    station = online()
    update(station)
    end_download(station)
    update(station, location="http://other/9.9.bin")
    assert len(station.wanted(Download)) == 1
    station.run(INSTALLATION_S)
    assert [download.location for download in station.wanted(Download)][1:] == [
        "http://other/9.9.bin"
    ]
    station.connect()
    assert versions(station)[-1] == "2.0.1"
    end_download(station, image(file_name="9.9.bin"))
    station.run(INSTALLATION_S)
    station.connect()
    assert versions(station)[-1] == "9.9"
    assert told(station) == WHOLE * 2


def test_statuses_wait_for_the_link_and_keep_their_order() -> None:
    station = online()
    update(station, retrieve_at=EPOCH + 60)
    station.disconnect()
    station.run(60)
    end_download(station)
    assert told(station) == []
    station.connect()
    assert told(station) == WHOLE[:3]
    station.run(INSTALLATION_S)
    assert told(station) == WHOLE


def test_an_installation_without_the_csms_reboots_and_is_told_afterwards() -> None:
    station = online()
    update(station)
    station.disconnect()
    end_download(station)
    station.run(INSTALLATION_S)
    assert len(station.wanted(Reboot)) == 1
    station.connect()
    assert versions(station)[-1] == "2.0.1"
    assert told(station) == WHOLE


def test_a_csms_that_does_not_answer_holds_up_no_reboot() -> None:
    station = online()
    station.csms.silent = {FirmwareStatusNotification}
    update(station)
    end_download(station)
    station.run(INSTALLATION_S + FAREWELL_S)
    assert len(station.wanted(Reboot)) == 1


def test_a_status_the_csms_refuses_is_not_repeated() -> None:
    station = online()
    station.csms.refusals[FirmwareStatusNotification] = 1
    update(station)
    end_download(station)
    station.run(INSTALLATION_S)
    assert told(station) == WHOLE


def test_a_status_lost_with_the_link_is_said_again() -> None:
    station = online()
    station.csms.silent = {FirmwareStatusNotification}
    update(station)
    station.disconnect()
    station.csms.silent = set()
    station.connect()
    assert told(station) == [S.DOWNLOADING, S.DOWNLOADING]


def test_a_power_cut_while_waiting_changes_nothing() -> None:
    station = online()
    update(station, retrieve_at=EPOCH + 600)
    again = station.power_cut(dark_s=100)
    again.connect()
    again.run(499)
    assert not again.wanted(Download)
    again.run(1)
    assert len(again.wanted(Download)) == 1


def test_a_power_cut_while_downloading_begins_the_download_again() -> None:
    station = online()
    update(station)
    again = station.power_cut()
    assert len(again.wanted(Download)) == 1
    end_download(again)
    again.connect()
    again.run(INSTALLATION_S)
    assert told(again)[-4:] == WHOLE


def test_a_power_cut_before_a_retry_keeps_the_retries() -> None:
    station = online()
    update(station, retries=1, retry_interval_s=100)
    fail_download(station)
    again = station.power_cut(dark_s=10)
    again.run(89)
    assert not again.wanted(Download)
    again.run(1)
    fail_download(again)
    again.run(1000)
    assert len(again.wanted(Download)) == 1


def test_a_power_cut_while_a_transaction_holds_the_installation_up_installs() -> None:
    station = online()
    station.plug()
    station.tag()
    update(station)
    end_download(station)
    again = station.power_cut()
    again.connect()
    again.run(INSTALLATION_S)
    again.connect()
    assert versions(again)[-1] == "2.0.1"


def test_a_power_cut_while_installing_fails_the_installation() -> None:
    station = online()
    update(station)
    end_download(station)
    again = station.power_cut()
    again.connect()
    assert told(again) == [*WHOLE[:3], S.INSTALLATION_FAILED]
    again.run(3600)
    assert versions(again)[-1] == "1.0.0"
    assert again.connector().status is ConnectorState.AVAILABLE


def test_nothing_is_said_before_the_csms_accepts_the_charge_point() -> None:
    station = VirtualStation()
    station.csms.registration = RegistrationStatus.PENDING
    station.connect()
    update(station)
    end_download(station)
    assert told(station) == []


def test_an_end_of_a_transfer_that_nobody_waits_for_changes_nothing() -> None:
    station = online()
    station.handle(TransferEnded(number=7, ok=True, image=image()))
    assert told(station) == []
    assert triggered(station) is S.IDLE


def take_step(station: VirtualStation, step: str) -> VirtualStation:
    """Let something happen where it can; returns the station that lives then."""
    downloads = station.wanted(Download)
    takes_tags = {ConnectorState.PREPARING, ConnectorState.CHARGING}
    match step:
        case "update" if station.linked:
            update(station, retries=1, retry_interval_s=5)
        case "downloaded" if downloads:
            end_download(station)
        case "failed" if downloads:
            fail_download(station)
        case "cut":
            return station.power_cut()
        case "link" if station.linked:
            station.disconnect()
        case "link":
            station.connect()
        case "tag" if station.connector().status in takes_tags:
            station.tag()
    return station


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(
        st.sampled_from(["update", "downloaded", "failed", "cut", "link", "tag", "1", "5", "40"]),
        max_size=25,
    ),
)
def test_whatever_happens_no_status_comes_out_of_order(steps: list[str]) -> None:
    station = online()
    station.plug()
    for step in steps:
        if step.isdigit():
            station.run(float(step))
        else:
            station = take_step(station, step)
    if not station.linked:
        station.connect()
    station.run(120)
    for before, after in pairwise(told(station)):
        assert after in _MAY_FOLLOW[before], f"{after} after {before}"


_BEGINNINGS = {S.DOWNLOADING}
_MAY_FOLLOW = {
    # Twice the same: lost with the link or the power before its answer, or begun again.
    S.DOWNLOADING: {S.DOWNLOADING, S.DOWNLOADED, S.DOWNLOAD_FAILED},
    S.DOWNLOAD_FAILED: {S.DOWNLOAD_FAILED, *_BEGINNINGS},
    S.DOWNLOADED: {S.DOWNLOADED, S.INSTALLING, *_BEGINNINGS},
    S.INSTALLING: {S.INSTALLING, S.INSTALLED, S.INSTALLATION_FAILED},
    S.INSTALLED: {S.INSTALLED, *_BEGINNINGS},
    S.INSTALLATION_FAILED: {S.INSTALLATION_FAILED, *_BEGINNINGS},
}
