"""What a meter shows, in the words of OCPP 1.6 §7."""

from collections.abc import Sequence
from enum import StrEnum

from cp_image.api.value import Value


class Measurand(StrEnum):
    """OCPP 1.6 §7.31, those that are simulated."""

    ENERGY_ACTIVE_IMPORT_REGISTER = "Energy.Active.Import.Register"
    ENERGY_ACTIVE_IMPORT_INTERVAL = "Energy.Active.Import.Interval"
    POWER_ACTIVE_IMPORT = "Power.Active.Import"
    POWER_OFFERED = "Power.Offered"
    CURRENT_IMPORT = "Current.Import"
    CURRENT_OFFERED = "Current.Offered"
    VOLTAGE = "Voltage"
    SOC = "SoC"
    FREQUENCY = "Frequency"
    TEMPERATURE = "Temperature"
    POWER_FACTOR = "Power.Factor"


class ReadingContext(StrEnum):
    """OCPP 1.6 §7.41."""

    SAMPLE_PERIODIC = "Sample.Periodic"
    SAMPLE_CLOCK = "Sample.Clock"
    TRANSACTION_BEGIN = "Transaction.Begin"
    TRANSACTION_END = "Transaction.End"
    TRIGGER = "Trigger"


class Phase(StrEnum):
    """OCPP 1.6 §7.40, those that are simulated."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L1_N = "L1-N"
    L2_N = "L2-N"
    L3_N = "L3-N"


class Location(StrEnum):
    """OCPP 1.6 §7.27, those that are simulated."""

    BODY = "Body"
    EV = "EV"
    INLET = "Inlet"
    OUTLET = "Outlet"


class Unit(StrEnum):
    """OCPP 1.6 §7.45, those that are simulated."""

    WH = "Wh"
    W = "W"
    A = "A"
    V = "V"
    PERCENT = "Percent"
    CELSIUS = "Celsius"


class SampledValue(Value):
    """OCPP 1.6 §7.43; `phase` None is the sum over all phases, `unit` None has none."""

    value: float
    measurand: Measurand
    context: ReadingContext
    unit: Unit | None = None
    phase: Phase | None = None
    location: Location = Location.OUTLET


class MeterValue(Value):
    """Values sampled at one instant."""

    at: float
    sampled_values: Sequence[SampledValue]
