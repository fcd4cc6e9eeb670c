"""Boot: registration, heartbeats, and how the charge point says it stands."""

from itertools import pairwise
from random import Random

import pytest

from cp_image.api.payloads import ChargePointState, ConnectorState
from cp_image.core.effects import PublishStation
from cp_image.core.events import CallAnswered, CsmsConnected
from cp_image.core.messages import (
    BootNotification,
    EmptyAnswer,
    Heartbeat,
    RegistrationStatus,
    StatusNotification,
)
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings


def told(station: VirtualStation) -> list[str]:
    return [type(request).__name__ for _, request in station.csms.heard]


def states(station: VirtualStation) -> list[ChargePointState]:
    return [status.status for status in station.station_history()]


def test_boot_then_every_status_then_heartbeats() -> None:
    station = VirtualStation()
    station.connect()
    station.run(900)
    assert told(station) == ["BootNotification"] + 3 * ["StatusNotification"] + 3 * ["Heartbeat"]
    assert [s.connector_id for s in station.heard(StatusNotification)] == [0, 1, 2]
    assert station.heard_at(Heartbeat) == [300.0, 600.0, 900.0]
    assert station.station.ocpp_config()["HeartbeatInterval"] == "300"
    boot = station.heard(BootNotification)[0]
    assert (boot.vendor, boot.model, boot.serial) == ("cp-simu", "Simulated CP", "S1")


def test_it_says_how_it_stands() -> None:
    station = VirtualStation()
    assert station.station_history() == [PublishStation(status=ChargePointState.DISCONNECTED)]
    station.connect()
    station.disconnect("no route")
    assert states(station) == ["Disconnected", "Rejected", "Accepted", "Disconnected"]
    assert station.station_history()[-1].reason == "no route"
    station.disconnect("no route")
    assert len(states(station)) == 4
    station.disconnect("refused")
    assert station.station_history()[-1].reason == "refused"


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (RegistrationStatus.PENDING, ChargePointState.PENDING),
        (RegistrationStatus.REJECTED, ChargePointState.REJECTED),
    ],
)
@pytest.mark.parametrize(("interval_s", "wait_s"), [(10, 10.0), (0, 30.0)])
def test_what_is_not_accepted_asks_again_and_says_nothing_else(
    status: RegistrationStatus, shown: ChargePointState, interval_s: int, wait_s: float
) -> None:
    station = VirtualStation()
    station.csms.registration = status
    station.csms.interval_s = interval_s
    station.connect()
    station.plug()
    station.tag()
    station.run(3 * wait_s)
    assert station.heard_at(BootNotification) == [0, wait_s, 2 * wait_s, 3 * wait_s]
    assert set(told(station)) == {"BootNotification"}
    assert states(station)[-1] is shown
    assert f"again in {wait_s:g} s" in station.station_history()[-1].reason

    station.csms.registration = RegistrationStatus.ACCEPTED
    station.run(wait_s)
    assert states(station)[-1] is ChargePointState.ACCEPTED
    assert station.reported() == [ConnectorState.PREPARING]


def test_a_new_link_does_not_shorten_the_interval() -> None:
    station = VirtualStation()
    station.csms.registration = RegistrationStatus.REJECTED
    station.csms.interval_s = 60
    station.connect()
    station.run(10)
    station.disconnect()
    station.run(10)
    station.connect()
    station.run(40)
    assert station.heard_at(BootNotification) == [0.0, 60.0]


def test_an_interval_that_ends_without_a_link_waits_for_one() -> None:
    station = VirtualStation()
    station.csms.registration = RegistrationStatus.PENDING
    station.csms.interval_s = 60
    station.connect()
    station.disconnect()
    assert station.station.next_deadline() is None
    station.run(600)
    station.connect()
    assert station.heard_at(BootNotification) == [0.0, 600.0]


def test_an_error_is_followed_by_another_attempt() -> None:
    station = VirtualStation()
    station.csms.refusals[BootNotification] = 1
    station.connect()
    assert states(station)[-1] is ChargePointState.REJECTED
    station.run(30)
    assert station.heard_at(BootNotification) == [0.0, 30.0]
    assert states(station)[-1] is ChargePointState.ACCEPTED


def test_silence_is_followed_by_another_attempt() -> None:
    station = VirtualStation()
    station.csms.silent = {BootNotification}
    station.connect()
    station.run(59)
    station.csms.silent = set()
    station.run(1)
    assert station.heard_at(BootNotification) == [0.0, 60.0]  # 30 s of silence, 30 s of waiting
    assert states(station)[-1] is ChargePointState.ACCEPTED


def test_a_link_that_breaks_before_the_answer_boots_with_the_next() -> None:
    station = VirtualStation()
    station.csms.silent = {BootNotification}
    station.connect()
    station.disconnect()
    station.csms.silent = set()
    station.run(3)
    station.connect()
    assert station.heard_at(BootNotification) == [0.0, 3.0]
    assert states(station)[-1] is ChargePointState.ACCEPTED


def test_a_reconnect_boots_no_more_and_reports_what_changed() -> None:
    station = VirtualStation()
    station.connect()
    heard = len(station.csms.heard)
    station.disconnect()
    station.run(100)
    station.plug(1)
    station.plug(2)
    station.unplug(2)
    station.run(100)
    station.connect()
    assert [request for _, request in station.csms.heard[heard:]] == [
        StatusNotification(
            connector_id=1, status=ConnectorState.PREPARING, at=EPOCH + 100, error_code="NoError"
        )
    ]


def test_a_status_nobody_confirmed_is_reported_again_after_a_reconnect() -> None:
    station = VirtualStation()
    station.connect()
    station.csms.silent = {StatusNotification}
    station.plug()
    station.disconnect()
    station.csms.silent = set()
    station.connect()
    assert station.reported() == [
        ConnectorState.AVAILABLE,
        ConnectorState.PREPARING,
        ConnectorState.PREPARING,
    ]


def test_a_new_link_without_the_end_of_the_old_one_is_a_reconnect() -> None:
    station = VirtualStation()
    station.csms.silent = {Heartbeat}
    station.connect()
    station.run(310)  # a Heartbeat is in flight
    station._in_flight = None
    station.handle(CsmsConnected())
    station.plug()
    assert station.reported()[-1] is ConnectorState.PREPARING
    assert len(station.heard(BootNotification)) == 1


def test_interval_0_leaves_the_configured_heartbeat() -> None:
    station = VirtualStation(make_settings(configuration={"HeartbeatInterval": "40"}))
    station.csms.interval_s = 0
    station.connect()
    station.run(100)
    assert station.heard_at(Heartbeat) == [40.0, 80.0]


def test_without_any_interval_an_idle_station_never_wakes() -> None:
    station = VirtualStation(make_settings(configuration={"HeartbeatInterval": "0"}))
    station.csms.interval_s = 0
    station.connect()
    assert station.station.next_deadline() is None


def test_a_silent_csms_is_not_flooded_with_heartbeats() -> None:
    station = VirtualStation()
    station.csms.interval_s = 1
    station.csms.silent = {Heartbeat}
    station.connect()
    station.run(300)
    assert len(station.heard(Heartbeat)) == 10  # one per timeout
    station.csms.silent = set()
    station.run(40)
    assert len(station.heard(Heartbeat)) < 10 + 40 + 1


def test_the_clock_follows_the_csms_but_not_its_rounding() -> None:
    station = VirtualStation()
    station.csms.clock_offset_s = -86_400.0
    station.connect()
    station.csms.clock_offset_s = -86_400.4
    station.run(300)
    station.plug(1)
    assert station.heard(StatusNotification)[-1].at == EPOCH + 300 - 86_400
    station.csms.clock_offset_s = 10.0
    station.run(300)
    station.plug(2)
    assert station.heard(StatusNotification)[-1].at == EPOCH + 600 + 10


def test_the_clock_survives_a_power_cut() -> None:
    station = VirtualStation()
    station.csms.clock_offset_s = 77.0
    station.connect()
    again = station.power_cut()
    again.csms.silent = {BootNotification}
    again.plug()
    again.csms.clock_offset_s = 0.0
    assert again.station._ground.clock.at(EPOCH) == EPOCH + 77


def test_an_answer_nobody_waits_for_is_ignored() -> None:
    station = VirtualStation()
    station.connect()
    heard = len(station.csms.heard)
    station.handle(CallAnswered(message_id="unknown", answer=EmptyAnswer()))
    assert len(station.csms.heard) == heard
    assert "unknown" in station.logs()[-1]


def test_the_end_is_said_and_nothing_after_it() -> None:
    station = VirtualStation()
    station.connect()
    station.stop()
    last = station.station_history()[-1]
    assert (last.status, last.reason) == (ChargePointState.DEAD, "closed")
    assert station.station.next_deadline() is None
    count = len(station.effects)
    station.plug()
    station.disconnect()
    station.run(1000)
    assert len(station.effects) == count


class TestAFleetDoesNotBootInStep:
    """What delay it takes of its own is a little different each time, and for each of them."""

    def boots_at(self, seed: int, *, interval_s: int = 0, silent: bool = False) -> list[float]:
        station = VirtualStation(random=Random(seed))
        station.csms.registration = RegistrationStatus.PENDING
        station.csms.interval_s = interval_s
        station.csms.silent = {BootNotification} if silent else set()
        station.connect()
        station.run(600)
        return station.heard_at(BootNotification)

    @pytest.mark.parametrize(("silent", "least_s"), [(False, 30), (True, 60)])
    def test_where_the_csms_names_no_interval_or_says_nothing(
        self, silent: bool, least_s: float
    ) -> None:
        fleet = [self.boots_at(seed, silent=silent) for seed in range(20)]
        waits = {later - sooner for boots in fleet for sooner, later in pairwise(boots)}
        assert least_s <= min(waits) < max(waits) <= least_s + 15
        assert len({boots[1] for boots in fleet}) == len(fleet)
        assert all(len({b - a for a, b in pairwise(boots)}) > 1 for boots in fleet)

    def test_an_interval_of_the_csms_is_kept_to_the_second(self) -> None:
        assert self.boots_at(1, interval_s=100) == [0, 100, 200, 300, 400, 500, 600]

    def test_the_same_seed_makes_the_same_fleet(self) -> None:
        assert self.boots_at(7) == self.boots_at(7)
