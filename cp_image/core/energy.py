"""Setpoints, what is drawn of them, and the meter's register: closed form, never ticks."""

import math
from collections.abc import Sequence
from typing import Final

from cp_image.api.payloads import ChargePointType
from cp_image.api.value import Value

_DUST_WH: Final = 1e-6
"""A sum of floats may miss a whole Wh by less than this."""

Phases = tuple[float, float, float]
"""A value on L1, L2, L3."""


def shared_setpoints(limits: Sequence[float], total: float) -> list[float]:
    """Share a charge point's limit over connectors.

    Args:
        limits: what each connector could have on its own.
        total: limit of them all together.

    Returns:
        The setpoint of each, a whole number: its limit, or the same part of it for all where
        their sum exceeds `total`.
    """
    asked = sum(limits)
    if asked <= total:
        return [float(math.floor(limit)) for limit in limits]
    return [float(math.floor(limit * total / asked)) for limit in limits]


class Supply(Value):
    """How a charge point delivers: AC counts in amperes per phase, DC in watts on one phase."""

    type: ChargePointType
    nb_phases: int
    voltage_v: float
    frequency_hz: float = 50.0

    @property
    def direct(self) -> bool:
        """Whether the car gets direct current."""
        return self.type is ChargePointType.DC

    @property
    def phases(self) -> int:
        """How many phases carry current: DC has one, whatever was asked."""
        return 1 if self.direct else self.nb_phases

    def drawn(self, wanted: Phases, setpoint: float) -> Phases:
        """Return what a car takes of a setpoint; phases that are not there carry nothing."""
        l1, l2, l3 = (
            min(value, setpoint) if phase < self.phases else 0.0
            for phase, value in enumerate(wanted)
        )
        return (l1, l2, l3)

    def power_w(self, drawn: Phases) -> float:
        """Return the active power of what is drawn."""
        total = sum(drawn[: self.phases])
        return total if self.direct else total * self.voltage_v

    def powers_w(self, drawn: Phases) -> tuple[float, ...]:
        """Return the active power on each phase that is there."""
        volts = 1.0 if self.direct else self.voltage_v
        return tuple(value * volts for value in drawn[: self.phases])

    def currents_a(self, drawn: Phases) -> tuple[float, ...]:
        """Return the current on each phase that is there."""
        return tuple(self.current_a(value) for value in drawn[: self.phases])

    def current_a(self, value: float) -> float:
        """Return amperes per phase of a setpoint or of what is drawn on a phase."""
        return value / self.voltage_v if self.type is ChargePointType.DC else value

    def offered_w(self, setpoint: float) -> float:
        """Return the power a setpoint stands for, over all phases."""
        if self.type is ChargePointType.DC:
            return setpoint
        return setpoint * self.voltage_v * self.phases


class Meter:
    """An import register that never falls.

    It is computed from where it stood when the power last changed, so that reading it often adds
    no rounding.

    Attributes:
        register_wh: where it stood when it was last advanced.
    """

    __slots__ = ("_now", "_power_w", "_since", "_since_wh", "register_wh")

    def __init__(self, register_wh: float) -> None:
        self.register_wh = register_wh
        self._power_w = 0.0
        self._now = 0.0
        self._since = 0.0
        self._since_wh = register_wh

    @property
    def power_w(self) -> float:
        """What is drawn."""
        return self._power_w

    @property
    def whole_wh(self) -> int:
        """The register in whole Wh, as OCPP tells it."""
        return math.floor(self.register_wh + _DUST_WH)

    def draw(self, power_w: float) -> None:
        """Draw another power from the instant on to which the meter was last advanced."""
        if power_w != self._power_w:
            self._power_w = power_w
            self._rebase()

    def advance(self, now: float) -> None:
        """Count what was drawn until `now`."""
        back = now < self._now
        self._now = now
        if back:
            self._rebase()  # a clock that is set back takes no energy back
        else:
            self.register_wh = self._since_wh + self._power_w * (now - self._since) / 3600

    def reaches_at(self, register_wh: float) -> float | None:
        """Return when the register will stand there; None never, with what is drawn now."""
        if self._power_w <= 0:
            return None
        return self._since + max(0.0, register_wh - self._since_wh) * 3600 / self._power_w

    def reach(self, register_wh: float, at: float) -> None:
        """Count what was drawn until the instant that `reaches_at` named, to the last digit."""
        self._now = at
        self.register_wh = max(self.register_wh, register_wh)
        self._rebase()

    def _rebase(self) -> None:
        self._since = self._now
        self._since_wh = self.register_wh
