"""The live mirror of an environment: it fills from what the broker retains and then follows."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Protocol, Self
from uuid import uuid4

from cp_image.api import topics
from cp_image.api.topics import Topic
from cp_image.mqtt_link import BrokerAddress, BrokerUnreachableError, Message, MqttLink
from launcher.api import (
    CP_CONTAINER,
    CP_SPECIFICATION,
    DEFAULT_ENVIRONMENT,
    LAUNCHER_EVENT,
    LAUNCHER_RESULT,
    LAUNCHER_STATUS,
    topic_root,
)
from supervisor_cli.errors import ExitCode, NotUpError, SimuError
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.state import Broker, resolve_broker

__tracebackhide__ = True  # of interest in a failed test is the line that called
HEARD: Final = (
    LAUNCHER_STATUS,
    LAUNCHER_RESULT,
    LAUNCHER_EVENT,
    topics.CP_STATUS,
    topics.CONNECTOR_STATUS,
    topics.CP_RESULT,
    CP_CONTAINER,
    CP_SPECIFICATION,
)
"""What a mirror hears of all charge points."""
_MARKER: Final = Topic("supervisor/{id}", retain=False)
"""A mirror's own: what it says there comes back after the retained messages of its filters."""
_SETTLE_S: Final = 15.0


class Link(Protocol):
    """What the client needs of `cp_image.mqtt_link.MqttLink`."""

    def subscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        """Hear a kind of topic."""

    def unsubscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        """Hear a kind of topic no more."""

    async def confirm_subscriptions(self) -> None:
        """Wait until the broker has confirmed every subscription."""

    def publish(self, message: Message) -> None:
        """Publish."""

    async def publish_confirmed(self, message: Message) -> None:
        """Publish and wait until the broker has it."""

    async def connect(self) -> None:
        """Connect once."""

    async def run(self) -> None:
        """Stay connected until closed."""

    async def close(self) -> None:
        """Disconnect in order."""


class LinkFactory(Protocol):
    """Makes a link; `MqttLink` itself is one."""

    def __call__(
        self,
        *,
        address: BrokerAddress,
        client_id: str,
        on_message: Callable[[Message], None],
        on_connection: Callable[[bool, str], None],
    ) -> Link:
        """Return a link that is not connected yet."""


class Mirror:
    """Follows an environment; an async context manager.

    Entering connects to the broker and returns when the mirror is complete: every retained
    message has been heard. `view` changes only while the event loop runs.

    Args:
        broker: where the environment's broker is; None: ``SIMU_BROKER``, else where
            `simuctl up` started it, else 127.0.0.1:1883.
        environment: its name; it settles the topic root.
        link_factory: makes the MQTT connection; for tests.

    Raises:
        SimuError: on entering: the broker cannot be reached (exit code 3).
    """

    def __init__(
        self,
        *,
        broker: Broker | None = None,
        environment: str = DEFAULT_ENVIRONMENT,
        link_factory: LinkFactory = MqttLink,
    ) -> None:
        self.environment = environment
        self.broker = broker or resolve_broker(environment)
        self.root = topic_root(environment)
        self.view = FleetView()
        self._nonce = uuid4().hex
        self._refill: FleetView | None = None
        self._round = 0
        self._settled = asyncio.Event()
        self._why_down = ""
        self._watchers: set[Callable[[], None]] = set()
        self._tasks = asyncio.TaskGroup()
        self._link = link_factory(
            address=self.broker.address(),
            client_id=f"simuctl-{self._nonce}",
            on_message=self._received,
            on_connection=self._connection,
        )

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        try:
            for kind in HEARD:
                self._link.subscribe(kind, self.root)
            self._link.subscribe(_MARKER, self.root, self._nonce)
            await self._connect()
        except BaseException as exc:
            await self.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._link.close()
        finally:
            # What the caller raised stays as it is; a group would wrap it. A cancellation is
            # the group's to judge: it may be its own, after a task of it has failed.
            if isinstance(exc, asyncio.CancelledError):
                await self._tasks.__aexit__(exc_type, exc, trace)
            else:
                await self._tasks.__aexit__(None, None, None)

    async def wait_for(
        self,
        predicate: Callable[[FleetView], bool],
        *,
        timeout_s: float,
        what: str = "what was waited for",
    ) -> FleetView:
        """Wait until the view is as wished and return it.

        Args:
            predicate: looked at now and after each change.
            timeout_s: how long to wait at most.
            what: for the error: "CP-0001 Charging".

        Raises:
            SimuError: it did not become so in time (exit code 4).
        """
        if predicate(self.view):
            return self.view
        wished: asyncio.Future[FleetView] = asyncio.get_running_loop().create_future()

        def look() -> None:
            if not wished.done():
                try:
                    if predicate(self.view):
                        wished.set_result(self.view)
                except Exception as exc:  # noqa: BLE001 - the caller's own, handed back to it
                    wished.set_exception(exc)

        with self.watching(look):
            try:
                async with asyncio.timeout(timeout_s):
                    return await wished
            except TimeoutError:
                raise SimuError(
                    f"{what} did not come within {timeout_s:g} s{self._while_down()}",
                    hint="simuctl ls shows what there is",
                    exit_code=ExitCode.TIMEOUT,
                ) from None  # which says all: a clock that has run down is no cause

    @property
    def why_down(self) -> str:
        """Why there is no connection to the broker; empty while there is one."""
        return self._why_down

    @property
    def stale(self) -> bool:
        """Whether the view may be true no more: no connection, or not all heard again since."""
        return bool(self._why_down) or self._refill is not None

    @contextmanager
    def watching(self, watcher: Callable[[], None]) -> Iterator[None]:
        """Call `watcher` after each change of `view`, `why_down` and `stale`.

        It is called often, in the midst of a message: it had better only note it.
        """
        self._watchers.add(watcher)
        try:
            yield
        finally:
            self._watchers.discard(watcher)

    # -- for those that build on it ---------------------------------------------------------------

    def _heard(self, message: Message) -> None:
        """Called with every message but the mirror's own, before the view changes."""

    def _publish(self, topic: str, payload: bytes) -> None:
        self._link.publish(Message(topic=topic, payload=payload, retain=False))

    def _while_down(self) -> str:
        """Return what to add to an error while there is no connection."""
        return f" ({self._why_down})" if self._why_down else ""

    # -- inside ---------------------------------------------------------------------------------

    async def _connect(self) -> None:
        try:
            await self._link.connect()
            self._tasks.create_task(self._link.run(), name="mqtt link")
            async with asyncio.timeout(_SETTLE_S):
                await self._settled.wait()
        except BrokerUnreachableError as exc:
            raise NotUpError(
                str(exc),
                environment=self.environment,
                hint="simuctl up starts one; --broker HOST:PORT names another",
            ) from exc
        except TimeoutError as exc:
            raise SimuError(
                f"broker {self.broker} delivers nothing on {self.root}/#{self._while_down()}",
                hint="simuctl doctor looks at the broker",
                exit_code=ExitCode.UNREACHABLE,
            ) from exc

    def _connection(self, up: bool, reason: str) -> None:  # noqa: FBT001 - the link's signature
        self._why_down = "" if up else reason
        if up:
            # What was removed meanwhile is told by nobody: the mirror is filled anew beside
            # the old one, and takes its place when it is complete.
            self._refill = FleetView()
            self._round += 1
            self._tasks.create_task(self._settle(self._round), name="settle the mirror")
        self._tell_watchers()

    async def _settle(self, number: int) -> None:
        try:
            await self._link.confirm_subscriptions()
        except TimeoutError:
            return  # the connection was lost again, and the next one settles; or _connect says so
        self._publish(_MARKER.build(self.root, self._nonce), str(number).encode())

    def _received(self, message: Message) -> None:
        if _MARKER.parse(self.root, message.topic) is not None:
            self._marked(message.payload)
            return
        self._heard(message)
        if self._refill is not None:
            self._refill = self._refill.apply(self.root, message.topic, message.payload)
            if not self._settled.is_set():
                return  # nobody looks at a mirror before it is complete
        self._show(self.view.apply(self.root, message.topic, message.payload))

    def _marked(self, payload: bytes) -> None:
        if self._refill is not None and payload == str(self._round).encode():
            view, self._refill = self._refill, None
            self._settled.set()
            self.view = view
            self._tell_watchers()

    def _show(self, view: FleetView) -> None:
        if view is not self.view:
            self.view = view
            self._tell_watchers()

    def _tell_watchers(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()
