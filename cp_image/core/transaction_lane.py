"""The durable lane of transaction messages: first in, first out, nothing lost."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from cp_image.api.value import replace
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.effects import LogLevel
from cp_image.core.late_answers import LateAnswers
from cp_image.core.messages import StartTransaction, StopTransaction
from cp_image.core.outbox import Outbox
from cp_image.core.stored_request import (
    QUEUE_PREFIX,
    TRANSACTION_ID_PREFIX,
    StoredRequest,
    TransactionEntry,
    TransactionRequest,
    queue_key,
    stored_form,
    transaction_id_key,
)

_MOST_PARKED: Final = 100
"""Readings of one transaction that wait for a late answer; its end waits in any case."""


class TransactionLane:
    """What the CSMS must learn of transactions, in order (OCPP 1.6 §3.7.1).

    A message stays at the head until it is answered or its attempts are used up. StopTransaction
    and MeterValues get the real transaction id when they are sent; as their StartTransaction is
    before them in the lane, it is known by then or will never be. Where it was given up for want
    of an answer, which may come late, they are parked as long as the link lasts.

    Attributes:
        late: what the CSMS has not answered in time.
    """

    def __init__(self, stored: Mapping[str, bytes], outbox: Outbox, keys: Configuration) -> None:
        self._outbox = outbox
        self._keys = keys
        self._entries: deque[TransactionEntry] = deque()
        self._transaction_ids: dict[int, int] = {}
        self._parked: dict[int, list[TransactionEntry]] = {}
        self._attempts = 0
        self.late = LateAnswers()
        self.retry_at: float | None = None
        self.last_number = 0
        self._restore(stored)

    @property
    def empty(self) -> bool:
        """Whether the CSMS has everything."""
        return not self._entries

    def holds(self, number: int) -> bool:
        """Return whether the message with this number is the head."""
        return bool(self._entries) and self._entries[0].number == number

    def push(self, number: int, request: TransactionRequest, local_id: int) -> None:
        """Add a message; it is on the disk before it can be on the wire."""
        self._entries.append(TransactionEntry(number=number, local_id=local_id, request=request))
        self._outbox.keep(queue_key(number), stored_form(number, local_id, request))

    def head(self, now: float) -> TransactionEntry | None:
        """Return the message to send next, with its real transaction id; None when none is due."""
        self._drop_orphans()
        if not self._entries or (self.retry_at is not None and now < self.retry_at):
            return None
        entry = self._entries[0]
        if isinstance(entry.request, StartTransaction):
            return entry
        transaction_id = self._transaction_ids[entry.local_id]
        return replace(entry, request=replace(entry.request, transaction_id=transaction_id))

    def started(self, local_id: int, transaction_id: int) -> None:
        """Keep the real id of a transaction."""
        self._transaction_ids[local_id] = transaction_id
        self._outbox.keep(transaction_id_key(local_id), transaction_id)
        for place, entry in enumerate(self._parked.pop(local_id, ()), start=1):
            self._entries.insert(place, entry)  # behind the head, which may be in flight

    def link_broken(self) -> None:
        """What has not been answered on this link never will be."""
        self.late.clear()
        for entries in self._parked.values():
            for entry in entries:
                self._log_orphan(entry)
                self._outbox.forget(queue_key(entry.number))
        self._parked.clear()

    def delivered(self) -> None:
        """The CSMS has the head."""
        self.late.concluded(self._remove_head().number)

    def _remove_head(self) -> TransactionEntry:
        self._attempts = 0
        self.retry_at = None
        entry = self._entries.popleft()
        self._outbox.forget(queue_key(entry.number))
        if isinstance(entry.request, StopTransaction):
            self._forget_transaction(entry.local_id)
        return entry

    def refused(self, why: str, now: float) -> None:
        """The CSMS failed to process the head: again later, or never again."""
        # §9.1 TransactionMessageAttempts, TransactionMessageRetryInterval times attempts so far
        self._attempts += 1
        name = type(self._entries[0].request).__name__
        if self._attempts >= self._keys.integer(Key.TRANSACTION_MESSAGE_ATTEMPTS):
            self._outbox.log(
                LogLevel.ERROR, f"{name} is dropped after {self._attempts} attempts: {why}"
            )
            dropped = self._remove_head()
            if not isinstance(dropped.request, StartTransaction):
                self.late.concluded(dropped.number)
            return
        wait_s = self._keys.integer(Key.TRANSACTION_MESSAGE_RETRY_INTERVAL) * self._attempts
        self.retry_at = now + wait_s
        self._outbox.log(LogLevel.WARNING, f"{name} failed, again in {wait_s} s: {why}")

    def _forget_transaction(self, local_id: int) -> None:
        if self._transaction_ids.pop(local_id, None) is not None:
            self._outbox.forget(transaction_id_key(local_id))

    def _drop_orphans(self) -> None:
        # Without a transaction id the CSMS cannot be told of the rest of the transaction.
        while self._entries:
            entry = self._entries[0]
            if isinstance(entry.request, StartTransaction):
                return
            if entry.local_id in self._transaction_ids:
                return
            if not self._park(entry):
                self._log_orphan(entry)
                self.delivered()

    def _park(self, entry: TransactionEntry) -> bool:
        """Let a message wait beside the lane for the id of its transaction, if that may come."""
        if not self.late.may_start(entry.local_id):
            return False
        parked = self._parked.setdefault(entry.local_id, [])
        if len(parked) >= _MOST_PARKED and not isinstance(entry.request, StopTransaction):
            return False
        parked.append(self._entries.popleft())
        return True

    def _log_orphan(self, entry: TransactionEntry) -> None:
        name = type(entry.request).__name__
        self._outbox.log(
            LogLevel.ERROR, f"{name} is dropped: its StartTransaction was never answered"
        )

    def _restore(self, stored: Mapping[str, bytes]) -> None:
        for key in sorted(stored):
            if key.startswith(QUEUE_PREFIX):
                self._restore_request(stored, key)
            elif key.startswith(TRANSACTION_ID_PREFIX):
                transaction_id = self._outbox.recall(stored, key, int)
                if transaction_id is not None:
                    local_id = int(key.removeprefix(TRANSACTION_ID_PREFIX))
                    self._transaction_ids[local_id] = transaction_id
                    self.last_number = max(self.last_number, local_id)

    def _restore_request(self, stored: Mapping[str, bytes], key: str) -> None:
        record = self._outbox.recall(stored, key, StoredRequest)
        if record is None:
            return
        if record.request is None:
            self._outbox.log(LogLevel.ERROR, f"stored record {key} holds no request: dropped")
            self._outbox.forget(key)
            return
        entry = TransactionEntry(
            number=record.number, local_id=record.local_id, request=record.request
        )
        self._entries.append(entry)
        self.last_number = max(self.last_number, record.number, record.local_id)
