"""ChangeAvailability per connector and 0; Scheduled; survives reset and restart; repeated."""

import pytest

from cp_image.api.payloads import ConnectorState, StopReason
from cp_image.core.csms_messages import (
    AvailabilityStatus,
    ChangeAvailability,
    ChangeAvailabilityAnswer,
    Reset,
)
from cp_image.core.errors import NotNowError
from cp_image.core.messages import StartTransaction, StopTransaction
from tests.support.virtual_station import VirtualStation

S = ConnectorState
A = AvailabilityStatus


def connected() -> VirtualStation:
    station = VirtualStation()
    station.connect()
    return station


def change(station: VirtualStation, connector_id: int, *, operative: bool) -> AvailabilityStatus:
    answer = station.ask(ChangeAvailability(connector_id=connector_id, operative=operative))
    assert isinstance(answer, ChangeAvailabilityAnswer)
    return answer.status


def last(station: VirtualStation) -> list[ConnectorState]:
    return [station.reported(number)[-1] for number in (0, 1, 2)]


def test_one_connector() -> None:
    station = connected()
    assert change(station, 1, operative=False) is A.ACCEPTED
    assert last(station) == [S.AVAILABLE, S.UNAVAILABLE, S.AVAILABLE]
    assert change(station, 1, operative=True) is A.ACCEPTED
    assert last(station) == [S.AVAILABLE, S.AVAILABLE, S.AVAILABLE]


def test_connector_0_is_all_of_them() -> None:
    station = connected()
    assert change(station, 0, operative=False) is A.ACCEPTED
    assert last(station) == [S.UNAVAILABLE] * 3
    assert change(station, 0, operative=True) is A.ACCEPTED
    assert last(station) == [S.AVAILABLE] * 3


def test_an_unknown_connector_is_rejected() -> None:
    station = connected()
    assert change(station, 3, operative=False) is A.REJECTED
    assert last(station) == [S.AVAILABLE] * 3


@pytest.mark.parametrize("connector_id", [0, 1])
@pytest.mark.parametrize("operative", [True, False])
def test_repeated_it_is_accepted_and_nothing_new(connector_id: int, operative: bool) -> None:
    station = connected()
    change(station, connector_id, operative=operative)
    heard = len(station.csms.heard)
    assert change(station, connector_id, operative=operative) is A.ACCEPTED
    assert len(station.csms.heard) == heard


def test_during_a_transaction_it_is_scheduled() -> None:
    station = connected()
    station.plug()
    station.tag()
    assert change(station, 1, operative=False) is A.SCHEDULED
    assert change(station, 1, operative=False) is A.SCHEDULED
    assert station.reported()[-1] is S.CHARGING
    station.tag()
    assert station.reported()[-2:] == [S.FINISHING, S.UNAVAILABLE]
    station.unplug()
    assert station.reported()[-1] is S.UNAVAILABLE
    assert len(station.heard(StopTransaction)) == 1


def test_the_end_by_unplugging_does_not_make_it_available_in_between() -> None:
    station = connected()
    station.plug()
    station.tag()
    change(station, 1, operative=False)
    station.unplug()
    assert station.reported()[-2:] == [S.FINISHING, S.UNAVAILABLE]


def test_connector_0_is_scheduled_too_and_takes_the_idle_ones_out_at_once() -> None:
    station = connected()
    station.plug()
    station.tag()
    assert change(station, 0, operative=False) is A.SCHEDULED
    assert last(station) == [S.AVAILABLE, S.CHARGING, S.UNAVAILABLE]
    station.tag()
    assert last(station) == [S.UNAVAILABLE, S.UNAVAILABLE, S.UNAVAILABLE]


def test_what_is_scheduled_can_be_taken_back() -> None:
    station = connected()
    station.plug()
    station.tag()
    assert change(station, 1, operative=False) is A.SCHEDULED
    assert change(station, 1, operative=True) is A.ACCEPTED
    station.tag()
    station.unplug()
    assert station.reported()[-1] is S.AVAILABLE


def test_an_unavailable_connector_takes_no_tag_and_starts_nothing() -> None:
    station = connected()
    station.tag()  # waits for a cable
    change(station, 1, operative=False)
    station.plug()
    with pytest.raises(NotNowError, match="Unavailable"):
        station.tag()
    assert station.heard(StartTransaction) == []
    change(station, 1, operative=True)
    assert station.reported()[-1] is S.PREPARING


def test_a_faulted_connector_is_unavailable_once_it_is_repaired() -> None:
    station = connected()
    station.fault()
    assert change(station, 1, operative=False) is A.ACCEPTED
    assert station.reported()[-1] is S.FAULTED
    station.fault(faulted=False)
    assert station.reported()[-2:] == [S.FAULTED, S.UNAVAILABLE]


@pytest.mark.parametrize("connector_id", [0, 1])
def test_it_survives_a_restart(connector_id: int) -> None:
    station = connected()
    change(station, connector_id, operative=False)
    again = station.power_cut()
    again.connect()
    assert last(again) == [
        S.AVAILABLE if connector_id else S.UNAVAILABLE,
        S.UNAVAILABLE,
        S.AVAILABLE if connector_id else S.UNAVAILABLE,
    ]
    change(again, connector_id, operative=True)
    more = again.power_cut()
    more.connect()
    assert last(more) == [S.AVAILABLE] * 3


def test_it_survives_a_reset() -> None:
    station = connected()
    change(station, 2, operative=False)
    station.ask(Reset(hard=False))
    station.connect()
    assert last(station) == [S.AVAILABLE, S.AVAILABLE, S.UNAVAILABLE]


def test_what_is_scheduled_survives_a_restart() -> None:
    station = connected()
    station.plug()
    station.tag()
    change(station, 0, operative=False)
    again = station.power_cut()
    again.connect()
    assert last(again) == [S.UNAVAILABLE] * 3
    assert [stop.reason for stop in again.heard(StopTransaction)] == [StopReason.POWER_LOSS]


def test_a_fault_of_the_charge_point_goes_before_its_availability() -> None:
    station = connected()
    change(station, 0, operative=False)
    station.fault(0)
    assert last(station) == [S.FAULTED] * 3
    station.fault(0, faulted=False)
    assert last(station) == [S.UNAVAILABLE] * 3


def test_a_connector_serves_again_only_with_the_whole() -> None:
    station = connected()
    change(station, 0, operative=False)
    assert change(station, 1, operative=True) is A.ACCEPTED
    assert last(station) == [S.UNAVAILABLE] * 3
    again = station.power_cut()
    again.connect()
    assert last(again) == [S.UNAVAILABLE] * 3
    change(again, 0, operative=True)
    assert last(again) == [S.AVAILABLE] * 3


def test_a_connector_that_is_out_of_service_stays_so_when_only_the_other_is_wanted() -> None:
    station = connected()
    change(station, 1, operative=False)
    change(station, 2, operative=True)
    assert last(station) == [S.AVAILABLE, S.UNAVAILABLE, S.AVAILABLE]
