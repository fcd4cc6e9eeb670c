"""The launcher on asyncio: commands in, answers and events out, and the broker kept right."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import msgspec

from cp_image.api.topics import CP_STATUS, Topic
from cp_image.mqtt_link import Message
from launcher import reconcile
from launcher.api import (
    LAUNCHER_CMD,
    LAUNCHER_EVENT,
    LAUNCHER_RESULT,
    LAUNCHER_STATUS,
    Answer,
    Command,
    CommandType,
    ErrorCode,
    LauncherState,
    Outcome,
    Progress,
)
from launcher.board import Board, Link
from launcher.charge_points import ChargePoints
from launcher.commands import CommandError, Order, read_command, read_orders
from launcher.config import LauncherConfig
from launcher.engine import (
    ContainerDied,
    Engine,
    EngineError,
    EngineEvent,
    ListeningBegan,
    ListeningBroke,
)
from launcher.fleet import EntryError

LOG: Final = logging.getLogger(__name__)

_FAREWELL_S: Final = 5.0
_RECONCILE_AGAIN_S: Final = 5.0
_CLOSING_TEXT: Final = "the launcher is ending and takes no more commands"


class MakeLink(Protocol):
    """Makes the lasting link of the launcher."""

    def __call__(
        self,
        *,
        on_message: Callable[[Message], None],
        on_connection: Callable[[bool, str], None],
        will: Message,
    ) -> Link:
        """Return a link that is not yet connected."""


Scan = Callable[[], Awaitable[Mapping[str, bytes]]]
"""Returns all that the broker has retained of charge points, by topic; OSError where it cannot."""


class Daemon:
    """The launcher of one environment.

    Args:
        config: its settings.
        engine: where the containers are.
        make_link: makes the link to the broker.
        scan: looks at what the broker has retained.
    """

    def __init__(
        self, config: LauncherConfig, engine: Engine, make_link: MakeLink, scan: Scan
    ) -> None:
        self._root = config.root
        self._environment = config.environment
        self._engine = engine
        self._scan = scan
        self._link = make_link(
            on_message=self._hear,
            on_connection=self._connection_changed,
            will=self._message(LAUNCHER_STATUS, LauncherState.DEAD.encode()),
        )
        self._board = Board(self._root, self._link)
        self._charge_points = ChargePoints(engine, self._board, config.surroundings)
        self._closing = asyncio.Event()
        self._reconciliation_due = asyncio.Event()
        self._work: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Serve until closed by a command or by `close`; the charge points live on."""
        self._link.subscribe(LAUNCHER_CMD, self._root)
        self._link.subscribe(CP_STATUS, self._root)
        self._link.subscribe(LAUNCHER_STATUS, self._root)
        self._link.publish(self._message(LAUNCHER_STATUS, LauncherState.ALIVE.encode()))
        try:
            async with asyncio.TaskGroup() as background:
                tasks = [
                    background.create_task(self._link.run(), name="mqtt"),
                    background.create_task(self._listen(), name="engine events"),
                    background.create_task(self._reconcile_when_due(), name="reconciliation"),
                ]
                async with asyncio.TaskGroup() as work:
                    self._work = work
                    await self._closing.wait()
                await self._say_farewell()
                for task in tasks:
                    task.cancel()
        finally:
            await self._engine.close()

    def close(self) -> None:
        """End in order: commands that run are finished first."""
        self._closing.set()

    async def _say_farewell(self) -> None:
        if self._link.connected:
            dead = self._message(LAUNCHER_STATUS, LauncherState.DEAD.encode())
            try:
                async with asyncio.timeout(_FAREWELL_S):
                    await self._link.publish_confirmed(dead)
            except TimeoutError:
                LOG.warning("the broker did not confirm the farewell; it has the will")
        await self._link.close()

    # -- what comes in over MQTT ----------------------------------------------------------------

    def _connection_changed(self, up: bool, reason: str) -> None:  # noqa: FBT001 - as MqttLink calls
        if up:
            LOG.info("connected to the broker")
            self._board.forget_echoes()
            self._reconciliation_due.set()
        else:
            LOG.warning("%s; trying again", reason)

    def _hear(self, message: Message) -> None:
        if LAUNCHER_CMD.parse(self._root, message.topic) is not None:
            self._hear_command(message)
            return
        if LAUNCHER_STATUS.parse(self._root, message.topic) is not None:
            self._hear_own_status(message.payload)
            return
        emptied = self._board.hear(message)
        if emptied is not None and self._work is not None and not self._closing.is_set():
            order = Order(type=CommandType.REMOVE, charge_point_id=emptied)
            self._work.create_task(self._remove_emptied(order), name=f"remove {emptied}")

    def _hear_own_status(self, payload: bytes) -> None:
        """Set right what somebody else said in the launcher's name.

        `Dead` is left alone: it is the will of a former life, or another launcher's, and two that
        answer each other would never end.
        """
        right = {LauncherState.ALIVE.encode(), LauncherState.DEAD.encode()}
        if payload not in right and not self._closing.is_set():
            LOG.warning("somebody else wrote %r on the launcher's status", payload[:40])
            self._link.publish(self._message(LAUNCHER_STATUS, LauncherState.ALIVE.encode()))

    def _hear_command(self, message: Message) -> None:
        try:
            command = read_command(message.payload)
        except CommandError as exc:
            self._refuse(exc.request_id, exc.type, ErrorCode.MALFORMED, str(exc))
            return
        if message.retain:
            text = "the command was retained by the broker: publish commands without retain"
            self._refuse(command.request_id, command.type, ErrorCode.MALFORMED, text)
        elif self._closing.is_set() or self._work is None:
            self._refuse(command.request_id, command.type, ErrorCode.CLOSING, _CLOSING_TEXT)
        elif command.type is CommandType.CLOSE:
            self._answer(Answer(request_id=command.request_id, type=command.type, ok=True))
            self.close()
        else:
            self._work.create_task(self._execute(command), name=f"{command.type}")

    async def _execute(self, command: Command) -> None:
        orders = read_orders(command)
        done = 0

        async def execute(order: Order | EntryError) -> Outcome:
            nonlocal done
            if isinstance(order, EntryError):
                outcome = Outcome(
                    id=order.charge_point_id, ok=False, code=order.code, text=str(order)
                )
            else:
                outcome = await self._charge_points.execute(order)
            done += 1
            if len(orders) > 1:
                self._tell(
                    Progress(
                        request_id=command.request_id,
                        done=done,
                        total=len(orders),
                        outcome=outcome,
                    )
                )
            return outcome

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(execute(order)) for order in orders]
        outcomes = [task.result() for task in tasks]
        for outcome in outcomes:
            if not outcome.ok:
                LOG.warning("%s refused: %s", command.type, outcome.text)
        self._answer(
            Answer(
                request_id=command.request_id,
                type=command.type,
                ok=all(outcome.ok for outcome in outcomes),
                results=outcomes,
            )
        )

    async def _remove_emptied(self, order: Order) -> None:
        outcome = await self._charge_points.execute(order)
        if outcome.ok:
            LOG.info("%s removed, for its status was emptied", order.charge_point_id)
        elif outcome.code is not ErrorCode.UNKNOWN_CHARGE_POINT:
            LOG.warning("status emptied, but not removed: %s", outcome.text)

    # -- what the engine tells --------------------------------------------------------------------

    async def _listen(self) -> None:
        async for event in self._engine.events():
            await self._heed(event)

    async def _heed(self, event: EngineEvent) -> None:
        match event:
            case ListeningBegan():
                self._charge_points.forget_expected_deaths()
                self._reconciliation_due.set()
            case ListeningBroke(reason=reason):
                LOG.warning("%s; trying again", reason)
            case ContainerDied():
                if self._work is not None and not self._closing.is_set():
                    self._work.create_task(
                        self._bury(event), name=f"death of {event.charge_point_id}"
                    )

    async def _bury(self, death: ContainerDied) -> None:
        try:
            died = await self._charge_points.bury(death)
        except EngineError as exc:
            LOG.warning("%s died: %s", death.charge_point_id, exc)
            self._reconciliation_due.set()
            return
        if died is not None:
            LOG.warning("%s died with exit code %d", died.id, died.exit_code)
            self._tell(died)

    # -- reconciliation ---------------------------------------------------------------------------

    async def _reconcile_when_due(self) -> None:
        while True:
            await self._reconciliation_due.wait()
            await self._link.wait_connected()
            self._reconciliation_due.clear()
            try:
                await self._reconcile()
            except (EngineError, OSError) as exc:
                LOG.warning("cannot compare engine and broker now: %s; trying again", exc)
                await asyncio.sleep(_RECONCILE_AGAIN_S)
                self._reconciliation_due.set()

    async def _reconcile(self) -> None:
        """Put right what changed while nobody looked; what is in hand meanwhile is left alone."""
        self._charge_points.watch()
        retained = self._board.begin_anew(await self._scan())
        actual = await self._engine.observe()
        adopted = []
        for action in reconcile.plan(self._environment, actual, retained):
            if action.charge_point_id in self._charge_points.touched:
                continue
            match action:
                case reconcile.Adopt():
                    adopted.append(action.charge_point_id)
                case reconcile.PublishDead():
                    self._board.publish_dead(action.charge_point_id, action.status)
                case reconcile.ClearRetained():
                    LOG.info("%s is gone: its topics are cleared", action.charge_point_id)
                    self._board.clear_topics(action.topics)
        if adopted:
            LOG.info("%d charge points are running: %s", len(adopted), ", ".join(adopted))

    # -- what goes out over MQTT ------------------------------------------------------------------

    def _refuse(
        self, request_id: str | None, type_: CommandType | None, code: ErrorCode, text: str
    ) -> None:
        LOG.warning("command refused: %s", text)
        self._answer(Answer(request_id=request_id, type=type_, ok=False, code=code, text=text))

    def _answer(self, answer: Answer) -> None:
        self._link.publish(self._message(LAUNCHER_RESULT, msgspec.json.encode(answer)))

    def _tell(self, event: msgspec.Struct) -> None:
        self._link.publish(self._message(LAUNCHER_EVENT, msgspec.json.encode(event)))

    def _message(self, kind: Topic, payload: bytes) -> Message:
        return Message(
            topic=kind.build(self._root), payload=payload, retain=kind.retain, qos=kind.qos
        )
