"""Statuses, faults: levels, a set, of one connector or of all."""

import msgspec
import pytest

from cp_image.api.payloads import ConnectorState, ErrorCode, FaultedInput, StopReason
from cp_image.core.csms_messages import ChangeAvailability, Reset
from cp_image.core.effects import SendCall
from cp_image.core.errors import NotNowError
from cp_image.core.messages import (
    Authorize,
    AuthorizeAnswer,
    StartTransaction,
    StatusNotification,
    StopTransaction,
)
from tests.support.scripted_csms import ACCEPTED
from tests.support.virtual_station import VirtualStation

S = ConnectorState


def connected() -> VirtualStation:
    station = VirtualStation()
    station.connect()
    return station


def test_a_fault_is_a_level_with_an_error_code() -> None:
    station = connected()
    station.fault()
    station.fault()
    assert station.connector().status is S.FAULTED
    assert station.connector().error_code == "InternalError"
    station.fault(faulted=False)
    station.fault(faulted=False)
    told = [r for r in station.heard(StatusNotification) if r.connector_id == 1]
    assert [(r.status, r.error_code) for r in told] == [
        (S.AVAILABLE, "NoError"),
        (S.FAULTED, "InternalError"),
        (S.AVAILABLE, "NoError"),
    ]
    assert station.connector().error_code == "NoError"


def test_clearing_a_fault_that_is_not_there_is_nothing() -> None:
    station = connected()
    before = len(station.csms.heard)
    station.fault(faulted=False)
    station.fault(0, faulted=False)
    assert station.connector().status is S.AVAILABLE
    assert len(station.csms.heard) == before


def test_connector_0_faults_everything() -> None:
    station = connected()
    station.fault(0)
    assert [station.reported(n)[-1] for n in (0, 1, 2)] == [S.FAULTED] * 3
    station.fault(0, faulted=False)
    assert [station.reported(n)[-1] for n in (0, 1, 2)] == [S.AVAILABLE] * 3


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_clearing_one_of_two_leaves_it_faulted(order: tuple[int, int]) -> None:
    station = connected()
    station.fault(0)
    station.fault(1)
    first, second = order
    station.fault(first, faulted=False)
    assert station.connector(1).status is S.FAULTED
    assert station.connector(1).error_code == "InternalError"
    station.fault(second, faulted=False)
    assert station.connector(1).status is S.AVAILABLE


def test_a_fault_stops_the_transaction_and_the_used_cable_has_to_go() -> None:
    station = connected()
    station.plug()
    station.tag()
    station.run(60)
    station.fault()
    stop = station.heard(StopTransaction)[0]
    assert (stop.reason, stop.id_tag, stop.meter_stop_wh) == (StopReason.OTHER, None, 184)
    assert station.reported()[-2:] == [S.CHARGING, S.FAULTED]
    station.run(600)
    assert station.connector().register_wh == 184
    station.fault(faulted=False)
    assert station.connector().status is S.FINISHING
    station.unplug()
    assert station.connector().status is S.AVAILABLE


def test_cables_move_while_it_is_faulted() -> None:
    station = connected()
    station.fault()
    station.plug()
    assert station.connector().status is S.FAULTED
    assert station.connector().car_cable_capacity == 32
    station.fault(faulted=False)
    assert station.connector().status is S.PREPARING
    station.fault()
    station.unplug()
    station.fault(faulted=False)
    assert station.connector().status is S.AVAILABLE


def test_a_used_cable_that_goes_during_the_fault_is_gone() -> None:
    station = connected()
    station.plug()
    station.tag()
    station.fault()
    station.unplug()
    station.plug()
    station.fault(faulted=False)
    assert station.connector().status is S.PREPARING


def test_a_fault_forgets_the_tag_that_waits() -> None:
    station = connected()
    station.tag()
    station.fault()
    station.fault(faulted=False)
    station.run(3600)
    station.plug()
    assert station.heard(StartTransaction) == []
    assert station.connector().status is S.PREPARING


def test_a_faulted_connector_takes_no_tag() -> None:
    station = connected()
    station.fault()
    with pytest.raises(NotNowError, match="connector 1 is Faulted: it takes a tag when"):
        station.tag()


def test_a_fault_without_a_link_is_reported_later() -> None:
    station = connected()
    station.disconnect()
    station.fault(2)
    station.connect()
    assert station.reported(2) == [S.AVAILABLE, S.FAULTED]
    assert station.reported(1) == [S.AVAILABLE]


def test_a_fault_forgets_the_tag_that_is_being_checked() -> None:
    station = connected()
    station.csms.silent = {Authorize}
    station.plug()
    station.tag()
    asked = station.wanted(SendCall)[-1]
    station.fault()
    station.fault(faulted=False)
    station.answer_late(asked.message_id, AuthorizeAnswer(id_tag_status=ACCEPTED))
    assert station.connector().status is S.PREPARING
    assert station.heard(StartTransaction) == []


# -- error codes -----------------------------------------------------------------------------

SOME = [code for code in ErrorCode if code is not ErrorCode.NO_ERROR]


def codes(station: VirtualStation, connector_id: int = 1) -> list[str]:
    told = station.heard(StatusNotification)
    return [r.error_code for r in told if r.connector_id == connector_id]


@pytest.mark.parametrize("code", SOME)
def test_every_error_code_can_be_set_and_cleared(code: ErrorCode) -> None:
    station = connected()
    station.fault(1, code)
    assert station.connector().error_code == code
    station.fault(1, code, faulted=False)
    assert codes(station) == ["NoError", code, "NoError"]


def test_clearing_one_of_two_codes_leaves_it_faulted_with_the_other() -> None:
    station = connected()
    station.fault(1, ErrorCode.GROUND_FAILURE)
    station.fault(1, ErrorCode.HIGH_TEMPERATURE)
    station.fault(1, ErrorCode.GROUND_FAILURE)  # a level, not an edge
    assert codes(station) == ["NoError", "GroundFailure", "HighTemperature"]
    station.fault(1, ErrorCode.HIGH_TEMPERATURE, faulted=False)
    assert station.connector().status is S.FAULTED
    assert codes(station)[-1] == "GroundFailure"
    station.fault(1, ErrorCode.OVER_VOLTAGE, faulted=False)  # was never set
    assert station.connector().status is S.FAULTED
    station.fault(1, ErrorCode.GROUND_FAILURE, faulted=False)
    assert station.connector().status is S.AVAILABLE
    assert codes(station)[-1] == "NoError"


def test_clearing_without_a_code_clears_all_that_were_injected_here() -> None:
    station = connected()
    station.fault(1)
    station.fault(1, ErrorCode.READER_FAILURE)
    station.fault(0, ErrorCode.POWER_METER_FAILURE)
    station.fault(1, faulted=False)
    assert station.connector().error_code == "PowerMeterFailure"
    assert station.connector(2).error_code == "PowerMeterFailure"
    station.fault(0, ErrorCode.READER_FAILURE, faulted=False)
    assert codes(station, 0) == ["NoError", "PowerMeterFailure"]
    station.fault(0, faulted=False)
    assert [station.connector(n).status for n in (1, 2)] == [S.AVAILABLE] * 2


def test_no_error_is_no_fault() -> None:
    with pytest.raises(msgspec.ValidationError, match="NoError is no fault"):
        msgspec.json.decode(b'{"faulted":true,"error_code":"NoError"}', type=FaultedInput)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"faulted":true,"error_code":"Sunburn"}', type=FaultedInput)
    plain = msgspec.json.decode(b'{"faulted":true}', type=FaultedInput)
    assert plain.error_code is None


class TestThePowerCut:
    """A fault is a level: it is there until it is cleared, whatever becomes of the power."""

    @pytest.mark.parametrize("code", SOME)
    def test_each_fault_is_still_there(self, code: ErrorCode) -> None:
        station = connected()
        station.fault(2, code)
        again = station.power_cut(dark_s=100)
        assert [again.connector(n).status for n in (1, 2)] == [S.AVAILABLE, S.FAULTED]
        assert again.connector(2).error_code == code
        again.connect()
        assert codes(again, 2)[-1] == code
        assert again.reported(0)[-1] is S.AVAILABLE
        again.fault(2, code, faulted=False)
        assert again.connector(2).status is S.AVAILABLE
        assert again.power_cut().connector(2).status is S.AVAILABLE
        assert not [key for key in again.stored if key.startswith("fault/")]

    def test_so_is_that_of_the_charge_point(self) -> None:
        station = connected()
        station.fault(0, ErrorCode.HIGH_TEMPERATURE)
        again = station.power_cut()
        again.connect()
        assert [again.reported(n)[-1] for n in (0, 1, 2)] == [S.FAULTED] * 3
        assert [codes(again, n)[-1] for n in (0, 1, 2)] == ["HighTemperature"] * 3
        again.fault(0, faulted=False)
        assert [again.reported(n)[-1] for n in (0, 1, 2)] == [S.AVAILABLE] * 3
        assert [again.power_cut().connector(n).status for n in (1, 2)] == [S.AVAILABLE] * 2

    def test_one_of_two_can_be_cleared_afterwards(self) -> None:
        station = connected()
        station.fault(1, ErrorCode.GROUND_FAILURE)
        station.fault(0, ErrorCode.OVER_VOLTAGE)
        again = station.power_cut()
        assert again.connector().error_code == ErrorCode.OVER_VOLTAGE
        again.fault(0, faulted=False)
        again = again.power_cut()
        assert again.connector().error_code == ErrorCode.GROUND_FAILURE
        assert again.connector(2).status is S.AVAILABLE
        again.fault(1, faulted=False)
        assert again.connector().status is S.AVAILABLE

    def test_it_outlives_a_reset_too(self) -> None:
        station = connected()
        station.fault()
        station.ask(Reset(hard=True))
        station.connect()
        assert station.reported()[-1] is S.FAULTED

    def test_its_transaction_does_not_go_on(self) -> None:
        station = connected()
        station.plug()
        station.tag()
        station.run(60)
        station.disconnect()
        station.fault()
        again = station.power_cut()
        again.connect()
        again.run(600)
        assert again.connector().status is S.FAULTED
        assert [stop.reason for stop in again.heard(StopTransaction)] == [StopReason.OTHER]
        assert again.connector().register_wh == 184
        again.fault(faulted=False)
        assert again.connector().status is S.FINISHING
        assert len(again.heard(StartTransaction)) == 1

    def test_what_is_out_of_service_too_stays_so_when_it_is_repaired(self) -> None:
        station = connected()
        station.fault()
        station.ask(ChangeAvailability(connector_id=1, operative=False))
        again = station.power_cut()
        assert again.connector().status is S.FAULTED
        again.fault(faulted=False)
        assert again.connector().status is S.UNAVAILABLE

    def test_what_is_no_news_is_not_written_again(self) -> None:
        station = connected()
        station.fault()
        before = len(station.effects)
        station.fault()
        station.fault(0, ErrorCode.OVER_VOLTAGE, faulted=False)
        assert len(station.effects) == before

    def test_records_that_cannot_be_read_are_dropped(self) -> None:
        station = connected()
        station.fault(0)
        stored = {key: b"7" if key.startswith("fault/") else v for key, v in station.stored.items()}
        again = VirtualStation(stored=stored, now=station.now)
        assert [again.connector(n).status for n in (1, 2)] == [S.AVAILABLE, S.AVAILABLE]
        assert sum("cannot be read" in text for text in again.logs()) == 3
