"""The environment as its MQTT messages tell it: a pure reducer, (view, message) -> new view."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Self, TypeVar

import msgspec

from cp_image.api import topics
from cp_image.api.payloads import (
    ChargePointState,
    ChargePointStatus,
    ChargePointType,
    ConnectorState,
    ConnectorStatus,
)
from cp_image.api.value import Value, field, replace
from launcher.api import (
    CP_CONTAINER,
    CP_SPECIFICATION,
    LAUNCHER_EVENT,
    LAUNCHER_STATUS,
    ContainerCondition,
    ContainerStatus,
    Died,
    Event,
    LauncherState,
    Specification,
)

_EVENT: Final = msgspec.json.Decoder(Event)
_CHARGE_POINT_STATUS: Final = msgspec.json.Decoder(ChargePointStatus)
_CONNECTOR_STATUS: Final = msgspec.json.Decoder(ConnectorStatus)
_CONTAINER_STATUS: Final = msgspec.json.Decoder(ContainerStatus)
_SPECIFICATION: Final = msgspec.json.Decoder(Specification)
K = TypeVar("K")
V = TypeVar("V")
_NOTHING: Final[Mapping[int, ConnectorStatus]] = MappingProxyType({})


class ConnectorView(Value):
    """A connector as its charge point last told it.

    Attributes:
        reported: the last message; what it says of charging holds only while `live`.
        live: whether the charge point is there to mean it; a dead one's messages stay retained.
        power_w: drawn now; 0 when not live.
    """

    connector_id: int
    reported: ConnectorStatus
    live: bool
    power_w: float

    @property
    def state(self) -> ConnectorState | None:
        """The status, or None where the charge point is not there to have one."""
        return self.reported.status if self.live else None

    @property
    def charging(self) -> bool:
        """Whether energy flows."""
        return self.state is ConnectorState.CHARGING

    @property
    def plugged(self) -> bool:
        """Whether a cable is in; true of a dead charge point too: a power cut pulls no plug."""
        return self.reported.car_cable_capacity > 0


class ChargePointView(Value):
    """A charge point as it last told about itself.

    Attributes:
        status: None until it is heard, or where only messages of connectors are left of it.
        reported: the last message of each connector.
        death: how its container ended when nobody had asked it to, until it lives again.
        container: how its container is; None where no launcher has said so.
        specification: what was asked for; None where no launcher has said so.
    """

    charge_point_id: str
    status: ChargePointStatus | None = None
    reported: Mapping[int, ConnectorStatus] = field(default_factory=lambda: _NOTHING)
    death: Died | None = None
    container: ContainerStatus | None = None
    specification: Specification | None = None

    @property
    def unreachable(self) -> ContainerCondition | None:
        """Frozen or cut, where its container is so; then the rest is as it was before."""
        condition = self.container.state if self.container is not None else None
        hung = {ContainerCondition.FROZEN, ContainerCondition.CUT}
        return condition if condition in hung else None

    @property
    def state(self) -> ChargePointState | None:
        """What it says of itself, or None where it was never heard."""
        return self.status.status if self.status is not None else None

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.state not in {None, ChargePointState.DEAD}

    @property
    def starting(self) -> bool:
        """Whether it is asked for, or has a process already, and has not said a word yet."""
        if self.status is not None or self.death is not None:
            return False
        if self.container is None:
            return self.specification is not None
        return self.container.state is ContainerCondition.RUNNING and not self.container.unheard

    @property
    def type(self) -> ChargePointType | None:
        """AC or DC, or None where it was never heard."""
        return self.status.type if self.status is not None else None

    @property
    def connector_ids(self) -> tuple[int, ...]:
        """Its connectors: 1 to what it says it has, else those that were heard."""
        if self.status is not None and self.status.nb_connectors > 0:
            return tuple(range(1, self.status.nb_connectors + 1))
        return tuple(sorted(number for number in self.reported if number > 0))

    @property
    def connectors(self) -> tuple[ConnectorView, ...]:
        """The connectors that were heard, in order."""
        return tuple(
            self._connector(number, self.reported[number]) for number in sorted(self.reported)
        )

    def connector(self, connector_id: int) -> ConnectorView | None:
        """Return a connector, or None where it was never heard."""
        reported = self.reported.get(connector_id)
        return None if reported is None else self._connector(connector_id, reported)

    @property
    def power_w(self) -> float:
        """Drawn now by all connectors."""
        return sum(connector.power_w for connector in self.connectors)

    def metered(self, now: float) -> Self:
        """Return it with the meters of what charges read at `now`, epoch seconds."""
        if not self.alive:
            return self
        rate = self.status.clock_rate if self.status is not None else 1.0
        return replace(
            self, reported={n: _read_at(now, it, rate) for n, it in self.reported.items()}
        )

    def _connector(self, connector_id: int, reported: ConnectorStatus) -> ConnectorView:
        return ConnectorView(
            connector_id=connector_id,
            reported=reported,
            live=self.alive,
            power_w=self._drawn_w(reported) if self.alive else 0.0,
        )

    def _drawn_w(self, reported: ConnectorStatus) -> float:
        if reported.power_w or self.status is None:
            return reported.power_w
        # open-ocpp-simu's charge points do not say the power.
        drawn = reported.consumption_l1 + reported.consumption_l2 + reported.consumption_l3
        return drawn if self.status.type is ChargePointType.DC else drawn * self.status.voltage


class FleetView(Value):
    """An environment at one moment.

    Attributes:
        launcher: None where no launcher has ever said anything.
        by_id: the charge points.
        undecodable: what is wrong with the last message of a topic, by topic; the view still
            shows the message before it.
    """

    launcher: LauncherState | None = None
    by_id: Mapping[str, ChargePointView] = field(default_factory=lambda: MappingProxyType({}))
    undecodable: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def charge_points(self) -> tuple[ChargePointView, ...]:
        """The charge points in natural order: CP-2 before CP-10."""
        return tuple(self.by_id[key] for key in sorted(self.by_id, key=natural_key))

    def metered(self, now: float) -> Self:
        """Return the view with the meters of what charges read at `now`, epoch seconds.

        A charge point publishes its register when the power changes, not while it flows on.
        """
        return replace(self, by_id={key: each.metered(now) for key, each in self.by_id.items()})

    def get(self, charge_point_id: str) -> ChargePointView | None:
        """Return a charge point, or None where nothing is known of it."""
        return self.by_id.get(charge_point_id)

    def apply(self, root: str, topic: str, payload: bytes) -> Self:
        """Return the view after a message; a message that says nothing new returns this view.

        Args:
            root: the topic root of the environment.
            topic: of any kind; what the view does not show is ignored.
            payload: anything; what cannot be decoded is noted in `undecodable`.
        """
        try:
            changed = self._apply(root, topic, payload)
        # ValueError: UTF-8 and unknown words; RecursionError: JSON nested beyond all reason
        except (msgspec.DecodeError, ValueError, RecursionError) as exc:
            return replace(self, undecodable=_put(self.undecodable, topic, str(exc)))
        if topic in changed.undecodable:
            return replace(changed, undecodable=_drop(changed.undecodable, topic))
        return changed

    def _apply(self, root: str, topic: str, payload: bytes) -> Self:
        if LAUNCHER_STATUS.parse(root, topic) is not None:
            launcher = LauncherState(payload.decode()) if payload else None
            return self if launcher is self.launcher else replace(self, launcher=launcher)
        if LAUNCHER_EVENT.parse(root, topic) is not None:
            return self._heard(_EVENT.decode(payload))
        of_container = CP_CONTAINER.parse(root, topic)
        if of_container is not None and of_container.charge_point_id:
            return self._container(of_container.charge_point_id, payload)
        asked_for = CP_SPECIFICATION.parse(root, topic)
        if asked_for is not None and asked_for.charge_point_id:
            return self._specification(asked_for.charge_point_id, payload)
        told = topics.identify(root, topic)
        if told is None or not told[1].charge_point_id:
            return self
        kind, about = told
        charge_point_id = about.charge_point_id or ""
        if kind is topics.CP_STATUS:
            return self._charge_point(charge_point_id, payload)
        if kind is topics.CONNECTOR_STATUS and about.connector_id is not None:
            return self._connector(charge_point_id, about.connector_id, payload)
        return self

    def _charge_point(self, charge_point_id: str, payload: bytes) -> Self:
        if not payload:
            if charge_point_id not in self.by_id:
                return self
            return replace(self, by_id=_drop(self.by_id, charge_point_id))
        status = _CHARGE_POINT_STATUS.decode(payload)
        before = self._before(charge_point_id)
        death = before.death if status.status is ChargePointState.DEAD else None
        return self._with(replace(before, status=status, death=death))

    def _connector(self, charge_point_id: str, connector_id: int, payload: bytes) -> Self:
        before = self._before(charge_point_id)
        if payload:
            status = _CONNECTOR_STATUS.decode(payload)
            return self._with(replace(before, reported=_put(before.reported, connector_id, status)))
        if connector_id not in before.reported:
            return self
        after = replace(before, reported=_drop(before.reported, connector_id))
        if after.status is None and not after.reported:
            return replace(self, by_id=_drop(self.by_id, charge_point_id))
        return self._with(after)

    def _container(self, charge_point_id: str, payload: bytes) -> Self:
        if payload:
            status = _CONTAINER_STATUS.decode(payload)
            return self._with(replace(self._before(charge_point_id), container=status))
        before = self.by_id.get(charge_point_id)
        if before is None or before.container is None:
            return self
        after = replace(before, container=None)
        if after.status is None and not after.reported:
            return replace(self, by_id=_drop(self.by_id, charge_point_id))
        return self._with(after)

    def _specification(self, charge_point_id: str, payload: bytes) -> Self:
        if payload:
            specification = _SPECIFICATION.decode(payload)
            return self._with(replace(self._before(charge_point_id), specification=specification))
        before = self.by_id.get(charge_point_id)
        if before is None:
            return self
        after = replace(before, specification=None)
        if after.status is None and after.container is None and not after.reported:
            return replace(self, by_id=_drop(self.by_id, charge_point_id))
        return self._with(after)

    def _heard(self, event: Event) -> Self:
        if not isinstance(event, Died):
            return self
        # One that dies before it could say anything is known by its death alone.
        return self._with(replace(self._before(event.id), death=event))

    def _before(self, charge_point_id: str) -> ChargePointView:
        return self.by_id.get(charge_point_id) or ChargePointView(charge_point_id=charge_point_id)

    def _with(self, charge_point: ChargePointView) -> Self:
        return replace(self, by_id=_put(self.by_id, charge_point.charge_point_id, charge_point))


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that reads numbers as numbers: CP-2 before CP-10."""
    # Only ASCII digits: int() refuses what \d also matches, and a number is never that long.
    return tuple(
        (0, int(part), part) if re.fullmatch("[0-9]{1,100}", part) else (1, 0, part)
        for part in re.split("([0-9]+)", text)
        if part
    )


def _put(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    return MappingProxyType({**mapping, key: value})


def _drop(mapping: Mapping[K, V], key: K) -> Mapping[K, V]:
    return MappingProxyType({k: v for k, v in mapping.items() if k != key})


def drawn_since_wh(reported: ConnectorStatus, now: float, rate: float) -> float:
    """Return what has flowed since a connector told its meter, by its clock that runs at a rate."""
    elapsed_s = now - reported.metered_at
    if reported.power_w <= 0 or reported.metered_at <= 0 or elapsed_s <= 0:
        return 0.0
    return reported.power_w * elapsed_s * rate / 3600


def soc_pct_at(reported: ConnectorStatus, now: float, rate: float) -> float | None:
    """Return the state of charge of the plugged car at a moment; None where it has no battery."""
    if reported.soc_pct is None or not reported.battery_wh:
        return reported.soc_pct
    gained_pct = drawn_since_wh(reported, now, rate) / reported.battery_wh * 100
    return min(100.0, reported.soc_pct + gained_pct)


def _read_at(now: float, reported: ConnectorStatus, rate: float) -> ConnectorStatus:
    drawn_wh = drawn_since_wh(reported, now, rate)
    if drawn_wh == 0:
        return reported
    return replace(
        reported,
        register_wh=reported.register_wh + drawn_wh,
        session_wh=reported.session_wh + drawn_wh,
        soc_pct=soc_pct_at(reported, now, rate),
        metered_at=now,
    )
