"""Errors: every readable CALL gets one answer, garbage none, and the station lives on.

The code of each CALLERROR is the dialect's, see `tests.unit.dialects.test_bad_input`.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cp_image.api.payloads import ConnectorState
from cp_image.core.messages import RegistrationStatus
from tests.support.schema_payloads import FROM_CSMS, broken, full, random, schema_of, spoiled
from tests.support.wired_station import WiredStation


def call(action: Any, payload: Any, message_id: str = "csms-1") -> str:
    return json.dumps([2, message_id, action, payload])


def charging() -> WiredStation:
    station = WiredStation()
    station.connect()
    station.plug()
    station.tag()
    assert station.connector().status is ConnectorState.CHARGING
    return station


def idle() -> WiredStation:
    station = WiredStation()
    station.connect()
    return station


def pending() -> WiredStation:
    station = WiredStation()
    station.csms.registration = RegistrationStatus.PENDING
    station.connect()
    return station


def faulted() -> WiredStation:
    station = charging()
    station.fault()
    return station


def only_answer(station: WiredStation, frame: str, message_id: str = "csms-1") -> list[Any]:
    """Return the answer to a CALL, decoded; fails unless there is exactly one."""
    (answer,) = station.answers(frame, message_id)
    decoded: list[Any] = json.loads(answer)
    return decoded


@pytest.mark.parametrize("action", FROM_CSMS)
def test_every_action_for_a_charge_point_is_answered_with_a_result(action: str) -> None:
    assert only_answer(charging(), call(action, full(schema_of(action))))[0] == 3


@pytest.mark.parametrize("action", FROM_CSMS)
def test_no_spoiled_request_changes_anything_but_the_security_log(action: str) -> None:
    station = charging()
    before = dict(station.stored)
    for wrong in spoiled(schema_of(action)):
        answer = only_answer(station, call(action, wrong.payload))
        assert answer[:3] == [4, "csms-1", wrong.code]
    changed = {key for key, value in station.stored.items() if before.get(key) != value}
    assert {key for key in changed if not key.startswith("security/log/")} == set()
    assert before.keys() <= station.stored.keys()
    assert station.connector().status is ConnectorState.CHARGING


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("MakeCoffee", "NotImplemented"),
        ("StartTransaction", "NotSupported"),
        ("Heartbeat", "NotSupported"),
    ],
)
def test_actions_that_are_not_for_a_charge_point(action: str, code: str) -> None:
    assert only_answer(charging(), call(action, {}))[2] == code


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        "[2]",
        "[9,1,2]",
        '[3,"nobody-asked",{}]',
        '[4,"nobody-asked","InternalError","",{}]',
        '[2,"' + "x" * 37 + '","Reset",{}]',
        '"' + "x" * 2**20 + '"',
        "[" * 100_000,
    ],
)
def test_garbage_and_answers_to_nothing_are_ignored(frame: str) -> None:
    station = charging()
    assert station.hear(frame) == []
    assert station.connector().status is ConnectorState.CHARGING


def test_a_message_id_that_comes_twice_is_answered_twice() -> None:
    station = charging()
    frame = call("GetConfiguration", {"key": ["HeartbeatInterval"]})
    assert only_answer(station, frame) == only_answer(station, frame)


def test_a_request_with_the_id_of_a_request_of_ours_is_answered() -> None:
    station = charging()
    ours = json.loads(station.frames[-1])[1]
    assert only_answer(station, call("GetLocalListVersion", {}, ours), ours)[0] == 3


STEPS = st.lists(
    st.tuples(
        st.sampled_from(FROM_CSMS).flatmap(
            lambda action: st.tuples(
                st.just(action), random(schema_of(action)) | broken(schema_of(action))
            )
        ),
        st.sampled_from([0.0, 1.0, 61.0, 3600.0]),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(st.sampled_from([idle, charging, pending, faulted]), STEPS)
def test_whatever_is_asked_the_station_answers_once_and_lives(
    begin: Callable[[], WiredStation], steps: list[tuple[tuple[str, Any], float]]
) -> None:
    station = begin()
    for number, ((action, payload), seconds) in enumerate(steps):
        if not station.linked:
            station.connect()  # it has rebooted
        message_id = f"csms-{number}"
        frame = call(action, payload, message_id)
        if "\\ud" not in frame:  # half a character may make it unreadable
            assert only_answer(station, frame, message_id)[1] == message_id
        station.run(seconds)
    station.run(7200)
