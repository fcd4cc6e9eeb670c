"""What the meter shows at one instant, as sampled values: OCPP 1.6 §7.43."""

from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import Final

from cp_image.core.connector import Connector
from cp_image.core.meter_values import (
    Location,
    Measurand,
    Phase,
    ReadingContext,
    SampledValue,
    Unit,
)

_PHASES: Final = (Phase.L1, Phase.L2, Phase.L3)
_PHASES_TO_NEUTRAL: Final = (Phase.L1_N, Phase.L2_N, Phase.L3_N)
_UNITS: Final = MappingProxyType(
    {
        Measurand.ENERGY_ACTIVE_IMPORT_REGISTER: Unit.WH,
        Measurand.ENERGY_ACTIVE_IMPORT_INTERVAL: Unit.WH,
        Measurand.POWER_ACTIVE_IMPORT: Unit.W,
        Measurand.POWER_OFFERED: Unit.W,
        Measurand.CURRENT_IMPORT: Unit.A,
        Measurand.CURRENT_OFFERED: Unit.A,
        Measurand.VOLTAGE: Unit.V,
        Measurand.SOC: Unit.PERCENT,
        Measurand.TEMPERATURE: Unit.CELSIUS,
    }
)
"""What is measured in what; OCPP 1.6 §7.45 has no unit for a frequency or a power factor."""

_AMBIENT_CELSIUS: Final = 25.0
_RISE_AT_FULL_LOAD: Final = 20.0
_POWER_FACTOR: Final = 1.0

_Values = Iterator[tuple[Phase | None, float]]


def sample(
    connector: Connector,
    measurands: Iterable[Measurand],
    context: ReadingContext,
    *,
    interval_wh: int,
) -> tuple[SampledValue, ...]:
    """Read the meter of a connector.

    Args:
        connector: its meter has been advanced to the present.
        measurands: in the order in which they are wanted.
        context: why it is read.
        interval_wh: energy since it was read for that reason before.

    Returns:
        The values of each measurand: currents and voltages one per phase where there are several,
        the power in total and per phase, the others one; none where there is nothing to measure.
    """
    return tuple(
        SampledValue(
            value=value,
            measurand=measurand,
            context=context,
            unit=_UNITS.get(measurand),
            phase=phase,
            location=_location(connector, measurand),
        )
        for measurand in measurands
        for phase, value in _read(connector, measurand, interval_wh)
    )


def _read(connector: Connector, measurand: Measurand, interval_wh: int) -> _Values:
    supply = connector.supply
    match measurand:
        case Measurand.ENERGY_ACTIVE_IMPORT_REGISTER:
            yield None, float(connector.meter.whole_wh)
        case Measurand.ENERGY_ACTIVE_IMPORT_INTERVAL:
            yield None, float(interval_wh)
        case Measurand.POWER_ACTIVE_IMPORT:
            yield None, round(connector.meter.power_w, 3)
            if supply.phases > 1:
                yield from _per_phase(supply.powers_w(connector.drawn), _PHASES)
        case Measurand.POWER_OFFERED:
            yield None, round(connector.feed.offered_w(_offered(connector)), 3)
        case Measurand.CURRENT_OFFERED:
            yield None, round(supply.current_a(_offered(connector)), 3)
        case Measurand.CURRENT_IMPORT:
            yield from _per_phase(supply.currents_a(connector.drawn), _PHASES)
        case Measurand.VOLTAGE:
            yield from _per_phase((supply.voltage_v,) * supply.phases, _PHASES_TO_NEUTRAL)
        case _:
            yield from _read_surroundings(connector, measurand)


def _read_surroundings(connector: Connector, measurand: Measurand) -> _Values:
    match measurand:
        case Measurand.FREQUENCY:
            yield None, connector.supply.frequency_hz
        case Measurand.POWER_FACTOR:
            yield None, _POWER_FACTOR
        case Measurand.TEMPERATURE:
            yield None, _temperature(connector)
        case Measurand.SOC:
            # An AC charge point cannot know it, nor can any of a car that does not say it.
            battery = connector.car.battery if connector.car.plugged else None
            if connector.supply.direct and battery is not None:
                yield None, round(battery.soc_pct, 3)
        case _:
            raise ValueError(f"{measurand} is not measured by this charge point")


def _offered(connector: Connector) -> float:
    return 0.0 if connector.transaction is None else connector.setpoint


def _temperature(connector: Connector) -> float:
    if connector.max_setpoint <= 0:
        return _AMBIENT_CELSIUS
    load = max(connector.drawn) / connector.max_setpoint
    return round(_AMBIENT_CELSIUS + _RISE_AT_FULL_LOAD * load**2, 1)  # heat is I²R


def _location(connector: Connector, measurand: Measurand) -> Location:
    match measurand:
        case Measurand.SOC:
            return Location.EV
        case Measurand.TEMPERATURE:
            return Location.BODY
        case Measurand.FREQUENCY | Measurand.POWER_FACTOR if connector.supply.direct:
            return Location.INLET  # direct current has neither
        case _:
            return Location.OUTLET


def _per_phase(values: Sequence[float], phases: Sequence[Phase]) -> _Values:
    if len(values) == 1:
        yield None, round(values[0], 3)  # the only phase is the whole
        return
    for phase, value in zip(phases[: len(values)], values, strict=True):
        yield phase, round(value, 3)
