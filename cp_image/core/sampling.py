"""What the meter shows at one instant, as sampled values: OCPP 1.6 §7.43."""

from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import Final

from cp_image.core.connector import Connector
from cp_image.core.messages import Measurand, Phase, ReadingContext, SampledValue, Unit

_PHASES: Final = (Phase.L1, Phase.L2, Phase.L3)
_PHASES_TO_NEUTRAL: Final = (Phase.L1_N, Phase.L2_N, Phase.L3_N)
_UNITS: Final = MappingProxyType(
    {
        Measurand.ENERGY_ACTIVE_IMPORT_REGISTER: Unit.WH,
        Measurand.POWER_ACTIVE_IMPORT: Unit.W,
        Measurand.POWER_OFFERED: Unit.W,
        Measurand.CURRENT_IMPORT: Unit.A,
        Measurand.CURRENT_OFFERED: Unit.A,
        Measurand.VOLTAGE: Unit.V,
    }
)
"""What can be measured, and in what."""


def sample(
    connector: Connector, measurands: Iterable[Measurand], context: ReadingContext
) -> tuple[SampledValue, ...]:
    """Read the meter of a connector.

    Args:
        connector: its meter has been advanced to the present.
        measurands: in the order in which they are wanted.
        context: why it is read.

    Returns:
        One value per measurand; currents and voltages one per phase where there are several.
    """
    return tuple(
        SampledValue(
            value=value, measurand=measurand, context=context, unit=_UNITS[measurand], phase=phase
        )
        for measurand in measurands
        for phase, value in _read(connector, measurand)
    )


def _read(connector: Connector, measurand: Measurand) -> Iterator[tuple[Phase | None, float]]:
    supply = connector.supply
    match measurand:
        case Measurand.ENERGY_ACTIVE_IMPORT_REGISTER:
            yield None, float(connector.meter.whole_wh)
        case Measurand.POWER_ACTIVE_IMPORT:
            yield None, round(connector.meter.power_w, 3)
        case Measurand.POWER_OFFERED:
            yield None, round(connector.feed.offered_w(connector.setpoint), 3)
        case Measurand.CURRENT_OFFERED:
            yield None, round(supply.current_a(connector.setpoint), 3)
        case Measurand.CURRENT_IMPORT:
            yield from _per_phase(supply.currents_a(connector.drawn), _PHASES)
        case Measurand.VOLTAGE:
            yield from _per_phase((supply.voltage_v,) * supply.phases, _PHASES_TO_NEUTRAL)
        case _:
            raise ValueError(f"{measurand} is not measured by this charge point")


def _per_phase(
    values: Sequence[float], phases: Sequence[Phase]
) -> Iterator[tuple[Phase | None, float]]:
    if len(values) == 1:
        yield None, round(values[0], 3)  # the only phase is the whole
        return
    for phase, value in zip(phases[: len(values)], values, strict=True):
        yield phase, round(value, 3)
