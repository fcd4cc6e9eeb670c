"""What to do so that what was asked for is what runs, and what the broker has retained. Pure.

What was asked for is written on the engine, so that it outlives launcher, broker and engine:

- a charge point has a volume whose label is its specification, and that is enough to ask for it:
  the volume is made first, so where there is one, a container is to run on it;
- unless a mark says otherwise (`launcher.container.Mark`): off, cut, gone;
- of a charge point that somebody started by hand, that it runs: whoever started it may end it.
  Whether it is cut, its container says alone, for it may be made anew without a launcher.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from cp_image.api.payloads import ChargePointState, ChargePointStatus
from launcher.api import Specification
from launcher.container import Mark
from launcher.container import name as container_name
from launcher.engine import ContainerRecord, ContainerState, Found, Observation

ENDED_FROM_OUTSIDE: Final = frozenset({0, 137, 143, 255})
"""Exit codes of a process that was ended, not of one that failed: in order, by SIGKILL, by
SIGTERM; 255 is what the engine notes for what it finds gone when it starts."""
_CLOCK_GRAIN_S: Final = 1.0
"""The engine dates volumes to the second."""


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
class Wish:
    """What was asked for of one charge point.

    Attributes:
        runs: whether it is to have a process.
        cut: whether it is to have no network.
        gone: whether nothing of it is to be left.
        specification: None where nobody knows it any more.
        not_before: it is not to be started before; on the clock of `plan`'s `now`.
    """

    runs: bool
    cut: bool = False
    gone: bool = False
    specification: Specification | None = None
    not_before: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """The charge point is as it should be: leave it alone, and look after it from now on.

    Attributes:
        by_hand: somebody gave it its power back; it counts as asked for.
    """

    charge_point_id: str
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BringUp:
    """The charge point is to run and does not: make what is missing, and start it."""

    charge_point_id: str
    specification: Specification
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutDown:
    """The charge point runs and is not to: finish what a launcher had begun."""

    charge_point_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The charge point is to be gone: remove what is left."""

    charge_point_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNetwork:
    """The charge point's network is there and is not to be, or the other way round."""

    charge_point_id: str
    cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mourn:
    """The charge point crashed while nobody looked: do what its crash policy says."""

    charge_point_id: str
    container: ContainerRecord


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


Action = Adopt | BringUp | PutDown | Finish | SetNetwork | Mourn | PublishDead | ClearRetained


def wishes(
    actual: Observation,
    remembered: Mapping[str, Specification],
    not_before: Mapping[str, float],
) -> dict[str, Wish]:
    """Return what was asked for, by charge point id.

    Args:
        actual: what the engine has, marks included.
        remembered: of charge points that this launcher has seen running: asked for, even if
            somebody has taken away container and volume by hand since.
        not_before: when those that have crashed are to be started again.
    """
    ids = {*actual.containers, *actual.volumes, *actual.marks, *remembered}
    return {
        charge_point_id: _wish(
            actual.of(charge_point_id),
            remembered.get(charge_point_id),
            not_before.get(charge_point_id, 0.0),
        )
        for charge_point_id in ids
    }


def _wish(found: Found, remembered: Specification | None, not_before: float) -> Wish:
    off = found.marks.get(Mark.OFF)
    started_at = found.container.started_at if found.container is not None else None
    started_since = (
        off is not None and started_at is not None and started_at > off.made_at + _CLOCK_GRAIN_S
    )
    by_hand = found.container if found.container is not None and found.container.by_hand else None
    ended_by_hand = by_hand is not None and not by_hand.alive
    return Wish(
        runs=(off is None or started_since) and not ended_by_hand,
        cut=Mark.CUT in found.marks if by_hand is None else not by_hand.connected,
        gone=Mark.GONE in found.marks,
        specification=found.specification or remembered,
        not_before=not_before,
    )


def plan(
    environment: str,
    desired: Mapping[str, Wish],
    actual: Observation,
    retained: Mapping[str, Retained],
    now: float,
) -> list[Action]:
    """Return what to do, by charge point id.

    Args:
        environment: its name.
        desired: what was asked for, by charge point id.
        actual: containers, volumes and marks of the environment.
        retained: what the broker has, by charge point id.
        now: seconds, on the clock of `Wish.not_before`.
    """
    actions: list[Action] = []
    for charge_point_id in sorted({*desired, *retained}):
        known = retained.get(charge_point_id, Retained())
        own_name = container_name(environment, charge_point_id)
        wish = desired.get(charge_point_id)
        if wish is not None:
            found = actual.of(charge_point_id)
            actions += _for_one(charge_point_id, wish, found, known, now, own_name)
        elif known.topics and not _is_a_stranger(known.status, own_name):
            actions.append(ClearRetained(charge_point_id=charge_point_id, topics=known.topics))
    return actions


def _for_one(
    charge_point_id: str, wish: Wish, found: Found, known: Retained, now: float, own_name: str
) -> list[Action]:
    container = found.container
    if wish.gone:
        return [Finish(charge_point_id=charge_point_id)]
    if container is not None and container.alive:
        if not wish.runs:
            return [PutDown(charge_point_id=charge_point_id)]
        adopt = Adopt(charge_point_id=charge_point_id, by_hand=Mark.OFF in found.marks)
        if wish.cut == container.connected:
            return [adopt, SetNetwork(charge_point_id=charge_point_id, cut=wish.cut)]
        return [adopt]
    if not wish.runs:
        return _dead(charge_point_id, wish, found, known, own_name)
    if container is not None and _has_crashed(container):
        return [Mourn(charge_point_id=charge_point_id, container=container)]
    dead = _dead(charge_point_id, wish, found, known, own_name)
    if wish.specification is None or now < wish.not_before:
        return dead
    return [
        *dead,
        BringUp(
            charge_point_id=charge_point_id,
            specification=wish.specification,
            reason=_what_is_missing(container),
        ),
    ]


def _has_crashed(container: ContainerRecord) -> bool:
    if container.state is ContainerState.CREATED or container.exit_code is None:
        return False
    return container.out_of_memory or container.exit_code not in ENDED_FROM_OUTSIDE


def _what_is_missing(container: ContainerRecord | None) -> str:
    if container is None:
        return "its container is missing"
    if container.state is ContainerState.CREATED:
        return "its container was never started"
    return "its container was ended from outside"


def _dead(
    charge_point_id: str, wish: Wish, found: Found, known: Retained, own_name: str
) -> list[Action]:
    if _says_dead(known.status):
        return []
    if known.status is None and wish.runs:
        return []  # it was never heard, and will speak for itself
    name = found.container.name if found.container is not None else own_name
    dead = dead_status(
        known.status,
        wish.specification,
        container=name,
        reason="its container is not running",
    )
    return [PublishDead(charge_point_id=charge_point_id, status=dead)] if dead is not None else []


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
