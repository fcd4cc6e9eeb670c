"""What to put right between the engine and what the broker has retained. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from cp_image.api.payloads import ChargePointState, ChargePointStatus
from launcher.api import Specification
from launcher.container import name as container_name
from launcher.engine import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What the broker has retained of one charge point.

    Attributes:
        status: None where there is none, or an unreadable one.
        topics: all retained topics, in full.
    """

    status: ChargePointStatus | None = None
    topics: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """The charge point runs: leave it alone and look after it from now on."""

    charge_point_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishDead:
    """The charge point has no process, but the broker says otherwise or nothing."""

    charge_point_id: str
    status: ChargePointStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearRetained:
    """The charge point is gone for good: so must its topics."""

    charge_point_id: str
    topics: frozenset[str]


Action = Adopt | PublishDead | ClearRetained


def plan(environment: str, actual: Observation, retained: Mapping[str, Retained]) -> list[Action]:
    """Return what to do, by charge point id.

    Args:
        environment: its name.
        actual: containers and volumes of the environment.
        retained: what the broker has, by charge point id.
    """
    actions: list[Action] = []
    ids = sorted({*actual.containers, *actual.volumes, *retained})
    for charge_point_id in ids:
        known = retained.get(charge_point_id, Retained())
        container = actual.containers.get(charge_point_id)
        volume = actual.volumes.get(charge_point_id)
        own_name = container_name(environment, charge_point_id)
        if container is not None and container.alive:
            actions.append(Adopt(charge_point_id=charge_point_id))
        elif container is not None or volume is not None:
            keeper = container or volume
            dead = dead_status(
                known.status,
                keeper.specification if keeper else None,
                container=own_name,
                reason="its container is not running",
            )
            if dead is not None and not _says_dead(known.status):
                actions.append(PublishDead(charge_point_id=charge_point_id, status=dead))
        elif known.topics and not _is_a_stranger(known.status, own_name):
            actions.append(ClearRetained(charge_point_id=charge_point_id, topics=known.topics))
    return actions


def dead_status(
    last: ChargePointStatus | None,
    specification: Specification | None,
    *,
    container: str,
    reason: str,
) -> ChargePointStatus | None:
    """Return the status of a charge point without a process.

    Args:
        last: what it said last, if anything; wins over the specification.
        specification: as it was started.
        container: its container's name.
        reason: for people.

    Returns:
        None where nothing is known of the charge point but its id.
    """
    if last is not None:
        return msgspec.structs.replace(last, status=ChargePointState.DEAD, reason=reason)
    if specification is None:
        return None
    return ChargePointStatus(
        pid=0,
        status=ChargePointState.DEAD,
        vendor=specification.vendor,
        model=specification.model,
        serial=specification.serial,
        nb_phases=specification.nb_phases,
        max_setpoint=specification.max_setpoint,
        central_system=specification.central_system,
        type=specification.type,
        voltage=specification.voltage,
        nb_connectors=specification.nb_connectors,
        container=container,
        reason=reason,
    )


def _says_dead(status: ChargePointStatus | None) -> bool:
    return status is not None and status.status is ChargePointState.DEAD


def _is_a_stranger(status: ChargePointStatus | None, own_name: str) -> bool:
    """Whether a living charge point speaks that no launcher started: a bare process."""
    return status is not None and not _says_dead(status) and status.container != own_name
