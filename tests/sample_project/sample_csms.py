"""A small CSMS: it knows its customers, keeps their transactions, and can be asked about them."""

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint as OcppChargePoint
from ocpp.v16 import call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol


@dataclass
class Transaction:
    """A charging session, and the bill that could be written for it."""

    transaction_id: int
    charge_point_id: str
    id_tag: str
    meter_start: int
    meter_stop: int | None = None
    reason: str | None = None


@dataclass
class Books:
    """What the CSMS remembers; it outlives the connections."""

    customers: set[str] = field(default_factory=lambda: {"ALICE", "BOB"})
    transactions: dict[int, Transaction] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def status_of(self, id_tag: str) -> AuthorizationStatus:
        """Whether somebody may charge."""
        known = id_tag in self.customers
        return AuthorizationStatus.accepted if known else AuthorizationStatus.invalid

    def start(self, charge_point_id: str, id_tag: str, meter_start: int) -> Transaction:
        """Open a transaction."""
        with self._changed:
            made = Transaction(len(self.transactions) + 1, charge_point_id, id_tag, meter_start)
            self.transactions[made.transaction_id] = made
            self._changed.notify_all()
            return made

    def stop(self, transaction_id: int, meter_stop: int, reason: str | None) -> None:
        """Close a transaction."""
        with self._changed:
            transaction = self.transactions[transaction_id]
            transaction.meter_stop, transaction.reason = meter_stop, reason
            self._changed.notify_all()

    def wait_for_stopped(self, charge_point_id: str, timeout_s: float = 20) -> Transaction:
        """Return the first transaction of a charge point that is closed."""

        def find() -> Transaction | None:
            for each in self.transactions.values():
                if each.charge_point_id == charge_point_id and each.meter_stop is not None:
                    return each
            return None

        with self._changed:
            found = self._changed.wait_for(find, timeout_s)
        if found is None:
            raise TimeoutError(f"no transaction of {charge_point_id} was closed")
        return found


class ChargePoint(OcppChargePoint):
    """The CSMS's side of a charge point."""

    def __init__(self, charge_point_id: str, connection: Any, books: Books) -> None:
        super().__init__(charge_point_id, connection)
        self._books = books

    @on(Action.boot_notification)
    def boot(self, **_: Any) -> call_result.BootNotification:
        """Take every charge point."""
        return call_result.BootNotification(
            current_time=_now(), interval=300, status=RegistrationStatus.accepted
        )

    @on(Action.heartbeat)
    def heartbeat(self) -> call_result.Heartbeat:
        """Tell the time."""
        return call_result.Heartbeat(current_time=_now())

    @on(Action.status_notification)
    def status(self, **_: Any) -> call_result.StatusNotification:
        """Take note."""
        return call_result.StatusNotification()

    @on(Action.meter_values)
    def meter_values(self, **_: Any) -> call_result.MeterValues:
        """Take note."""
        return call_result.MeterValues()

    @on(Action.authorize)
    def authorize(self, id_tag: str) -> call_result.Authorize:
        """Let customers charge."""
        return call_result.Authorize(IdTagInfo(status=self._books.status_of(id_tag)))

    @on(Action.start_transaction)
    def start_transaction(
        self, id_tag: str, meter_start: int, **_: Any
    ) -> call_result.StartTransaction:
        """Open a transaction."""
        opened = self._books.start(self.id, id_tag, meter_start)
        info = IdTagInfo(status=self._books.status_of(id_tag))
        return call_result.StartTransaction(opened.transaction_id, info)

    @on(Action.stop_transaction)
    def stop_transaction(
        self, transaction_id: int, meter_stop: int, reason: str | None = None, **_: Any
    ) -> call_result.StopTransaction:
        """Close it."""
        self._books.stop(transaction_id, meter_stop, reason)
        return call_result.StopTransaction()


class Csms:
    """The server, in a thread of its own; it can go away and come back where it was."""

    def __init__(self) -> None:
        self.books = Books()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="csms")
        self._thread.start()
        self._server: Server | None = None
        self.come_back()

    @property
    def url(self) -> str:
        """Where charge points find it."""
        return f"ws://localhost:{self.port}/ocpp"

    def go_away(self) -> None:
        """Close every connection, and listen no more."""
        self._run(self._stop())

    def come_back(self) -> None:
        """Listen again, on the same port."""
        self._run(self._serve())

    def close(self) -> None:
        """End it."""
        self.go_away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        self._server = await serve(
            self._talk, "127.0.0.1", self.port, subprotocols=[Subprotocol("ocpp1.6")]
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        charge_point_id = connection.request.path.rpartition("/")[2]
        await ChargePoint(charge_point_id, connection, self.books).start()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)


def _now() -> str:
    return datetime.now(UTC).isoformat()
