"""The text of a diagnostics file: what the charge point is and how it stands, without secrets."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from cp_image.core.connector import Connector
from cp_image.core.settings import StationSettings


def diagnostics_report(
    settings: StationSettings,
    connectors: Sequence[Connector],
    configuration: Mapping[str, str],
    at: float,
) -> str:
    """Return the text, with sections as in an INI file.

    Args:
        settings: the make of the station.
        connectors: in the order of their ids.
        configuration: the keys that may be read.
        at: station time.
    """
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    sections = (
        ("charge point", _identity(settings, moment)),
        *((f"connector {c.connector_id}", _connector(c)) for c in connectors),
        ("configuration", configuration),
    )
    return "\n".join(
        line
        for title, values in sections
        for line in (f"[{title}]", *(f"{name} = {value}" for name, value in values.items()), "")
    )


def _identity(settings: StationSettings, moment: str) -> dict[str, str]:
    return {
        "made at": moment,
        "id": settings.charge_point_id,
        "vendor": settings.vendor,
        "model": settings.model,
        "serial": settings.serial,
        "firmware": settings.firmware_version,
        "type": f"{settings.type}, {settings.nb_phases} phase(s), {settings.voltage_v:g} V",
    }


def _connector(connector: Connector) -> dict[str, str]:
    status = connector.status()
    transaction = connector.transaction
    return {
        "status": status.status,
        "error code": status.error_code,
        "setpoint": f"{status.setpoint:g} of {status.max_setpoint:g}",
        "cable": f"{status.car_cable_capacity:g}",
        "power": f"{status.power_w:g} W",
        "register": f"{connector.meter.register_wh:.3f} Wh",
        "transaction": "none" if transaction is None else str(transaction.transaction_id),
    }
