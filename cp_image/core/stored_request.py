"""A transaction message as it is kept until the CSMS has it."""

from typing import Final

from cp_image.api.value import Value
from cp_image.core.messages import MeterValues, StartTransaction, StopTransaction

TransactionRequest = StartTransaction | StopTransaction | MeterValues

QUEUE_PREFIX: Final = "queue/"
TRANSACTION_ID_PREFIX: Final = "transaction-id/"


class TransactionEntry(Value):
    """A transaction message that waits."""

    number: int
    local_id: int
    request: TransactionRequest


class StoredRequest(Value, omit_defaults=True):
    """One transaction message; exactly one of the three requests is there.

    Attributes:
        number: place in the queue.
        local_id: number of the StartTransaction of its transaction. The transaction id inside
            the request means nothing: the real one is filled in when it is sent.
    """

    number: int
    local_id: int
    start: StartTransaction | None = None
    stop: StopTransaction | None = None
    meter_values: MeterValues | None = None

    @property
    def request(self) -> TransactionRequest | None:
        """The request; None where the record is broken."""
        return self.start or self.stop or self.meter_values


def stored_form(number: int, local_id: int, request: TransactionRequest) -> StoredRequest:
    """Return the record of a transaction message."""
    match request:
        case StartTransaction():
            return StoredRequest(number=number, local_id=local_id, start=request)
        case StopTransaction():
            return StoredRequest(number=number, local_id=local_id, stop=request)
        case MeterValues():
            return StoredRequest(number=number, local_id=local_id, meter_values=request)


def queue_key(number: int) -> str:
    """Return the key of a kept message: keys sort as numbers do."""
    return f"{QUEUE_PREFIX}{number:012d}"


def transaction_id_key(local_id: int) -> str:
    """Return the key under which the real id of a transaction is kept."""
    return f"{TRANSACTION_ID_PREFIX}{local_id:012d}"
