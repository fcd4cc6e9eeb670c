"""Reads the meters: when, for whom, and what is kept of it through a power cut."""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector
from cp_image.core.messages import MeterValues
from cp_image.core.meter_values import Measurand, MeterValue, ReadingContext
from cp_image.core.outbox import Outbox
from cp_image.core.records import MeterRecord, keep_car, meter_key
from cp_image.core.request_queue import RequestQueue
from cp_image.core.sampling import sample
from cp_image.core.station_clock import StationClock
from cp_image.core.transaction_readings import TransactionReadings

KEPT_EVERY_S: Final = 10.0
"""Real seconds, while energy flows: a power cut takes no more than that of it from the
transaction. The disk is as fast as ever, whatever the station's clock does."""

_DAY_S: Final = 86_400
_SERIES: Final = MappingProxyType(
    {
        ReadingContext.TRANSACTION_BEGIN: ReadingContext.SAMPLE_PERIODIC,
        ReadingContext.TRANSACTION_END: ReadingContext.SAMPLE_PERIODIC,
    }
)
"""The first and the last sample of a transaction belong to the periodic ones."""


class MeterReader:
    """Every method expects the meters to have been advanced to the present.

    Args:
        kept_every_s: how often a moving register is kept, by the station's clock.
    """

    def __init__(
        self,
        *,
        configuration: Configuration,
        queue: RequestQueue,
        clock: StationClock,
        outbox: Outbox,
        stored: Mapping[str, bytes],
        kept_every_s: float = KEPT_EVERY_S,
    ) -> None:
        self._kept_every_s = kept_every_s
        self._configuration = configuration
        self._queue = queue
        self._clock = clock
        self._outbox = outbox
        self._for_stop = TransactionReadings(stored, outbox)
        self._sample_interval_s = 0
        self._grid = (0, 0.0)
        self._aligned_at: float | None = None
        """station time of the next clock-aligned reading"""
        self._keep_at: float | None = None
        self._bases_wh: dict[tuple[int, ReadingContext], int] = {}

    def begin(self, connector: Connector, now: float) -> None:
        """A transaction begins."""
        self._for_stop.take(connector.connector_id)  # of a transaction that never ended
        connector.next_sample_at = self._first_sample_at(now)
        self._rebase(connector, ReadingContext.SAMPLE_PERIODIC)
        self._rebase(connector, ReadingContext.TRIGGER)
        if self._wanted_sample_interval_s() > 0:
            self._collect(
                connector,
                Key.STOP_TXN_SAMPLED_DATA,
                ReadingContext.TRANSACTION_BEGIN,
                self._clock.at(now),
            )

    def end(self, connector: Connector, at: float) -> tuple[MeterValue, ...]:
        """The transaction ends at station time `at`; returns what StopTransaction tells of it."""
        connector.next_sample_at = None
        if self._wanted_sample_interval_s() > 0:
            self._collect(connector, Key.STOP_TXN_SAMPLED_DATA, ReadingContext.TRANSACTION_END, at)
        return self._for_stop.take(connector.connector_id)

    def keep(self, connector: Connector, now: float) -> None:
        """Keep register and battery: what was told of them must never be taken back."""
        at = self._clock.at(now)
        connector.read_at = at
        record = MeterRecord(register_wh=connector.meter.register_wh, at=at)
        self._outbox.keep(meter_key(connector.connector_id), record)
        if connector.car.battery is not None:
            keep_car(connector, self._outbox)

    def trigger(self, connector: Connector, now: float) -> None:
        """Send the values the CSMS has asked for (OCPP 1.6 §5.17)."""
        at = self._clock.at(now)
        reading = self._reading(
            connector, Key.METER_VALUES_SAMPLED_DATA, ReadingContext.TRIGGER, at
        )
        if not reading.sampled_values:
            # Nothing is sampled, or nothing can be: the register is there for whoever asks.
            register = (Measurand.ENERGY_ACTIVE_IMPORT_REGISTER,)
            reading = self._measured(connector, register, ReadingContext.TRIGGER, at)
        self._rebase(connector, ReadingContext.TRIGGER)
        transaction = connector.transaction
        # It goes past what waits in the lane: the CSMS wants to hear it now, while Pending, too.
        self._queue.push(
            MeterValues(
                connector_id=connector.connector_id,
                transaction_id=transaction.transaction_id if transaction else None,
                meter_values=(reading,),
            ),
            triggered=True,
        )
        self.keep(connector, now)

    def plan(self, connectors: Sequence[Connector], now: float) -> None:
        """Obey what has become of the intervals and of the clock, at once."""
        interval_s = self._wanted_sample_interval_s()
        if interval_s != self._sample_interval_s:
            self._sample_interval_s = interval_s
            for connector in connectors:
                if connector.transaction is not None:
                    connector.next_sample_at = self._first_sample_at(now)
        grid = (self._wanted_aligned_interval_s(), self._clock.at(0.0))
        if grid != self._grid:
            if grid[0] != self._grid[0]:
                for connector in connectors:
                    self._rebase(connector, ReadingContext.SAMPLE_CLOCK)
            self._grid = grid
            self._aligned_at = self._next_aligned_at(self._clock.at(now))
        if not any(connector.flows for connector in connectors):
            self._keep_at = None  # it was kept as the flow ended, which is news
        elif self._keep_at is None:
            self._keep_at = now + self._kept_every_s

    def read_due(self, connectors: Sequence[Connector], now: float) -> list[Connector]:
        """Read the meters that are due; returns the connectors whose transactions are told."""
        due = [c for c in connectors if c.next_sample_at is not None and now >= c.next_sample_at]
        for connector in due:
            self._read_periodically(connector, now)
        due += [c for c in self._read_aligned(connectors, now) if c not in due]
        self._keep_due([c for c in connectors if c not in due], now)
        return due

    def next_deadline(self, connectors: Iterable[Connector]) -> float | None:
        """Return when the next meter is due; None when none is."""
        samples = (connector.next_sample_at for connector in connectors)
        planned = (*samples, self._aligned_deadline(), self._keep_at)
        return min((at for at in planned if at is not None), default=None)

    # -- when ---------------------------------------------------------------------------------

    def _wanted_sample_interval_s(self) -> int:
        """Return MeterValueSampleInterval; 0 where nobody wants a sample (OCPP 1.6 §9.1)."""
        keys = (Key.METER_VALUES_SAMPLED_DATA, Key.STOP_TXN_SAMPLED_DATA)
        return self._interval_s(Key.METER_VALUE_SAMPLE_INTERVAL, keys)

    def _wanted_aligned_interval_s(self) -> int:
        keys = (Key.METER_VALUES_ALIGNED_DATA, Key.STOP_TXN_ALIGNED_DATA)
        return self._interval_s(Key.CLOCK_ALIGNED_DATA_INTERVAL, keys)

    def _interval_s(self, interval: Key, measurands: Iterable[Key]) -> int:
        if not any(self._configuration.elements(key) for key in measurands):
            return 0
        return self._configuration.integer(interval)

    def _first_sample_at(self, now: float) -> float | None:
        interval_s = self._wanted_sample_interval_s()
        return now + interval_s if interval_s > 0 else None

    def _next_aligned_at(self, at: float) -> float | None:
        """Return the next instant of the grid that begins at each midnight UTC (OCPP 1.6 §9.1)."""
        interval_s, _ = self._grid
        if interval_s == 0:
            return None
        midnight = math.floor(at / _DAY_S) * _DAY_S
        passed = math.floor((at - midnight) / interval_s)
        return float(min(midnight + (passed + 1) * interval_s, midnight + _DAY_S))

    def _aligned_deadline(self) -> float | None:
        return None if self._aligned_at is None else self._clock.instant(self._aligned_at)

    # -- what ---------------------------------------------------------------------------------

    def _read_periodically(self, connector: Connector, now: float) -> None:
        planned_at, interval_s = connector.next_sample_at, self._sample_interval_s
        if planned_at is None or interval_s == 0:
            raise AssertionError(f"connector {connector.connector_id} is not sampled")
        # OCPP 1.6 §9.1 MeterValueSampleInterval. What was slept through is left out; the rhythm
        # stays.
        missed = math.floor((now - planned_at) / interval_s)
        connector.next_sample_at = planned_at + interval_s * (missed + 1)
        self._read(
            connector,
            (Key.METER_VALUES_SAMPLED_DATA, Key.STOP_TXN_SAMPLED_DATA),
            ReadingContext.SAMPLE_PERIODIC,
            now,
        )

    def _keep_due(self, connectors: Iterable[Connector], now: float) -> None:
        if self._keep_at is None or now < self._keep_at:
            return
        self._keep_at = now + self._kept_every_s
        for connector in connectors:
            if connector.flows:
                self.keep(connector, now)

    def _read_aligned(self, connectors: Sequence[Connector], now: float) -> Iterable[Connector]:
        aligned_at = self._aligned_deadline()
        if aligned_at is None or now < aligned_at:
            return ()
        at = self._clock.at(now)
        self._aligned_at = self._next_aligned_at(max(at, self._aligned_at or at))
        for connector in connectors:
            self._read(
                connector,
                (Key.METER_VALUES_ALIGNED_DATA, Key.STOP_TXN_ALIGNED_DATA),
                ReadingContext.SAMPLE_CLOCK,
                now,
            )
        return [connector for connector in connectors if connector.transaction is not None]

    def _read(
        self, connector: Connector, keys: tuple[Key, Key], context: ReadingContext, now: float
    ) -> None:
        """Read a meter for a MeterValues now, and for the StopTransaction later."""
        for_now, for_stop = keys
        at = self._clock.at(now)
        self._send(connector, self._reading(connector, for_now, context, at))
        if connector.transaction is not None:
            self._for_stop.add(
                connector.connector_id, self._reading(connector, for_stop, context, at)
            )
            self.keep(connector, now)
        self._rebase(connector, context)

    def _collect(self, connector: Connector, key: Key, context: ReadingContext, at: float) -> None:
        self._for_stop.add(connector.connector_id, self._reading(connector, key, context, at))

    def _reading(
        self, connector: Connector, key: Key, context: ReadingContext, at: float
    ) -> MeterValue:
        measurands = [Measurand(name) for name in self._configuration.elements(key)]
        return self._measured(connector, measurands, context, at)

    def _measured(
        self,
        connector: Connector,
        measurands: Iterable[Measurand],
        context: ReadingContext,
        at: float,
    ) -> MeterValue:
        whole_wh = connector.meter.whole_wh
        base = (connector.connector_id, _SERIES.get(context, context))
        values = sample(
            connector,
            measurands,
            context,
            interval_wh=whole_wh - self._bases_wh.setdefault(base, whole_wh),
        )
        return MeterValue(at=at, sampled_values=values)

    def _rebase(self, connector: Connector, series: ReadingContext) -> None:
        """Let the next Energy.Active.Import.Interval of a series count from here."""
        self._bases_wh[connector.connector_id, series] = connector.meter.whole_wh

    def _send(self, connector: Connector, reading: MeterValue) -> None:
        if not reading.sampled_values:
            return
        request = MeterValues(
            connector_id=connector.connector_id,
            transaction_id=None,  # filled in when it is sent
            meter_values=(reading,),
        )
        if connector.transaction is not None:
            self._queue.push_transaction(request, connector.transaction.local_id)
        elif self._queue.open:
            # Outside a transaction it is news, not history: without a CSMS there is no one to tell.
            self._queue.push(request)
