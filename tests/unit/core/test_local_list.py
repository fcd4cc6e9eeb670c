"""Local list: what the CSMS sends, and the cache of what it has said."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.core.authorization_cache import AuthorizationCache
from cp_image.core.configuration_keys import Configuration
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    ClearCache,
    ClearCacheAnswer,
    GetLocalListVersion,
    GetLocalListVersionAnswer,
    LocalListEntry,
    SendLocalList,
    SendLocalListAnswer,
    UpdateStatus,
)
from cp_image.core.effects import Persist
from cp_image.core.local_list import LocalList
from cp_image.core.messages import AuthorizationStatus, IdTagStatus
from cp_image.core.outbox import Outbox
from tests.support.scripted_csms import ACCEPTED
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings

BLOCKED = IdTagStatus(status=AuthorizationStatus.BLOCKED)
EXPIRED = IdTagStatus(status=AuthorizationStatus.EXPIRED)
A = AuthorizationStatus


class Disk:
    """What was kept, and what reads it back."""

    def __init__(self, **keys: str) -> None:
        self.configuration = Configuration(keys, nb_connectors=1)
        self.outbox = Outbox()
        self.stored: dict[str, bytes] = {}

    def sync(self) -> Mapping[str, bytes]:
        for effect in self.outbox.take():
            if isinstance(effect, Persist) and effect.value is None:
                self.stored.pop(effect.key, None)
            elif isinstance(effect, Persist) and effect.value is not None:
                self.stored[effect.key] = effect.value
        return self.stored

    def cache(self, limit: int = 3) -> AuthorizationCache:
        return AuthorizationCache(
            stored=self.sync(), configuration=self.configuration, outbox=self.outbox, limit=limit
        )

    def local_list(self) -> LocalList:
        return LocalList(stored=self.sync(), configuration=self.configuration, outbox=self.outbox)


def connected(**keys: str) -> VirtualStation:
    station = VirtualStation(make_settings(configuration=keys))
    station.connect()
    return station


def send(
    station: VirtualStation,
    version: int,
    *tags: str,
    full: bool = True,
    without: Sequence[str] = (),
) -> UpdateStatus:
    entries = [LocalListEntry(id_tag=tag, id_tag_status=ACCEPTED) for tag in tags]
    entries += [LocalListEntry(id_tag=tag, id_tag_status=None) for tag in without]
    answer = station.ask(SendLocalList(version=version, full=full, entries=entries))
    assert isinstance(answer, SendLocalListAnswer)
    return answer.status


def version_of(station: VirtualStation) -> int:
    answer = station.ask(GetLocalListVersion())
    assert isinstance(answer, GetLocalListVersionAnswer)
    return answer.version


def listed(station: VirtualStation) -> set[str]:
    """Return which of the tags of these tests the list knows."""
    disk = Disk()
    disk.stored = station.stored
    known = disk.local_list()
    return {tag for tag in ("A", "B", "C", "D") if known.find(tag, EPOCH)}


class TestVersions:
    def test_an_empty_list_is_0(self) -> None:
        assert version_of(connected()) == 0

    def test_a_full_update_replaces_list_and_version(self) -> None:
        station = connected()
        assert send(station, 7, "A", "B") is UpdateStatus.ACCEPTED
        assert send(station, 3, "C") is UpdateStatus.ACCEPTED  # it may be older
        assert (version_of(station), listed(station)) == (3, {"C"})

    def test_a_full_update_without_entries_empties_the_list(self) -> None:
        station = connected()
        send(station, 7, "A")
        assert send(station, 8) is UpdateStatus.ACCEPTED
        assert (version_of(station), listed(station)) == (0, set())

    def test_a_differential_update_adds_changes_and_removes(self) -> None:
        station = connected()
        send(station, 1, "A", "B")
        assert send(station, 2, "C", full=False, without=["a", "D"]) is UpdateStatus.ACCEPTED
        assert (version_of(station), listed(station)) == (2, {"B", "C"})

    def test_a_differential_update_without_entries_changes_the_version_only(self) -> None:
        station = connected()
        send(station, 1, "A", "B")
        assert send(station, 2, full=False) is UpdateStatus.ACCEPTED
        assert (version_of(station), listed(station)) == (2, {"A", "B"})

    @pytest.mark.parametrize("version", [5, 4, 0, -1])
    def test_a_differential_update_that_is_not_newer_changes_nothing(self, version: int) -> None:
        station = connected()
        send(station, 5, "A")
        before = dict(station.stored)
        assert send(station, version, "B", full=False) is UpdateStatus.VERSION_MISMATCH
        assert (version_of(station), station.stored) == (5, before)

    def test_list_and_version_survive_a_power_cut(self) -> None:
        station = connected()
        send(station, 5, "A")
        again = station.power_cut()
        again.connect()
        assert version_of(again) == 5
        assert send(again, 5, "B", full=False) is UpdateStatus.VERSION_MISMATCH


class TestFailed:
    @pytest.mark.parametrize("full", [True, False])
    def test_a_tag_that_stands_in_it_twice(self, full: bool) -> None:
        station = connected()
        send(station, 1, "C")
        assert send(station, 2, "A", "B", "a", full=full) is UpdateStatus.FAILED
        assert (version_of(station), listed(station)) == (1, {"C"})

    def test_a_full_list_without_a_status(self) -> None:
        assert send(connected(), 1, "A", without=["B"]) is UpdateStatus.FAILED

    @pytest.mark.parametrize("version", [0, -1])
    def test_a_version_that_means_something_else(self, version: int) -> None:
        assert send(connected(), version, "A") is UpdateStatus.FAILED

    def test_more_entries_than_a_message_may_have(self) -> None:
        station = connected(SendLocalListMaxLength="2")
        assert send(station, 1, "A", "B", "C") is UpdateStatus.FAILED
        assert send(station, 1, "A", "B") is UpdateStatus.ACCEPTED

    def test_more_tags_than_the_list_may_have(self) -> None:
        station = connected(LocalAuthListMaxLength="2")
        assert send(station, 1, "A", "B") is UpdateStatus.ACCEPTED
        assert send(station, 2, "C", full=False) is UpdateStatus.FAILED
        assert (version_of(station), listed(station)) == (1, {"A", "B"})
        assert send(station, 2, "C", full=False, without=["A"]) is UpdateStatus.ACCEPTED
        assert listed(station) == {"B", "C"}


@pytest.mark.parametrize(
    "keys",
    [{"LocalAuthListEnabled": "false"}, {"SupportedFeatureProfiles": "Core,Reservation"}],
)
def test_without_a_list_nothing_is_supported(keys: dict[str, str]) -> None:
    station = connected(**keys)
    assert version_of(station) == -1
    assert send(station, 1, "A") is UpdateStatus.NOT_SUPPORTED
    assert "local-list" not in station.stored


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        (A.ACCEPTED, A.ACCEPTED),
        (A.CONCURRENT_TX, A.ACCEPTED),
        (A.BLOCKED, A.BLOCKED),
        (A.EXPIRED, A.EXPIRED),
        (A.INVALID, A.INVALID),
    ],
)
def test_what_the_list_says_of_a_tag(
    status: AuthorizationStatus, becomes: AuthorizationStatus
) -> None:
    station = connected()
    told = IdTagStatus(status=status, expires_at=EPOCH + 10)
    entry = LocalListEntry(id_tag="Tag", id_tag_status=told)
    station.ask(SendLocalList(version=1, full=True, entries=[entry]))
    disk = Disk()
    disk.stored = station.stored
    found = disk.local_list().find("tAG", EPOCH)
    assert found is not None
    assert found.status is becomes
    later = disk.local_list().find("tAG", EPOCH + 10)
    assert later is not None
    assert later.status is (A.EXPIRED if becomes is A.ACCEPTED else becomes)


class TestCache:
    def test_the_newest_word_counts(self) -> None:
        cache = Disk().cache()
        cache.learn("Tag", ACCEPTED, EPOCH)
        cache.learn("TAG", BLOCKED, EPOCH)
        assert cache.find("tag", EPOCH) == BLOCKED
        assert len(cache) == 1

    def test_a_tag_expires(self) -> None:
        cache = Disk().cache()
        until = IdTagStatus(status=A.ACCEPTED, parent_id_tag="P", expires_at=EPOCH + 5)
        cache.learn("TAG", until, EPOCH)
        assert cache.find("TAG", EPOCH + 4.9) == until
        found = cache.find("TAG", EPOCH + 5)
        assert found is not None
        assert (found.status, found.parent_id_tag) == (A.EXPIRED, "P")

    def test_what_is_not_valid_makes_room_first(self) -> None:
        cache = Disk().cache()
        cache.learn("OLD", ACCEPTED, EPOCH)
        cache.learn("BAD", BLOCKED, EPOCH)
        cache.learn("NEW", ACCEPTED, EPOCH)
        cache.learn("MORE", ACCEPTED, EPOCH)
        assert [t for t in ("OLD", "BAD", "NEW", "MORE") if cache.find(t, EPOCH)] == [
            "OLD",
            "NEW",
            "MORE",
        ]

    def test_then_the_least_recently_used(self) -> None:
        disk = Disk()
        cache = disk.cache()
        for tag in ("ONE", "TWO", "THREE"):
            cache.learn(tag, ACCEPTED, EPOCH)
        cache.touch("ONE")
        cache = disk.cache()  # the order survives a power cut
        cache.learn("FOUR", ACCEPTED, EPOCH)
        assert cache.find("TWO", EPOCH) is None
        assert cache.find("ONE", EPOCH) == ACCEPTED

    def test_the_same_word_again_writes_nothing(self) -> None:
        disk = Disk()
        cache = disk.cache()
        cache.learn("TAG", ACCEPTED, EPOCH)
        disk.sync()
        cache.learn("TAG", ACCEPTED, EPOCH + 60)
        cache.touch("TAG")
        assert disk.outbox.take() == []

    def test_disabled_it_neither_learns_nor_knows(self) -> None:
        cache = Disk(AuthorizationCacheEnabled="false").cache()
        cache.learn("TAG", ACCEPTED, EPOCH)
        assert cache.find("TAG", EPOCH) is None
        assert len(cache) == 0

    @given(
        st.integers(0, 4),
        st.lists(
            st.tuples(st.sampled_from("abcdefAB"), st.sampled_from([ACCEPTED, BLOCKED, EXPIRED]))
        ),
    )
    def test_it_never_holds_more_than_it_may_and_loses_nothing_on_the_disk(
        self, limit: int, said: list[tuple[str, IdTagStatus]]
    ) -> None:
        disk = Disk()
        cache = disk.cache(limit)
        for id_tag, status in said:
            cache.learn(id_tag, status, EPOCH)
            assert len(cache) <= limit
            assert cache.find(id_tag, EPOCH) == (status if limit else None)
        again = disk.cache(limit)
        for id_tag in "abcdef":
            assert again.find(id_tag, EPOCH) == cache.find(id_tag, EPOCH)


class TestWhatFillsTheCache:
    def cached(self, station: VirtualStation, id_tag: str) -> IdTagStatus | None:
        disk = Disk()
        disk.stored = station.stored
        return disk.cache(limit=1000).find(id_tag, EPOCH)

    def test_authorize(self) -> None:
        station = connected()
        station.csms.tags["TAG1"] = BLOCKED
        station.tag()
        assert self.cached(station, "TAG1") == BLOCKED

    def test_start_transaction(self) -> None:
        station = connected()
        station.csms.start_status = IdTagStatus(status=A.ACCEPTED, parent_id_tag="FAMILY")
        station.plug()
        station.tag()
        assert self.cached(station, "TAG1") == station.csms.start_status

    def test_stop_transaction_says_it_of_the_tag_that_stopped(self) -> None:
        station = connected()
        station.csms.tags = {"DAD": IdTagStatus(status=A.ACCEPTED, parent_id_tag="FAMILY")}
        station.csms.tags["MUM"] = station.csms.tags["DAD"]
        station.plug()
        station.tag("DAD")
        station.csms.stop_status = BLOCKED
        station.tag("MUM")
        assert self.cached(station, "MUM") == BLOCKED
        assert self.cached(station, "DAD") == station.csms.tags["DAD"]

    def test_what_the_list_knows_is_not_cached(self) -> None:
        station = connected()
        send(station, 1, "TAG1")
        station.tag("tag1")
        assert self.cached(station, "TAG1") is None

    def test_clear_cache_empties_it_for_good(self) -> None:
        station = connected()
        station.tag()
        answer = station.ask(ClearCache())
        assert answer == ClearCacheAnswer(status=AcceptanceStatus.ACCEPTED)
        assert self.cached(station, "TAG1") is None
        assert not [key for key in station.stored if key.startswith("authorization-cache/")]
