"""Smart charging: charging profiles are set and cleared, and limit what connectors offer.

OCPP 1.6 §3.13, §5.5, §5.7, §5.16.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cp_image.api.value import replace
from cp_image.core.charging_plans import ChargingPlans
from cp_image.core.charging_profiles import ChargingProfiles, ProfileRefusedError
from cp_image.core.composite_schedule import composite_schedule
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    ChargingProfile,
    ChargingProfilePurpose,
    ChargingProfileStatus,
    ChargingRateUnit,
    ClearChargingProfile,
    ClearChargingProfileAnswer,
    ClearChargingProfileStatus,
    GetCompositeSchedule,
    GetCompositeScheduleAnswer,
    SetChargingProfile,
    SetChargingProfileAnswer,
)
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import LogLevel
from cp_image.core.limit import unit_of
from cp_image.core.outbox import Outbox
from cp_image.core.station_clock import StationClock


class SmartCharging:
    """What the CSMS allows the connectors of a station.

    Args:
        connectors: in the order of their ids, from 1.
        max_setpoint: what their hardware may have together.
        stored: what was kept of an earlier life.
    """

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        max_setpoint: float,
        stored: Mapping[str, bytes],
        configuration: Configuration,
        clock: StationClock,
        outbox: Outbox,
    ) -> None:
        self._connectors = connectors
        self._configuration = configuration
        self._clock = clock
        self._outbox = outbox
        self._profiles = ChargingProfiles(
            stored=stored, configuration=configuration, clock=clock, outbox=outbox
        )
        self._plans = ChargingPlans(
            connectors=connectors,
            max_setpoint=max_setpoint,
            profiles=self._profiles,
            configuration=configuration,
            clock=clock,
        )
        self._assigned: dict[int, ChargingProfile] = {}
        self._next_change_at: float | None = None

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what answers the requests of this feature profile."""
        return {
            SetChargingProfile: self._set,
            ClearChargingProfile: self._clear,
            GetCompositeSchedule: self._composite_schedule,
        }

    # -- limits in force ----------------------------------------------------------------------

    def apply(self, now: float) -> float:
        """Put in force what is allowed at an instant.

        Returns:
            What all connectors have to share; A per phase for AC, W for DC.
        """
        at = self._clock.at(now)
        running = {c.transaction.local_id for c in self._connectors if c.transaction is not None}
        self._profiles.end_transactions(running)
        self._take_assigned(now)
        self._plans.follow_sessions(now)
        plan = self._plans.plan()
        for connector, own in zip(self._connectors, plan.connectors, strict=True):
            limit = own.limit_at(at)
            connector.ocpp_setpoint = limit.setpoint(own.supply)
            minimum = own.minimum_at(at)
            connector.min_setpoint = minimum.setpoint(own.supply) if minimum else 0.0
            connector.feed = replace(connector.supply, nb_phases=limit.phases)
        self._next_change_at = plan.next_change_at(at)
        return plan.cap_at(at).setpoint(plan.supply)

    def next_deadline(self) -> float | None:
        """Return when a limit may change next; None: not before another event."""
        if self._next_change_at is None:
            return None
        now = self._clock.instant(self._next_change_at)
        # The sum may round down, and at the deadline the boundary must have been reached.
        while self._clock.at(now) < self._next_change_at:
            now = math.nextafter(now, math.inf)
        return now

    def change_until(self, now: float) -> float | None:
        """Return the first instant, at most `now`, at which a limit in force may have changed.

        None where there is none, or where no energy depends on it. Whoever wakes late settles
        every such instant first: the energy then follows the boundaries, not the timer.
        """
        changed_at = self.next_deadline()
        if changed_at is None or changed_at > now:
            return None
        return changed_at if any(c.transaction is not None for c in self._connectors) else None

    # -- a TxProfile that comes with a remote start -------------------------------------------

    def accepts_tx_profile(self, connector: Connector, profile: ChargingProfile) -> bool:
        """Return whether a profile may come with a RemoteStartTransaction: OCPP 1.6 §5.11."""
        try:
            _check_remote(profile)
            self._profiles.check(connector.connector_id, profile)
        except ProfileRefusedError as exc:
            self._refused(profile, exc)
            return False
        return True

    def assign_tx_profile(self, connector: Connector, profile: ChargingProfile, now: float) -> None:
        """Give a profile to the transaction of a connector, or to the one about to start there.

        It is forgotten when what is about to start (a tag being checked, or one that waits for
        its cable) comes to nothing.

        The profile is one that `accepts_tx_profile`.
        """
        self._assigned[connector.connector_id] = profile
        if connector.transaction is not None:
            self._take_assigned(now)

    def _take_assigned(self, now: float) -> None:
        for connector_id, profile in list(self._assigned.items()):
            connector = self._connectors[connector_id - 1]
            if connector.transaction is not None:
                del self._assigned[connector_id]
                self._install_assigned(connector_id, profile, now, connector.transaction.local_id)
            elif connector.authorization is None and connector.checking is None:
                del self._assigned[connector_id]

    def _install_assigned(
        self, connector_id: int, profile: ChargingProfile, now: float, local_id: int
    ) -> None:
        try:
            self._profiles.check(connector_id, profile)  # there may be less room by now
        except ProfileRefusedError as exc:
            self._refused(profile, exc)
        else:
            self._profiles.install(connector_id, profile, now, local_id=local_id)

    # -- requests -----------------------------------------------------------------------------

    def _set(self, request: SetChargingProfile, _now: float) -> Reply:
        profile = request.charging_profile
        try:
            local_id = self._target(request)
            self._profiles.check(request.connector_id, profile)
        except ProfileRefusedError as exc:
            self._refused(profile, exc)
            return Reply(answer=SetChargingProfileAnswer(status=ChargingProfileStatus.REJECTED))

        def install(now: float) -> None:
            self._profiles.install(request.connector_id, profile, now, local_id=local_id)

        return Reply(
            answer=SetChargingProfileAnswer(status=ChargingProfileStatus.ACCEPTED), then=install
        )

    def _target(self, request: SetChargingProfile) -> int | None:
        """Return the local id of the transaction a profile is for; None where it is for none."""
        connector_id, profile = request.connector_id, request.charging_profile
        if not 0 <= connector_id <= len(self._connectors):
            raise ProfileRefusedError(f"connector {connector_id} does not exist")
        match profile.purpose:
            case ChargingProfilePurpose.CHARGE_POINT_MAX_PROFILE:
                # OCPP 1.6 §3.13.1: it is about the charge point as a whole.
                if connector_id != 0:
                    raise ProfileRefusedError("a ChargePointMaxProfile is set on connector 0")
                return None
            case ChargingProfilePurpose.TX_DEFAULT_PROFILE:
                return None
            case ChargingProfilePurpose.TX_PROFILE:
                return self._target_transaction(connector_id, profile.transaction_id)

    def _target_transaction(self, connector_id: int, transaction_id: int | None) -> int:
        # OCPP 1.6 §3.13.1, §5.16.2: only for the transaction that runs on the connector.
        if connector_id == 0:
            raise ProfileRefusedError("a TxProfile is not set on connector 0")
        transaction = self._connectors[connector_id - 1].transaction
        if transaction is None:
            raise ProfileRefusedError(f"no transaction runs on connector {connector_id}")
        if transaction_id not in {None, transaction.transaction_id}:
            raise ProfileRefusedError(
                f"transaction {transaction_id} does not run on connector {connector_id}"
            )
        return transaction.local_id

    def _clear(self, request: ClearChargingProfile, _now: float) -> Reply:
        gone = self._profiles.matching(request)
        if not gone:
            return Reply(
                answer=ClearChargingProfileAnswer(status=ClearChargingProfileStatus.UNKNOWN)
            )
        return Reply(
            answer=ClearChargingProfileAnswer(status=ClearChargingProfileStatus.ACCEPTED),
            then=lambda _now: self._profiles.remove(gone),
        )

    def _composite_schedule(self, request: GetCompositeSchedule, now: float) -> Reply:
        if not 0 <= request.connector_id <= len(self._connectors) or request.duration_s <= 0:
            return Reply(answer=GetCompositeScheduleAnswer(status=AcceptanceStatus.REJECTED))
        unit = self._shown_unit(request.unit)
        if unit is None:
            return Reply(answer=GetCompositeScheduleAnswer(status=AcceptanceStatus.REJECTED))
        at = self._clock.at(now)
        # What begins with a session shows as if one began where the schedule does.
        whole = self._plans.plan(idle_from_at=math.floor(at))
        start_at, schedule = composite_schedule(
            whole.connectors[request.connector_id - 1] if request.connector_id else whole,
            unit,
            from_at=at,
            duration_s=request.duration_s,
            max_periods=max(1, self._configuration.integer(Key.CHARGING_SCHEDULE_MAX_PERIODS)),
        )
        return Reply(
            answer=GetCompositeScheduleAnswer(
                status=AcceptanceStatus.ACCEPTED,
                connector_id=request.connector_id,
                start_at=start_at,
                schedule=schedule,
            )
        )

    def _shown_unit(self, wanted: ChargingRateUnit | None) -> ChargingRateUnit | None:
        """Return the unit of a composite schedule; None where it may not be shown in any."""
        allowed = self._profiles.allowed_units()
        if wanted is not None:
            return wanted if wanted in allowed else None
        own = unit_of(self._connectors[0].supply)
        return own if own in allowed else next(iter(allowed), None)

    def _refused(self, profile: ChargingProfile, why: ProfileRefusedError) -> None:
        self._outbox.log(
            LogLevel.WARNING,
            f"charging profile {profile.charging_profile_id} is rejected: {why}",
        )


def _check_remote(profile: ChargingProfile) -> None:
    if profile.purpose is not ChargingProfilePurpose.TX_PROFILE:
        raise ProfileRefusedError(f"a remote start does not take a {profile.purpose}")
    # §5.11: the transaction it is for has no id before it has started.
    if profile.transaction_id is not None:
        raise ProfileRefusedError("a profile of a remote start has no transactionId")
