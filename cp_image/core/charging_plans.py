"""What charging profiles, hardware and the running sessions allow together: OCPP 1.6 §3.13."""

from collections.abc import Mapping, Sequence

from cp_image.api.value import Value
from cp_image.core.charging_profiles import ChargingProfiles
from cp_image.core.composite_schedule import ConnectorPlan, StationPlan
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector
from cp_image.core.station_clock import StationClock
from cp_image.core.transaction import Transaction


class _Session(Value):
    """What counts from the start of a transaction.

    Attributes:
        began_at: by the computer's clock, which the CSMS does not correct.
        phases: on which it stays; None where they may be switched.
    """

    began_at: float
    phases: int | None


class ChargingPlans:
    """Lays the installed profiles over the connectors, as they stand now."""

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        max_setpoint: float,
        profiles: ChargingProfiles,
        configuration: Configuration,
        clock: StationClock,
    ) -> None:
        self._connectors = connectors
        self._max_setpoint = max_setpoint
        self._profiles = profiles
        self._configuration = configuration
        self._clock = clock
        self._sessions: Mapping[int, _Session] = {}  # by the local id of the transaction

    def follow_sessions(self, now: float) -> None:
        """Take in which transactions run.

        It is called before anything can have corrected station time since one has started.
        """
        self._sessions = {
            c.transaction.local_id: self._sessions.get(c.transaction.local_id)
            or self._begun(c, c.transaction, now)
            for c in self._connectors
            if c.transaction is not None
        }

    def plan(self, *, idle_from_at: float | None = None) -> StationPlan:
        """Return what is allowed.

        Args:
            idle_from_at: station time at which schedules that begin with a session begin where
                none runs; None leaves them at their beginning for ever.
        """
        idle_from = None if idle_from_at is None else self._clock.instant(idle_from_at)
        idle = None if idle_from is None else _Session(began_at=idle_from, phases=None)
        return StationPlan(
            supply=self._connectors[0].supply,
            max_setpoint=self._max_setpoint,
            caps=self._profiles.caps(),
            connectors=[
                self._connector_plan(connector, self._session(connector) or idle)
                for connector in self._connectors
            ],
        )

    def _begun(self, connector: Connector, transaction: Transaction, now: float) -> _Session:
        session = _Session(began_at=self._clock.instant(transaction.started_at), phases=None)
        # §9.4: what cannot be switched stays as the limits have it at the start.
        if self._configuration.boolean(Key.CONNECTOR_SWITCH_3_TO_1_PHASE_SUPPORTED):
            return session
        limit = self._connector_plan(connector, session).limit_at(self._clock.at(now))
        return _Session(began_at=session.began_at, phases=limit.phases)

    def _session(self, connector: Connector) -> _Session | None:
        transaction = connector.transaction
        return None if transaction is None else self._sessions[transaction.local_id]

    def _connector_plan(self, connector: Connector, session: _Session | None) -> ConnectorPlan:
        began_at = None if session is None else session.began_at
        return ConnectorPlan(
            supply=connector.supply,
            max_setpoint=connector.max_setpoint,
            caps=self._profiles.caps(),
            own=self._profiles.own(connector.connector_id, began_at),
            running=connector.transaction is not None,
            phases=None if session is None else session.phases,
        )
