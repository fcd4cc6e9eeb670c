"""The script: drivers who come, plug, hold a tag, charge, stop and leave, on their own.

They do what anybody could do over MQTT, and see what anybody could see. Who drives the charge
point beside them is not in their way: they leave alone what is not as they left it.
"""

from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import Final

from cp_image.api.payloads import CarInput, ChargePointType, ConnectorState, ConnectorStatus
from cp_image.core.events import CarChanged, Event, TagPresented
from cp_image.core.script_settings import ScriptSettings, Span

_IN_TRANSACTION: Final = frozenset(
    {ConnectorState.CHARGING, ConnectorState.SUSPENDED_EV, ConnectorState.SUSPENDED_EVSE}
)


class Step(StrEnum):
    """What a driver does next."""

    ARRIVE = "arrive"
    AUTHORIZE = "authorize"
    STOP = "stop"
    LEAVE = "leave"


class Driver:
    """Whoever comes to one connector.

    Args:
        connector_id: of the connector.
        settings: what drivers do.
        car: what a car of a given consumption is, plugged in.
        random: their only source of chance.
        now: epoch seconds.
    """

    def __init__(
        self, connector_id: int, settings: ScriptSettings, car: "Car", random: Random, now: float
    ) -> None:
        self._connector_id = connector_id
        self._settings = settings
        self._car = car
        self._random = random
        self._status: ConnectorStatus | None = None
        self._sessions = 0
        self._step = Step.ARRIVE
        # The first does not keep anybody waiting; where many start at once, they spread.
        self.due_at: float | None = now + random.uniform(0.0, settings.idle_s.least)

    def see(self, status: ConnectorStatus, now: float) -> None:
        """Take in how the connector is."""
        self._status = status
        if self._step is Step.STOP and status.status is ConnectorState.FINISHING:
            self._next(Step.LEAVE, self._settings.handling_s, now)  # somebody else has stopped it

    def act(self, now: float) -> Event | None:
        """Do what is due; return what is done to the connector, None where nothing is."""
        match self._step:
            case Step.ARRIVE:
                return self._arrive(now)
            case Step.AUTHORIZE:
                self._next(Step.STOP, self._settings.charge_s, now)
                tag = self._random.choice(self._settings.id_tags)
                return None if self._in_transaction else self._hold(tag)
            case Step.STOP:
                self._next(Step.LEAVE, self._settings.handling_s, now)
                return self._hold(self._id_tag) if self._in_transaction else None
            case Step.LEAVE:
                return self._leave(now)

    def _arrive(self, now: float) -> Event | None:
        if self._status is not None and self._status.car_cable_capacity > 0:
            # Left behind by a power cut, or plugged in by somebody else.
            self._next(Step.STOP, self._settings.charge_s, now)
            return None
        if self._status is not None and self._status.status is not ConnectorState.AVAILABLE:
            self._next(Step.ARRIVE, self._settings.idle_s, now)
            return None
        self._next(Step.AUTHORIZE, self._settings.handling_s, now)
        car = self._car.plugged(self._draw(self._settings.consumption))
        return CarChanged(connector_id=self._connector_id, car=car)

    def _leave(self, now: float) -> Event:
        self._sessions += 1
        self._next(Step.ARRIVE, self._settings.idle_s, now)
        if self._sessions == self._settings.sessions:
            self.due_at = None
        gone = CarInput(cable=0.0, ready=False)
        return CarChanged(connector_id=self._connector_id, car=gone)

    @property
    def _in_transaction(self) -> bool:
        return self._status is not None and self._status.status in _IN_TRANSACTION

    @property
    def _id_tag(self) -> str:
        return self._status.id_tag if self._status is not None else ""

    def _hold(self, id_tag: str) -> Event:
        return TagPresented(connector_id=self._connector_id, id_tag=id_tag)

    def _next(self, step: Step, after_s: Span, now: float) -> None:
        self._step = step
        self.due_at = now + self._draw(after_s)

    def _draw(self, span: Span) -> float:
        return round(self._random.uniform(span.least, span.most), 3)


class Car:
    """What the cars of a charge point are like.

    Args:
        type: of the charge point.
        nb_phases: on which they charge.
        cable: rating of their cables; A for AC, W for DC.
    """

    def __init__(self, *, type: ChargePointType, nb_phases: int, cable: float) -> None:  # noqa: A002 - the contract's word
        self._nb_phases = 1 if type is ChargePointType.DC else nb_phases
        self._cable = cable

    def plugged(self, consumption: float) -> CarInput:
        """Return a car that is plugged in and asks for so much on each phase."""
        on = [consumption if phase < self._nb_phases else 0.0 for phase in range(3)]
        return CarInput(
            cable=self._cable,
            ready=True,
            consumption_l1=on[0],
            consumption_l2=on[1],
            consumption_l3=on[2],
        )


class Script:
    """The drivers of a charge point.

    Args:
        drivers: one for each connector, in their order.
    """

    def __init__(self, drivers: Sequence[Driver]) -> None:
        self._drivers = drivers

    def see(self, connector_id: int, status: ConnectorStatus, now: float) -> None:
        """Take in how a connector is."""
        self._drivers[connector_id - 1].see(status, now)

    def next_deadline(self) -> float | None:
        """Return when to call `due`, epoch seconds; None: never again."""
        return min((at for each in self._drivers if (at := each.due_at) is not None), default=None)

    def due(self, now: float) -> Event | None:
        """Let the first of those act whose time has come; call it again until none is left."""
        for each in self._drivers:
            while each.due_at is not None and each.due_at <= now:
                event = each.act(now)
                if event is not None:
                    return event
        return None
