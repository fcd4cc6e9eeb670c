"""The peers of a charge point in tests: a CSMS on a real socket, a broker that is not one."""

import asyncio
import base64
import json
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from cp_image.api.topics import Topic
from cp_image.mqtt_link import Message
from cp_image.shell.control import LinkCallbacks
from cp_image.shell.csms_access import CsmsAccess
from cp_image.shell.secret_files import SecretFiles
from tests.unit.dialects.schemas import check_frame

PATIENCE_S = 60.0


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario to its end, or fail when it hangs."""

    async def patiently() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await scenario

    asyncio.run(patiently())


class Watched:
    """Something that changes; a test waits for what it wants to see."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Wake whoever waits."""
        self._changed.set()

    async def until(self, seen: Callable[[], Any]) -> Any:
        """Wait until `seen` returns something true; return it."""
        while not (what := seen()):
            self._changed.clear()
            await self._changed.wait()
        return what


NOW = "2026-01-31T12:00:00Z"
ACCEPTING: dict[str, dict[str, Any]] = {
    "BootNotification": {"status": "Accepted", "currentTime": NOW, "interval": 300},
    "Heartbeat": {"currentTime": NOW},
    "StatusNotification": {},
    "Authorize": {"idTagInfo": {"status": "Accepted"}},
    "StartTransaction": {"transactionId": 42, "idTagInfo": {"status": "Accepted"}},
    "MeterValues": {},
    "StopTransaction": {"idTagInfo": {"status": "Accepted"}},
}


class Csms(Watched):
    """A CSMS that checks every frame by the schemas and answers from a table.

    Attributes:
        tls: None serves ``ws://``.
        login: user and password it asks for; None asks for none.
    """

    def __init__(
        self,
        *,
        answers: dict[str, dict[str, Any]] | None = None,
        subprotocols: list[str] | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, bytes] | None = None,
    ) -> None:
        super().__init__()
        self.tls = tls
        self.login = login
        self.answers = ACCEPTING if answers is None else answers
        self.subprotocols = ["ocpp1.6"] if subprotocols is None else subprotocols
        self.port = port
        self.paths: list[str] = []
        self.frames: list[str] = []
        self.asked: dict[str, str] = {}
        self.connection: ServerConnection | None = None
        self.broken_rules: list[Exception] = []
        self.closed_with: list[tuple[int | None, str | None]] = []
        self._server: Server

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            subprotocols=[Subprotocol(name) for name in self.subprotocols] or None,
            ssl=self.tls,
            process_request=self._check_login,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        await self._server.wait_closed()
        if self.broken_rules:
            raise self.broken_rules[0]

    @property
    def url(self) -> str:
        if self.tls is not None:
            return f"wss://localhost:{self.port}/ocpp"
        return f"ws://127.0.0.1:{self.port}/ocpp"

    def _check_login(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.login is None:
            return None
        user, password = self.login
        token = base64.b64encode(user.encode() + b":" + password).decode()
        if request.headers.get("Authorization") == f"Basic {token}":
            return None
        return connection.respond(401, "who are you?")

    def calls(self, action: str) -> list[dict[str, Any]]:
        """Return the payloads of the calls of an action so far."""
        return [
            call[3]
            for call in map(json.loads, self.frames)
            if call[:1] == [2] and call[2] == action
        ]

    async def heard(self, action: str, number: int = 1) -> dict[str, Any]:
        """Wait for the nth call of an action; return its payload."""
        await self.until(lambda: len(self.calls(action)) >= number)
        return self.calls(action)[number - 1]

    async def send(self, frame: str | bytes) -> None:
        assert self.connection is not None
        if isinstance(frame, str):
            self._remember(frame)
        await self.connection.send(frame)

    def _remember(self, frame: str) -> None:
        """Remember what is asked: its answer is checked by the schema of its action."""
        try:
            message_type, message_id, action, *_ = json.loads(frame)
        except (ValueError, TypeError, RecursionError):
            return  # garbage, sent to see what becomes of it
        if message_type == 2 and isinstance(message_id, str) and isinstance(action, str):
            self.asked[message_id] = action

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.connection = connection
        self.paths.append(connection.request.path)
        self.changed()
        try:
            async for frame in connection:
                try:
                    assert isinstance(frame, str)
                    check_frame(frame, self.asked)
                except Exception as exc:
                    self.broken_rules.append(exc)  # told at the end, in the test's own task
                    raise
                self.frames.append(frame)
                await self._answer(frame)
                self.changed()
        except ConnectionClosed:
            pass  # a broken connection is part of some scenarios
        finally:
            self.closed_with.append((connection.close_code, connection.close_reason))
            self.changed()

    async def _answer(self, frame: str) -> None:
        message_type, message_id, action, *_ = json.loads(frame)
        if message_type == 2 and action in self.answers:
            assert self.connection is not None
            await self.connection.send(json.dumps([3, message_id, self.answers[action]]))


def door_to(central_system: str, charge_point_id: str) -> CsmsAccess:
    """Return what leads to a CSMS without any security."""
    return CsmsAccess(
        central_system=central_system,
        charge_point_id=charge_point_id,
        files=SecretFiles(Path("/nowhere")),
    )


class FakeLink(Watched):
    """What a charge point does with its MQTT link, and a way to send it messages."""

    def __init__(self, callbacks: LinkCallbacks) -> None:
        super().__init__()
        self.callbacks = callbacks
        self.filters: list[str] = []
        self.messages: list[Message] = []
        self.closed = asyncio.Event()

    def subscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        self.filters.append(kind.filter(root, charge_point_id))

    def publish(self, message: Message) -> None:
        assert not self.closed.is_set()
        self.messages.append(message)
        self.changed()

    async def run(self) -> None:
        await self.closed.wait()

    async def close(self) -> None:
        self.closed.set()

    # -- for tests ----------------------------------------------------------------------------

    def receive(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        self.callbacks.on_message(Message(topic=topic, payload=data, retain=retain))

    def on(self, topic: str) -> list[Any]:
        """Return what was published on a topic, decoded."""
        return [msgspec.json.decode(m.payload) for m in self.messages if m.topic == topic]

    async def seen(self, topic: str, **fields: Any) -> Any:
        """Wait until the last payload on a topic has these fields; return it."""

        def last() -> Any:
            payloads = self.on(topic)
            if payloads and all(payloads[-1].get(key) == want for key, want in fields.items()):
                return payloads[-1]
            return None

        return await self.until(last)
