"""The battery of a car: what it takes at which state of charge, in closed form.

Up to a knee a battery takes its full power, above it less and less. The decline is a staircase,
as the tables of a battery management system are: between two steps the power is constant, so
that energy, time and state of charge are exact, and whoever knows the power of an instant knows
the energy until the next step. Charging loses nothing on the way.
"""

import math
from typing import Final

from cp_image.api.value import Value, replace
from cp_image.core.energy import Phases, Supply

TAPER_STEPS: Final = 20
"""Steps between the knee and full."""

DEFAULT_SOC_PCT: Final = 20.0
DEFAULT_MAX_CURRENT_A: Final = 16.0
DEFAULT_NB_PHASES: Final = 3
DEFAULT_TAPER_FROM_PCT: Final = 80.0
_DEFAULT_C_RATE: Final = 2.0
"""A battery that does not say its power takes so many of its capacities in an hour."""

_PCT: Final = 100.0


class Battery(Value):
    """A battery and its charger.

    Attributes:
        capacity_wh: what it holds when it is full.
        stored_wh: what it holds.
        max_power_w: what it takes up to the knee; None is twice its capacity in an hour.
        max_current_a: what its AC charger takes on each phase.
        nb_phases: on how many phases its AC charger works.
        taper_from_pct: state of charge at the knee; 100 is a battery without a taper.
    """

    capacity_wh: float
    stored_wh: float
    max_power_w: float | None = None
    max_current_a: float = DEFAULT_MAX_CURRENT_A
    nb_phases: int = DEFAULT_NB_PHASES
    taper_from_pct: float = DEFAULT_TAPER_FROM_PCT

    @property
    def soc_pct(self) -> float:
        """State of charge, 0 to 100."""
        return min(_PCT, self.stored_wh / self.capacity_wh * _PCT)

    @property
    def takes_w(self) -> float:
        """What it takes at its state of charge where nobody limits it."""
        if self.stored_wh >= self.capacity_wh:
            return 0.0
        full_w = self.max_power_w
        if full_w is None:
            full_w = self.capacity_wh * _DEFAULT_C_RATE
        step = self._step
        # The middle of a step stands for the straight line across it.
        return full_w if step < 0 else full_w * (TAPER_STEPS - step - 0.5) / TAPER_STEPS

    @property
    def next_step_wh(self) -> float | None:
        """What it holds when it will take less than now; None when it is full."""
        if self.stored_wh >= self.capacity_wh:
            return None
        return self._edge_wh(self._step + 1)

    def holding(self, stored_wh: float) -> "Battery":
        """Return the battery with another charge: neither less than nothing nor more than full."""
        return replace(self, stored_wh=min(self.capacity_wh, max(0.0, stored_wh)))

    def wanted(self, supply: Supply) -> Phases:
        """Return what it asks a supply for: A on each phase for AC, W for DC."""
        if supply.direct:
            return (self.takes_w, 0.0, 0.0)
        phases = min(self.nb_phases, supply.phases)
        current_a = min(self.max_current_a, self.takes_w / (supply.voltage_v * phases))
        l1, l2, l3 = (current_a if phase < phases else 0.0 for phase in range(3))
        return (l1, l2, l3)

    @property
    def _step(self) -> int:
        """The step it is on: 0 begins at the knee, -1 is below it."""
        knee_wh = self._edge_wh(0)
        if self.stored_wh < knee_wh:
            return -1
        part = (self.stored_wh - knee_wh) / (self.capacity_wh - knee_wh)
        step = min(TAPER_STEPS - 1, math.floor(part * TAPER_STEPS))
        # An edge belongs to the step that begins there, whatever the division has rounded; of a
        # knee that is almost full, several edges are one number.
        while self.stored_wh < self._edge_wh(step):
            step -= 1
        while self.stored_wh >= self._edge_wh(step + 1):
            step += 1
        return step

    def _edge_wh(self, step: int) -> float:
        """What it holds where a step begins; the one after the last is full."""
        if step >= TAPER_STEPS:
            return self.capacity_wh
        rest_pct = (_PCT - self.taper_from_pct) * (TAPER_STEPS - step) / TAPER_STEPS
        return self.capacity_wh * (_PCT - rest_pct) / _PCT
