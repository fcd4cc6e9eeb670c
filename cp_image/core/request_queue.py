"""The request queue: one CALL in flight at a time (OCPP-J 1.6 §4.1.1).

Transaction messages have a lane of their own, which survives everything; the rest lasts as long
as the link.
"""

from collections import deque
from collections.abc import Iterator, Mapping

from cp_image.api.value import Value
from cp_image.core.configuration_keys import Configuration
from cp_image.core.effects import LogLevel, SendCall
from cp_image.core.messages import Authorize, BootNotification, Request, StartTransaction
from cp_image.core.outbox import Outbox
from cp_image.core.stored_request import TransactionEntry, TransactionRequest
from cp_image.core.transaction_lane import TransactionLane


class PassingEntry(Value):
    """A request that is only worth something while the link lasts."""

    number: int
    request: Request
    triggered: bool = False
    """whether the CSMS has asked for it: then it goes before the registration is accepted, too"""


Entry = PassingEntry | TransactionEntry


class _InFlight(Value):
    entry: Entry
    message_id: str
    times_out_at: float


class RequestQueue:
    """What the station has to say to the CSMS, and what it is saying."""

    def __init__(
        self,
        *,
        stored: Mapping[str, bytes],
        outbox: Outbox,
        configuration: Configuration,
        message_ids: Iterator[str],
        call_timeout_s: float = 30.0,
    ) -> None:
        self._call_timeout_s = call_timeout_s
        self._outbox = outbox
        self._message_ids = message_ids
        self._lane = TransactionLane(stored, outbox, configuration)
        self._passing: deque[PassingEntry] = deque()
        self._in_flight: _InFlight | None = None
        self._last_number = self._lane.last_number
        self._backlog_until = self._last_number
        self._connected = False
        self._registered = False

    @property
    def open(self) -> bool:
        """Whether all requests may go: the CSMS is there and has accepted the charge point."""
        return self._connected and self._registered

    @property
    def delivering(self) -> bool:
        """Whether there are transaction messages, and a CSMS that takes them."""
        return self.open and not self._lane.empty

    def connect(self) -> None:
        """The WebSocket is open."""
        self._connected = True
        self._backlog_until = self._last_number

    def register(self, *, accepted: bool) -> None:
        """The CSMS has answered the BootNotification."""
        self._registered = accepted

    def drop_triggered(self) -> None:
        """The CSMS wants to hear nothing for now (OCPP 1.6 §4.2), not even what it asked for."""
        self._passing = deque(entry for entry in self._passing if not entry.triggered)

    def disconnect(self) -> list[PassingEntry]:
        """The WebSocket is closed.

        Returns:
            The requests that are lost; transaction messages stay and are said again.
        """
        self._connected = False
        lost = list(self._passing)
        if self._in_flight is not None and isinstance(self._in_flight.entry, PassingEntry):
            lost.insert(0, self._in_flight.entry)
        self._in_flight = None
        self._passing.clear()
        self._lane.link_broken()
        return lost

    def push(self, request: Request, *, triggered: bool = False) -> int:
        """Add a request that is lost when the link breaks; returns its number."""
        entry = PassingEntry(number=self._next_number(), request=request, triggered=triggered)
        self._passing.append(entry)
        return entry.number

    def push_start(self, request: StartTransaction) -> int:
        """Add the first message of a transaction; returns the local id of the transaction."""
        number = self._next_number()
        self._lane.push(number, request, local_id=number)
        return number

    def push_transaction(self, request: TransactionRequest, local_id: int) -> None:
        """Add a later message of a transaction."""
        self._lane.push(self._next_number(), request, local_id)

    def started(self, local_id: int, transaction_id: int) -> None:
        """The CSMS has given a transaction its id."""
        self._lane.started(local_id, transaction_id)

    def answered(self, message_id: str) -> Entry | None:
        """Take the request an answer belongs to off the queue; None where nobody waits for it."""
        answered = self._in_flight
        if answered is None or answered.message_id != message_id:
            return self._answered_late(message_id)
        self._in_flight = None
        if isinstance(answered.entry, TransactionEntry):
            self._lane.delivered()
        return answered.entry

    def failed(self, message_id: str, why: str, now: float) -> PassingEntry | None:
        """The CSMS answered with an error.

        Returns:
            The request that is lost; None where there is none, or where it is said again.
        """
        if self._in_flight is None or self._in_flight.message_id != message_id:
            return None
        return self._give_up(self._in_flight, why, now)

    def expire(self, now: float) -> PassingEntry | None:
        """Stop waiting for an answer that is overdue; returns as `failed` does."""
        if self._in_flight is None or now < self._in_flight.times_out_at:
            return None
        overdue = self._in_flight
        if isinstance(overdue.entry, TransactionEntry):
            # Its answer is still welcome: nothing is told twice in vain, and a transaction whose
            # start is given up may yet get its id.
            self._lane.late.expect(overdue.message_id, overdue.entry)
        return self._give_up(overdue, f"no answer within {self._call_timeout_s:g} s", now)

    def flush(self, now: float) -> None:
        """Send what is next, if nothing is in flight."""
        if self._in_flight is not None or not self._connected:
            return
        entry = self._choose(now)
        if entry is None:
            return
        if isinstance(entry, PassingEntry):
            self._passing.remove(entry)
        message_id = next(self._message_ids)
        self._in_flight = _InFlight(
            entry=entry, message_id=message_id, times_out_at=now + self._call_timeout_s
        )
        self._outbox.put(SendCall(message_id=message_id, request=entry.request))

    def next_deadline(self) -> float | None:
        """Return when `expire` or `flush` has something to do; None when it has not."""
        if self._in_flight is not None:
            return self._in_flight.times_out_at
        return self._lane.retry_at if self.open else None

    def _answered_late(self, message_id: str) -> TransactionEntry | None:
        entry = self._lane.late.entry(message_id)
        if entry is None or (self._in_flight and self._in_flight.entry.number == entry.number):
            return None  # it has been said again: the answer to that one counts
        if self._lane.holds(entry.number):
            self._lane.delivered()
        else:
            self._lane.late.concluded(entry.number)
        return entry

    def _choose(self, now: float) -> Entry | None:
        if not self._registered:
            # OCPP 1.6 §4.2: nothing else before the BootNotification is accepted, save what the
            # CSMS triggers (§5.17).
            triggered = next((entry for entry in self._passing if entry.triggered), None)
            return self._first(BootNotification) or triggered
        head = self._lane.head(now)
        passing = self._passing[0] if self._passing else None
        if head is None or passing is None:
            return head or passing
        if head.number <= self._backlog_until or any(e.triggered for e in self._passing):
            return passing  # a long backlog must not hold up what happens now, or is asked for
        # Somebody stands in front of the reader and waits.
        return self._first(Authorize) or (head if head.number < passing.number else passing)

    def _first(self, kind: type[Request]) -> PassingEntry | None:
        return next((entry for entry in self._passing if isinstance(entry.request, kind)), None)

    def _give_up(self, waiting: _InFlight, why: str, now: float) -> PassingEntry | None:
        self._in_flight = None
        if isinstance(waiting.entry, TransactionEntry):
            self._lane.refused(why, now)
            return None
        self._outbox.log(LogLevel.WARNING, f"{type(waiting.entry.request).__name__} failed: {why}")
        return waiting.entry

    def _next_number(self) -> int:
        self._last_number += 1
        return self._last_number
