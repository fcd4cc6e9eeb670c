"""The central system in the box: a real OCPP 1.6J server that checks every frame it hears.

It accepts any charge point and serves `simuctl csms`, the demo and the tests alike.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ssl import CERT_REQUIRED, SSLContext
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from supervisor_cli import ocpp_frames
from supervisor_cli.csms_certification import Certification, Issuer
from supervisor_cli.csms_door import Door, Login, Refusal, charge_point_id_of
from supervisor_cli.csms_ledger import CsmsLedger, Violation
from supervisor_cli.csms_peer import NotConnectedError, Peer
from supervisor_cli.csms_records import (
    AuthorizationStatus,
    BootAnswer,
    CsmsRecords,
    RegistrationStatus,
    Tag,
    Transaction,
)
from supervisor_cli.csms_tls import Handshakes
from supervisor_cli.frame_line import Direction, FrameRecord
from supervisor_cli.ocpp_frames import Call, Error, Frame, FrameError, Result

_T = TypeVar("_T")

_SUBPROTOCOL: Final = Subprotocol("ocpp1.6")
_MAX_FRAME_BYTES: Final = 16 * 1024 * 1024
"""What a charge point reads, too: a StopTransaction with the readings of a night is long."""
_CLOSE_S: Final = 1.0
_ANSWER_S: Final = 30.0
_DESCRIPTION_CHARACTERS: Final = 255  # OCPP-J 1.6 §4.2.3


class DemoCsms:
    """An OCPP 1.6J central system; an async context manager that listens while it is entered.

    Args:
        host: address to listen on.
        port: 0: any free one, see `url`.
        on_frame: called with every frame that came in or went out; ``str()`` of it is a line.
        heartbeat_interval_s: given to charge points that are accepted.
        ssl: what it listens with; None is no TLS.
        passwords: by charge point id, or `csms_door.ANYBODY`: what HTTP Basic authentication must
            bring; None asks for none.
        require_client_certificate: the common name of a charge point's certificate must be its
            id; whose certificates are trusted is in `ssl`.
        issuer: issues the certificates that charge points ask for; None rejects them.
        on_refusal: called with every charge point that was not let in.

    Raises:
        ValueError: a client certificate is required, but `ssl` does not ask for one.
    """

    def __init__(  # noqa: PLR0913 - a server's options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        on_frame: Callable[[FrameRecord], None] | None = None,
        heartbeat_interval_s: int = 300,
        ssl: SSLContext | None = None,
        passwords: Mapping[str, bytes | Login] | None = None,
        require_client_certificate: bool = False,
        issuer: Issuer | None = None,
        on_refusal: Callable[[Refusal], None] | None = None,
    ) -> None:
        if require_client_certificate and (ssl is None or ssl.verify_mode is not CERT_REQUIRED):
            raise ValueError("a client certificate needs an SSL context that requires one")
        self._host = host
        self._port = port
        self._ledger = CsmsLedger(on_frame, on_refusal)
        self._ssl = ssl
        self._door = Door(
            passwords,
            require_client_certificate=require_client_certificate,
            on_refusal=self._ledger.note_refusal,
        )
        self._certification = Certification(issuer, self._ledger.note_refusal)
        self._records = CsmsRecords(heartbeat_interval_s)
        self._peers: dict[str, Peer] = {}
        self._server: Server | None = None
        self._handshakes: Handshakes | None = None
        # Not a task group: it would wrap what is raised in the body of `async with`.
        self._chores: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        connection_class = ServerConnection
        if self._ssl is not None:
            self._handshakes = Handshakes(self._ssl, self._no_handshake)
            connection_class = self._handshakes.connection_class()
        self._server = await serve(
            self._serve,
            self._host,
            self._port,
            subprotocols=[_SUBPROTOCOL],
            process_request=self._door,
            close_timeout=_CLOSE_S,
            max_size=_MAX_FRAME_BYTES,
            create_connection=connection_class,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        if self._handshakes is not None:  # none begins any more
            await self._handshakes.close()
        if self._server is not None:
            await self._server.wait_closed()
        await asyncio.gather(*self._chores)

    @property
    def url(self) -> str:
        """What to give charge points as their central system."""
        if self._server is None:
            raise RuntimeError("the central system does not listen yet: enter it first")
        port = next(iter(self._server.sockets)).getsockname()[1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'ws' if self._ssl is None else 'wss'}://{host}:{port}/ocpp"

    @property
    def connected(self) -> frozenset[str]:
        """The ids of the charge points that are connected."""
        return frozenset(self._peers)

    @property
    def frames(self) -> Sequence[FrameRecord]:
        """The last frames, oldest first."""
        return self._ledger.frames

    @property
    def violations(self) -> list[Violation]:
        """The frames of charge points that break a rule, oldest first."""
        return self._ledger.violations

    @property
    def refusals(self) -> list[Refusal]:
        """The charge points that were not let in, or not given a certificate, oldest first."""
        return self._ledger.refusals

    @property
    def transactions(self) -> Sequence[Transaction]:
        """All transactions, oldest first."""
        return tuple(self._records.transactions.values())

    def registration(self, charge_point_id: str) -> RegistrationStatus | None:
        """Return what the last BootNotification was answered; None where none came."""
        return self._records.registrations.get(charge_point_id)

    def connector_status(self, charge_point_id: str, connector_id: int) -> str | None:
        """Return the last status of a connector; None where none was notified."""
        return self._records.connector_statuses.get((charge_point_id, connector_id))

    def calls(self, charge_point_id: str, action: str | None = None) -> list[Call]:
        """Return the calls of a charge point, oldest first, of one action or of all."""
        return self._ledger.calls(charge_point_id, action)

    def set_tag(
        self,
        id_tag: str,
        status: AuthorizationStatus = AuthorizationStatus.ACCEPTED,
        *,
        parent_id_tag: str | None = None,
        expires_utc: datetime | None = None,
    ) -> None:
        """Answer so about an id tag from now on; tags that were never set are accepted."""
        self._records.tags[id_tag.casefold()] = Tag(
            status=status, parent_id_tag=parent_id_tag, expires_utc=expires_utc
        )

    def set_password(self, charge_point_id: str, password: bytes | Login) -> None:
        """Ask a charge point for another password from its next connection on."""
        self._door.set_password(charge_point_id, password)

    def script_boot(
        self, charge_point_id: str, status: RegistrationStatus, *, interval_s: int = 1
    ) -> None:
        """Answer so to the next BootNotification; without a script they are accepted."""
        self._records.script_boot(charge_point_id, BootAnswer(status=status, interval_s=interval_s))

    async def call(
        self,
        charge_point_id: str,
        action: str,
        payload: dict[str, Any],
        *,
        timeout_s: float = _ANSWER_S,
    ) -> dict[str, Any]:
        """Ask a charge point and return the payload of its answer; one call at a time for each.

        The payload is sent as it is, so that bad ones can be tried, too.

        Raises:
            NotConnectedError: it is not connected, or the connection broke meanwhile.
            CallFailedError: it answered with a CALLERROR.
            TimeoutError: it did not answer.
        """
        peer = self._peer(charge_point_id)
        self._records.note_asked(charge_point_id, action, payload)
        return await peer.ask(action, payload, timeout_s)

    async def disconnect(self, charge_point_id: str) -> None:
        """Close the connection of a charge point, as a central system that restarts does.

        Raises:
            NotConnectedError: it is not connected.
        """
        peer = self._peer(charge_point_id)
        await peer.connection.close(CloseCode.GOING_AWAY, "going away")

    async def wait_for(self, predicate: Callable[[Self], _T], timeout_s: float) -> _T:
        """Wait until `predicate` returns something true, and return that.

        It is asked now and after every frame, connection and disconnection.

        Raises:
            TimeoutError: it did not; the text has the last frames.
        """
        return await self._ledger.wait_for(lambda: predicate(self), timeout_s)

    # -- inside -------------------------------------------------------------------------------

    def _peer(self, charge_point_id: str) -> Peer:
        peer = self._peers.get(charge_point_id)
        if peer is None:
            raise NotConnectedError(
                f"charge point {charge_point_id} is not connected; "
                f"connected: {', '.join(sorted(self._peers)) or 'none'}"
            )
        return peer

    async def _serve(self, connection: ServerConnection) -> None:
        peer = Peer(charge_point_id_of(connection.request), connection, self._send)
        with self._connected(peer):
            try:
                async for text in connection:
                    answer = self._hear(peer, text)
                    if answer is not None:
                        # What it said before it closed counts, though no answer can leave.
                        with suppress(ConnectionClosed):
                            await self._send(peer, *answer)
            except ConnectionClosed:
                pass  # however it ended, the charge point is gone

    @contextmanager
    def _connected(self, peer: Peer) -> Iterator[None]:
        older = self._peers.get(peer.charge_point_id)
        self._peers[peer.charge_point_id] = peer
        if older is not None:
            older.abandon()
            self._do(
                older.connection.close(CloseCode.POLICY_VIOLATION, "replaced by a newer one"),
                name=f"farewell to an older {peer.charge_point_id}",
            )
        self._ledger.changed()
        try:
            yield
        finally:
            peer.abandon()
            if self._peers.get(peer.charge_point_id) is peer:
                del self._peers[peer.charge_point_id]
            self._ledger.changed()

    def _hear(self, peer: Peer, text: str | bytes) -> tuple[Frame, str] | None:
        """Take in a frame; return what to answer, if anything, and to which action."""
        shown = text if isinstance(text, str) else repr(text)
        frame: Frame | None = None
        action = ""
        try:
            frame = ocpp_frames.parse(text)
            action = frame.action if isinstance(frame, Call) else peer.action_of(frame)
            self._check(peer, frame, action)
        except FrameError as exc:
            self._record(peer, Direction.TO_CSMS, shown, frame, action, str(exc))
            self._ledger.violations.append(
                Violation(
                    charge_point_id=peer.charge_point_id, frame=shown, code=exc.code, text=str(exc)
                )
            )
            self._settle(peer, frame)
            if exc.unique_id is None:
                return None
            text = str(exc)[:_DESCRIPTION_CHARACTERS]
            return Error(unique_id=exc.unique_id, code=exc.code, description=text), action
        answer: Frame | None = None
        if isinstance(frame, Call):
            payload = self._answer(peer, frame)
            answer = Result(unique_id=frame.unique_id, payload=payload)
        self._settle(peer, frame)
        self._record(peer, Direction.TO_CSMS, shown, frame, action)
        return None if answer is None else (answer, action)

    def _answer(self, peer: Peer, call: Call) -> dict[str, Any]:
        if call.action != "SignCertificate":
            return self._records.answer(peer.charge_point_id, call)
        names = self._records.names_of(peer.charge_point_id)
        chain = self._certification.issue(peer.charge_point_id, call.payload["csr"], names)
        if chain is None:
            return {"status": "Rejected"}
        # The charge point gets it after the answer, in a call of its own.
        work = self._certification.deliver(peer, chain)
        self._do(work, name=f"certificate of {peer.charge_point_id}")
        return {"status": "Accepted"}

    def _do(self, work: Coroutine[Any, Any, None], name: str) -> None:
        chore = asyncio.create_task(work, name=name)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    def _no_handshake(self, peer: str, text: str) -> None:
        self._ledger.note_refusal(Refusal(charge_point_id="", peer=peer, text=text))

    def _settle(self, peer: Peer, frame: Frame | None) -> None:
        """Even an answer that breaks a rule is an answer: whoever asked can look at it."""
        if isinstance(frame, Result | Error):
            peer.settle(frame)

    def _check(self, peer: Peer, frame: Frame, action: str) -> None:
        if isinstance(frame, Result):
            ocpp_frames.check_result(frame, action)
        elif isinstance(frame, Call):
            ocpp_frames.check_call(frame)
            self._records.check_registered(peer.charge_point_id, frame)

    async def _send(self, peer: Peer, frame: Frame, action: str) -> None:
        text = ocpp_frames.dump(frame)
        self._record(peer, Direction.TO_CHARGE_POINT, text, frame, action)
        await peer.connection.send(text)

    def _record(
        self,
        peer: Peer,
        direction: Direction,
        text: str,
        frame: Frame | None,
        action: str,
        violation: str = "",
    ) -> None:
        self._ledger.note_frame(
            FrameRecord(
                at_utc=datetime.now(UTC),
                charge_point_id=peer.charge_point_id,
                direction=direction,
                text=text,
                frame=frame,
                action=action,
                violation=violation,
            )
        )
