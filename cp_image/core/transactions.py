"""Transactions: begun, told to the CSMS, and closed; kept through a power cut."""

from collections.abc import Sequence

from cp_image.api.payloads import StopReason, TransactionStarted, TransactionStopped
from cp_image.api.value import replace
from cp_image.core.connector import Connector, found
from cp_image.core.effects import PublishEvent
from cp_image.core.messages import (
    AuthorizationStatus,
    StartTransaction,
    StartTransactionAnswer,
    StopTransaction,
)
from cp_image.core.meter_reader import MeterReader
from cp_image.core.outbox import Outbox
from cp_image.core.records import keep_car, transaction_key
from cp_image.core.request_queue import RequestQueue
from cp_image.core.reservations import Reservations
from cp_image.core.station_clock import StationClock
from cp_image.core.transaction import Authorization, Transaction


class Transactions:
    """What the CSMS and the disk are told of the transactions on the connectors of a station.

    What becomes of the state of the connector is up to `cp_image.core.sessions`. Every method
    expects the meters to have been advanced to `now`.

    Args:
        connectors: in the order of their ids, from 1.
    """

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        queue: RequestQueue,
        reservations: Reservations,
        meters: MeterReader,
        clock: StationClock,
        outbox: Outbox,
    ) -> None:
        self._connectors = connectors
        self._queue = queue
        self._reservations = reservations
        self._meters = meters
        self._clock = clock
        self._outbox = outbox

    def begin(self, connector: Connector, authorization: Authorization, now: float) -> None:
        """Start a transaction for a tag; the cable is in."""
        at = self._clock.at(now)
        local_id = self._queue.push_start(
            StartTransaction(
                connector_id=connector.connector_id,
                id_tag=authorization.id_tag,
                meter_start_wh=connector.meter.whole_wh,
                at=at,
                reservation_id=self._reservations.redeem(
                    connector.connector_id, authorization.id_tag, authorization.parent_id_tag
                ),
            )
        )
        connector.authorization = None
        connector.locked_for = None
        connector.transaction = Transaction(
            local_id=local_id,
            connector_id=connector.connector_id,
            id_tag=authorization.id_tag,
            parent_id_tag=authorization.parent_id_tag,
            transaction_id=None,
            started_at=at,
            register_start_wh=connector.meter.register_wh,
            meter_start_wh=connector.meter.whole_wh,
        )
        self._meters.begin(connector, now)
        self._keep(connector.transaction)

    def started(
        self, local_id: int, request: StartTransaction, answer: StartTransactionAnswer, now: float
    ) -> None:
        """The CSMS has answered a StartTransaction; the transaction may be over by now."""
        self._queue.started(local_id, answer.transaction_id)
        self._outbox.put(
            PublishEvent(
                event=TransactionStarted(
                    at=self._clock.at(now),
                    connector_id=request.connector_id,
                    id_tag=request.id_tag,
                    transaction_id=answer.transaction_id,
                    meter_start_wh=request.meter_start_wh,
                )
            )
        )
        connector = found(self._connectors, request.connector_id)
        transaction = connector.transaction if connector else None
        if connector is None or transaction is None or transaction.local_id != local_id:
            return
        status = answer.id_tag_status
        connector.transaction = replace(
            transaction,
            transaction_id=answer.transaction_id,
            parent_id_tag=status.parent_id_tag or transaction.parent_id_tag,
            authorized=status.status is AuthorizationStatus.ACCEPTED,
        )
        self._keep(connector.transaction)

    def grant(self, connector: Connector, transaction: Transaction, allowance_wh: int) -> None:
        """Let a transaction whose tag is refused draw some energy all the same."""
        free_until_wh = connector.meter.register_wh + allowance_wh
        connector.transaction = replace(transaction, free_until_wh=free_until_wh)
        self._keep(connector.transaction)

    def close_interrupted(self, connector: Connector, why: StopReason) -> None:
        """End a transaction that a former life has left open, if there is one."""
        transaction = connector.transaction
        if transaction is not None:
            # The last reading is all there is to tell: the power may have been off for long.
            at = transaction.started_at if connector.read_at is None else connector.read_at
            self.close(connector, why, at=at)

    def close(
        self, connector: Connector, reason: StopReason, *, at: float, id_tag: str | None = None
    ) -> None:
        """End the transaction of a connector at station time `at`, as its meter stands.

        Args:
            connector: which.
            reason: for the CSMS.
            at: station time.
            id_tag: the tag that stopped it; None where none did.
        """
        transaction = connector.transaction
        if transaction is None:
            raise AssertionError(f"connector {connector.connector_id} has no transaction to close")
        meter_stop_wh = connector.meter.whole_wh
        readings = self._meters.end(connector, at)
        self._queue.push_transaction(
            StopTransaction(
                transaction_id=0,  # the real one is filled in when it is sent
                meter_stop_wh=meter_stop_wh,
                at=at,
                reason=reason,
                id_tag=id_tag,
                transaction_data=readings,
            ),
            transaction.local_id,
        )
        connector.transaction = None
        connector.meter.draw(0.0)
        connector.spent = connector.car.plugged
        self._outbox.forget(transaction_key(connector.connector_id))
        keep_car(connector, self._outbox)
        self._outbox.put(
            PublishEvent(
                event=TransactionStopped(
                    at=at,
                    connector_id=connector.connector_id,
                    id_tag=transaction.id_tag,
                    transaction_id=transaction.transaction_id,
                    meter_start_wh=transaction.meter_start_wh,
                    meter_stop_wh=meter_stop_wh,
                    reason=reason,
                )
            )
        )

    def _keep(self, transaction: Transaction) -> None:
        self._outbox.keep(transaction_key(transaction.connector_id), transaction)
