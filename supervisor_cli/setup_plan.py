"""What has to be done so that a fleet is what fleet files ask for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from cp_image.api.payloads import ChargePointState
from launcher.api import Specification
from launcher.fleet import EntryError, read_specification
from launcher.fleet_file.wanted import WantedChargePoint
from supervisor_cli.fleet_view import ChargePointView, FleetView, natural_key

_SHOWN_IDS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A charge point that is removed, and started anew as something else.

    Attributes:
        differs_in: the fields that are not as asked for; empty where nobody knows them all.
    """

    wanted: WantedChargePoint
    differs_in: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpPlan:
    """What has to be done, and what has not.

    Attributes:
        remove: ids of those that nobody asks for.
        renew: those that are to be something else.
        start: those that are not there.
        restart: ids of those that are there, and dead.
        keep: ids of those that are as asked for, or are to be kept as they are.
        keep_secrets: ids of those among them, and those that are restarted, whose secrets the
            files name and nobody compares: only what is removed first is given new ones.
    """

    remove: tuple[str, ...] = ()
    renew: tuple[Renewal, ...] = ()
    start: tuple[WantedChargePoint, ...] = ()
    restart: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    keep_secrets: tuple[str, ...] = ()

    @property
    def destroys(self) -> tuple[str, ...]:
        """Ids of those that lose what they remember."""
        return (*self.remove, *(each.wanted.id for each in self.renew))

    @property
    def to_start(self) -> tuple[WantedChargePoint, ...]:
        """Those that begin with a clean volume."""
        return (*(each.wanted for each in self.renew), *self.start)

    @property
    def builtins(self) -> dict[str, Any]:
        """What is to be done, for programs: ids by what is done, and why where it is renewed."""
        return {
            "remove": list(self.remove),
            "start_anew": [
                {"id": each.wanted.id, "differs_in": list(each.differs_in)} for each in self.renew
            ],
            "start": [each.id for each in self.start],
            "restart": list(self.restart),
            "keep": list(self.keep),
            "keep_secrets": list(self.keep_secrets),
        }

    @property
    def lines(self) -> list[str]:
        """What is to be done, for people; a line for each kind of it, and why it is."""
        alike: dict[tuple[str, ...], list[str]] = {}
        for each in self.renew:
            alike.setdefault(each.differs_in, []).append(each.wanted.id)
        rows: Sequence[tuple[str, Sequence[str], str]] = (
            ("remove {}", self.remove, ""),
            *(
                ("start anew {}", ids, f" ({', '.join(differs_in) or 'not known'})")
                for differs_in, ids in alike.items()
            ),
            ("start {}", [each.id for each in self.start], ""),
            ("restart {}", self.restart, ""),
            ("keep {}", self.keep, ""),
            ("keep the secrets of {}, whatever the files name", self.keep_secrets, ""),
        )
        return [f"{what.format(len(ids))}: {_some(ids)}{why}" for what, ids, why in rows if ids]


def plan(
    fleet: FleetView, wanted: Sequence[WantedChargePoint], *, only_add: bool = False
) -> SetUpPlan:
    """Return what has to be done so that the fleet is what is wanted.

    Args:
        fleet: as it is.
        wanted: as it is to be.
        only_add: what is there stays as it is, wanted or not.
    """
    names = {each.id for each in wanted}
    start: list[WantedChargePoint] = []
    renew: list[Renewal] = []
    restart: list[str] = []
    keep: list[str] = []
    for each in wanted:
        there = fleet.get(each.id)
        if there is None:
            start.append(each)
            continue
        differs_in = differences(there, each.specification)
        if only_add or differs_in == ():
            dead = there.state is ChargePointState.DEAD
            (restart if dead and not only_add else keep).append(each.id)
        else:
            renew.append(Renewal(wanted=each, differs_in=differs_in or ()))
    staying = {*restart, *keep}
    others = sorted((each for each in fleet.by_id if each not in names), key=natural_key)
    return SetUpPlan(
        remove=() if only_add else tuple(others),
        renew=tuple(renew),
        start=tuple(start),
        restart=tuple(restart),
        keep=(*keep, *others) if only_add else tuple(keep),
        keep_secrets=tuple(each.id for each in wanted if each.id in staying and each.has_secrets),
    )


def differences(there: ChargePointView, wanted: Specification) -> tuple[str, ...] | None:
    """Return the fields in which a charge point differs; None where nobody knows what it is."""
    known = specification_of(there)
    if known is None:
        return None
    return tuple(
        name
        for name in Specification.__struct_fields__
        if getattr(known, name) != getattr(wanted, name)
    )


def specification_of(charge_point: ChargePointView) -> Specification | None:
    """Return what a charge point is: as the launcher says, else as it says itself.

    None where neither has said enough.
    """
    if charge_point.specification is not None:
        return charge_point.specification
    status = charge_point.status
    if status is None:
        return None
    limits = [each.reported.max_setpoint for each in charge_point.connectors]
    fields: Mapping[str, Any] = {
        "id": charge_point.charge_point_id,
        "type": status.type,
        "vendor": status.vendor,
        "model": status.model,
        "serial": status.serial,
        "nb_phases": status.nb_phases,
        "nb_connectors": len(charge_point.connector_ids) or 1,
        "max_setpoint": status.max_setpoint,
        "voltage": status.voltage,
        "max_setpoint_per_connector": max(limits, default=status.max_setpoint),
        "central_system": status.central_system,
        "clock_rate": status.clock_rate,
    }
    try:
        return read_specification(msgspec.json.encode(fields))
    except EntryError:
        return None


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_SHOWN_IDS])
    return shown if len(ids) <= _SHOWN_IDS else f"{shown}, … and {len(ids) - _SHOWN_IDS} more"
