from dataclasses import replace
from typing import Any

import msgspec
import pytest

from cp_image.api.payloads import ChargePointState, ChargePointStatus, ChargePointType
from launcher.api import Specification
from launcher.container import Mark
from launcher.engine import (
    ContainerRecord,
    ContainerState,
    MarkRecord,
    Observation,
    VolumeRecord,
)
from launcher.fleet import specification
from launcher.reconcile import (
    Action,
    Adopt,
    BringUp,
    ClearRetained,
    Finish,
    Mourn,
    PublishDead,
    PutDown,
    Retained,
    SetNetwork,
    plan,
    wishes,
)

SPECIFICATION = specification(
    id="CP-1", type=ChargePointType.AC, nb_connectors=2, central_system="ws://h"
)
ACCEPTED = ChargePointStatus(
    pid=1,
    status=ChargePointState.ACCEPTED,
    vendor="v",
    model="m",
    serial="s",
    nb_phases=1,
    max_setpoint=32.0,
    central_system="ws://h",
    type=ChargePointType.AC,
    voltage=230.0,
    container="ci.CP-1",
)
DEAD = msgspec.structs.replace(ACCEPTED, status=ChargePointState.DEAD)
TOPICS = frozenset({"ci/cps/CP-1/status", "ci/cps/CP-1/connectors/1/status"})
NOW = 1000.0
MARKED_AT = 500.0


def container(state: str, **fields: Any) -> ContainerRecord:
    values: dict[str, Any] = {
        "charge_point_id": "CP-1",
        "container_id": "c1",
        "name": "ci.CP-1",
        "state": ContainerState(state),
        "image_id": "i",
        "specification": SPECIFICATION,
        **fields,
    }
    return ContainerRecord(**values)


VOLUME = VolumeRecord(charge_point_id="CP-1", name="ci.CP-1", specification=SPECIFICATION)


def observed(
    record: ContainerRecord | None = None, *marks: Mark, volume: VolumeRecord | None = VOLUME
) -> Observation:
    made = {
        mark: MarkRecord(mark=mark, specification=SPECIFICATION, made_at=MARKED_AT)
        for mark in marks
    }
    return Observation(
        containers={"CP-1": record} if record is not None else {},
        volumes={"CP-1": volume} if volume is not None else {},
        marks={"CP-1": made} if made else {},
    )


def planned(
    actual: Observation,
    status: ChargePointStatus | None = ACCEPTED,
    *,
    remembered: Specification | None = None,
    not_before: float = 0.0,
) -> list[Action]:
    desired = wishes(
        actual, {"CP-1": remembered} if remembered is not None else {}, {"CP-1": not_before}
    )
    known = {"CP-1": Retained(status=status, topics=TOPICS)} if status is not None else {}
    return plan("ci", desired, actual, known, NOW)


def brought_up(reason: str) -> list[Action]:
    return [BringUp(charge_point_id="CP-1", specification=SPECIFICATION, reason=reason)]


@pytest.mark.parametrize("state", ["running", "paused", "restarting"])
@pytest.mark.parametrize("status", [None, ACCEPTED, DEAD])
def test_what_runs_is_adopted_whatever_is_retained(
    state: str, status: ChargePointStatus | None
) -> None:
    assert planned(observed(container(state)), status) == [Adopt(charge_point_id="CP-1")]


@pytest.mark.parametrize("exit_code", [0, 137, 143, 255])
def test_what_was_ended_from_outside_while_nobody_looked_is_started_again(exit_code: int) -> None:
    actual = observed(container("exited", exit_code=exit_code))
    assert planned(actual, DEAD) == brought_up("its container was ended from outside")


def test_what_is_to_be_started_is_dead_until_it_speaks_for_itself() -> None:
    dead, bring_up = planned(observed(container("exited", exit_code=0)), ACCEPTED)
    assert isinstance(dead, PublishDead)
    assert dead.status.status is ChargePointState.DEAD
    assert isinstance(bring_up, BringUp)


@pytest.mark.parametrize(
    "record",
    [
        container("exited", exit_code=1),
        container("exited", exit_code=2),
        container("exited", exit_code=137, out_of_memory=True),
    ],
)
def test_what_crashed_while_nobody_looked_is_mourned(record: ContainerRecord) -> None:
    assert planned(observed(record)) == [Mourn(charge_point_id="CP-1", container=record)]


def test_what_was_begun_is_finished() -> None:
    created = observed(container("created"))
    assert planned(created, None) == brought_up("its container was never started")
    assert planned(observed(), None) == brought_up("its container is missing")


def test_a_container_without_its_volume_is_started_again() -> None:
    actual = observed(container("exited", exit_code=0), volume=None)
    assert planned(actual, DEAD) == brought_up("its container was ended from outside")


def test_what_this_launcher_has_seen_running_is_made_again() -> None:
    nothing = observed(volume=None)
    assert planned(nothing, DEAD, remembered=SPECIFICATION) == brought_up(
        "its container is missing"
    )
    assert planned(nothing) == [ClearRetained(charge_point_id="CP-1", topics=TOPICS)]


def test_what_crashed_waits_for_its_time() -> None:
    actual = observed(container("exited", exit_code=137))
    assert planned(actual, DEAD, not_before=NOW + 1) == []
    assert planned(actual, DEAD, not_before=NOW) != []


@pytest.mark.parametrize("record", [None, container("exited", exit_code=137), container("created")])
def test_what_is_off_stays_off_and_says_so(record: ContainerRecord | None) -> None:
    actual = observed(record, Mark.OFF)
    assert planned(actual, DEAD) == []
    (action,) = planned(actual)
    assert isinstance(action, PublishDead)
    assert action.status == msgspec.structs.replace(DEAD, reason=action.status.reason)
    (action,) = planned(actual, None)
    assert isinstance(action, PublishDead)
    assert (action.status.nb_connectors, action.status.container) == (2, "ci.CP-1")


def test_what_is_off_is_known_even_without_container_and_volume() -> None:
    (action,) = planned(observed(None, Mark.OFF, volume=None), None)
    assert isinstance(action, PublishDead)


def test_a_kill_that_was_begun_is_finished() -> None:
    running = container("running", started_at=MARKED_AT - 60)
    assert planned(observed(running, Mark.OFF)) == [PutDown(charge_point_id="CP-1")]


def test_what_was_off_and_somebody_has_started_since_is_adopted() -> None:
    running = container("running", started_at=MARKED_AT + 60)
    assert planned(observed(running, Mark.OFF)) == [Adopt(charge_point_id="CP-1", by_hand=True)]


@pytest.mark.parametrize("exit_code", [0, 1, 137, 143])
def test_what_was_started_by_hand_may_be_ended_by_hand(exit_code: int) -> None:
    ended = container("exited", exit_code=exit_code, by_hand=True)
    assert planned(observed(ended, volume=None), DEAD) == []
    (action,) = planned(observed(ended, volume=None))
    assert isinstance(action, PublishDead)


@pytest.mark.parametrize("record", [None, container("running"), container("exited", exit_code=1)])
def test_a_removal_that_was_begun_is_finished(record: ContainerRecord | None) -> None:
    assert planned(observed(record, Mark.GONE)) == [Finish(charge_point_id="CP-1")]


def test_a_cut_network_stays_cut_and_a_mended_one_mended() -> None:
    adopt = Adopt(charge_point_id="CP-1")
    joined, cut = container("running"), container("running", connected=False)
    assert planned(observed(cut, Mark.CUT)) == [adopt]
    assert planned(observed(joined, Mark.CUT)) == [
        adopt,
        SetNetwork(charge_point_id="CP-1", cut=True),
    ]
    assert planned(observed(cut)) == [adopt, SetNetwork(charge_point_id="CP-1", cut=False)]


def test_the_newest_specification_is_the_one_asked_for() -> None:
    changed = msgspec.structs.replace(SPECIFICATION, nb_connectors=5)
    mark = MarkRecord(mark=Mark.CHANGED, specification=changed, made_at=MARKED_AT)
    actual = replace(observed(), marks={"CP-1": {Mark.CHANGED: mark}})
    (action,) = planned(actual, None)
    assert isinstance(action, BringUp)
    assert action.specification == changed


def test_one_of_which_nothing_is_known_is_left_alone() -> None:
    nameless = container("exited", specification=None, exit_code=0)
    assert planned(observed(nameless, volume=None), None) == []
    (action,) = planned(observed(nameless, volume=None))
    assert isinstance(action, PublishDead)


@pytest.mark.parametrize("status", [DEAD, ACCEPTED])
def test_topics_of_a_charge_point_without_container_and_volume_are_cleared(
    status: ChargePointStatus,
) -> None:
    assert planned(Observation(), status) == [ClearRetained(charge_point_id="CP-1", topics=TOPICS)]
    retained = {"CP-1": Retained(status=None, topics=TOPICS)}
    assert plan("ci", {}, Observation(), retained, NOW) == [
        ClearRetained(charge_point_id="CP-1", topics=TOPICS)
    ]


def test_a_living_process_that_no_launcher_started_is_left_alone() -> None:
    assert planned(Observation(), msgspec.structs.replace(ACCEPTED, container="")) == []


def test_a_plan_that_is_carried_out_leaves_nothing_to_do() -> None:
    for actual in (
        observed(container("running")),
        observed(container("running", connected=False), Mark.CUT),
        observed(container("exited", exit_code=137), Mark.OFF),
    ):
        status = ACCEPTED if actual.containers["CP-1"].alive else DEAD
        assert [each for each in planned(actual, status) if not isinstance(each, Adopt)] == []
