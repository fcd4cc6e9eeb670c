"""Signed firmware updates: every status in order, every signature checked (Security Whitepaper)."""

from typing import Any

import pytest

from cp_image.api.payloads import ConnectorState
from cp_image.api.secrets import SecurityProfile
from cp_image.core import security_messages as sm
from cp_image.core.csms_messages import UpdateFirmware
from cp_image.core.effects import CancelTransfer, Download, Reboot
from cp_image.core.events import TransferEnded
from cp_image.core.firmware import FAREWELL_S, INSTALLATION_S
from cp_image.core.firmware_image import FirmwareImage
from cp_image.core.messages import BootNotification
from cp_image.core.security_settings import SecuritySettings
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings
from tests.unit.core.security_fakes import FakeReader, fake_pem

S = sm.SignedFirmwareStatus
A = sm.SignedUpdateFirmwareStatus
MAKER = fake_pem("Maker")
SIGNER = fake_pem("Signer", issuer="Maker")
DIGEST = "ab" * 32
IMAGE = FirmwareImage(file_name="cp-simu-2.0.1.bin", size_bytes=1000, sha256=DIGEST, first_line="")
WHOLE = [
    S.DOWNLOADING,
    S.DOWNLOADED,
    S.SIGNATURE_VERIFIED,
    S.INSTALLING,
    S.INSTALL_REBOOTING,
    S.INSTALLED,
]


def online(manufacturer_ca: str = MAKER) -> VirtualStation:
    security = SecuritySettings(
        profile=SecurityProfile.BASIC, authorization_key=b"k" * 16, manufacturer_ca=manufacturer_ca
    )
    station = VirtualStation(make_settings(security=security), certificates=FakeReader())
    station.connect()
    return station


def update(station: VirtualStation, **changes: Any) -> sm.SignedUpdateFirmwareStatus:
    fields: dict[str, Any] = {
        "request_id": 5,
        "location": "https://files.example.com/cp-simu-2.0.1.bin",
        "retrieve_at": station.now,
        "signing_certificate": SIGNER,
        "signature": f"Signer signs {DIGEST}",
        "retries": 0,
    }
    answer = station.ask(sm.SignedUpdateFirmware(**(fields | changes)))
    assert isinstance(answer, sm.SignedUpdateFirmwareAnswer)
    return answer.status


def end_download(station: VirtualStation, image: FirmwareImage = IMAGE) -> None:
    number = station.wanted(Download)[-1].number
    station.handle(TransferEnded(number=number, ok=True, image=image))


def fail_download(station: VirtualStation) -> None:
    number = station.wanted(Download)[-1].number
    station.handle(TransferEnded(number=number, ok=False, reason="connection refused"))


def told(station: VirtualStation) -> list[sm.SignedFirmwareStatus]:
    notifications = station.heard(sm.SignedFirmwareStatusNotification)
    assert {notification.request_id for notification in notifications} <= {5, 6}
    return [notification.status for notification in notifications]


def events(station: VirtualStation) -> list[str]:
    return [request.type for request in station.heard(sm.SecurityEventNotification)]


def test_an_update_goes_through_every_status_and_shows_after_the_reboot() -> None:
    station = online()
    assert update(station) is A.ACCEPTED
    end_download(station)
    assert told(station) == WHOLE[:4]
    assert station.connector().status is ConnectorState.UNAVAILABLE
    station.run(INSTALLATION_S)
    assert len(station.wanted(Reboot)) == 1
    station.connect()
    assert told(station) == WHOLE
    assert station.heard(BootNotification)[-1].firmware_version == "2.0.1"
    assert events(station)[-1] == "FirmwareUpdated"
    assert station.connector().status is ConnectorState.AVAILABLE


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (fake_pem("Signer", issuer="Stranger"), "does not come from a root"),
        (fake_pem("Signer", issuer="Maker", ends_at=EPOCH - 1), "has expired"),
        (fake_pem("Signer", issuer="Maker", weak=True), "too weak"),
        ("nonsense", "no PEM certificate"),
    ],
)
def test_a_signing_certificate_that_is_no_good(certificate: str, words: str) -> None:
    station = online()
    assert update(station, signing_certificate=certificate) is A.INVALID_CERTIFICATE
    assert words in " ".join(station.logs())
    assert events(station)[-1] == "InvalidFirmwareSigningCertificate"
    assert station.wanted(Download) == []


def test_without_a_manufacturer_no_certificate_is_good() -> None:
    assert update(online("")) is A.INVALID_CERTIFICATE


def test_a_manufacturer_may_be_installed() -> None:
    station = online("")
    use = sm.CertificateUse.MANUFACTURER_ROOT
    station.ask(sm.InstallCertificate(use=use, certificate=MAKER))
    assert update(station) is A.ACCEPTED


def test_a_signature_that_is_no_good() -> None:
    station = online()
    update(station)
    end_download(station, FirmwareImage(**{**_fields(IMAGE), "sha256": "cd" * 32}))
    assert told(station) == [S.DOWNLOADING, S.DOWNLOADED, S.INVALID_SIGNATURE]
    assert events(station)[-1] == "InvalidFirmwareSignature"
    station.run(1000)
    assert station.wanted(Reboot) == []
    assert station.connector().status is ConnectorState.AVAILABLE


def _fields(image: FirmwareImage) -> dict[str, Any]:
    return {name: getattr(image, name) for name in image.__struct_fields__}


def test_an_update_waits_for_its_dates() -> None:
    station = online()
    update(station, retrieve_at=EPOCH + 100, install_at=EPOCH + 500)
    assert told(station) == [S.DOWNLOAD_SCHEDULED]
    station.run(100)
    end_download(station)
    scheduled = [S.DOWNLOAD_SCHEDULED, *WHOLE[:3], S.INSTALL_SCHEDULED]
    assert told(station) == scheduled
    station.run(399)
    assert station.connector().status is ConnectorState.AVAILABLE
    assert told(station) == scheduled
    station.run(1 + INSTALLATION_S)
    station.connect()
    assert told(station) == [*scheduled, *WHOLE[3:]]


def test_an_installation_waits_for_transactions_and_lets_none_begin() -> None:
    station = online()
    station.plug()
    station.tag()
    update(station)
    end_download(station)
    assert told(station) == [*WHOLE[:3], S.INSTALL_SCHEDULED]
    assert station.connector(2).status is ConnectorState.UNAVAILABLE
    station.run(1000)
    station.tag()
    assert told(station)[-1] is S.INSTALLING


def test_downloads_are_tried_again_and_given_up() -> None:
    station = online()
    update(station, retries=1, retry_interval_s=10)
    fail_download(station)
    station.run(10)
    fail_download(station)
    assert told(station) == [S.DOWNLOADING, S.DOWNLOADING, S.DOWNLOAD_FAILED]


def test_a_location_that_can_never_be_reached_is_not_tried_again() -> None:
    station = online()
    update(station, retries=5, retry_interval_s=10)
    number = station.wanted(Download)[-1].number
    station.handle(TransferEnded(number=number, ok=False, reason="no URL", hopeless=True))
    station.run(1000)
    assert told(station) == [S.DOWNLOADING, S.DOWNLOAD_FAILED]


def test_a_newer_request_takes_the_place_of_one_that_has_not_begun_to_install() -> None:
    station = online()
    update(station)
    assert update(station, request_id=6) is A.ACCEPTED_CANCELED
    assert len(station.wanted(CancelTransfer)) == 1
    end_download(station)
    assert update(station, request_id=6) is A.REJECTED


def test_an_update_without_signature_and_one_with_it_do_not_mix() -> None:
    station = online()
    station.ask(UpdateFirmware(location="ftp://h/a", retrieve_at=station.now))
    assert update(station) is A.REJECTED


def test_a_broken_image_is_not_installed() -> None:
    station = online()
    update(station)
    end_download(station, FirmwareImage(**{**_fields(IMAGE), "size_bytes": 0}))
    station.run(INSTALLATION_S)
    assert told(station)[-1] is S.INSTALLATION_FAILED
    assert station.wanted(Reboot) == []


def test_a_power_cut_begins_the_download_again_and_fails_the_installation() -> None:
    station = online()
    update(station)
    again = station.power_cut()
    assert len(again.wanted(Download)) == 1
    again.connect()
    end_download(again)
    last = again.power_cut()
    last.connect()
    assert told(last)[-1] is S.INSTALLATION_FAILED


def test_a_csms_that_does_not_answer_holds_the_reboot_up_for_a_while_only() -> None:
    station = online()
    update(station)
    station.csms.silent.add(sm.SignedFirmwareStatusNotification)
    end_download(station)
    station.run(INSTALLATION_S + FAREWELL_S)
    assert len(station.wanted(Reboot)) == 1


def test_how_it_stands_is_told_when_asked() -> None:
    station = online()
    update(station)
    wanted = sm.ExtendedTrigger.FIRMWARE_STATUS_NOTIFICATION
    station.ask(sm.ExtendedTriggerMessage(requested=wanted))
    assert told(station) == [S.DOWNLOADING, S.DOWNLOADING]
