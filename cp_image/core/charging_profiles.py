"""The charging profiles that are installed: OCPP 1.6 §3.13, §5.5, §5.16."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from cp_image.api.value import Value
from cp_image.core.composite_schedule import Stack, Timeline
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.csms_messages import (
    ChargingProfile,
    ChargingProfileKind,
    ChargingProfilePurpose,
    ChargingRateUnit,
    ChargingSchedule,
    ClearChargingProfile,
)
from cp_image.core.outbox import Outbox
from cp_image.core.station_clock import StationClock

_RECORD: Final = "profile/"
"""Followed by the id: an `InstalledProfile`."""
_QUANTITIES: Final = MappingProxyType({ChargingRateUnit.A: "Current", ChargingRateUnit.W: "Power"})
"""As ChargingScheduleAllowedChargingRateUnit calls them (§9.4)."""


class ProfileRefusedError(ValueError):
    """A charging profile breaks a rule; the text says which."""


class InstalledProfile(Value):
    """A charging profile as it is kept through a power cut.

    Attributes:
        connector_id: 0 is all connectors, or the charge point itself.
        installed_at: by the computer's clock, which the CSMS does not correct.
        local_id: of the transaction of a TxProfile; None for the other purposes.
    """

    connector_id: int
    profile: ChargingProfile
    installed_at: float
    local_id: int | None

    def in_the_way_of(self, connector_id: int, profile: ChargingProfile) -> bool:
        """Return whether another profile replaces this one: §5.16, §3.13.2."""
        own = self.profile
        return own.charging_profile_id == profile.charging_profile_id or (
            self.connector_id == connector_id
            and own.purpose is profile.purpose
            and own.stack_level == profile.stack_level
        )

    def timeline(self, clock: StationClock, began_at: float | None) -> Timeline:
        """Lay the profile on the axis of station time.

        Args:
            clock: of the station.
            began_at: when the transaction on its connector has started, by the computer's clock:
                a correction of station time moves no schedule that counts from an event. None
                where there is none.
        """
        profile = self.profile
        start_at = profile.schedule.start_at
        if profile.kind is not ChargingProfileKind.RELATIVE and start_at is not None:
            return Timeline(profile=profile, origin_at=start_at)
        # §7.13 startSchedule: without it the schedule is relative to the start of charging; for
        # the charge point as a whole nothing else starts than the profile itself.
        if profile.purpose is ChargingProfilePurpose.CHARGE_POINT_MAX_PROFILE:
            began_at = self.installed_at
        return Timeline(profile=profile, origin_at=None if began_at is None else clock.at(began_at))


class ChargingProfiles:
    """The installed charging profiles, each with an id of its own."""

    def __init__(
        self,
        *,
        stored: Mapping[str, bytes],
        configuration: Configuration,
        clock: StationClock,
        outbox: Outbox,
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._outbox = outbox
        recalled = (
            outbox.recall(stored, key, InstalledProfile)
            for key in sorted(stored)
            if key.startswith(_RECORD)
        )
        self._installed = {
            installed.profile.charging_profile_id: installed
            for installed in recalled
            if installed is not None
        }

    def __iter__(self) -> Iterator[InstalledProfile]:
        return iter(self._installed.values())

    def check(self, connector_id: int, profile: ChargingProfile) -> None:
        """Refuse what no profile may say, whatever runs on the connector.

        Raises:
            ProfileRefusedError: it breaks a rule.
        """
        integer = self._configuration.integer
        highest = integer(Key.CHARGE_PROFILE_MAX_STACK_LEVEL)
        if not 0 <= profile.stack_level <= highest:
            raise ProfileRefusedError(
                f"stackLevel {profile.stack_level} is not within 0 to {highest}"
            )
        _check_purpose(profile)
        _check_times(profile)
        self._check_schedule(profile.schedule)
        staying = sum(not other.in_the_way_of(connector_id, profile) for other in self)
        room = integer(Key.MAX_CHARGING_PROFILES_INSTALLED)
        if staying >= room:
            raise ProfileRefusedError(f"{staying} charging profiles of {room} are installed")

    def allowed_units(self) -> Sequence[ChargingRateUnit]:
        """Return the units in which schedules may come and go (§9.4)."""
        allowed = self._configuration.elements(Key.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT)
        return [unit for unit, quantity in _QUANTITIES.items() if quantity in allowed]

    def install(
        self, connector_id: int, profile: ChargingProfile, now: float, *, local_id: int | None
    ) -> None:
        """Install a profile that has been checked; it replaces what is in its way."""
        self._remove(lambda other: other.in_the_way_of(connector_id, profile))
        installed = InstalledProfile(
            connector_id=connector_id, profile=profile, installed_at=now, local_id=local_id
        )
        self._installed[profile.charging_profile_id] = installed
        self._outbox.keep(_key(installed), installed)

    def matching(self, request: ClearChargingProfile) -> list[InstalledProfile]:
        """Return what a ClearChargingProfile means."""
        # §5.5: either one by its id, or all that match the rest.
        if request.charging_profile_id is not None:
            one = self._installed.get(request.charging_profile_id)
            return [] if one is None else [one]
        return [
            installed
            for installed in self
            if request.connector_id in {None, installed.connector_id}
            and request.purpose in {None, installed.profile.purpose}
            and request.stack_level in {None, installed.profile.stack_level}
        ]

    def remove(self, gone: Collection[InstalledProfile]) -> None:
        """Forget profiles."""
        ids = {installed.profile.charging_profile_id for installed in gone}
        self._remove(lambda installed: installed.profile.charging_profile_id in ids)

    def end_transactions(self, running: Collection[int]) -> None:
        """Forget the TxProfiles of all transactions but those that run (§3.13.1).

        Args:
            running: local ids.
        """
        self._remove(
            lambda installed: installed.local_id is not None and installed.local_id not in running
        )

    def caps(self) -> Stack:
        """Return the ChargePointMaxProfiles, the highest stack level first."""
        ordered = self._ordered(ChargingProfilePurpose.CHARGE_POINT_MAX_PROFILE, 0)
        return self._stack(ordered, None)

    def own(self, connector_id: int, began_at: float | None) -> Stack:
        """Return the TxProfiles of a connector, and below them its TxDefaultProfiles (§3.13.1).

        Args:
            connector_id: from 1.
            began_at: as `InstalledProfile.timeline` takes it.
        """
        purpose = ChargingProfilePurpose
        ordered = [
            *self._ordered(purpose.TX_PROFILE, connector_id),
            *self._ordered(purpose.TX_DEFAULT_PROFILE, connector_id),
        ]
        return self._stack(ordered, began_at)

    def _stack(self, ordered: Sequence[InstalledProfile], began_at: float | None) -> Stack:
        timelines = (installed.timeline(self._clock, began_at) for installed in ordered)
        return Stack(timelines=tuple(timelines))

    def _ordered(
        self, purpose: ChargingProfilePurpose, connector_id: int
    ) -> list[InstalledProfile]:
        # §3.13.1: what is set for the connector itself goes before what is set for all.
        return sorted(
            (
                installed
                for installed in self
                if installed.profile.purpose is purpose
                and installed.connector_id in {0, connector_id}
            ),
            key=lambda installed: (installed.profile.stack_level, installed.connector_id),
            reverse=True,
        )

    def _check_schedule(self, schedule: ChargingSchedule) -> None:
        allowed = self.allowed_units()
        if schedule.unit not in allowed:
            raise ProfileRefusedError(
                f"chargingRateUnit {schedule.unit} is not allowed: {', '.join(allowed)} is"
            )
        longest = self._configuration.integer(Key.CHARGING_SCHEDULE_MAX_PERIODS)
        if len(schedule.periods) > longest:
            raise ProfileRefusedError(f"{len(schedule.periods)} periods are more than {longest}")
        _check_periods(schedule)

    def _remove(self, gone: Callable[[InstalledProfile], bool]) -> None:
        for installed in [installed for installed in self if gone(installed)]:
            del self._installed[installed.profile.charging_profile_id]
            self._outbox.forget(_key(installed))


def _key(installed: InstalledProfile) -> str:
    return f"{_RECORD}{installed.profile.charging_profile_id}"


def _check_purpose(profile: ChargingProfile) -> None:
    # §7.8 transactionId: only a TxProfile is that of one transaction.
    tx_profile = profile.purpose is ChargingProfilePurpose.TX_PROFILE
    if profile.transaction_id is not None and not tx_profile:
        raise ProfileRefusedError(f"a {profile.purpose} has no transactionId")


def _check_times(profile: ChargingProfile) -> None:
    recurring = profile.kind is ChargingProfileKind.RECURRING
    # §7.8, §7.37: there is nothing to repeat without a beginning and a rhythm.
    if recurring and (profile.recurrency_kind is None or profile.schedule.start_at is None):
        raise ProfileRefusedError("a Recurring profile needs recurrencyKind and startSchedule")
    if (
        profile.valid_from is not None
        and profile.valid_to is not None
        and profile.valid_from >= profile.valid_to
    ):
        raise ProfileRefusedError("validTo is not after validFrom")


def _check_periods(schedule: ChargingSchedule) -> None:
    periods = schedule.periods
    if not periods or periods[0].start_s != 0:
        raise ProfileRefusedError("the first period does not start at 0")  # §7.14
    if any(later.start_s <= earlier.start_s for earlier, later in pairwise(periods)):
        raise ProfileRefusedError("the periods are not in ascending order")
    rates = [period.limit for period in periods]
    if schedule.min_charging_rate is not None:
        rates.append(schedule.min_charging_rate)
    if not all(0 <= rate < math.inf for rate in rates):
        raise ProfileRefusedError("a limit or minChargingRate is negative or no number")
    if any(period.number_phases not in {None, 1, 2, 3} for period in periods):
        raise ProfileRefusedError("numberPhases is not 1 to 3")
    if schedule.duration_s is not None and schedule.duration_s <= 0:
        raise ProfileRefusedError("the duration is not positive")
