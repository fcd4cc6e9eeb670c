"""The launcher on asyncio: wires its parts to the broker and the engine, and reconciles."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from cp_image.api.payloads import ChargePointState
from cp_image.api.topics import CP_STATUS, Topic
from cp_image.mqtt_link import Message
from launcher.alarms import Alarms
from launcher.api import (
    LAUNCHER_CLAIM,
    LAUNCHER_CMD,
    LAUNCHER_EVENT,
    LAUNCHER_RESULT,
    LAUNCHER_STATUS,
    Answer,
    Claim,
    CommandType,
    ContainerCondition,
    ErrorCode,
    LauncherState,
)
from launcher.board import Board, Link
from launcher.caretaker import Caretaker, Voice
from launcher.charge_points import ChargePoints
from launcher.commands import Order
from launcher.config import LauncherConfig
from launcher.desk import Desk
from launcher.engine import Engine, EngineError
from launcher.engine_news import EngineNews
from launcher.power import Power
from launcher.reconciler import Reconciler
from launcher.rounds import Rounds, Scan
from launcher.tenure import Heard, Tenure
from launcher.turns import Turns

LOG: Final = logging.getLogger(__name__)

_FAREWELL_S: Final = 5.0
_FIRST_RETRY_S: Final = 5.0
_OBJECTION_S: Final = 0.5
_OBJECTION_OF_THE_LIVING_S: Final = 10.0
"""A launcher that the broker calls Alive gets longer to say so itself."""
_UNREACHABLE: Final = {
    ContainerCondition.FROZEN: "its container is frozen",
    ContainerCondition.CUT: "its network is cut",
}


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


class Daemon:
    """The launcher of one environment.

    Args:
        config: its settings.
        engine: where the containers are.
        make_link: makes the link to the broker.
        scan: looks at what the broker has retained.
        objection_s: how long another launcher has to say that it serves the environment.
    """

    def __init__(
        self,
        config: LauncherConfig,
        engine: Engine,
        make_link: MakeLink,
        scan: Scan,
        *,
        objection_s: float = _OBJECTION_S,
    ) -> None:
        self._root = config.root
        self._environment = config.environment
        self._engine = engine
        self._objection_s = objection_s
        self._link = make_link(
            on_message=self._hear,
            on_connection=self._connection_changed,
            will=self._message(LAUNCHER_STATUS, LauncherState.DEAD.encode()),
        )
        self._tenure = Tenure(
            Claim(
                launcher=secrets.token_hex(8),
                since=time.time(),
                where=f"{socket.gethostname()}, process {os.getpid()}",
                serves=False,
            )
        )
        self._alarms = Alarms()
        self._turns = Turns(config.side_by_side)
        self._board = Board(self._root, self._link)
        self._power = Power(engine, self._board, config.surroundings)
        self._caretaker = Caretaker(
            engine,
            self._power,
            self._turns,
            self._alarms,
            Voice(tell=self._tell, reconcile=self._ask_for_a_round),
            heard_within_s=config.heard_within_s,
            most_crashes=config.most_crashes,
        )
        self._charge_points = ChargePoints(
            engine, self._power, self._caretaker, self._turns, config.surroundings
        )
        reconciler = Reconciler(
            config.environment,
            engine,
            self._power,
            self._board,
            self._caretaker,
            self._turns,
        )
        self._rounds = Rounds(reconciler, scan, self._alarms, self._is_serving)
        self._news = EngineNews(
            engine, self._power, self._caretaker, self._turns, self._rounds, self._work_now
        )
        self._desk = Desk(self._charge_points, say=self._answer, tell=self._tell, close=self.close)
        self._closing = asyncio.Event()
        self._connected = asyncio.Event()
        self._work: asyncio.TaskGroup | None = None
        self._was_alive = False
        self.refused = ""
        """Why it did not serve, or no longer: another launcher does; for people."""

    async def run(self) -> None:
        """Serve until closed by a command or by `close`; the charge points live on."""
        for kind in (LAUNCHER_CLAIM, LAUNCHER_CMD, CP_STATUS, LAUNCHER_STATUS):
            self._link.subscribe(kind, self._root)
        try:
            async with asyncio.TaskGroup() as background:
                tasks = [
                    background.create_task(self._link.run(), name="mqtt"),
                    background.create_task(self._begin_to_serve(), name="claim"),
                    background.create_task(self._news.run(), name="engine events"),
                    background.create_task(self._alarms.run(), name="alarms"),
                    background.create_task(self._rounds.run(), name="reconciliation"),
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
        if self._link.connected and not self.refused:
            dead = self._message(LAUNCHER_STATUS, LauncherState.DEAD.encode())
            try:
                async with asyncio.timeout(_FAREWELL_S):
                    await self._link.publish_confirmed(dead)
            except TimeoutError:
                LOG.warning("the broker did not confirm the farewell; it has the will")
        await self._link.close()

    # -- who serves -------------------------------------------------------------------------------

    async def _begin_to_serve(self) -> None:
        """Serve, unless another launcher says in time that it does."""
        await self._connected.wait()
        self._link.publish(self._claim())
        await asyncio.sleep(self._objection_s)
        if self._was_alive:
            await asyncio.sleep(self._objection_s * _OBJECTION_OF_THE_LIVING_S / _OBJECTION_S)
        await self._look_around()
        if self._closing.is_set():
            return
        self._tenure.serves = True
        self._link.publish(self._message(LAUNCHER_STATUS, LauncherState.ALIVE.encode()))
        self._rounds.ask()

    async def _look_around(self) -> None:
        """Know who is there before the first command comes."""
        while True:
            try:
                self._power.notice(await self._engine.observe())
            except EngineError as exc:
                LOG.warning("%s; trying again in %g s", exc, _FIRST_RETRY_S)
                await asyncio.sleep(_FIRST_RETRY_S)
            else:
                return

    def _hear_claim(self, payload: bytes) -> None:
        meaning, other = self._tenure.hear(payload)
        if meaning is Heard.ASKED:
            self._link.publish(self._claim())
        elif meaning is Heard.LOST and other is not None and not self.refused:
            self.refused = f"another launcher serves environment {self._environment}: {other.where}"
            LOG.error("%s", self.refused)
            self.close()

    def _claim(self) -> Message:
        return self._message(LAUNCHER_CLAIM, self._tenure.statement())

    @property
    def _serves(self) -> bool:
        return self._tenure.serves and not self.refused

    async def _is_serving(self) -> bool:
        """Wait for the broker; return whether there is anything to put right."""
        await self._link.wait_connected()
        return self._serves

    def _work_now(self) -> asyncio.TaskGroup | None:
        """Return where what is done while it serves is done; None where nothing more begins."""
        return self._work if self._serves and not self._closing.is_set() else None

    def _ask_for_a_round(self) -> None:
        self._rounds.ask()

    # -- what comes in over MQTT ----------------------------------------------------------------

    def _connection_changed(self, up: bool, reason: str) -> None:  # noqa: FBT001 - as MqttLink calls
        if not up:
            LOG.warning("%s; trying again", reason)
            return
        LOG.info("connected to the broker")
        self._connected.set()
        self._board.forget_echoes()
        if self._serves:
            self._link.publish(self._claim())
            self._rounds.ask()

    def _hear(self, message: Message) -> None:
        if LAUNCHER_CMD.parse(self._root, message.topic) is not None:
            if self._serves or self._closing.is_set():
                self._desk.hear(message, None if self._closing.is_set() else self._work)
            return
        if LAUNCHER_CLAIM.parse(self._root, message.topic) is not None:
            self._hear_claim(message.payload)
            return
        if LAUNCHER_STATUS.parse(self._root, message.topic) is not None:
            self._hear_own_status(message)
            return
        self._hear_charge_point(message)

    def _hear_charge_point(self, message: Message) -> None:
        emptied = self._board.hear(message)
        work = self._work_now()
        if work is None:
            return
        if emptied is not None:
            order = Order(type=CommandType.REMOVE, charge_point_id=emptied)
            self._charge_points.announce(order)
            work.create_task(self._remove_emptied(order), name=f"remove {emptied}")
            return
        address = CP_STATUS.parse(self._root, message.topic)
        charge_point_id = address.charge_point_id if address is not None else None
        status = self._board.status(charge_point_id) if charge_point_id is not None else None
        if charge_point_id is None or status is None:
            return
        if status.status is not ChargePointState.DEAD:
            self._caretaker.hear(charge_point_id)
            return
        condition = self._board.condition(charge_point_id)
        if condition is not None and condition.state in _UNREACHABLE:
            # The broker has said its will, for it does not hear it any more.
            self._board.publish_unreachable(charge_point_id, _UNREACHABLE[condition.state])

    def _hear_own_status(self, message: Message) -> None:
        """Set right what somebody else said in the launcher's name: the will of a former life."""
        alive = LauncherState.ALIVE.encode()
        if not self._serves:
            self._was_alive = message.payload == alive
        elif message.payload != alive and not self._closing.is_set():
            LOG.warning("the launcher's status was %r: it is Alive", message.payload[:40])
            self._link.publish(self._message(LAUNCHER_STATUS, alive))

    async def _remove_emptied(self, order: Order) -> None:
        outcome = await self._charge_points.execute(order)
        if outcome.ok:
            LOG.info("%s removed, for its status was emptied", order.charge_point_id)
        elif outcome.code is not ErrorCode.UNKNOWN_CHARGE_POINT:
            LOG.warning("status emptied, but not removed: %s", outcome.text)

    # -- what goes out over MQTT ------------------------------------------------------------------

    def _answer(self, answer: Answer) -> None:
        self._link.publish(self._message(LAUNCHER_RESULT, msgspec.json.encode(answer)))

    def _tell(self, event: msgspec.Struct) -> None:
        self._link.publish(self._message(LAUNCHER_EVENT, msgspec.json.encode(event)))

    def _message(self, kind: Topic, payload: bytes) -> Message:
        return Message(
            topic=kind.build(self._root), payload=payload, retain=kind.retain, qos=kind.qos
        )
