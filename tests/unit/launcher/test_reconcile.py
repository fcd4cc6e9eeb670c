from typing import Any

import msgspec
import pytest

from cp_image.api.payloads import ChargePointState, ChargePointStatus, ChargePointType
from launcher.api import Specification
from launcher.engine import ContainerRecord, ContainerState, Observation, VolumeRecord
from launcher.reconcile import Adopt, ClearRetained, PublishDead, Retained, plan

SPECIFICATION = Specification(
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


def container(state: ContainerState, specification: Specification | None = SPECIFICATION) -> Any:
    record = ContainerRecord(
        charge_point_id="CP-1",
        container_id="c1",
        name="ci.CP-1",
        state=state,
        image_id="i",
        specification=specification,
    )
    return {"CP-1": record}


VOLUME = {"CP-1": VolumeRecord(charge_point_id="CP-1", name="ci.CP-1", specification=SPECIFICATION)}


@pytest.mark.parametrize("state", ["running", "paused", "restarting"])
def test_a_running_charge_point_is_adopted_whatever_is_retained(state: str) -> None:
    actual = Observation(containers=container(ContainerState(state)), volumes=VOLUME)
    for retained in ({}, {"CP-1": Retained(status=DEAD, topics=TOPICS)}):
        assert plan("ci", actual, retained) == [Adopt(charge_point_id="CP-1")]


@pytest.mark.parametrize("state", ["created", "exited", "dead", "removing"])
def test_a_dead_one_whose_status_says_otherwise_is_said_to_be_dead(state: str) -> None:
    actual = Observation(containers=container(ContainerState(state)), volumes=VOLUME)
    (action,) = plan("ci", actual, {"CP-1": Retained(status=ACCEPTED, topics=TOPICS)})
    assert isinstance(action, PublishDead)
    assert action.status == msgspec.structs.replace(DEAD, reason=action.status.reason)


def test_a_dead_one_without_a_status_gets_one_from_its_specification() -> None:
    for actual in (
        Observation(containers=container(ContainerState.EXITED)),
        Observation(volumes=VOLUME),
    ):
        (action,) = plan("ci", actual, {})
        assert isinstance(action, PublishDead)
        assert action.status.status is ChargePointState.DEAD
        assert (action.status.nb_connectors, action.status.container) == (2, "ci.CP-1")


def test_what_is_known_to_be_dead_is_left_alone() -> None:
    actual = Observation(containers=container(ContainerState.EXITED), volumes=VOLUME)
    assert plan("ci", actual, {"CP-1": Retained(status=DEAD, topics=TOPICS)}) == []


def test_a_dead_one_of_which_nothing_is_known_is_left_alone() -> None:
    assert plan("ci", Observation(containers=container(ContainerState.EXITED, None)), {}) == []


@pytest.mark.parametrize("status", [DEAD, ACCEPTED, None])
def test_topics_of_a_charge_point_without_container_and_volume_are_cleared(
    status: ChargePointStatus | None,
) -> None:
    retained = {"CP-1": Retained(status=status, topics=TOPICS)}
    assert plan("ci", Observation(), retained) == [
        ClearRetained(charge_point_id="CP-1", topics=TOPICS)
    ]


def test_a_living_process_that_no_launcher_started_is_left_alone() -> None:
    status = msgspec.structs.replace(ACCEPTED, container="")
    assert plan("ci", Observation(), {"CP-1": Retained(status=status, topics=TOPICS)}) == []
