"""Injected faults of a connector, or of the charge point as a whole; a power cut repairs none."""

from collections.abc import Mapping, Sequence

from cp_image.api.payloads import StopReason
from cp_image.core.connector import Connector
from cp_image.core.events import FaultChanged
from cp_image.core.faults import Fault, FaultOrigin, Faults
from cp_image.core.outbox import Outbox
from cp_image.core.sessions import Sessions


class InjectedFaults:
    """Sets and clears them.

    Attributes:
        of_station: those of the charge point as a whole, which each connector has as well.
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
        self.of_station = self._recall(stored, 0)
        for connector in connectors:
            connector.faults = self._recall(stored, connector.connector_id)

    def change(self, connector: Connector, event: FaultChanged, now: float) -> None:
        """Set or clear a fault of a connector; see `Faults.change`."""
        self._change(connector, FaultOrigin.CONNECTOR, event, now)

    def change_all(self, event: FaultChanged, now: float) -> None:
        """Set or clear a fault of the charge point; see `Faults.change`."""
        origin = FaultOrigin.CHARGE_POINT
        before = tuple(self.of_station)
        self.of_station.change(origin, event.error_code, faulted=event.faulted)
        self._keep(0, before, self.of_station)
        for connector in self._connectors:
            self._change(connector, origin, event, now)

    def _change(
        self, connector: Connector, origin: FaultOrigin, event: FaultChanged, now: float
    ) -> None:
        before = tuple(connector.faults)
        connector.faults.change(origin, event.error_code, faulted=event.faulted)
        self._keep(connector.connector_id, before, connector.faults)
        # OCPP 1.6 §7.36: whether somebody has hit the emergency stop.
        reason = StopReason.EMERGENCY_STOP if event.emergency else StopReason.OTHER
        self._sessions.faults_changed(connector, now, stops_with=reason)

    def _keep(self, connector_id: int, before: Sequence[Fault], faults: Faults) -> None:
        after = tuple(faults)
        if after == before:
            return
        if after:
            self._outbox.keep(_key(connector_id), after)
        else:
            self._outbox.forget(_key(connector_id))

    def _recall(self, stored: Mapping[str, bytes], connector_id: int) -> Faults:
        return Faults(self._outbox.recall(stored, _key(connector_id), list[Fault]) or ())


def _key(connector_id: int) -> str:
    """Return the key of the list of faults; 0 is the charge point."""
    return f"fault/{connector_id}"
