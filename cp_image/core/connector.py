"""A connector: its state, its car, its meter, and the transaction that may run on it."""

from collections.abc import Sequence
from typing import Final

from cp_image.api.payloads import ConnectorState, ConnectorStatus
from cp_image.api.value import replace
from cp_image.core.car import Car
from cp_image.core.connector_states import TRANSACTION_STATES, StateEvent, next_state
from cp_image.core.energy import Meter, Phases, Supply
from cp_image.core.faults import Faults
from cp_image.core.transaction import Authorization, Check, Transaction

_ALLOWANCE_DUST_WH: Final = 1e-3
"""Instants are floats: the register may miss the end of an allowance by less than this."""


class Connector:
    """What is true of one connector; what it means is decided by its users.

    Attributes:
        state: moved by `apply` only.
        faults: why it is Faulted.
        spent: whether a transaction has ended on the cable that is still in.
        held: whether a firmware update keeps it Unavailable.
        operative: whether the CSMS wants it in service (ChangeAvailability).
        authorization: an accepted tag that waits for a cable; None without one.
        checking: the tag the CSMS is being asked about; None without one.
        transaction: the one that runs; None without one.
        locked_for: the session whose cable stays locked at this end after it was pulled at the
            car's; None where none does. It counts while the connector is Finishing.
        next_sample_at: when the meter is sampled next; None when not at all.
        read_at: station time at which its register was last kept; None before.
        setpoint: the limit in force; `ocpp_setpoint` is what smart charging leaves.
        min_setpoint: below which the car had better get nothing; 0 is no minimum.
        feed: the supply on as many phases as smart charging leaves.
    """

    def __init__(
        self, *, connector_id: int, supply: Supply, max_setpoint: float, car: Car, meter: Meter
    ) -> None:
        self.connector_id = connector_id
        self.supply = supply
        self.max_setpoint = max_setpoint
        self.meter = meter
        self.car = car
        self.state = ConnectorState.UNAVAILABLE  # without power
        self.faults = Faults()
        self.spent = False
        self.held = False
        self.operative = True
        self.authorization: Authorization | None = None
        self.checking: Check | None = None
        self.transaction: Transaction | None = None
        self.locked_for: Transaction | None = None
        self.next_sample_at: float | None = None
        self.read_at: float | None = None
        self.ocpp_setpoint = max_setpoint
        self.min_setpoint = 0.0
        self.setpoint = 0.0
        self.feed = supply

    def apply(self, event: StateEvent) -> None:
        """Move to the next state.

        Raises:
            TransitionRefusedError: the table does not list the event in this state.
        """
        self.state = next_state(self.state, event)

    @property
    def car(self) -> Car:
        """What is plugged in, with the charge its battery had when the meter was advanced."""
        return self._car

    @car.setter
    def car(self, car: Car) -> None:
        self._car = car
        # What a battery holds is read off the meter, so that the two can never disagree.
        stored_wh = car.battery.stored_wh if car.battery else 0.0
        self._stored_less_register_wh = stored_wh - self.meter.register_wh
        self._soc_from_pct = car.battery.soc_pct if car.battery else None

    @property
    def battery_steps_at(self) -> float | None:
        """When the battery will take less than now; None where it will not."""
        battery = self._car.battery
        edge_wh = battery.next_step_wh if battery and self.meter.power_w > 0 else None
        if edge_wh is None:
            return None
        return self.meter.reaches_at(edge_wh - self._stored_less_register_wh)

    def advance(self, now: float) -> None:
        """Count what was drawn until `now`, through every step of the battery on the way."""
        while (at := self.battery_steps_at) is not None and at <= now:
            self._step_battery(at)
        self.meter.advance(now)
        self._charge_battery(self.meter.register_wh + self._stored_less_register_wh)

    def _step_battery(self, at: float) -> None:
        edge_wh = self._car.battery.next_step_wh if self._car.battery else None
        if edge_wh is None:
            raise AssertionError(f"connector {self.connector_id} has no battery that steps")
        self.meter.reach(edge_wh - self._stored_less_register_wh, at)
        self._charge_battery(edge_wh)
        self.car = self._car  # what the sum has rounded is forgotten
        self.meter.draw(self.supply.power_w(self.drawn))

    def _charge_battery(self, stored_wh: float) -> None:
        battery = self._car.battery
        if battery is not None and stored_wh > battery.stored_wh:
            self._car = replace(self._car, battery=battery.holding(stored_wh))

    @property
    def limit(self) -> float:
        """What it could have on its own: the least of hardware, smart charging and cable."""
        if not self.entitled:
            return 0.0
        return min(self.ocpp_setpoint, self.car.cable)

    @property
    def entitled(self) -> bool:
        """Whether a transaction on it may draw: not for ever once the CSMS has refused its tag."""
        if self.transaction is None or self.transaction.authorized:
            return True
        allowed_wh = self.transaction.free_until_wh
        return allowed_wh is not None and self.meter.register_wh < allowed_wh - _ALLOWANCE_DUST_WH

    @property
    def locked(self) -> bool:
        """Whether it is Finishing and keeps its cable until the tag is presented again."""
        return self.locked_for is not None and self.state is ConnectorState.FINISHING

    @property
    def drawn(self) -> Phases:
        """What the car takes on L1, L2, L3: nothing unless Charging."""
        if self.state is not ConnectorState.CHARGING:
            return (0.0, 0.0, 0.0)
        return self.feed.drawn(self.wanted, self.setpoint)

    @property
    def wanted(self) -> Phases:
        """What the car asks for on L1, L2, L3."""
        return self.car.asks(self.feed)

    @property
    def flows(self) -> bool:
        """Whether energy flows: the register moves."""
        return self.meter.power_w > 0

    @property
    def in_service(self) -> bool:
        """Whether sessions may begin; without, it is Unavailable once no transaction runs."""
        return self.operative and not self.held

    @property
    def resting(self) -> StateEvent:
        """What is found when the connector comes into order (again)."""
        if not self.in_service:
            return StateEvent.DISABLE
        if not self.car.plugged:
            return StateEvent.BECOMES_FREE
        return StateEvent.BECOMES_SPENT if self.spent else StateEvent.BECOMES_PLUGGED

    @property
    def flow(self) -> StateEvent:
        """What happens to the energy while a transaction runs."""
        # OCPP 1.6 §7.7: where neither side lets energy flow, SuspendedEVSE goes first.
        if self.car.plugged and self.setpoint <= 0:
            return StateEvent.EVSE_PAUSES
        wanted = self.feed.drawn(self.wanted, self.setpoint)
        if not self.car.plugged or not self.car.ready or sum(wanted) <= 0:
            return StateEvent.EV_PAUSES
        return StateEvent.ENERGY_FLOWS

    def settle(self, setpoint: float) -> None:
        """Put a setpoint in force, with what follows for state and meter.

        The meter must have been advanced to the present.
        """
        self.setpoint = setpoint
        if self.transaction is not None:
            self.apply(self.flow)
        elif self.state in TRANSACTION_STATES:
            raise AssertionError(f"connector {self.connector_id} is {self.state} for no reason")
        self.meter.draw(self.supply.power_w(self.drawn))

    def status(self) -> ConnectorStatus:
        """Return what is published of it, without the meter's reading."""
        l1, l2, l3 = self.drawn
        wanted_l1, wanted_l2, wanted_l3 = self.wanted
        transaction = self.transaction
        session = transaction or self.authorization
        battery = self.car.battery if self.car.plugged else None
        return ConnectorStatus(
            status=self.state,
            id_tag=session.id_tag if session else "",
            max_setpoint=self.max_setpoint,
            ocpp_setpoint=self.ocpp_setpoint,
            setpoint=self.setpoint,
            car_consumption_l1=wanted_l1,
            car_consumption_l2=wanted_l2,
            car_consumption_l3=wanted_l3,
            car_cable_capacity=self.car.cable,
            car_ready=self.car.ready,
            consumption_l1=l1,
            consumption_l2=l2,
            consumption_l3=l3,
            transaction_id=transaction.transaction_id if transaction else None,
            power_w=self.meter.power_w,
            error_code=self.faults.error_code.value,
            soc_pct=self._soc_from_pct if self.car.plugged else None,
            battery_wh=battery.capacity_wh if battery else None,
        )

    def metered(self, status: ConnectorStatus, now: float) -> ConnectorStatus:
        """Return a status with the meter's reading, to which it must have been advanced."""
        register_wh = self.meter.register_wh
        start_wh = self.transaction.register_start_wh if self.transaction else register_wh
        battery = self.car.battery
        soc_pct = status.soc_pct if battery is None else round(battery.soc_pct, 3)
        return replace(
            status,
            register_wh=register_wh,
            session_wh=register_wh - start_wh,
            metered_at=now,
            soc_pct=soc_pct if self.car.plugged else None,
        )


def found(connectors: Sequence[Connector], connector_id: int) -> Connector | None:
    """Return a connector by its id; None where the charge point has none, or no more."""
    return connectors[connector_id - 1] if 1 <= connector_id <= len(connectors) else None
