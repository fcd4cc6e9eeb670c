"""Plugging, charging, stopping: what happens on the connectors, between tag and meter."""

import math
from collections.abc import Sequence

from cp_image.api.payloads import CarInput, ConnectorState, StopReason
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector
from cp_image.core.connector_states import StateEvent
from cp_image.core.outbox import Outbox
from cp_image.core.records import keep_car
from cp_image.core.reservations import Reservations
from cp_image.core.sharing import shared_above_minimums
from cp_image.core.station_clock import StationClock
from cp_image.core.status_board import StatusBoard
from cp_image.core.transaction import Authorization
from cp_image.core.transactions import Transactions


class Sessions:
    """What the connectors of a station go through.

    Every method expects the meters to have been advanced to `now`.

    Args:
        connectors: in the order of their ids, from 1.
    """

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        configuration: Configuration,
        board: StatusBoard,
        reservations: Reservations,
        transactions: Transactions,
        clock: StationClock,
        outbox: Outbox,
    ) -> None:
        self._connectors = connectors
        self._configuration = configuration
        self._board = board
        self._reservations = reservations
        self._transactions = transactions
        self._clock = clock
        self._outbox = outbox
        configuration.on_change(Key.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT, self._stop_unplugged)

    def power_up(self, connector: Connector, now: float, *, why: StopReason) -> None:
        """Bring a connector into order; a transaction left open on it stops, and `why` says why."""
        self._transactions.close_interrupted(connector, why)
        if connector.faults:
            self.move(connector, StateEvent.FAULT, now)
            return
        reserved = self._reservations.of(connector.connector_id) is not None
        reserved = reserved and connector.in_service
        self.move(connector, StateEvent.BECOMES_FREE if reserved else connector.resting, now)
        if reserved:
            self.reserve(connector, now)

    def change_car(self, connector: Connector, change: CarInput, now: float) -> None:
        """The car or its cable changed."""
        before = connector.car
        connector.car = before.changed(change)
        if connector.car.plugged and not before.plugged:
            self._plugged(connector, now)
        elif before.plugged and not connector.car.plugged:
            self._unplugged(connector, now)
        if connector.car != before:
            keep_car(connector, self._outbox)

    def faults_changed(
        self, connector: Connector, now: float, *, stops_with: StopReason = StopReason.OTHER
    ) -> None:
        """Go out of order with the first fault of a connector, and into it with the last.

        A transaction that a fault stops is stopped with the reason `stops_with`.
        """
        faulted = connector.state is ConnectorState.FAULTED
        if connector.faults and not faulted:
            connector.authorization = None
            connector.checking = None
            if connector.transaction is not None:
                self._transactions.close(connector, stops_with, at=self._clock.at(now))
            self.move(connector, StateEvent.FAULT, now)
        elif faulted and not connector.faults:
            self.move(connector, connector.resting, now)
        else:
            self._show(connector, now)  # another error code may be the newest now

    def authorize(self, connector: Connector, authorization: Authorization, now: float) -> None:
        """A tag was accepted: start where the cable is in, else wait for it."""
        connector.authorization = authorization
        if connector.car.plugged:
            if connector.state is ConnectorState.RESERVED:
                self.move(connector, StateEvent.AUTHORIZE, now)
            self._transactions.begin(connector, authorization, now)
        else:
            self.move(connector, StateEvent.AUTHORIZE, now)

    def withdraw(self, connector: Connector, now: float) -> None:
        """The tag that waits for a cable waits no longer."""
        connector.authorization = None
        connector.apply(StateEvent.WITHDRAW)
        if self._reservations.of(connector.connector_id) is not None:
            connector.apply(StateEvent.RESERVE)  # §9.1 ConnectionTimeOut: the original state
        self._show(connector, now)

    def reserve(self, connector: Connector, now: float) -> None:
        """Keep a connector for a tag; one that is kept already stays so."""
        if connector.state is ConnectorState.AVAILABLE:
            self.move(connector, StateEvent.RESERVE, now)

    def unreserve(self, connector: Connector, now: float) -> None:
        """Let everybody have a connector again, if it is still kept."""
        if connector.state is ConnectorState.RESERVED:
            connector.apply(StateEvent.UNRESERVE)
            if connector.car.plugged:
                connector.apply(StateEvent.PLUG)
            self._show(connector, now)

    def unlock(self, connector: Connector, now: float) -> None:
        """Let go of a cable that was pulled at the car's end and stayed locked at this one."""
        locked = connector.locked
        connector.locked_for = None
        if locked and not connector.car.plugged:
            self.move(connector, StateEvent.UNPLUG, now)

    def stop(
        self, connector: Connector, reason: StopReason, now: float, *, id_tag: str | None = None
    ) -> None:
        """Stop the transaction of a connector; `id_tag` is the tag that did, None where none."""
        connector.checking = None
        self._transactions.close(connector, reason, at=self._clock.at(now), id_tag=id_tag)
        self.move(connector, StateEvent.END, now)
        if not connector.in_service:
            self.move(connector, StateEvent.DISABLE, now)  # §5.2: it was Scheduled
        elif not connector.car.plugged and not connector.locked:
            self.move(connector, StateEvent.UNPLUG, now)

    def settle(self, now: float, max_setpoint: float) -> None:
        """Share what all may have together anew, with what follows for states and meters."""
        active = [c for c in self._connectors if c.transaction is not None]
        idle = [c for c in self._connectors if c.transaction is None]
        setpoints = shared_above_minimums(
            [c.limit for c in active], [c.min_setpoint for c in active], max_setpoint
        )
        for connector, setpoint in zip(active, setpoints, strict=True):
            connector.settle(setpoint)
            self._show(connector, now)
        for connector in idle:
            connector.settle(float(math.floor(connector.limit)))

    def move(self, connector: Connector, event: StateEvent, now: float) -> None:
        """Take a connector to its next state and show it."""
        connector.apply(event)
        self._show(connector, now)

    def _plugged(self, connector: Connector, now: float) -> None:
        if connector.transaction is not None:
            return  # it went on without a cable, and now goes on with one
        if connector.locked:
            connector.spent = True  # the old session's cable: nothing new begins with it
            return
        self.move(connector, StateEvent.PLUG, now)
        if connector.authorization is not None:
            self._transactions.begin(connector, connector.authorization, now)

    def _unplugged(self, connector: Connector, now: float) -> None:
        connector.spent = False
        if connector.locked:
            return
        if connector.transaction is None:
            self.move(connector, StateEvent.UNPLUG, now)
        else:
            self._stop_unplugged(now)

    def _stop_unplugged(self, now: float) -> None:
        """Stop the transactions that go on without a cable, unless they may (§9.1)."""
        if not self._configuration.boolean(Key.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT):
            return
        for connector in self._connectors:
            if connector.transaction is None or connector.car.plugged:
                continue
            # §4.10, §9.1: unless unlocked the cable stays in until its user comes back.
            unlocks = self._configuration.boolean(Key.UNLOCK_CONNECTOR_ON_EV_SIDE_DISCONNECT)
            connector.locked_for = None if unlocks else connector.transaction
            self.stop(connector, StopReason.EV_DISCONNECTED, now)

    def _show(self, connector: Connector, now: float) -> None:
        self._board.show(connector.connector_id, connector.state, connector.faults.error_code, now)
