"""An idle charge point stays idle: it wakes for its Heartbeats, and they are no news to anybody."""

from collections import Counter

import pytest

from cp_image.core.csms_messages import (
    LocalListEntry,
    RecurrencyKind,
    ReserveNow,
    ReserveNowAnswer,
    SendLocalList,
)
from cp_image.core.effects import Effect, Persist, PublishConnector, SendCall
from cp_image.core.messages import Heartbeat, IdTagStatus
from tests.support.charging import CAP, DEFAULT, RECURRING, RELATIVE, install, make_profile, online
from tests.support.scripted_csms import ACCEPTED
from tests.support.virtual_station import EPOCH, VirtualStation

HOUR_S = 3600.0
MIDNIGHT = EPOCH - EPOCH % 86_400


def idle(**changes: object) -> VirtualStation:
    """Return an Accepted station after an ordinary day."""
    station = online(**changes)
    for connector_id in (1, 2):
        station.plug(connector_id)
        station.tag("TAG1", connector_id)
        station.run(HOUR_S)
        station.unplug(connector_id)
    station.run(1)  # the hours that are watched begin between two heartbeats
    return station


def burdened() -> VirtualStation:
    """Return one with everything installed that a CSMS can install."""
    station = idle()
    hours = [(hour * 3600, 10.0 + hour % 3) for hour in range(24)]
    for number, purpose in enumerate((CAP, DEFAULT), start=1):
        daily = make_profile(
            purpose,
            *hours,
            profile_id=number,
            kind=RECURRING,
            recurrency=RecurrencyKind.DAILY,
            start_at=MIDNIGHT,
        )
        install(station, daily)
    minutes = [(minute * 60, 6.0 + minute % 2) for minute in range(100)]
    relative = make_profile(DEFAULT, *minutes, profile_id=3, kind=RELATIVE, level=9)
    install(station, relative, 1)
    over = make_profile(DEFAULT, *minutes, profile_id=4, valid_to=station.now, start_at=EPOCH)
    install(station, over, 2)
    for connector_id in (1, 2):
        answer = station.ask(
            ReserveNow(
                reservation_id=connector_id,
                connector_id=connector_id,
                expires_at=station.now + 10 * 86_400,
                id_tag="TAG1",
            )
        )
        assert isinstance(answer, ReserveNowAnswer)
    soon = IdTagStatus(status=ACCEPTED.status, expires_at=station.now + 1800)
    entries = [LocalListEntry(id_tag=f"TAG{n}", id_tag_status=soon) for n in range(500)]
    station.ask(SendLocalList(version=1, full=True, entries=entries))
    return station


def watched(
    station: VirtualStation, hours: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[Counter[int], list[Effect]]:
    """Let hours pass; return how often it woke in each of them, and what it wanted."""
    core, begin, before = station.station, station.now, len(station.effects)
    wakes: Counter[int] = Counter()

    def counted(now: float) -> list[Effect]:
        wakes[int((now - begin) // HOUR_S)] += 1
        return tick(now)

    tick = core.tick
    monkeypatch.setattr(core, "tick", counted)
    station.run(hours * HOUR_S)
    return wakes, [effect for _, effect in station.effects[before:]]


def test_it_wakes_for_its_heartbeats_only(monkeypatch: pytest.MonkeyPatch) -> None:
    station = idle()
    station.csms.clock_offset_s = 0.4  # a CSMS tells whole seconds
    wakes, wanted = watched(station, 24, monkeypatch)
    assert wakes == dict.fromkeys(range(24), 12)
    assert {type(effect) for effect in wanted} == {SendCall}
    assert {type(call.request) for call in wanted if isinstance(call, SendCall)} == {Heartbeat}


def test_nothing_that_is_installed_keeps_it_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its Heartbeats it wakes when a limit in force changes: that shows in its status."""
    wakes, wanted = watched(burdened(), 24, monkeypatch)
    assert max(wakes.values()) <= 13
    assert {type(effect) for effect in wanted} == {SendCall, PublishConnector, Persist}
    shown = [effect for effect in wanted if isinstance(effect, PublishConnector)]
    assert len(shown) <= 2 * 24


def test_without_a_csms_it_sleeps_for_ever() -> None:
    station = idle()
    station.disconnect()
    assert station.station.next_deadline() is None
