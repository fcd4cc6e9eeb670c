"""The readings of a running transaction that its StopTransaction will tell: transactionData."""

from collections.abc import Mapping
from typing import Final

from cp_image.api.value import Value
from cp_image.core.effects import LogLevel
from cp_image.core.meter_values import MeterValue, ReadingContext
from cp_image.core.outbox import Outbox

READINGS_MAX: Final = 1000
"""Of each kind: a night of one a minute. Beyond, they are thinned out so that the whole transaction
stays covered, and neither disk nor StopTransaction grows without end."""

_PREFIX: Final = "reading/"


class _Reading(Value):
    """``reading/N/NUMBER``."""

    number: int
    meter_value: MeterValue

    @property
    def context(self) -> ReadingContext:
        """Why it was taken: all values of a reading have the same context."""
        return self.meter_value.sampled_values[0].context


class TransactionReadings:
    """Keeps each reading on the disk at once: a power cut loses none."""

    def __init__(self, stored: Mapping[str, bytes], outbox: Outbox) -> None:
        self._outbox = outbox
        self._by_connector: dict[int, list[_Reading]] = {}
        self._thinned: set[tuple[int, ReadingContext]] = set()
        for key in sorted(stored):
            if key.startswith(_PREFIX):
                reading = outbox.recall(stored, key, _Reading)
                if reading is not None:
                    connector_id = int(key.removeprefix(_PREFIX).split("/")[0])
                    self._by_connector.setdefault(connector_id, []).append(reading)

    def add(self, connector_id: int, meter_value: MeterValue) -> None:
        """Add a reading; one without values tells nothing."""
        if not meter_value.sampled_values:
            return
        readings = self._by_connector.setdefault(connector_id, [])
        number = readings[-1].number + 1 if readings else 1
        reading = _Reading(number=number, meter_value=meter_value)
        readings.append(reading)
        self._outbox.keep(_key(connector_id, number), reading)
        same = [each for each in readings if each.context is reading.context]
        if len(same) > READINGS_MAX:
            self._log_thinning(connector_id, reading.context)
            surplus = _least_missed(same)
            readings.remove(surplus)
            self._outbox.forget(_key(connector_id, surplus.number))

    def take(self, connector_id: int) -> tuple[MeterValue, ...]:
        """Return the readings in their order, and forget them."""
        readings = self._by_connector.pop(connector_id, [])
        for reading in readings:
            self._outbox.forget(_key(connector_id, reading.number))
        self._thinned = {each for each in self._thinned if each[0] != connector_id}
        return tuple(reading.meter_value for reading in readings)

    def _log_thinning(self, connector_id: int, context: ReadingContext) -> None:
        if (connector_id, context) not in self._thinned:
            self._thinned.add((connector_id, context))
            self._outbox.log(
                LogLevel.WARNING,
                f"connector {connector_id}: more than {READINGS_MAX} readings of {context}, "
                f"its StopTransaction tells that many, spread over the whole transaction",
            )


def _least_missed(readings: list[_Reading]) -> _Reading:
    """Return the reading whose neighbours are nearest to each other: neither first nor last."""

    def gap_s(number: int) -> float:
        return readings[number + 1].meter_value.at - readings[number - 1].meter_value.at

    return readings[min(range(1, len(readings) - 1), key=gap_s)]


def _key(connector_id: int, number: int) -> str:
    return f"{_PREFIX}{connector_id}/{number:09d}"
