"""A limit of charging profiles and hardware, in the unit in which it was said: OCPP 1.6 §7.14.

What amperes per phase and watts over all phases have to do with each other depends on how many
phases carry them, and that is known only once all limits in force have been put together.
"""

import math
from typing import Final

from cp_image.api.value import Value
from cp_image.core.csms_messages import ChargingRateUnit
from cp_image.core.energy import Supply

PHASES_ASSUMED: Final = 3
"""§7.14 numberPhases where it is left out."""

_DECIMALS: Final = 6
"""Finer than any meter, and coarser than what a division leaves behind."""


class Limit(Value):
    """What may be offered on some phases: `amperes` on each, and `watts` over all of them."""

    phases: int
    amperes: float = math.inf
    watts: float = math.inf

    def least(self, other: "Limit") -> "Limit":
        """Return what both allow: the watts of either now hold on the phases of both."""
        return Limit(
            phases=min(self.phases, other.phases),
            amperes=min(self.amperes, other.amperes),
            watts=min(self.watts, other.watts),
        )

    def in_unit(self, unit: ChargingRateUnit, supply: Supply) -> float:
        """Return it as a schedule says it: A per phase, or W over all its phases."""
        volts = supply.voltage_v * self.phases
        if unit is ChargingRateUnit.W:
            return round(min(self.watts, self.amperes * volts), _DECIMALS)
        return round(min(self.amperes, self.watts / volts), _DECIMALS)

    def setpoint(self, supply: Supply) -> float:
        """Return it as the hardware counts: A per phase for AC, W for DC."""
        return self.in_unit(unit_of(supply), supply)


def unit_of(supply: Supply) -> ChargingRateUnit:
    """Return what the hardware counts in."""
    return ChargingRateUnit.W if supply.direct else ChargingRateUnit.A


def to_limit(value: float, unit: ChargingRateUnit, phases: int | None, supply: Supply) -> Limit:
    """Return a limit of a schedule; `phases` is numberPhases, None where it was left out."""
    usable = min(phases or PHASES_ASSUMED, supply.phases)
    if unit is ChargingRateUnit.W:
        return Limit(phases=usable, watts=value)
    return Limit(phases=usable, amperes=value)


def hardware_limit(max_setpoint: float, supply: Supply) -> Limit:
    """Return what hardware allows; `max_setpoint` is in its own unit."""
    return to_limit(max_setpoint, unit_of(supply), None, supply)
