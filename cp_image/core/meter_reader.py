"""Reads the meters: kept through a power cut, and told to the CSMS while a transaction runs."""

import math
from collections.abc import Iterable

from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector
from cp_image.core.messages import Measurand, MeterValue, MeterValues, ReadingContext
from cp_image.core.outbox import Outbox
from cp_image.core.records import MeterRecord, meter_key
from cp_image.core.request_queue import RequestQueue
from cp_image.core.sampling import sample
from cp_image.core.station_clock import StationClock


class MeterReader:
    """Every method expects the meters to have been advanced to the present."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        queue: RequestQueue,
        clock: StationClock,
        outbox: Outbox,
    ) -> None:
        self._configuration = configuration
        self._queue = queue
        self._clock = clock
        self._outbox = outbox

    def begin(self, connector: Connector, now: float) -> None:
        """A transaction begins."""
        interval_s = self._configuration.integer(Key.METER_VALUE_SAMPLE_INTERVAL)
        wanted = interval_s > 0 and self._configuration.elements(Key.METER_VALUES_SAMPLED_DATA)
        connector.next_sample_at = now + interval_s if wanted else None

    def end(self, connector: Connector) -> None:
        """The transaction has ended."""
        connector.next_sample_at = None

    def keep(self, connector: Connector, at: float) -> None:
        """Keep the register: what was told of it must never be taken back."""
        connector.read_at = at
        record = MeterRecord(register_wh=connector.meter.register_wh, at=at)
        self._outbox.keep(meter_key(connector.connector_id), record)

    def read_due(self, connectors: Iterable[Connector], now: float) -> list[Connector]:
        """Send the values of the meters that are due; returns their connectors."""
        due = [c for c in connectors if c.next_sample_at is not None and now >= c.next_sample_at]
        for connector in due:
            self._read(connector, now)
        return due

    def next_deadline(self, connectors: Iterable[Connector]) -> float | None:
        """Return when the next meter is due; None when none is."""
        planned = (connector.next_sample_at for connector in connectors)
        return min((at for at in planned if at is not None), default=None)

    def _read(self, connector: Connector, now: float) -> None:
        transaction, planned_at = connector.transaction, connector.next_sample_at
        if transaction is None or planned_at is None:
            raise AssertionError(f"connector {connector.connector_id} has no transaction to meter")
        # OCPP 1.6 §9.1 MeterValueSampleInterval. What was slept through is left out; the rhythm
        # stays.
        interval_s = self._configuration.integer(Key.METER_VALUE_SAMPLE_INTERVAL)
        missed = math.floor((now - planned_at) / interval_s)
        connector.next_sample_at = planned_at + interval_s * (missed + 1)
        at = self._clock.at(now)
        measurands = self._configuration.elements(Key.METER_VALUES_SAMPLED_DATA)
        values = sample(
            connector, [Measurand(name) for name in measurands], ReadingContext.SAMPLE_PERIODIC
        )
        self._queue.push_transaction(
            MeterValues(
                connector_id=connector.connector_id,
                transaction_id=None,  # filled in when it is sent
                meter_values=(MeterValue(at=at, sampled_values=values),),
            ),
            transaction.local_id,
        )
        self.keep(connector, at)
