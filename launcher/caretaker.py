"""Looks after charge points between orders: those that die, are silent, or are not as asked for."""

import asyncio
import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from launcher.alarms import Alarms
from launcher.api import (
    ContainerCondition,
    Died,
    GaveUp,
    OnCrash,
    Restarted,
    Specification,
    Unheard,
)
from launcher.container import Mark
from launcher.crashes import FIRST_WAIT_S, STEADY_S, Crashes, crash
from launcher.engine import (
    ContainerDied,
    ContainerRecord,
    ContainerState,
    Engine,
    EngineError,
    Found,
    PostMortem,
)
from launcher.power import DIE, Power
from launcher.reconcile import ENDED_FROM_OUTSIDE
from launcher.turns import Turns

LOG: Final = logging.getLogger(__name__)

_ENGINE_GOES_DOWN_S: Final = 30.0
"""An engine that is shut down ends its containers first, and then breaks off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How the caretaker makes itself heard.

    Attributes:
        tell: publishes an event.
        reconcile: asks for a look at everything, as something went wrong.
    """

    tell: Callable[[msgspec.Struct], None]
    reconcile: Callable[[], None]


class Caretaker:
    """Keeps what was asked for.

    Args:
        engine: where the containers are.
        power: takes the steps.
        turns: who is ordered about when.
        alarms: for what is to be done later.
        voice: to be heard with.
        heard_within_s: how long a charge point may take to say something after its start.
        most_crashes: after how many in a row it is given up.
    """

    def __init__(
        self,
        engine: Engine,
        power: Power,
        turns: Turns,
        alarms: Alarms,
        voice: Voice,
        *,
        heard_within_s: float,
        most_crashes: int,
    ) -> None:
        self._engine = engine
        self._power = power
        self._turns = turns
        self._alarms = alarms
        self._voice = voice
        self._heard_within_s = heard_within_s
        self._most_crashes = most_crashes
        self._crashes: dict[str, Crashes] = {}
        self._mourned: dict[str, tuple[str, float]] = {}
        self._fallen: dict[str, float] = {}
        self._session = 0
        self._fallen_with_engine: set[str] = set()
        self.not_before: dict[str, float] = {}
        """When those that crashed are to be started again; by the event loop's clock."""

    # -- orders come and go -----------------------------------------------------------------------

    def let_go(self, charge_point_id: str) -> None:
        """Forget what was to be done about a charge point: somebody says what is to be now."""
        self._crashes.pop(charge_point_id, None)
        self._fallen.pop(charge_point_id, None)
        self._fallen_with_engine.discard(charge_point_id)
        self.not_before.pop(charge_point_id, None)
        self._alarms.clear(("restart", charge_point_id))
        self._alarms.clear(("heard", charge_point_id))

    def watch(self, charge_point_id: str) -> None:
        """A charge point was started: it is to be heard before long."""
        act = functools.partial(self._miss, charge_point_id)
        self._alarms.set(("heard", charge_point_id), self._heard_within_s, act)

    def hear(self, charge_point_id: str) -> None:
        """A charge point has said something."""
        self._alarms.clear(("heard", charge_point_id))
        self._power.conditions.is_heard(charge_point_id)

    # -- deaths -----------------------------------------------------------------------------------

    async def bury(self, death: ContainerDied) -> None:
        """Do what is to be done about a death the engine told of, unless it was asked for.

        Raises:
            EngineError: the engine does not say how it came.
        """
        if self._power.was_own_doing(death.container_id, DIE):
            return
        session = self._session
        async with self._turns.turn(death.charge_point_id, urgent=True):
            found = await self._engine.find(death.charge_point_id)
            if session != self._session:
                # The engine went down meanwhile, perhaps with this one: all are looked at.
                self._voice.reconcile()
                return
            end = await self._engine.post_mortem(death.container_id)
            out_of_memory = end is not None and end.out_of_memory
            # The engine lists a container as running for a moment after it told of its death.
            lies = end is not None and not end.runs_again
            record = found.container
            is_news = end is None or self._is_news(death.charge_point_id, death.container_id, end)
            is_this = record is not None and record.container_id == death.container_id
            if record is not None and is_this and is_news and lies:
                await self._mourn(found, record, death.exit_code, out_of_memory=out_of_memory)
            if end is not None:
                self._mourned[death.charge_point_id] = (death.container_id, end.finished_at)
        if death.exit_code != 0 and is_news:
            last_log = list(end.last_log) if end is not None else []
            self._tell_of_death(
                Died(
                    id=death.charge_point_id,
                    exit_code=death.exit_code,
                    out_of_memory=out_of_memory,
                    last_log=last_log,
                )
            )

    async def mourn(self, charge_point_id: str) -> None:
        """Do what is to be done about a death that nobody saw.

        Raises:
            EngineError: the engine does not say how it came.
        """
        async with self._turns.turn(charge_point_id, urgent=True):
            found = await self._engine.find(charge_point_id)
            record = found.container
            if record is None or record.alive:
                return
            end = await self._engine.post_mortem(record.container_id)
            if end is None or not self._is_news(charge_point_id, record.container_id, end):
                return
            await self._mourn(found, record, end.exit_code, out_of_memory=end.out_of_memory)
            self._mourned[charge_point_id] = (record.container_id, end.finished_at)
        self._tell_of_death(
            Died(
                id=charge_point_id,
                exit_code=end.exit_code,
                out_of_memory=end.out_of_memory,
                last_log=list(end.last_log),
            )
        )

    def _is_news(self, charge_point_id: str, container_id: str, end: PostMortem) -> bool:
        """Whether a death was not mourned before: event and list of the engine both tell of it."""
        return self._mourned.get(charge_point_id) != (container_id, end.finished_at)

    async def _mourn(
        self, found: Found, record: ContainerRecord, exit_code: int, *, out_of_memory: bool
    ) -> None:
        charge_point_id = record.charge_point_id
        reason = f"exit code {exit_code}" + ", out of memory" * out_of_memory
        self._power.say_dead(record, reason)
        now = asyncio.get_running_loop().time()
        specification = found.specification
        policy = specification.on_crash if specification is not None else OnCrash.REPORT
        if Mark.OFF in found.marks or exit_code == 0 or record.by_hand:
            policy = OnCrash.REPORT
        lived_s = now - self._power.up_since.get(charge_point_id, now - STEADY_S)
        before = self._crashes.get(charge_point_id, Crashes())
        crashes = self._crashes[charge_point_id] = crash(
            before, policy, lived_s=lived_s, now=now, most=self._most_crashes
        )
        if crashes.wait_s is not None:
            self._start_later(record, crashes, exit_code, out_of_memory=out_of_memory)
            return
        text = reason
        if policy is OnCrash.RESTART:
            text = f"crash loop: {crashes.in_a_row} crashes in a row, the last with {reason}"
            LOG.error("%s: %s", charge_point_id, text)
            self._voice.tell(GaveUp(id=charge_point_id, crashes=crashes.in_a_row, text=text))
        if Mark.OFF not in found.marks and not record.by_hand:
            if exit_code in ENDED_FROM_OUTSIDE and not out_of_memory:
                self._fallen[charge_point_id] = now
            await self._engine.set_mark(charge_point_id, Mark.OFF, specification)
        self._power.conditions.show(
            record,
            state=ContainerCondition.EXITED,
            exit_code=exit_code,
            out_of_memory=out_of_memory,
            restarts=crashes.in_a_row - 1 if policy is OnCrash.RESTART else 0,
            restart_at=None,
            text=text if exit_code else "",
        )

    def _start_later(
        self, record: ContainerRecord, crashes: Crashes, exit_code: int, *, out_of_memory: bool
    ) -> None:
        charge_point_id, wait_s = record.charge_point_id, crashes.wait_s or FIRST_WAIT_S
        self._wait_with_restart(charge_point_id, wait_s)
        self._power.conditions.show(
            record,
            state=ContainerCondition.WAITING,
            exit_code=exit_code,
            out_of_memory=out_of_memory,
            restarts=crashes.in_a_row - 1,
            restart_at=round(time.time() + wait_s, 1),
        )

    def _wait_with_restart(self, charge_point_id: str, wait_s: float) -> None:
        self.not_before[charge_point_id] = asyncio.get_running_loop().time() + wait_s
        act = functools.partial(self._start_again, charge_point_id)
        self._alarms.set(("restart", charge_point_id), wait_s, act)

    async def _start_again(self, charge_point_id: str) -> None:
        self.not_before.pop(charge_point_id, None)
        crashes = self._crashes.get(charge_point_id, Crashes())
        try:
            if not await self.bring_up(charge_point_id, None, "it crashed"):
                return
        except EngineError as exc:
            LOG.warning("%s does not start again: %s", charge_point_id, exc)
            self._wait_with_restart(charge_point_id, crashes.wait_s or FIRST_WAIT_S)
            return
        self._power.conditions.show_restarts(charge_point_id, crashes.in_a_row)
        self._voice.tell(Restarted(id=charge_point_id, restarts=crashes.in_a_row))

    def _tell_of_death(self, death: Died) -> None:
        LOG.warning("%s died with exit code %d", death.id, death.exit_code)
        self._voice.tell(death)

    # -- the engine comes and goes ----------------------------------------------------------------

    def engine_broke(self) -> None:
        """The engine has broken off: whoever has just been ended from outside fell with it."""
        since = asyncio.get_running_loop().time() - _ENGINE_GOES_DOWN_S
        self._fallen_with_engine |= {id_ for id_, at in self._fallen.items() if at >= since}
        self._fallen.clear()
        self._session += 1

    async def raise_fallen(self) -> None:
        """Let those run again that fell with the engine, as it was asked for.

        Raises:
            EngineError: the engine is not back yet.
        """
        for charge_point_id in sorted(self._fallen_with_engine):
            async with self._turns.turn(charge_point_id):
                if charge_point_id in self._fallen_with_engine:
                    await self._engine.clear_mark(charge_point_id, Mark.OFF)
                    self._fallen_with_engine.discard(charge_point_id)
                    self._crashes.pop(charge_point_id, None)

    # -- what is not as it was asked for ----------------------------------------------------------

    async def bring_up(
        self, charge_point_id: str, specification: Specification | None, reason: str
    ) -> bool:
        """Start a charge point that is to run and does not.

        Args:
            charge_point_id: of the charge point.
            specification: to use where the engine has none.
            reason: for people.

        Returns:
            False where there is nothing to do, or nobody knows any more what it was.

        Raises:
            EngineError: it cannot be started.
        """
        async with self._turns.turn(charge_point_id):
            found = await self._engine.find(charge_point_id)
            wanted = found.specification or specification
            asked_otherwise = {Mark.OFF, Mark.GONE} & {*found.marks}
            is_alive = found.container is not None and found.container.alive
            if asked_otherwise or is_alive or wanted is None:
                return False
            LOG.warning("%s is started: %s", charge_point_id, reason)
            try:
                await self._power.bring_up(wanted, found)
            except EngineError as exc:
                self._power.complain(wanted, str(exc))
                raise
            self.watch(charge_point_id)
        return True

    # -- silence ----------------------------------------------------------------------------------

    async def _miss(self, charge_point_id: str) -> None:
        """A charge point was not heard in time."""
        try:
            found = await self._engine.find(charge_point_id)
            record = found.container
            if record is None or record.state is not ContainerState.RUNNING or not record.connected:
                return
            end = await self._engine.post_mortem(record.container_id)
        except EngineError as exc:
            LOG.warning("%s was not heard, and: %s", charge_point_id, exc)
            return
        text = f"has said nothing within {self._heard_within_s:g} s of its start"
        LOG.error("%s %s", charge_point_id, text)
        self._power.conditions.show(record, unheard=True, text=text)
        last_log = list(end.last_log) if end is not None else []
        self._voice.tell(
            Unheard(id=charge_point_id, after_s=self._heard_within_s, last_log=last_log)
        )
