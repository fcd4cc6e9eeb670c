"""What charging profiles allow at an instant, and until when: OCPP 1.6 §3.13, §5.7.

Pure and in closed form: a limit is looked up, never sampled, and the next instant at which it may
change is computed. All instants are station time.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Final

from cp_image.api.value import Value, replace
from cp_image.core.csms_messages import (
    ChargingProfile,
    ChargingProfileKind,
    ChargingRateUnit,
    ChargingSchedule,
    ChargingSchedulePeriod,
    RecurrencyKind,
)
from cp_image.core.energy import Supply
from cp_image.core.limit import PHASES_ASSUMED, Limit, hardware_limit, to_limit

_REPEATS_S: Final = MappingProxyType({RecurrencyKind.DAILY: 86_400, RecurrencyKind.WEEKLY: 604_800})
_DUST_DECIMALS: Final = 5
"""Of tenths, coarser than what a division leaves behind."""
_CHANGES_MAX: Final = 20_000
"""A schedule asked for centuries ends early instead of keeping everything else waiting."""


class Timeline(Value):
    """A charging profile laid on the axis of time.

    Attributes:
        origin_at: when its schedule starts, for a recurring one the first time; None where it
            starts whenever it is asked about: a relative one without a transaction.
    """

    profile: ChargingProfile
    origin_at: float | None

    def period_at(self, at: float) -> ChargingSchedulePeriod | None:
        """Return the period that is in force; None outside its validity and its schedule."""
        profile, schedule = self.profile, self.profile.schedule
        if profile.valid_from is not None and at < profile.valid_from:
            return None
        if profile.valid_to is not None and at >= profile.valid_to:
            return None
        start_at = self._start_at(at)
        if at < start_at:
            return None
        if schedule.duration_s is not None and at >= start_at + schedule.duration_s:
            return None
        return schedule.periods[self._next_period(start_at, at) - 1]

    def next_change_at(self, at: float) -> float | None:
        """Return the first instant after `at` at which the period may be another; None: never."""
        profile = self.profile
        if profile.valid_to is not None and at >= profile.valid_to:
            return None
        if profile.valid_from is not None and at < profile.valid_from:
            return profile.valid_from
        changes = [*self._schedule_changes(at)]
        if profile.valid_to is not None:
            changes.append(profile.valid_to)
        return min((change for change in changes if change > at), default=None)

    def _schedule_changes(self, at: float) -> Iterable[float]:
        if self.origin_at is None:
            return  # it moves along with the instant
        start_at = self._start_at(at)
        yield start_at
        periods = self.profile.schedule.periods
        following = self._next_period(start_at, at)
        if following < len(periods):
            yield start_at + periods[following].start_s
        if self.profile.schedule.duration_s is not None:
            yield start_at + self.profile.schedule.duration_s
        repeats_s = self._repeats_s
        if repeats_s is not None:
            # §7.10: what of the schedule is longer than the recurrence is cut off.
            yield start_at + repeats_s

    def _next_period(self, start_at: float, at: float) -> int:
        # Instants are compared, not what has elapsed: a boundary is then hit exactly.
        periods = self.profile.schedule.periods
        return bisect_right(periods, at, key=lambda period: start_at + period.start_s)

    @property
    def _repeats_s(self) -> int | None:
        rhythm = self.profile.recurrency_kind
        if self.profile.kind is not ChargingProfileKind.RECURRING or rhythm is None:
            return None
        return _REPEATS_S[rhythm]

    def _start_at(self, at: float) -> float:
        """Return when the run of the schedule has started that goes on at an instant."""
        if self.origin_at is None:
            return at
        repeats_s = self._repeats_s
        if repeats_s is None or at < self.origin_at:
            return self.origin_at
        run = math.floor((at - self.origin_at) / repeats_s)
        # A division may miss by one what the comparison of instants decides.
        if self.origin_at + (run + 1) * repeats_s <= at:
            run += 1
        elif self.origin_at + run * repeats_s > at:
            run -= 1
        return self.origin_at + run * repeats_s


class Stack(Value):
    """Charging profiles of which the first that has a period goes: §3.13.2."""

    timelines: Sequence[Timeline] = ()

    def limit_at(self, at: float, supply: Supply) -> Limit | None:
        """Return the limit in force; None where no profile says anything."""
        for timeline in self.timelines:
            period = timeline.period_at(at)
            if period is not None:
                unit = timeline.profile.schedule.unit
                return to_limit(period.limit, unit, period.number_phases, supply)
        return None

    def minimum_at(self, at: float, supply: Supply) -> Limit | None:
        """Return minChargingRate of the profile in force; None where it says none."""
        for timeline in self.timelines:
            period = timeline.period_at(at)
            if period is not None:
                schedule = timeline.profile.schedule
                rate = schedule.min_charging_rate
                if rate is None:
                    return None
                return to_limit(rate, schedule.unit, period.number_phases, supply)
        return None

    def next_change_at(self, at: float) -> float | None:
        """Return the first instant after `at` at which the limit may be another; None: never."""
        return earliest(timeline.next_change_at(at) for timeline in self.timelines)


class ConnectorPlan(Value):
    """What one connector may offer.

    Attributes:
        max_setpoint: of its hardware.
        caps: ChargePointMaxProfiles.
        own: TxProfiles, below them TxDefaultProfiles.
        running: whether a transaction runs on it.
        phases: to which its hardware is bound; None where they follow the limits.
    """

    supply: Supply
    max_setpoint: float
    caps: Stack
    own: Stack
    running: bool = False
    phases: int | None = None

    def limit_at(self, at: float) -> Limit:
        """Return the least of hardware, ChargePointMaxProfile, and TxProfile or its default."""
        limit = hardware_limit(self.max_setpoint, self.supply)
        for stack in (self.caps, self.own):
            limit = limit.least(stack.limit_at(at, self.supply) or limit)
        return limit if self.phases is None else replace(limit, phases=self.phases)

    def next_change_at(self, at: float) -> float | None:
        """Return the first instant after `at` at which the limit may be another; None: never."""
        return earliest((self.caps.next_change_at(at), self.own.next_change_at(at)))

    def minimum_at(self, at: float) -> Limit | None:
        """Return what the car cannot charge below; None where nobody says."""
        minimum = self.own.minimum_at(at, self.supply)
        # What it charges with at least it charges with on the phases it has.
        return None if minimum is None else replace(minimum, phases=self.limit_at(at).phases)

    def shown_minimum_at(self, at: float, unit: ChargingRateUnit) -> float | None:
        """Return the same as a composite schedule says it."""
        minimum = self.minimum_at(at)
        return None if minimum is None else round(minimum.in_unit(unit, self.supply), 1)

    def shown_at(self, at: float, unit: ChargingRateUnit) -> ChargingSchedulePeriod:
        """Return the limit as a composite schedule says it."""
        limit = self.limit_at(at)
        return _shown(limit.in_unit(unit, self.supply), limit.phases, self.supply)


class StationPlan(Value):
    """What all connectors may offer together; the attributes are those of `ConnectorPlan`."""

    supply: Supply
    max_setpoint: float
    caps: Stack
    connectors: Sequence[ConnectorPlan]

    def cap_at(self, at: float) -> Limit:
        """Return what the running connectors have to share: hardware and ChargePointMaxProfile.

        What is shared is A per phase, as the hardware counts, whichever phases a connector has. A
        cap in W is therefore counted on as many phases as the running connector that has the most
        of them: it is never exceeded, and sessions on equally many phases may use it up. Beside
        one on three phases one on a single phase gets less than the cap would allow, and so do
        two on one phase each under a cap in A.
        """
        return self._cap(at, [plan for plan in self.connectors if plan.running])

    def _cap(self, at: float, sharing: Sequence[ConnectorPlan]) -> Limit:
        limit = hardware_limit(self.max_setpoint, self.supply)
        limit = limit.least(self.caps.limit_at(at, self.supply) or limit)
        return replace(
            limit, phases=max((plan.limit_at(at).phases for plan in sharing), default=limit.phases)
        )

    def next_change_at(self, at: float) -> float | None:
        """Return the first instant after `at` at which a limit may be another; None: never."""
        return earliest(
            (self.caps.next_change_at(at), *(plan.next_change_at(at) for plan in self.connectors))
        )

    def shown_minimum_at(self, _at: float, _unit: ChargingRateUnit) -> float | None:
        """Return None: a minimum is that of one car."""
        return None

    def shown_at(self, at: float, unit: ChargingRateUnit) -> ChargingSchedulePeriod:
        """Return what is drawn from the grid at most: the connectors' sum within the cap."""
        cap = self._cap(at, self.connectors)
        total = sum(plan.limit_at(at).in_unit(unit, self.supply) for plan in self.connectors)
        return _shown(min(cap.in_unit(unit, self.supply), total), cap.phases, self.supply)


def composite_schedule(
    plan: ConnectorPlan | StationPlan,
    unit: ChargingRateUnit,
    *,
    from_at: float,
    duration_s: int,
    max_periods: int,
) -> tuple[float, ChargingSchedule]:
    """Return what a plan allows from an instant on: OCPP 1.6 §5.7.

    Where there are more than `max_periods` the schedule ends early; so it does after very many
    changes that show nothing new.

    Returns:
        The whole second at which the schedule starts, and the schedule.
    """
    start_at = math.floor(from_at)
    end_at = start_at + duration_s
    periods: list[ChargingSchedulePeriod] = []
    at: float | None = from_at
    for _ in range(_CHANGES_MAX):
        if at is None or at >= end_at:
            break
        start_s = round(at - start_at) if periods else 0
        shown = replace(plan.shown_at(at, unit), start_s=start_s)
        if periods and periods[-1].start_s == start_s:
            periods.pop()  # periods count in whole seconds: the later one goes
        if not periods or replace(periods[-1], start_s=start_s) != shown:
            if len(periods) == max_periods or start_s >= duration_s:
                break
            periods.append(shown)
        at = plan.next_change_at(at)
    last_s = duration_s if at is None else min(duration_s, math.floor(at - start_at))
    return start_at, ChargingSchedule(
        unit=unit,
        periods=tuple(periods),
        duration_s=last_s,
        min_charging_rate=plan.shown_minimum_at(from_at, unit),
    )


def earliest(instants: Iterable[float | None]) -> float | None:
    """Return the first of some instants; None where none of them ever comes."""
    return min((at for at in instants if at is not None), default=None)


def _shown(value: float, phases: int, supply: Supply) -> ChargingSchedulePeriod:
    # §7.14: at most one digit fraction, and the limit is never exceeded for it.
    limit = math.floor(round(value * 10, _DUST_DECIMALS)) / 10
    told = not supply.direct and phases != PHASES_ASSUMED
    return ChargingSchedulePeriod(start_s=0, limit=limit, number_phases=phases if told else None)
