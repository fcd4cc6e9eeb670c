"""Reservation: connectors that are kept for a tag."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api.payloads import ConnectorState, TagRefusal, TagRefused
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    CancelReservation,
    CancelReservationAnswer,
    ChangeAvailability,
    LocalListEntry,
    RemoteStartTransaction,
    RemoteStartTransactionAnswer,
    ReservationStatus,
    ReserveNow,
    ReserveNowAnswer,
    SendLocalList,
)
from cp_image.core.messages import (
    AuthorizationStatus,
    Authorize,
    IdTagStatus,
    StartTransaction,
)
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

S = ConnectorState
R = ReservationStatus
FAMILY = IdTagStatus(status=AuthorizationStatus.ACCEPTED, parent_id_tag="FAMILY")


def connected(nb_connectors: int = 2, **keys: str) -> VirtualStation:
    station = VirtualStation(make_settings(nb_connectors=nb_connectors, configuration=keys))
    station.connect()
    return station


def reserve(
    station: VirtualStation,
    connector_id: int = 1,
    *,
    reservation_id: int = 1,
    id_tag: str = "TAG1",
    parent_id_tag: str | None = None,
    seconds: float = 3600,
) -> ReservationStatus:
    answer = station.ask(
        ReserveNow(
            reservation_id=reservation_id,
            connector_id=connector_id,
            expires_at=station.now + seconds,
            id_tag=id_tag,
            parent_id_tag=parent_id_tag,
        )
    )
    assert isinstance(answer, ReserveNowAnswer)
    return answer.status


def cancel(station: VirtualStation, reservation_id: int = 1) -> AcceptanceStatus:
    answer = station.ask(CancelReservation(reservation_id=reservation_id))
    assert isinstance(answer, CancelReservationAnswer)
    return answer.status


def remote_start(
    station: VirtualStation, id_tag: str, connector_id: int | None = 1
) -> AcceptanceStatus:
    answer = station.ask(RemoteStartTransaction(id_tag=id_tag, connector_id=connector_id))
    assert isinstance(answer, RemoteStartTransactionAnswer)
    return answer.status


def kept(station: VirtualStation) -> list[str]:
    """Return the keys of the reservations on the disk."""
    return sorted(key for key in station.stored if key.startswith("reservation/"))


def refusals(station: VirtualStation) -> list[TagRefusal]:
    return [event.why for event in station.events() if isinstance(event, TagRefused)]


class TestOneConnector:
    def test_the_reserving_tag_starts_and_uses_it_up(self) -> None:
        station = connected()
        assert reserve(station, reservation_id=77) is R.ACCEPTED
        station.plug()
        assert station.connector().status is S.RESERVED
        station.tag("tag1")
        start = station.heard(StartTransaction)[0]
        assert (start.id_tag, start.reservation_id) == ("tag1", 77)
        assert kept(station) == []
        station.tag("tag1")
        station.unplug()
        assert station.reported() == [
            S.AVAILABLE,
            S.RESERVED,
            S.PREPARING,
            S.CHARGING,
            S.FINISHING,
            S.AVAILABLE,
        ]

    def test_the_tag_may_come_before_the_cable(self) -> None:
        station = connected()
        reserve(station, reservation_id=77)
        station.tag("TAG1")
        assert station.connector().status is S.PREPARING
        station.plug()
        assert station.heard(StartTransaction)[0].reservation_id == 77

    def test_without_a_cable_in_time_it_is_reserved_again(self) -> None:
        station = connected()
        reserve(station)
        station.tag("TAG1")
        station.run(60)
        assert station.reported() == [S.AVAILABLE, S.RESERVED, S.PREPARING, S.RESERVED]
        assert kept(station) == ["reservation/1"]

    def test_another_tag_is_refused_without_a_question(self) -> None:
        station = connected()
        reserve(station)
        station.plug()
        station.tag("TAG2")
        assert station.connector().status is S.RESERVED
        assert station.heard(Authorize) == []
        assert refusals(station) == [TagRefusal.RESERVED]

    def test_the_other_connector_is_anybodys(self) -> None:
        station = connected()
        reserve(station, 1)
        station.plug(2)
        station.tag("TAG2", 2)
        assert station.heard(StartTransaction)[0].reservation_id is None
        assert kept(station) == ["reservation/1"]

    def test_the_reserving_tag_elsewhere_leaves_it(self) -> None:
        station = connected()
        reserve(station, 1)
        station.plug(2)
        station.tag("TAG1", 2)
        assert station.heard(StartTransaction)[0].reservation_id is None
        assert station.connector(1).status is S.RESERVED

    def test_the_reserving_tag_is_authorized_all_the_same(self) -> None:
        station = connected()
        station.csms.tags["TAG1"] = IdTagStatus(status=AuthorizationStatus.BLOCKED)
        reserve(station)
        station.plug()
        station.tag("TAG1")
        assert station.connector().status is S.RESERVED


class TestParentTag:
    def test_a_tag_of_the_group_starts(self) -> None:
        station = connected()
        station.csms.tags["MUM"] = FAMILY
        reserve(station, id_tag="DAD", parent_id_tag="family")
        station.plug()
        station.tag("MUM")
        assert station.heard(StartTransaction)[0].reservation_id == 1

    def test_a_tag_of_another_group_does_not(self) -> None:
        station = connected()
        reserve(station, id_tag="DAD", parent_id_tag="FAMILY")
        station.plug()
        station.tag("TAG2")
        assert len(station.heard(Authorize)) == 1  # only the CSMS knows its group
        assert station.connector().status is S.RESERVED
        assert refusals(station) == [TagRefusal.RESERVED]

    def test_the_list_may_know_the_group(self) -> None:
        station = connected(LocalPreAuthorize="true")
        entry = LocalListEntry(id_tag="MUM", id_tag_status=FAMILY)
        station.ask(SendLocalList(version=1, full=True, entries=[entry]))
        reserve(station, id_tag="DAD", parent_id_tag="FAMILY")
        station.plug()
        station.tag("MUM")
        assert station.heard(Authorize) == []
        assert station.heard(StartTransaction)[0].reservation_id == 1


class TestExpiry:
    def test_it_ends_on_time(self) -> None:
        station = connected()
        reserve(station, seconds=100)
        station.run(99)
        assert station.connector().status is S.RESERVED
        station.run(1)
        assert station.reported() == [S.AVAILABLE, S.RESERVED, S.AVAILABLE]
        assert kept(station) == []
        assert "has expired" in station.logs()[-1]

    def test_with_a_cable_in_the_connector_is_preparing_then(self) -> None:
        station = connected()
        reserve(station, seconds=100)
        station.plug()
        station.run(100)
        assert station.reported() == [S.AVAILABLE, S.RESERVED, S.PREPARING]

    @pytest.mark.parametrize("offset_s", [0.0, 4711.1, -86_400.7])
    def test_it_is_said_in_the_csms_time(self, offset_s: float) -> None:
        station = VirtualStation()
        station.csms.clock_offset_s = offset_s
        station.connect()
        assert reserve(station, seconds=100 + offset_s) is R.ACCEPTED
        station.run(99)
        assert station.connector().status is S.RESERVED
        station.run(2)
        assert station.connector().status is S.AVAILABLE

    def test_one_that_is_over_before_it_begins_is_rejected(self) -> None:
        assert reserve(connected(), seconds=0) is R.REJECTED


class TestAnswers:
    def test_occupied(self) -> None:
        station = connected()
        station.plug(1)
        assert reserve(station, 1) is R.OCCUPIED
        station.tag("TAG2", 1)
        assert reserve(station, 1) is R.OCCUPIED
        station.tag("TAG2", 1)
        assert station.connector(1).status is S.FINISHING
        assert reserve(station, 1) is R.OCCUPIED
        station.tag("TAG2", 2)  # waits for its cable
        assert reserve(station, 2) is R.OCCUPIED

    @pytest.mark.parametrize("id_tag", ["TAG1", "TAG2"])
    def test_occupied_by_another_reservation(self, id_tag: str) -> None:
        station = connected()
        reserve(station, 1)
        assert reserve(station, 1, reservation_id=2, id_tag=id_tag) is R.OCCUPIED
        assert kept(station) == ["reservation/1"]

    def test_faulted(self) -> None:
        station = connected()
        station.fault(1)
        assert reserve(station, 1) is R.FAULTED
        assert reserve(station, 0) is R.ACCEPTED  # the other one is there

    def test_the_charge_point_is_faulted(self) -> None:
        station = connected()
        station.fault(0)
        assert reserve(station, 1) is R.FAULTED
        assert reserve(station, 0) is R.FAULTED

    def test_unavailable(self) -> None:
        station = connected()
        station.ask(ChangeAvailability(connector_id=1, operative=False))
        assert reserve(station, 1) is R.UNAVAILABLE
        station.ask(ChangeAvailability(connector_id=0, operative=False))
        assert reserve(station, 0) is R.UNAVAILABLE

    @pytest.mark.parametrize("connector_id", [3, -1])
    def test_a_connector_that_does_not_exist_is_rejected(self, connector_id: int) -> None:
        assert reserve(connected(), connector_id) is R.REJECTED

    def test_connector_0_is_rejected_where_it_is_not_supported(self) -> None:
        station = connected(ReserveConnectorZeroSupported="false")
        assert reserve(station, 0) is R.REJECTED
        assert reserve(station, 1) is R.ACCEPTED


class TestReplace:
    def test_the_same_id_takes_other_terms(self) -> None:
        station = connected()
        reserve(station, 1, id_tag="TAG1")
        assert reserve(station, 1, id_tag="TAG2") is R.ACCEPTED
        assert station.reported() == [S.AVAILABLE, S.RESERVED]
        station.plug()
        station.tag("TAG1")
        assert station.connector().status is S.RESERVED
        station.tag("TAG2")
        assert station.connector().status is S.CHARGING

    def test_the_same_id_moves_to_another_connector(self) -> None:
        station = connected()
        reserve(station, 1)
        assert reserve(station, 2) is R.ACCEPTED
        assert station.connector(1).status is S.AVAILABLE
        assert station.connector(2).status is S.RESERVED
        assert reserve(station, 0) is R.ACCEPTED
        assert station.connector(2).status is S.AVAILABLE
        assert kept(station) == ["reservation/1"]

    def test_one_that_cannot_be_had_leaves_the_old_one(self) -> None:
        station = connected()
        station.plug(2)
        reserve(station, 1)
        assert reserve(station, 2) is R.OCCUPIED
        assert station.connector(1).status is S.RESERVED

    def test_the_last_free_connector_can_change_hands(self) -> None:
        station = connected(nb_connectors=1)
        reserve(station, 1)
        assert reserve(station, 0) is R.ACCEPTED
        assert reserve(station, 1) is R.ACCEPTED


class TestCancel:
    def test_it_frees_the_connector(self) -> None:
        station = connected()
        reserve(station)
        assert cancel(station) is AcceptanceStatus.ACCEPTED
        assert station.reported() == [S.AVAILABLE, S.RESERVED, S.AVAILABLE]
        assert kept(station) == []

    def test_an_unknown_id_is_rejected(self) -> None:
        station = connected()
        reserve(station)
        assert cancel(station, 2) is AcceptanceStatus.REJECTED
        assert station.connector().status is S.RESERVED

    def test_one_that_was_used_up_is_rejected(self) -> None:
        station = connected()
        reserve(station)
        station.plug()
        station.tag("TAG1")
        assert cancel(station) is AcceptanceStatus.REJECTED

    def test_who_waits_for_his_cable_may_go_on(self) -> None:
        station = connected()
        reserve(station)
        station.tag("TAG1")
        assert cancel(station) is AcceptanceStatus.ACCEPTED
        station.plug()
        assert station.heard(StartTransaction)[0].reservation_id is None


class TestConnector0:
    def test_any_connector_serves_and_is_told(self) -> None:
        station = connected()
        assert reserve(station, 0, reservation_id=9) is R.ACCEPTED
        assert station.connector(1).status is station.connector(2).status is S.AVAILABLE
        station.plug(2)
        station.tag("TAG1", 2)
        assert station.heard(StartTransaction)[0].reservation_id == 9
        assert kept(station) == []

    def test_one_connector_stays_free_for_the_tag(self) -> None:
        station = connected()
        reserve(station, 0)
        station.plug(1)
        station.tag("TAG2", 1)
        assert station.connector(1).status is S.CHARGING
        station.plug(2)
        station.tag("TAG3", 2)
        assert station.connector(2).status is S.PREPARING
        assert refusals(station) == [TagRefusal.RESERVED]
        assert remote_start(station, "TAG3", 2) is AcceptanceStatus.REJECTED
        station.tag("TAG1", 2)
        assert station.connector(2).status is S.CHARGING

    def test_the_last_one_cannot_be_reserved_either(self) -> None:
        station = connected()
        reserve(station, 0)
        assert reserve(station, 1, reservation_id=2, id_tag="TAG2") is R.ACCEPTED
        assert reserve(station, 2, reservation_id=3, id_tag="TAG3") is R.OCCUPIED
        assert reserve(station, 0, reservation_id=4, id_tag="TAG4") is R.OCCUPIED

    def test_the_connectors_own_reservation_is_used_first(self) -> None:
        station = connected()
        reserve(station, 0, reservation_id=9)
        reserve(station, 1, reservation_id=5)
        station.plug(1)
        station.tag("TAG1", 1)
        assert station.heard(StartTransaction)[0].reservation_id == 5
        assert kept(station) == ["reservation/9"]

    def test_a_connector_that_is_kept_for_another_does_not_serve(self) -> None:
        station = connected()
        reserve(station, 0)
        reserve(station, 1, reservation_id=2, id_tag="TAG2")
        station.plug(1)
        station.tag("TAG1", 1)
        assert station.connector(1).status is S.RESERVED


class TestOutOfOrder:
    def test_a_fault_ends_it(self) -> None:
        station = connected()
        reserve(station)
        station.fault(1)
        assert kept(station) == []
        station.fault(1, faulted=False)
        assert station.reported() == [S.AVAILABLE, S.RESERVED, S.FAULTED, S.AVAILABLE]

    def test_being_made_unavailable_ends_it(self) -> None:
        station = connected()
        reserve(station)
        station.ask(ChangeAvailability(connector_id=1, operative=False))
        assert station.connector().status is S.UNAVAILABLE
        assert kept(station) == []

    def test_connector_0_is_kept_as_long_as_one_is_in_order(self) -> None:
        station = connected()
        reserve(station, 0)
        station.fault(1)
        assert kept(station) == ["reservation/1"]
        station.fault(2)
        assert kept(station) == []


class TestPowerCut:
    def test_it_is_reserved_again_with_or_without_a_cable(self) -> None:
        station = connected()
        reserve(station, 1)
        reserve(station, 2, reservation_id=2, id_tag="TAG2")
        station.plug(1)
        again = station.power_cut(dark_s=60)
        again.connect()
        assert again.connector(1).status is again.connector(2).status is S.RESERVED
        again.tag("TAG1", 1)
        assert again.heard(StartTransaction)[-1].reservation_id == 1

    def test_one_that_expired_in_the_dark_ends(self) -> None:
        station = connected()
        reserve(station, seconds=60)
        again = station.power_cut(dark_s=61)
        again.connect()
        again.run(1)
        assert again.connector().status is S.AVAILABLE
        assert kept(again) == []

    def test_one_that_was_used_is_not_used_twice(self) -> None:
        station = connected()
        reserve(station)
        station.plug()
        station.tag("TAG1")
        again = station.power_cut()
        again.connect()
        assert again.connector().status is S.FINISHING
        assert kept(again) == []


class TestRemoteStart:
    def test_for_the_reserving_tag(self) -> None:
        station = connected()
        reserve(station)
        station.plug()
        assert remote_start(station, "TAG1") is AcceptanceStatus.ACCEPTED
        assert station.heard(StartTransaction)[0].reservation_id == 1
        assert station.heard(Authorize) == []

    def test_for_another_tag_it_is_rejected(self) -> None:
        station = connected()
        reserve(station)
        assert remote_start(station, "TAG2") is AcceptanceStatus.REJECTED

    @pytest.mark.parametrize("id_tag", ["MUM", "TAG2"])
    def test_the_group_of_a_tag_is_asked_for(self, id_tag: str) -> None:
        station = connected()
        station.csms.tags["MUM"] = FAMILY
        reserve(station, id_tag="DAD", parent_id_tag="FAMILY")
        station.plug()
        assert remote_start(station, id_tag) is AcceptanceStatus.ACCEPTED
        assert [asked.id_tag for asked in station.heard(Authorize)] == [id_tag]
        started = S.CHARGING if id_tag == "MUM" else S.RESERVED
        assert station.connector().status is started

    @pytest.mark.parametrize("by_list", [True, False])
    def test_a_tag_known_to_be_of_another_group_is_rejected(self, by_list: bool) -> None:
        station = connected()
        neighbour = IdTagStatus(status=AuthorizationStatus.ACCEPTED, parent_id_tag="NEXT DOOR")
        station.csms.tags["TAG2"] = neighbour
        if by_list:
            entry = LocalListEntry(id_tag="TAG2", id_tag_status=neighbour)
            station.ask(SendLocalList(version=1, full=True, entries=[entry]))
        else:
            station.tag("TAG2", 2)
            station.tag("TAG2", 2)  # cancelled
        station.csms.heard.clear()
        reserve(station, id_tag="DAD", parent_id_tag="FAMILY")
        assert remote_start(station, "TAG2") is AcceptanceStatus.REJECTED
        assert station.heard(Authorize) == []
        assert remote_start(station, "TAG2", None) is AcceptanceStatus.ACCEPTED
        assert station.connector(2).id_tag == "TAG2"

    def test_a_tag_known_to_be_of_the_group_starts_at_once(self) -> None:
        station = connected()
        entry = LocalListEntry(id_tag="MUM", id_tag_status=FAMILY)
        station.ask(SendLocalList(version=1, full=True, entries=[entry]))
        reserve(station, id_tag="DAD", parent_id_tag="FAMILY")
        station.plug()
        assert remote_start(station, "MUM") is AcceptanceStatus.ACCEPTED
        assert station.heard(Authorize) == []
        assert station.heard(StartTransaction)[0].reservation_id == 1

    def test_without_a_connector_it_goes_where_the_tag_is_expected(self) -> None:
        station = connected(nb_connectors=3)
        reserve(station, 1, reservation_id=1, id_tag="DAD", parent_id_tag="FAMILY")
        reserve(station, 3, reservation_id=3, id_tag="TAG3")
        assert remote_start(station, "TAG3", None) is AcceptanceStatus.ACCEPTED
        assert station.connector(3).id_tag == "TAG3"
        assert remote_start(station, "TAG2", None) is AcceptanceStatus.ACCEPTED
        assert station.connector(2).id_tag == "TAG2"


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 3), st.integers(1, 4)), max_size=25))
def test_whatever_happens_who_has_reserved_finds_a_connector(
    steps: list[tuple[int, int, int]],
) -> None:
    station = connected(nb_connectors=3)
    for what, connector_id, number in steps:
        at = max(1, connector_id)
        match what:
            case 0 | 1 | 2:
                reserve(station, connector_id, reservation_id=number, id_tag=f"TAG{number}")
            case 3:
                cancel(station, number)
            case 4 | 5:
                remote_start(station, f"TAG{number + 3}", at)
            case 6:
                station.run(30)
            case 7:
                station = station.power_cut()
                station.connect()
            case _:
                remote_start(station, f"TAG{number}", at)
        reserved = [n for n in (1, 2, 3) if station.connector(n).status is S.RESERVED]
        free = [n for n in (1, 2, 3) if station.connector(n).status is S.AVAILABLE]
        book = [int(key.removeprefix("reservation/")) for key in kept(station)]
        own = [n for n in book if b'"connector_id":0' not in station.stored[f"reservation/{n}"]]
        # A tag that waits for its cable has its connector; the reservation ends with the start.
        expected = {f"TAG{reservation_id}" for reservation_id in book}
        waiting = [n for n in (1, 2, 3) if station.connector(n).id_tag in expected]
        assert len(free) + len(reserved) + len(waiting) >= len(book) - len(own)
        assert len(reserved) <= len(own)
    assert station.now >= EPOCH
