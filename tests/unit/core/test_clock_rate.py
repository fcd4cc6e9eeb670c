"""Boot, clock rate: what concerns the world outside takes its real time, however fast the clock."""

import pytest

from cp_image.api.payloads import ConnectorState
from cp_image.core.csms_messages import Reset, UpdateFirmware
from cp_image.core.effects import Download, Persist, Reboot
from cp_image.core.events import TransferEnded
from cp_image.core.firmware import FAREWELL_S, INSTALLATION_S
from cp_image.core.firmware_image import FirmwareImage
from cp_image.core.messages import (
    BootNotification,
    FirmwareStatusNotification,
    RegistrationStatus,
    StopTransaction,
)
from tests.support.charging import charging
from tests.support.scripted_csms import ScriptedCsms
from tests.support.virtual_station import VirtualStation, make_settings

RATE = 1000.0


def unregistered(interval_s: int, rate: float = RATE) -> VirtualStation:
    csms = ScriptedCsms()
    csms.registration = RegistrationStatus.REJECTED
    csms.interval_s = interval_s
    station = VirtualStation(make_settings(clock_rate=rate), csms=csms)
    station.connect()
    return station


def test_a_rejected_charge_point_takes_thirty_real_seconds_of_its_own() -> None:
    station = unregistered(0)
    station.run(65 * RATE)
    assert station.heard_at(BootNotification) == [0, 30 * RATE, 60 * RATE]


def test_a_short_interval_is_no_flood_on_a_fast_clock() -> None:
    station = unregistered(5)
    station.run(3.5 * RATE)
    assert station.heard_at(BootNotification) == [0, RATE, 2 * RATE, 3 * RATE]


def test_an_interval_the_csms_names_counts_in_station_time() -> None:
    station = unregistered(50, rate=10.0)
    station.run(120)
    assert station.heard_at(BootNotification) == [0, 50, 100]


@pytest.mark.parametrize("rate", [0.01, 1.0, RATE])
def test_an_answer_may_take_thirty_real_seconds(rate: float) -> None:
    settings = make_settings(clock_rate=rate)
    assert settings.call_timeout_s == 30.0 * rate


def test_a_soft_reset_waits_sixty_real_seconds() -> None:
    station = charging(clock_rate=RATE, configuration={"HeartbeatInterval": "0"})
    station.csms.silent.add(StopTransaction)
    station.ask(Reset(hard=False))
    station.run(59 * RATE)
    assert not station.wanted(Reboot)
    station.run(2 * RATE)
    assert station.wanted(Reboot)


def test_a_moving_register_is_kept_every_ten_real_seconds() -> None:
    station = charging(clock_rate=RATE, configuration={"MeterValueSampleInterval": "0"})
    assert station.connector().status is ConnectorState.CHARGING
    before = len(station.wanted(Persist))
    station.run(35 * RATE)
    assert len(station.wanted(Persist)) - before == 3


def test_a_reboot_after_an_update_waits_thirty_five_real_seconds() -> None:
    station = VirtualStation(make_settings(clock_rate=RATE))
    station.connect()
    station.csms.silent.add(FirmwareStatusNotification)
    station.ask(UpdateFirmware(location="http://files/2.0.bin", retrieve_at=station.now))
    image = FirmwareImage(file_name="2.0.bin", size_bytes=1, sha256="ab" * 32, first_line="")
    number = station.wanted(Download)[-1].number
    station.handle(TransferEnded(number=number, ok=True, image=image))
    station.run(INSTALLATION_S + (FAREWELL_S - 1) * RATE)
    assert not station.wanted(Reboot)
    station.run(2 * RATE)
    assert station.wanted(Reboot)
