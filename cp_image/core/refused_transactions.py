"""Transactions whose tag the CSMS has refused when it heard of their start."""

from collections.abc import Sequence

from cp_image.api.payloads import StopReason
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector, found
from cp_image.core.messages import AuthorizationStatus
from cp_image.core.refusals import Refusals, verdict
from cp_image.core.sessions import Sessions
from cp_image.core.transactions import Transactions


class RefusedTransactions:
    """Stops them, or lets them have just the energy to drive away (OCPP 1.6 §3.5.4)."""

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        sessions: Sessions,
        transactions: Transactions,
        configuration: Configuration,
        refusals: Refusals,
    ) -> None:
        self._connectors = connectors
        self._sessions = sessions
        self._transactions = transactions
        self._configuration = configuration
        self._refusals = refusals

    def judge(
        self, connector_id: int, local_id: int, status: AuthorizationStatus, now: float
    ) -> None:
        """The CSMS has answered the StartTransaction `local_id`; it may be over by now."""
        connector = found(self._connectors, connector_id)
        transaction = connector.transaction if connector else None
        if (
            connector is None
            or transaction is None
            or transaction.local_id != local_id
            or transaction.authorized
        ):
            return
        # §9.1 StopTransactionOnInvalidId, MaxEnergyOnInvalidId
        stops = self._configuration.boolean(Key.STOP_TRANSACTION_ON_INVALID_ID)
        allowance_wh = self._configuration.integer(Key.MAX_ENERGY_ON_INVALID_ID)
        left = f"{allowance_wh} Wh more" if allowance_wh > 0 else "no more energy"
        text = f"{'transaction stops' if stops else left}, tag {transaction.id_tag} is {status}"
        self._refusals.tell(connector_id, transaction.id_tag, verdict(status), text, now)
        if stops:
            self._sessions.stop(connector, StopReason.DE_AUTHORIZED, now)
        elif allowance_wh > 0:
            self._transactions.grant(connector, transaction, allowance_wh)

    def next_deadline(self) -> float | None:
        """Return when what a refused tag may still draw is used up; None where none is."""
        ends = (
            connector.meter.reaches_at(connector.transaction.free_until_wh)
            for connector in self._connectors
            if connector.transaction is not None
            and connector.transaction.free_until_wh is not None
            and connector.entitled
        )
        return min((at for at in ends if at is not None), default=None)
