"""Whether connectors and charge point are in service: OCPP 1.6 §5.2 ChangeAvailability."""

from collections.abc import Mapping, Sequence
from typing import Any

from cp_image.api.payloads import ConnectorState
from cp_image.core.connector import Connector
from cp_image.core.connector_states import StateEvent
from cp_image.core.csms_messages import (
    AvailabilityStatus,
    ChangeAvailability,
    ChangeAvailabilityAnswer,
)
from cp_image.core.desk import Handler, Reply
from cp_image.core.outbox import Outbox
from cp_image.core.sessions import Sessions


class Availability:
    """What the CSMS wants in service, kept through resets and power cuts.

    `Connector.operative` says what is wanted of it and of the whole: a transaction that runs goes
    on to its end all the same, which is what the specification calls Scheduled. A connector of a
    charge point that is out of service as a whole can be wanted, but serves with the whole only.
    """

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        sessions: Sessions,
        stored: Mapping[str, bytes],
        outbox: Outbox,
    ) -> None:
        self._connectors = connectors
        self._sessions = sessions
        self._outbox = outbox
        self._operative = self._recall(stored, 0)
        self._wanted = {
            connector.connector_id: self._recall(stored, connector.connector_id)
            for connector in connectors
        }
        self._apply()

    @property
    def state(self) -> ConnectorState:
        """The status of connector 0, as long as it has no fault."""
        # The charge point as a whole goes out of service when its last transaction has ended.
        wanted = self._operative and not any(c.held for c in self._connectors)
        if wanted or any(c.transaction is not None for c in self._connectors):
            return ConnectorState.AVAILABLE
        return ConnectorState.UNAVAILABLE

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what it answers."""
        return {ChangeAvailability: self._change}

    def settle(self, now: float) -> None:
        """Take out of service, and put into it, what can be."""
        for connector in self._connectors:
            if connector.faults or connector.transaction is not None:
                continue
            closed = connector.state is ConnectorState.UNAVAILABLE
            if not connector.in_service and not closed:
                connector.authorization = None
                connector.checking = None
                self._sessions.move(connector, StateEvent.DISABLE, now)
            elif connector.in_service and closed:
                self._sessions.move(connector, connector.resting, now)

    def _change(self, request: ChangeAvailability, _now: float) -> Reply:
        if request.connector_id > len(self._connectors):
            return _reply(AvailabilityStatus.REJECTED)
        # §5.2: connector 0 is the charge point and all of its connectors.
        concerned = [
            connector
            for connector in self._connectors
            if request.connector_id in {0, connector.connector_id}
        ]
        waits = not request.operative and any(c.transaction is not None for c in concerned)
        # The wish is stored with the answer; `settle` fulfils it after the answer.
        if request.connector_id == 0:
            self._operative = request.operative
            self._keep(0, operative=request.operative)
        for connector in concerned:
            self._wanted[connector.connector_id] = request.operative
            self._keep(connector.connector_id, operative=request.operative)
        self._apply()
        return _reply(AvailabilityStatus.SCHEDULED if waits else AvailabilityStatus.ACCEPTED)

    def _apply(self) -> None:
        for connector in self._connectors:
            connector.operative = self._operative and self._wanted[connector.connector_id]

    def _keep(self, connector_id: int, *, operative: bool) -> None:
        if operative:
            self._outbox.forget(_key(connector_id))
        else:
            self._outbox.keep(_key(connector_id), operative)

    def _recall(self, stored: Mapping[str, bytes], connector_id: int) -> bool:
        operative = self._outbox.recall(stored, _key(connector_id), bool)
        return True if operative is None else operative


def _key(connector_id: int) -> str:
    return f"availability/{connector_id}"


def _reply(status: AvailabilityStatus) -> Reply:
    return Reply(answer=ChangeAvailabilityAnswer(status=status))
