"""What the engine tells, and what follows from it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from launcher.caretaker import Caretaker
from launcher.engine import (
    ContainerChanged,
    ContainerDied,
    Engine,
    EngineError,
    EngineEvent,
    ListeningBegan,
    ListeningBroke,
    NetworksChanged,
)
from launcher.power import Power
from launcher.rounds import Rounds
from launcher.turns import Turns

LOG: Final = logging.getLogger(__name__)


class EngineNews:
    """Heeds the events of the engine.

    Args:
        engine: tells them.
        power: knows what the launcher has done itself.
        caretaker: buries the dead.
        turns: who is ordered about when.
        rounds: look at everything.
        work: returns where deaths are seen to; None where this launcher does not serve.
    """

    def __init__(
        self,
        engine: Engine,
        power: Power,
        caretaker: Caretaker,
        turns: Turns,
        rounds: Rounds,
        work: Callable[[], asyncio.TaskGroup | None],
    ) -> None:
        self._engine = engine
        self._power = power
        self._caretaker = caretaker
        self._turns = turns
        self._rounds = rounds
        self._work = work

    async def run(self) -> None:
        """Listen, until cancelled."""
        async for event in self._engine.events():
            self._heed(event)

    def _heed(self, event: EngineEvent) -> None:
        match event:
            case ListeningBegan():
                self._power.forget_own_doing()
                self._rounds.ask()
            case ListeningBroke(reason=reason):
                LOG.warning("%s; trying again", reason)
                self._caretaker.engine_broke()
            case ContainerDied():
                work = self._work()
                if work is not None:
                    work.create_task(self._bury(event), name=f"death of {event.charge_point_id}")
            case NetworksChanged(what=what):
                LOG.info("%s: the networks are looked at", what)
                self._power.places.look_anew()
                self._rounds.ask()
            case ContainerChanged():
                if not self._power.was_own_doing(event.container_id, event.change):
                    LOG.info("%s: %s by hand", event.charge_point_id, event.change)
                    self._turns.forget_words()
                    self._rounds.ask_twice()

    async def _bury(self, death: ContainerDied) -> None:
        try:
            await self._caretaker.bury(death)
        except EngineError as exc:
            LOG.warning("%s died: %s", death.charge_point_id, exc)
            self._rounds.ask()
