"""Reconciles: looks at everything, plans, and carries the plan out."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from launcher import reconcile
from launcher.board import Board
from launcher.caretaker import Caretaker
from launcher.container import Mark
from launcher.engine import Engine, EngineError, Observation
from launcher.power import Power
from launcher.reconcile import plan, wishes
from launcher.turns import Turns

LOG: Final = logging.getLogger(__name__)


class Reconciler:
    """Puts right what changed while nobody looked.

    Args:
        environment: its name.
        engine: where the containers are.
        power: takes the steps.
        board: what the broker has retained.
        caretaker: does what is to be done about the dead.
        turns: who is ordered about when; whoever is, meanwhile, is left alone.
    """

    def __init__(
        self,
        environment: str,
        engine: Engine,
        power: Power,
        board: Board,
        caretaker: Caretaker,
        turns: Turns,
    ) -> None:
        self._environment = environment
        self._engine = engine
        self._power = power
        self._board = board
        self._caretaker = caretaker
        self._turns = turns
        self.left_out = False
        """Whether something was left alone the last time that may still need it."""

    async def put_right(self, retained: Mapping[str, bytes]) -> list[str]:
        """Put right what is not as it was asked for; what is in hand meanwhile is left alone.

        Args:
            retained: what the broker has of the charge points, by topic.

        Returns:
            What failed, for people.

        Raises:
            EngineError: the engine does not even say what there is.
        """
        await self._caretaker.raise_fallen()
        self.left_out = False
        self._turns.watch()
        known = self._board.begin_anew(retained)
        actual = await self._engine.observe()
        self._power.notice(actual)
        await self._power.places.ensure_all()
        desired = wishes(actual, self._power.remembered, self._caretaker.not_before)
        self._show_what_was_asked_for(desired)
        now = asyncio.get_running_loop().time()
        return await self._carry_out(plan(self._environment, desired, actual, known, now), actual)

    def _show_what_was_asked_for(self, desired: Mapping[str, reconcile.Wish]) -> None:
        for charge_point_id, wish in desired.items():
            in_hand = charge_point_id in self._turns.touched
            if wish.specification is not None and not wish.gone and not in_hand:
                self._board.publish_specification(wish.specification)

    async def _carry_out(
        self, actions: Iterable[reconcile.Action], actual: Observation
    ) -> list[str]:
        adopted: list[str] = []
        jobs: list[tuple[str, Callable[[], Awaitable[object]]]] = []
        for action in actions:
            charge_point_id = action.charge_point_id
            if charge_point_id in self._turns.touched:
                self.left_out |= not isinstance(action, reconcile.Adopt)
                continue
            match action:
                case reconcile.Adopt():
                    adopted.append(charge_point_id)
                case reconcile.PublishDead():
                    self._board.publish_dead(charge_point_id, action.status)
                case reconcile.ClearRetained():
                    LOG.info("%s is gone: its topics are cleared", charge_point_id)
                    self._board.clear_topics(action.topics)
            found = actual.containers.get(charge_point_id)
            if found is not None and not isinstance(action, reconcile.Mourn | reconcile.BringUp):
                marked = Mark.CUT in actual.marks.get(charge_point_id, {}) and not found.by_hand
                self._power.conditions.show(found, cut=marked or not found.connected)
            job = self._job(action)
            if job is not None:
                jobs.append((charge_point_id, job))
        if adopted:
            LOG.info("%d charge points are running: %s", len(adopted), ", ".join(adopted))
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_attempt(id_, job), name=f"repair {id_}") for id_, job in jobs
            ]
        return [text for text in (task.result() for task in tasks) if text]

    def _job(self, action: reconcile.Action) -> Callable[[], Awaitable[object]] | None:
        """Return what needs the engine."""
        charge_point_id = action.charge_point_id
        match action:
            case reconcile.Adopt(by_hand=True):
                return functools.partial(self._accept, charge_point_id)
            case reconcile.BringUp():
                return functools.partial(
                    self._caretaker.bring_up, charge_point_id, action.specification, action.reason
                )
            case reconcile.Mourn():
                return functools.partial(self._caretaker.mourn, charge_point_id)
            case reconcile.PutDown():
                return functools.partial(self._put_down, charge_point_id)
            case reconcile.Finish():
                return functools.partial(self._finish, charge_point_id)
            case reconcile.SetNetwork():
                return functools.partial(self._set_network, charge_point_id, cut=action.cut)
        return None

    async def _accept(self, charge_point_id: str) -> None:
        """Somebody has started by hand what was off: from now on it counts as asked for."""
        async with self._turns.turn(charge_point_id, urgent=True):
            await self._engine.clear_mark(charge_point_id, Mark.OFF)

    async def _put_down(self, charge_point_id: str) -> None:
        async with self._turns.turn(charge_point_id, urgent=True):
            found = await self._engine.find(charge_point_id)
            if found.container is not None and found.container.alive and Mark.OFF in found.marks:
                await self._power.put_down(found.container)

    async def _finish(self, charge_point_id: str) -> None:
        async with self._turns.turn(charge_point_id, urgent=True):
            found = await self._engine.find(charge_point_id)
            if Mark.GONE in found.marks:
                await self._power.remove(charge_point_id, found)

    async def _set_network(self, charge_point_id: str, *, cut: bool) -> None:
        async with self._turns.turn(charge_point_id, urgent=True):
            found = await self._engine.find(charge_point_id)
            if found.container is not None and (Mark.CUT in found.marks) is cut:
                await self._power.set_network(found.container, cut=cut)


async def _attempt(charge_point_id: str, job: Callable[[], Awaitable[object]]) -> str:
    try:
        await job()
    except EngineError as exc:
        return f"{charge_point_id}: {exc}"
    return ""
