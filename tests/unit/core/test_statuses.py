"""Statuses: MinimumStatusDuration, connector 0, real error codes, no flapping Preparing."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cp_image.api.payloads import ConnectorState
from cp_image.core.csms_messages import ChangeConfiguration
from cp_image.core.messages import StatusNotification
from tests.support.scripted_csms import ScriptedCsms
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

S = ConnectorState


def connected(duration_s: int = 0) -> VirtualStation:
    configuration = {"MinimumStatusDuration": str(duration_s)}
    station = VirtualStation(make_settings(configuration=configuration))
    station.connect()
    return station


def test_what_lasts_too_short_is_not_reported() -> None:
    station = connected(10)
    station.plug()
    station.run(9)
    station.unplug()
    station.run(100)
    assert station.reported() == [S.AVAILABLE]


def test_what_lasts_is_reported_with_the_time_it_began() -> None:
    station = connected(10)
    station.run(5)
    station.plug()
    station.run(9)
    assert station.reported() == [S.AVAILABLE]
    station.run(1)
    last = station.heard(StatusNotification)[-1]
    assert (last.status, last.at) == (S.PREPARING, EPOCH + 5)
    assert station.heard_at(StatusNotification)[-1] == 15


def test_the_first_statuses_do_not_wait() -> None:
    assert connected(10).reported() == [S.AVAILABLE]


def test_the_key_is_obeyed_at_once() -> None:
    station = connected(1000)
    station.plug()
    station.run(20)
    station.ask(ChangeConfiguration(key="MinimumStatusDuration", value="30"))
    station.run(9)
    assert station.reported() == [S.AVAILABLE]
    station.run(1)
    assert station.reported() == [S.AVAILABLE, S.PREPARING]
    station.unplug()
    station.ask(ChangeConfiguration(key="MinimumStatusDuration", value="0"))
    assert station.reported()[-1] is S.AVAILABLE


def test_without_the_csms_nothing_is_waited_for() -> None:
    station = connected(10)
    station.disconnect()
    station.plug()
    assert station.station.next_deadline() is None
    station.run(60)
    station.connect()
    assert station.reported() == [S.AVAILABLE, S.PREPARING]


def test_a_fault_carries_its_error_code_and_the_end_of_it_none() -> None:
    station = connected()
    station.fault()
    station.fault(faulted=False)
    told = [r for r in station.heard(StatusNotification) if r.connector_id == 1]
    assert [(r.status, r.error_code) for r in told[1:]] == [
        (S.FAULTED, "InternalError"),
        (S.AVAILABLE, "NoError"),
    ]


def test_connector_0_is_available_unavailable_or_faulted() -> None:
    station = connected()
    station.plug()
    station.tag()
    station.fault(0)
    station.fault(0, faulted=False)
    assert station.reported(0) == [S.AVAILABLE, S.FAULTED, S.AVAILABLE]


def test_preparing_does_not_flap_while_a_car_without_a_tag_stays() -> None:
    station = connected()
    station.plug()
    station.run(24 * 3600)
    assert station.reported() == [S.AVAILABLE, S.PREPARING]


def test_a_reconnect_reports_only_what_changed() -> None:
    station = connected()
    station.disconnect()
    station.plug(2)
    heard = len(station.csms.heard)
    station.connect()
    assert [(type(r), getattr(r, "connector_id", None)) for _, r in station.csms.heard[heard:]] == [
        (StatusNotification, 2)
    ]
    station.disconnect()
    heard = len(station.csms.heard)
    station.connect()
    assert len(station.csms.heard) == heard


@given(
    duration_s=st.integers(min_value=0, max_value=60),
    waits_s=st.lists(st.integers(min_value=0, max_value=90), max_size=12),
)
def test_in_the_end_the_csms_knows_and_nothing_short_was_told(
    duration_s: int, waits_s: list[int]
) -> None:
    station = connected(duration_s)
    plugged = False
    for wait_s in waits_s:
        if plugged:
            station.unplug()
        else:
            station.plug()
        plugged = not plugged
        station.run(wait_s)
    station.run(duration_s)
    assert station.reported()[-1] is (S.PREPARING if plugged else S.AVAILABLE)
    reports = [r for r in station.heard(StatusNotification) if r.connector_id == 1]
    assert all(a.status is not b.status for a, b in pairwise(reports))
    lasting = sum(wait_s >= duration_s for wait_s in waits_s[:-1])
    assert len(reports) <= 1 + lasting + 1  # the first, those that lasted, and the last


def test_what_the_csms_refuses_is_told_again_after_a_delay() -> None:
    station = connected()
    station.csms.refusals[StatusNotification] = 2
    station.plug()
    station.run(59)
    assert station.reported() == [S.AVAILABLE, S.PREPARING]
    station.run(3600)
    assert station.reported() == [S.AVAILABLE] + 3 * [S.PREPARING]
    assert station.heard_at(StatusNotification)[-2:] == [60, 120]
    assert station.heard(StatusNotification)[-1].at == EPOCH  # when it really began


def test_what_the_csms_does_not_answer_is_told_again_after_a_delay() -> None:
    station = connected()
    station.csms.silent.add(StatusNotification)
    station.plug()
    station.run(40)
    station.csms.silent.clear()
    station.run(3600)
    assert station.heard_at(StatusNotification)[-2:] == [0, 90]
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.PREPARING]


def test_a_refused_status_that_is_over_is_not_told_again() -> None:
    station = connected()
    station.csms.refusals[StatusNotification] = 1
    station.plug()
    station.run(10)
    station.unplug()
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.AVAILABLE]
    station.run(3600)
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.AVAILABLE]


def test_the_first_statuses_are_told_again_too() -> None:
    csms = ScriptedCsms()
    csms.refusals[StatusNotification] = 3
    station = VirtualStation(csms=csms)
    station.connect()
    station.run(3600)
    assert [station.reported(number) for number in (0, 1, 2)] == 3 * [2 * [S.AVAILABLE]]


def test_a_csms_that_refuses_every_status_is_not_flooded() -> None:
    csms = ScriptedCsms()
    csms.refusals[StatusNotification] = 10_000
    station = VirtualStation(csms=csms)
    station.connect()
    station.run(3600)
    assert len(station.heard(StatusNotification)) == 3 * 61


def test_a_new_link_tells_at_once_what_was_refused() -> None:
    station = connected()
    station.csms.refusals[StatusNotification] = 1
    station.plug()
    station.disconnect()
    station.connect()
    assert station.reported() == [S.AVAILABLE, S.PREPARING, S.PREPARING]


def test_a_refused_status_is_told_again_in_real_time() -> None:
    station = VirtualStation(make_settings(clock_rate=100.0))
    station.connect()
    station.csms.refusals[StatusNotification] = 1
    station.plug()
    station.run(7000)
    assert station.heard_at(StatusNotification)[-1] == 6000
