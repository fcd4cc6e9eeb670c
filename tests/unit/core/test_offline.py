"""Offline: tags without a CSMS, tags it need not be asked about, tags it refuses afterwards."""

import pytest

from cp_image.api.payloads import ConnectorState, StopReason, TagRefusal, TagRefused
from cp_image.api.value import replace
from cp_image.core.csms_messages import (
    ChangeConfiguration,
    LocalListEntry,
    SendLocalList,
    SendLocalListAnswer,
    UpdateStatus,
)
from cp_image.core.effects import SendCall
from cp_image.core.messages import (
    AuthorizationStatus,
    Authorize,
    AuthorizeAnswer,
    EmptyAnswer,
    IdTagStatus,
    StartTransaction,
    StatusNotification,
    StopTransaction,
)
from tests.support.scripted_csms import ACCEPTED
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

S = ConnectorState
STATUSES_OF_BAD_TAGS = (
    AuthorizationStatus.BLOCKED,
    AuthorizationStatus.EXPIRED,
    AuthorizationStatus.INVALID,
)
FAMILY = replace(ACCEPTED, parent_id_tag="FAMILY")


def station_with(**keys: str) -> VirtualStation:
    station = VirtualStation(make_settings(configuration=keys))
    station.connect()
    return station


def teach(station: VirtualStation, version: int = 1, **tags: IdTagStatus) -> None:
    """Put tags into the local list."""
    entries = [LocalListEntry(id_tag=tag, id_tag_status=status) for tag, status in tags.items()]
    answer = station.ask(SendLocalList(version=version, full=True, entries=entries))
    assert answer == SendLocalListAnswer(status=UpdateStatus.ACCEPTED)


def let_cache(station: VirtualStation, id_tag: str, status: IdTagStatus) -> None:
    """Let the CSMS say something of a tag once, and leave the connector empty."""
    station.csms.tags[id_tag] = status
    station.tag(id_tag)
    if station.connector().status is S.PREPARING:
        station.tag(id_tag)  # cancelled
    assert station.connector().status is S.AVAILABLE
    station.csms.heard.clear()


def refusals(station: VirtualStation) -> list[TagRefusal]:
    return [event.why for event in station.events() if isinstance(event, TagRefused)]


def status_of(id_tag: str, station: VirtualStation) -> ConnectorState:
    """Plug in, present a tag, and return what comes of it."""
    station.plug()
    station.tag(id_tag)
    return station.connector().status


class TestLocalAuthorizeOffline:
    def test_a_tag_of_the_list_starts(self) -> None:
        station = station_with()
        teach(station, TAG1=ACCEPTED)
        station.disconnect()
        assert status_of("TAG1", station) is S.CHARGING
        station.connect()
        assert [start.at for start in station.heard(StartTransaction)] == [EPOCH]
        assert station.heard(Authorize) == []

    def test_a_tag_of_the_cache_starts(self) -> None:
        station = station_with()
        let_cache(station, "TAG1", ACCEPTED)
        station.disconnect()
        assert status_of("tag1", station) is S.CHARGING  # CiString20: case does not count

    def test_false_starts_nothing(self) -> None:
        station = station_with(LocalAuthorizeOffline="false")
        teach(station, TAG1=ACCEPTED)
        let_cache(station, "TAG2", ACCEPTED)
        station.disconnect()
        assert status_of("TAG1", station) is S.PREPARING
        station.tag("TAG2")
        assert station.connector().status is S.PREPARING
        assert refusals(station) == [TagRefusal.CSMS_SILENT] * 2

    def test_an_unknown_tag_starts_nothing(self) -> None:
        station = station_with()
        station.disconnect()
        assert status_of("TAG1", station) is S.PREPARING
        assert refusals(station) == [TagRefusal.CSMS_SILENT]

    def test_the_list_goes_before_the_cache(self) -> None:
        station = station_with()
        let_cache(station, "TAG1", ACCEPTED)
        teach(station, TAG1=IdTagStatus(status=AuthorizationStatus.BLOCKED))
        station.disconnect()
        assert status_of("TAG1", station) is S.PREPARING
        assert refusals(station) == [TagRefusal.BLOCKED]

    def test_a_list_that_is_disabled_is_not_looked_into(self) -> None:
        station = station_with()
        teach(station, TAG1=ACCEPTED)
        station.ask(ChangeConfiguration(key="LocalAuthListEnabled", value="false"))
        station.disconnect()
        assert status_of("TAG1", station) is S.PREPARING

    def test_a_cache_that_is_disabled_is_not_looked_into(self) -> None:
        station = station_with()
        let_cache(station, "TAG1", ACCEPTED)
        station.ask(ChangeConfiguration(key="AuthorizationCacheEnabled", value="false"))
        station.disconnect()
        assert status_of("TAG1", station) is S.PREPARING

    @pytest.mark.parametrize("by_list", [True, False])
    def test_a_tag_that_has_expired_meanwhile_starts_nothing(self, by_list: bool) -> None:
        station = station_with(AllowOfflineTxForUnknownId="true")
        good_for_an_hour = replace(ACCEPTED, expires_at=EPOCH + 3600)
        if by_list:
            teach(station, TAG1=good_for_an_hour)
        else:
            let_cache(station, "TAG1", good_for_an_hour)
        station.disconnect()
        station.run(3599)
        station.tag()
        assert station.connector().status is S.PREPARING
        station.tag()
        station.run(1)
        station.tag()
        assert station.connector().status is S.AVAILABLE
        assert refusals(station) == [TagRefusal.EXPIRED]

    def test_everything_known_survives_a_power_cut(self) -> None:
        station = station_with()
        teach(station, TAG1=ACCEPTED)
        let_cache(station, "TAG2", ACCEPTED)
        again = station.power_cut()
        assert status_of("TAG1", again) is S.CHARGING
        again.plug(2)
        again.tag("TAG2", 2)
        assert again.connector(2).status is S.CHARGING

    def test_a_link_that_breaks_during_the_question_leaves_what_is_known(self) -> None:
        station = station_with()
        teach(station, TAG1=ACCEPTED)
        station.csms.silent = {Authorize}
        station.plug()
        station.tag()
        assert station.connector().status is S.PREPARING
        station.disconnect()
        assert station.connector().status is S.CHARGING

    def test_a_csms_that_does_not_answer_leaves_what_is_known(self) -> None:
        station = station_with(AllowOfflineTxForUnknownId="true")
        teach(station, TAG1=ACCEPTED)
        station.csms.silent = {Authorize}
        station.plug(1)
        station.tag("TAG1", 1)
        station.run(30)
        assert station.connector(1).status is S.CHARGING
        station.csms.silent = {Authorize}
        station.plug(2)
        station.tag("TAG2", 2)
        station.run(60)
        assert station.connector(2).status is S.PREPARING  # it is there: no reason to trust


class TestLocalPreAuthorize:
    @pytest.mark.parametrize("by_list", [True, False])
    def test_a_known_tag_starts_without_an_authorize(self, by_list: bool) -> None:
        station = station_with(LocalPreAuthorize="true")
        if by_list:
            teach(station, TAG1=ACCEPTED)
        else:
            let_cache(station, "TAG1", ACCEPTED)
        assert status_of("TAG1", station) is S.CHARGING
        assert station.heard(Authorize) == []

    def test_false_asks(self) -> None:
        station = station_with()
        teach(station, TAG1=ACCEPTED)
        assert status_of("TAG1", station) is S.CHARGING
        assert len(station.heard(Authorize)) == 1

    def test_an_unknown_tag_is_asked_about(self) -> None:
        station = station_with(LocalPreAuthorize="true")
        assert status_of("TAG1", station) is S.CHARGING
        assert len(station.heard(Authorize)) == 1

    @pytest.mark.parametrize("status", STATUSES_OF_BAD_TAGS)
    def test_a_tag_known_to_be_bad_is_asked_about(self, status: AuthorizationStatus) -> None:
        station = station_with(LocalPreAuthorize="true")
        let_cache(station, "TAG1", IdTagStatus(status=status))
        station.csms.tags.clear()
        assert status_of("TAG1", station) is S.CHARGING
        assert len(station.heard(Authorize)) == 1


class TestAllowOfflineTxForUnknownId:
    def test_an_unknown_tag_starts_offline(self) -> None:
        station = station_with(AllowOfflineTxForUnknownId="true", LocalAuthorizeOffline="false")
        station.disconnect()
        assert status_of("TAG1", station) is S.CHARGING
        station.connect()
        assert station.heard(Authorize) == []
        assert [start.id_tag for start in station.heard(StartTransaction)] == ["TAG1"]

    @pytest.mark.parametrize("status", STATUSES_OF_BAD_TAGS)
    @pytest.mark.parametrize("by_list", [True, False])
    def test_a_tag_known_to_be_bad_does_not(
        self, status: AuthorizationStatus, by_list: bool
    ) -> None:
        station = station_with(AllowOfflineTxForUnknownId="true")
        if by_list:
            teach(station, TAG1=IdTagStatus(status=status))
        else:
            let_cache(station, "TAG1", IdTagStatus(status=status))
        before = len(refusals(station))
        station.disconnect()
        assert status_of("TAG1", station) is S.PREPARING
        assert refusals(station)[before:] == [TagRefusal(status.value)]

    def test_it_says_nothing_online(self) -> None:
        station = station_with(AllowOfflineTxForUnknownId="true")
        station.csms.tags["TAG1"] = IdTagStatus(status=AuthorizationStatus.INVALID)
        assert status_of("TAG1", station) is S.PREPARING


class TestRefusedLater:
    """Started offline, and the CSMS says no when it hears of it."""

    def started_offline(self, **keys: str) -> VirtualStation:
        station = station_with(AllowOfflineTxForUnknownId="true", **keys)
        station.disconnect()
        assert status_of("TAG1", station) is S.CHARGING
        station.run(3600)
        station.csms.start_status = IdTagStatus(status=AuthorizationStatus.INVALID)
        return station

    def test_the_transaction_stops_de_authorized(self) -> None:
        station = self.started_offline()
        station.connect()
        assert [stop.reason for stop in station.heard(StopTransaction)] == [
            StopReason.DE_AUTHORIZED
        ]
        assert station.connector().status is S.FINISHING
        assert refusals(station) == [TagRefusal.INVALID]

    def test_or_gets_no_more_energy(self) -> None:
        station = self.started_offline(StopTransactionOnInvalidId="false")
        station.connect()
        assert station.connector().status is S.SUSPENDED_EVSE
        assert station.heard(StopTransaction) == []
        drawn_wh = station.connector().register_wh
        station.run(3600)
        station.tag()
        assert station.heard(StopTransaction)[0].meter_stop_wh == int(drawn_wh)

    def test_or_just_what_max_energy_on_invalid_id_allows(self) -> None:
        station = self.started_offline(
            StopTransactionOnInvalidId="false", MaxEnergyOnInvalidId="1104"
        )
        station.connect()
        assert station.connector().status is S.CHARGING
        # 3 * 16 A * 230 V are 11 040 W: 1104 Wh take 6 minutes.
        station.run(359)
        assert station.connector().status is S.CHARGING
        station.run(2)
        assert station.connector().status is S.SUSPENDED_EVSE
        station.run(3600)
        station.tag()
        stop = station.heard(StopTransaction)[0]
        assert stop.meter_stop_wh == pytest.approx(11_040 + 1104, abs=1)
        assert stop.reason is StopReason.LOCAL

    def test_the_allowance_counts_what_is_drawn_not_time(self) -> None:
        station = self.started_offline(
            StopTransactionOnInvalidId="false", MaxEnergyOnInvalidId="1104"
        )
        station.connect()
        station.run(180)
        station.plug(draws=0.0)
        station.run(3600)
        station.plug(draws=8.0)
        assert station.connector().status is S.CHARGING
        station.run(358)
        assert station.connector().status is S.CHARGING
        station.run(4)
        assert station.connector().status is S.SUSPENDED_EVSE

    def test_max_energy_does_not_keep_a_transaction_that_stops(self) -> None:
        station = self.started_offline(MaxEnergyOnInvalidId="1104")
        station.connect()
        assert station.connector().status is S.FINISHING

    def test_concurrent_tx_is_no_acceptance(self) -> None:
        station = self.started_offline()
        station.csms.start_status = IdTagStatus(status=AuthorizationStatus.CONCURRENT_TX)
        station.connect()
        assert station.heard(StopTransaction)[0].reason is StopReason.DE_AUTHORIZED
        assert refusals(station) == [TagRefusal.CONCURRENT_TX]

    def test_concurrent_tx_bars_no_tag_from_the_next_start(self) -> None:
        station = self.started_offline()
        station.csms.start_status = IdTagStatus(status=AuthorizationStatus.CONCURRENT_TX)
        station.connect()
        station.unplug()
        station.disconnect()
        station.run(60)
        assert status_of("TAG1", station) is S.CHARGING  # §3.5.4: it is neither bad nor expired

    def test_concurrent_tx_expires_as_a_good_tag_does(self) -> None:
        station = self.started_offline()
        station.csms.start_status = IdTagStatus(
            status=AuthorizationStatus.CONCURRENT_TX, expires_at=EPOCH + 50
        )
        station.connect()
        station.unplug()
        station.disconnect()
        station.run(60)
        assert status_of("TAG1", station) is S.PREPARING
        assert refusals(station)[-1] is TagRefusal.EXPIRED

    def test_one_that_is_over_is_just_told(self) -> None:
        station = self.started_offline()
        station.tag()
        station.connect()
        assert [stop.reason for stop in station.heard(StopTransaction)] == [StopReason.LOCAL]
        assert refusals(station) == []

    def test_the_verdict_is_remembered(self) -> None:
        station = self.started_offline()
        station.connect()
        station.unplug()
        station.disconnect()
        assert status_of("TAG1", station) is S.PREPARING
        assert refusals(station) == [TagRefusal.INVALID, TagRefusal.INVALID]

    def test_a_list_that_is_contradicted_is_reported(self) -> None:
        station = station_with()
        teach(station, TAG1=ACCEPTED)
        station.disconnect()
        assert status_of("TAG1", station) is S.CHARGING
        station.csms.start_status = IdTagStatus(status=AuthorizationStatus.INVALID)
        station.connect()
        codes = [report.error_code for report in station.heard(StatusNotification)]
        assert codes.count("LocalListConflict") == 1
        assert codes[-1] == "NoError"

    def test_after_a_conflict_the_connector_is_itself_again(self) -> None:
        station = station_with()
        teach(station, TAG1=ACCEPTED)
        station.csms.tags["TAG1"] = IdTagStatus(status=AuthorizationStatus.BLOCKED)
        assert status_of("TAG1", station) is S.PREPARING
        told = [report for report in station.heard(StatusNotification) if report.connector_id == 1]
        assert [(report.status, report.error_code) for report in told[-3:]] == [
            (S.PREPARING, "NoError"),
            (S.PREPARING, "LocalListConflict"),
            (S.PREPARING, "NoError"),
        ]
        station.csms.heard.clear()
        station.run(500)
        station.disconnect()
        station.connect()
        station.run(500)
        assert station.heard(StatusNotification) == []

    def test_a_status_told_with_a_conflict_is_not_told_again_once_it_has_lasted(self) -> None:
        station = station_with(MinimumStatusDuration="10")
        station.run(60)
        teach(station, TAG1=ACCEPTED)
        station.csms.tags["TAG1"] = IdTagStatus(status=AuthorizationStatus.BLOCKED)
        station.csms.heard.clear()
        assert status_of("TAG1", station) is S.PREPARING
        station.run(60)
        told = [(report.status, report.error_code) for report in station.heard(StatusNotification)]
        assert told == [(S.PREPARING, "LocalListConflict"), (S.PREPARING, "NoError")]

    def test_a_conflict_the_csms_hears_last_is_made_good_on_the_next_link(self) -> None:
        station = station_with()
        teach(station, TAG1=ACCEPTED)
        station.csms.tags["TAG1"] = IdTagStatus(status=AuthorizationStatus.BLOCKED)
        station.plug()
        station.csms.silent = {Authorize}
        station.tag()
        station.csms.silent = {StatusNotification}
        asked = station.wanted(SendCall)[-1]
        blocked = station.csms.tags["TAG1"]
        station.answer_late(asked.message_id, AuthorizeAnswer(id_tag_status=blocked))
        conflict = station.wanted(SendCall)[-1]
        station.answer_late(conflict.message_id, EmptyAnswer())  # the next one is lost
        station.disconnect()
        station.csms.silent.clear()
        station.csms.heard.clear()
        station.connect()
        codes = [report.error_code for report in station.heard(StatusNotification)]
        assert codes == ["NoError"]


class TestStoppingOffline:
    def test_the_own_tag_stops(self) -> None:
        station = station_with()
        teach(station, TAG1=ACCEPTED)
        assert status_of("TAG1", station) is S.CHARGING
        station.disconnect()
        station.tag("tag1")
        assert station.connector().status is S.FINISHING
        station.connect()
        assert station.heard(StopTransaction)[0].id_tag == "tag1"

    @pytest.mark.parametrize("by_list", [True, False])
    def test_the_parent_is_known_by_list_or_cache(self, by_list: bool) -> None:
        station = station_with()
        if by_list:
            teach(station, DAD=FAMILY, MUM=FAMILY)
        else:
            let_cache(station, "DAD", FAMILY)
            let_cache(station, "MUM", FAMILY)
        station.disconnect()
        assert status_of("DAD", station) is S.CHARGING
        station.tag("MUM")
        station.connect()
        stop = station.heard(StopTransaction)[0]
        assert (stop.reason, stop.id_tag) == (StopReason.LOCAL, "MUM")

    def test_a_stranger_does_not_stop_even_where_unknown_tags_start(self) -> None:
        station = station_with(AllowOfflineTxForUnknownId="true")
        teach(station, DAD=FAMILY)
        station.disconnect()
        assert status_of("DAD", station) is S.CHARGING
        station.tag("TAG2")
        assert station.connector().status is S.CHARGING
        assert refusals(station) == [TagRefusal.OTHER_GROUP]

    def test_online_the_csms_is_asked_about_a_group_the_list_does_not_know(self) -> None:
        station = station_with(LocalPreAuthorize="true")
        teach(station, DAD=FAMILY, MUM=ACCEPTED)
        station.csms.tags = {"MUM": FAMILY}
        assert status_of("DAD", station) is S.CHARGING
        station.tag("MUM")
        assert [asked.id_tag for asked in station.heard(Authorize)] == ["MUM"]
        assert station.connector().status is S.FINISHING
