"""What is kept of a connector through a power cut."""

from collections.abc import Mapping, Sequence
from typing import Final

from cp_image.api.value import Value
from cp_image.core.car import Car
from cp_image.core.connector import Connector
from cp_image.core.energy import Meter, Supply
from cp_image.core.outbox import Outbox
from cp_image.core.settings import StationSettings
from cp_image.core.transaction import Transaction

_TRANSACTION: Final = "transaction/"


class CarRecord(Value):
    """``car/N``: the physical world.

    Attributes:
        spent: whether a transaction has ended on the cable that is in.
    """

    car: Car
    spent: bool


class MeterRecord(Value):
    """``meter/N``: where the register stood at an instant of station time."""

    register_wh: float
    at: float


def car_key(connector_id: int) -> str:
    """Return the key of a `CarRecord`."""
    return f"car/{connector_id}"


def meter_key(connector_id: int) -> str:
    """Return the key of a `MeterRecord`."""
    return f"meter/{connector_id}"


def transaction_key(connector_id: int) -> str:
    """Return the key of an open `Transaction`."""
    return f"{_TRANSACTION}{connector_id}"


def keep_car(connector: Connector, outbox: Outbox) -> None:
    """Keep the car of a connector."""
    record = CarRecord(car=connector.car, spent=connector.spent)
    outbox.keep(car_key(connector.connector_id), record)


def restored(
    settings: StationSettings, connector_id: int, stored: Mapping[str, bytes], outbox: Outbox
) -> Connector:
    """Build a connector as the power cut left it; a transaction on it is still open."""
    car = outbox.recall(stored, car_key(connector_id), CarRecord)
    reading = outbox.recall(stored, meter_key(connector_id), MeterRecord)
    connector = Connector(
        connector_id=connector_id,
        supply=Supply(
            type=settings.type,
            nb_phases=settings.nb_phases,
            voltage_v=settings.voltage_v,
            frequency_hz=settings.frequency_hz,
        ),
        max_setpoint=settings.max_setpoint_per_connector,
        car=car.car if car else Car(),
        meter=Meter(reading.register_wh if reading else 0.0),
    )
    connector.spent = car.spent if car else False
    connector.transaction = outbox.recall(stored, transaction_key(connector_id), Transaction)
    connector.read_at = reading.at if reading else None
    return connector


def removed_in_transaction(
    settings: StationSettings, stored: Mapping[str, bytes], outbox: Outbox
) -> Sequence[Connector]:
    """Build the connectors that a change of the make has taken away, where a transaction is open.

    The CSMS must hear of its end all the same.
    """
    ids = sorted(
        int(key.removeprefix(_TRANSACTION)) for key in stored if key.startswith(_TRANSACTION)
    )
    return [
        restored(settings, connector_id, stored, outbox)
        for connector_id in ids
        if connector_id > settings.nb_connectors
    ]
