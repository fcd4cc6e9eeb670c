"""Stations as many tests want them to begin."""

from cp_image.api.payloads import ChargePointType
from tests.support.virtual_station import VirtualStation, make_settings


def charging(station: VirtualStation, draws: float = 16.0) -> VirtualStation:
    """Connect a station and begin a session at its first connector; return it."""
    station.connect()
    station.plug(draws=draws)
    station.tag()
    return station


def charging_with(**keys: str) -> VirtualStation:
    """Return a station with these OCPP keys that charges."""
    return charging(VirtualStation(make_settings(configuration=keys)))


def dc_station(**keys: str) -> VirtualStation:
    """Return a station with one DC connector and these OCPP keys."""
    return VirtualStation(
        make_settings(
            type=ChargePointType.DC,
            nb_connectors=1,
            voltage_v=400.0,
            max_setpoint=150_000.0,
            max_setpoint_per_connector=150_000.0,
            configuration=keys,
        )
    )
