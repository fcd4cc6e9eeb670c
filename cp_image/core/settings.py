"""What a station is: fixed when it is built."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cp_image.api.payloads import ChargePointType


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSettings:
    """The make of a station.

    Attributes:
        voltage_v: phase to neutral for AC.
        max_setpoint: limit of the whole charge point; A per phase for AC, W for DC.
        max_setpoint_per_connector: limit of each connector; A per phase for AC, W for DC.
        frequency_hz: of the mains.
        configuration: OCPP configuration keys that differ from their defaults.
        follows_csms_clock: whether the CSMS's time is taken over; not by a simulated clock.
        call_timeout_s: how long an answer of the CSMS may take, by the station's clock.
    """

    charge_point_id: str
    type: ChargePointType
    vendor: str
    model: str
    serial: str
    nb_connectors: int
    nb_phases: int
    voltage_v: float
    max_setpoint: float
    max_setpoint_per_connector: float
    firmware_version: str = "1.0.0"
    frequency_hz: float = 50.0
    configuration: Mapping[str, str] = field(default_factory=dict)
    follows_csms_clock: bool = True
    call_timeout_s: float = 30.0
