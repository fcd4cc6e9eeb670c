"""What a station is: fixed when it is built."""

from collections.abc import Mapping
from typing import Final

from cp_image.api.payloads import ChargePointType
from cp_image.api.value import Value, field
from cp_image.core.security_settings import SecuritySettings

_CALL_TIMEOUT_S: Final = 30.0


class StationSettings(Value):
    """The make of a station.

    Attributes:
        voltage_v: phase to neutral for AC.
        max_setpoint: limit of the whole charge point; A per phase for AC, W for DC.
        max_setpoint_per_connector: limit of each connector; A per phase for AC, W for DC.
        frequency_hz: of the mains.
        configuration: OCPP configuration keys that differ from their defaults.
        security: what it is given for its security.
        follows_csms_clock: whether the CSMS's time is taken over; not by a simulated clock.
        clock_rate: seconds of the station's clock in a second of the world outside.
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
    security: SecuritySettings = field(default_factory=SecuritySettings)
    follows_csms_clock: bool = True
    clock_rate: float = 1.0

    def real_s(self, seconds: float) -> float:
        """Return how long seconds of the world outside last by the station's clock.

        CSMS, file servers and disk live in real time, whatever the station's clock does: what
        spares them, or waits for them, is a delay of theirs.
        """
        return seconds * self.clock_rate

    @property
    def call_timeout_s(self) -> float:
        """How long an answer of the CSMS may take, by the station's clock."""
        return self.real_s(_CALL_TIMEOUT_S)
