"""Transaction messages, power cuts: what was told stays told, what was not is told later."""

import math
from collections.abc import Callable

import pytest

from cp_image.api.payloads import CarInput, ConnectorState, StopReason, TransactionStopped
from cp_image.core.csms_messages import ReserveNow
from cp_image.core.effects import Persist, PublishEvent
from cp_image.core.messages import (
    AuthorizationStatus,
    BootNotification,
    IdTagStatus,
    MeterValues,
    StartTransaction,
    StopTransaction,
)
from tests.support.stations import charging
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

S = ConnectorState


def test_an_open_transaction_is_closed_with_the_last_reading() -> None:
    station = charging(VirtualStation())
    station.run(159)
    again = station.power_cut(dark_s=1000)
    assert again.connector().status is S.FINISHING
    assert again.connector().transaction_id is None
    assert again.connector().register_wh == 460
    assert again.events() == [
        TransactionStopped(
            at=EPOCH + 150,
            connector_id=1,
            id_tag="TAG1",
            transaction_id=1001,
            meter_start_wh=0,
            meter_stop_wh=460,
            reason=StopReason.POWER_LOSS,
        )
    ]
    again.connect()
    assert again.heard(StopTransaction) == [
        StopTransaction(
            transaction_id=1001, meter_stop_wh=460, at=EPOCH + 150, reason=StopReason.POWER_LOSS
        )
    ]
    assert len(again.heard(BootNotification)) == 2
    again.unplug()
    assert again.reported()[-2:] == [S.FINISHING, S.AVAILABLE]


def test_a_transaction_is_closed_once_even_when_the_power_goes_again() -> None:
    station = charging(VirtualStation())
    again = station.power_cut().power_cut(dark_s=10).power_cut()
    assert again.connector().status is S.FINISHING  # the used cable is still in
    again.connect()
    assert len(again.heard(StopTransaction)) == 1
    after = again.power_cut()
    after.connect()
    assert len(after.heard(StopTransaction)) == 1


def test_an_orderly_end_leaves_the_transaction_for_the_next_start() -> None:
    station = charging(VirtualStation())
    station.run(90)
    station.stop()
    assert "transaction/1" in station.stored
    again = station.power_cut()
    again.connect()
    stop = again.heard(StopTransaction)[0]
    assert (stop.reason, stop.meter_stop_wh, stop.at) == (StopReason.REBOOT, 276, EPOCH + 90)


def test_messages_of_before_the_cut_are_told_after_it_in_order() -> None:
    station = charging(VirtualStation())
    station.disconnect()
    station.run(130)
    again = station.power_cut()
    again.plug(2)
    again.connect()
    again.tag("TAG2", 2)
    told = [r for _, r in again.csms.heard if isinstance(r, (MeterValues, StopTransaction))]
    assert [type(r) for r in told] == [MeterValues, MeterValues, StopTransaction]
    assert {r.transaction_id for r in told} == {1001}
    assert again.connector(2).transaction_id == 1002


def test_a_start_that_was_never_answered_is_told_again_and_then_its_stop() -> None:
    station = VirtualStation()
    station.csms.silent = {StartTransaction}
    charging(station)
    station.run(10)
    again = station.power_cut()
    again.csms.silent = set()
    again.connect()
    assert len(again.heard(StartTransaction)) == 2
    assert again.heard(StartTransaction)[1].at == EPOCH
    assert [s.transaction_id for s in again.heard(StopTransaction)] == [1001]


def test_the_transaction_id_survives_even_when_the_session_is_over() -> None:
    station = charging(VirtualStation())
    station.disconnect()
    station.unplug()
    again = station.power_cut()
    assert again.events() == []
    again.connect()
    assert [s.transaction_id for s in again.heard(StopTransaction)] == [1001]
    assert not [key for key in again.stored if key.startswith(("queue/", "transaction"))]


def test_a_stop_that_is_orphaned_by_the_cut_does_not_take_another_transactions_id() -> None:
    station = VirtualStation(make_settings(configuration={"TransactionMessageAttempts": "1"}))
    station.connect()
    station.plug()
    station.csms.refusals[StartTransaction] = 1
    station.tag()
    again = station.power_cut()
    again.connect()
    for _ in range(20):
        again.unplug()
        again.plug()
        again.tag()
    again.unplug()
    assert [s.transaction_id for s in again.heard(StopTransaction)] == list(range(1001, 1021))


def test_the_car_stays_where_it_is() -> None:
    station = VirtualStation()
    station.plug(2, cable=20.0, draws=7.0)
    again = station.power_cut()
    shown = again.connector(2)
    assert shown.status is S.PREPARING
    assert (shown.car_cable_capacity, shown.car_consumption_l2, shown.car_ready) == (20, 7, True)
    again.connect()
    again.tag("TAG1", 2)
    assert again.connector(2).status is S.CHARGING


def test_an_authorization_without_a_cable_is_gone() -> None:
    station = VirtualStation()
    station.connect()
    station.tag()
    again = station.power_cut()
    assert again.connector().status is S.AVAILABLE


def test_a_record_that_cannot_be_read_is_reported_and_forgotten() -> None:
    station = charging(VirtualStation())
    station.disconnect()
    station.run(60)
    broken = {key: b"{" if key.startswith("queue/") else v for key, v in station.stored.items()}
    broken["queue/000000000099"] = b'{"number":99,"local_id":1}'
    broken["meter/2"] = b'"much"'
    again = VirtualStation(stored=broken, now=station.now)
    assert sum("cannot be read" in text for text in again.logs()) == 2
    assert any("holds no request" in text for text in again.logs())
    assert again.stored.get("queue/000000000099") is None
    assert again.connector(1).status is S.FINISHING
    again.connect()
    assert again.connector(2).status is S.AVAILABLE


ROUND: tuple[Callable[[VirtualStation], None], ...] = (
    lambda station: station.plug(),
    lambda station: station.tag() if station.connector().status is S.PREPARING else None,
    lambda station: station.run(100),
    lambda station: station.disconnect(),
    lambda station: station.run(100),
    lambda station: station.unplug(),
    lambda station: station.run(50),
    lambda station: station.connect(),
    lambda station: station.run(10),
)


def worked(station: VirtualStation, cut_after: int) -> VirtualStation:
    """Run three rounds of work; cut the power after so many steps, and go on with what comes up."""
    station.connect()
    for steps, action in enumerate(3 * ROUND, start=1):
        action(station)
        if steps == cut_after:
            station = station.power_cut(dark_s=20)
            station.connect()
    return station


@pytest.mark.parametrize("cut_after", range(1, 3 * len(ROUND) + 1))
def test_wherever_the_cut_comes_every_transaction_ends_once_and_in_order(cut_after: int) -> None:
    station = worked(VirtualStation(), cut_after)
    station.run(300)
    open_ids: dict[int, int] = {}
    closed: list[int] = []
    register = 0
    started = 0
    for _, request in station.csms.heard:
        match request:
            case StartTransaction(meter_start_wh=meter_start_wh):
                assert meter_start_wh >= register
                register = meter_start_wh
                open_ids[1001 + started] = meter_start_wh
                started += 1
            case MeterValues(transaction_id=int() as transaction_id):
                assert transaction_id in open_ids
            case StopTransaction(transaction_id=transaction_id, meter_stop_wh=meter_stop_wh):
                assert transaction_id not in closed
                assert meter_stop_wh >= open_ids.pop(transaction_id)
                register = meter_stop_wh
                closed.append(transaction_id)
    assert open_ids == {}
    assert closed == sorted(closed)
    assert started == len(closed) >= 2
    assert not [key for key in station.stored if key.startswith(("queue/", "transaction"))]


def test_messages_of_several_lives_keep_their_order() -> None:
    station = charging(VirtualStation())
    station.disconnect()
    station.run(600)
    again = station.power_cut().power_cut()
    again.connect()
    told = [type(r) for _, r in again.csms.heard if isinstance(r, (MeterValues, StopTransaction))]
    assert told == 10 * [MeterValues] + [StopTransaction]


def test_a_paused_transaction_is_closed_at_its_last_reading() -> None:
    station = charging(VirtualStation())
    station.run(30)
    station.car(1, CarInput(ready=False))
    station.run(300)
    again = station.power_cut()
    again.connect()
    assert again.heard(StopTransaction)[0].at == EPOCH + 300


class TestTheRegisterIsKeptWhileEnergyFlows:
    """At least every 10 s of station time, whatever the CSMS wants to hear of it."""

    def charging(self, **keys: str) -> VirtualStation:
        quiet = {"MeterValueSampleInterval": "0", "HeartbeatInterval": "0", **keys}
        station = VirtualStation(make_settings(configuration=quiet))
        station.csms.interval_s = 0
        return charging(station)

    @pytest.mark.parametrize("interval", ["0", "7", "60"])
    @pytest.mark.parametrize("seconds", [0.5, 9.9, 10, 61.5, 1234.5])
    def test_a_kill_costs_at_most_ten_seconds_of_it(self, interval: str, seconds: float) -> None:
        station = self.charging(MeterValueSampleInterval=interval)
        station.run(seconds)
        again = station.power_cut(dark_s=3600)
        again.connect()
        (stop,) = again.heard(StopTransaction)
        charged_s = stop.at - EPOCH
        assert 0 <= seconds - charged_s < 10
        assert stop.meter_stop_wh == math.floor(11_040 * charged_s / 3600 + 1e-6)
        assert again.connector().register_wh == pytest.approx(11_040 * charged_s / 3600)

    def test_so_is_what_the_battery_holds(self) -> None:
        station = self.charging()
        station.car(1, CarInput(battery_wh=60_000, soc_pct=50, max_current_a=16))
        station.run(1805)
        shown = station.power_cut().connector()
        assert shown.register_wh == pytest.approx(5520)
        assert shown.soc_pct == pytest.approx(50 + 5520 / 600, abs=1e-3)

    def test_nothing_is_taken_back_when_the_clock_is_set_meanwhile(self) -> None:
        station = self.charging(HeartbeatInterval="300")
        station.csms.clock_offset_s = -86_400.0
        station.run(905)
        again = station.power_cut()
        assert again.connector().register_wh == pytest.approx(11_040 * 900 / 3600)

    def test_nothing_is_published_or_said_for_it(self) -> None:
        station = self.charging()
        before = len(station.effects)
        station.run(600)
        assert {type(effect) for _, effect in station.effects[before:]} == {Persist}

    def test_all_connectors_have_one_deadline(self) -> None:
        station = self.charging()
        station.run(3)
        station.plug(2)
        station.tag("TAG2", 2)
        before = len(station.effects)
        station.run(60)
        kept_at = {at - EPOCH for at, _ in station.effects[before:]}
        assert kept_at == {10, 20, 30, 40, 50, 60}

    @pytest.mark.parametrize("pause", [CarInput(ready=False), CarInput(consumption_l1=0.0)])
    def test_nothing_is_kept_while_nothing_flows(self, pause: CarInput) -> None:
        station = self.charging()
        station.plug(draws=8.0)
        for _ in range(2):
            station.car(1, pause)
            station.plug(draws=0.0)
            assert station.connector().status is S.SUSPENDED_EV
            assert station.station.next_deadline() is None
        station.car(1, CarInput(ready=True))
        station.plug()
        assert station.station.next_deadline() == station.now + 10
        station.tag()
        assert station.station.next_deadline() is None


class TestThereAreFewerConnectorsThanBefore:
    """Its specification was changed while it was off, and the volume stayed."""

    def shrunk(self, station: VirtualStation) -> VirtualStation:
        again = VirtualStation(
            make_settings(nb_connectors=1),
            csms=station.csms,
            stored=station.stored,
            now=station.now + 60,
            message_ids=station._message_ids,
        )
        again.connect()
        again.run(600)
        return again

    @pytest.mark.parametrize("online", [True, False])
    def test_the_transaction_of_one_that_is_gone_is_closed(self, online: bool) -> None:
        station = VirtualStation(
            make_settings(configuration={"AllowOfflineTxForUnknownId": "true"})
        )
        station.connect()
        if not online:
            station.disconnect()
        station.plug(2)
        station.tag("TAG1", 2)
        station.run(65)
        again = self.shrunk(station)
        (start,) = again.heard(StartTransaction)
        (stop,) = again.heard(StopTransaction)
        assert (start.connector_id, stop.transaction_id) == (2, 1001)
        assert (stop.reason, stop.at, stop.meter_stop_wh) == (
            StopReason.POWER_LOSS,
            EPOCH + 60,
            184,
        )
        assert not [key for key in again.stored if key.startswith(("queue/", "transaction"))]
        assert len(again.power_cut().wanted(PublishEvent)) == 0

    def test_its_refused_tag_stops_nothing(self) -> None:
        station = VirtualStation(
            make_settings(configuration={"AllowOfflineTxForUnknownId": "true"})
        )
        station.plug(2)
        station.tag("TAG1", 2)
        station.csms.start_status = IdTagStatus(status=AuthorizationStatus.BLOCKED)
        again = self.shrunk(station)
        assert len(again.heard(StopTransaction)) == 1

    def test_its_reservation_ends(self) -> None:
        station = VirtualStation()
        station.connect()
        station.ask(
            ReserveNow(
                reservation_id=7, connector_id=2, expires_at=station.now + 3600, id_tag="TAG1"
            )
        )
        again = self.shrunk(station)
        assert not [key for key in again.stored if key.startswith("reservation/")]
        assert again.connector().status is S.AVAILABLE
