"""What the launcher does with charge points: start, kill, restart, remove; one at a time for each.

Orders for different charge points run side by side, as many as the engine is asked at a time;
orders for one and the same run in the order in which they came.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from cp_image.api.payloads import ChargePointState
from launcher import container
from launcher.api import CommandType, Died, ErrorCode, Outcome, Specification
from launcher.board import Board
from launcher.commands import Order
from launcher.container import ContainerRequest, Surroundings
from launcher.engine import ContainerDied, ContainerRecord, Engine, EngineError, VolumeRecord
from launcher.fleet import EntryError
from launcher.loopback import is_on_loopback
from launcher.reconcile import dead_status

LOG: Final = logging.getLogger(__name__)

SIDE_BY_SIDE: Final = 4


class ChargePoints:
    """The charge points of one environment.

    Args:
        engine: where their containers are.
        board: what the broker has retained of them.
        surroundings: what they share.
        on_loopback: tells whether a CSMS is on this machine's loopback.
    """

    def __init__(
        self,
        engine: Engine,
        board: Board,
        surroundings: Surroundings,
        *,
        on_loopback: Callable[[str], Awaitable[bool]] = is_on_loopback,
    ) -> None:
        self._engine = engine
        self._board = board
        self._surroundings = surroundings
        self._on_loopback = on_loopback
        self._turns: dict[str, asyncio.Lock] = {}
        self._queued: Counter[str] = Counter()
        self._room = asyncio.Semaphore(SIDE_BY_SIDE)
        self._expected_deaths: set[str] = set()
        self._operations: Final = {
            CommandType.START: self._start,
            CommandType.KILL: self._kill,
            CommandType.RESTART: self._restart,
            CommandType.REMOVE: self._remove,
        }
        self.touched: set[str] = set()
        """Charge points that were ordered about since `watch` was called."""

    async def execute(self, order: Order) -> Outcome:
        """Execute an order; whatever is refused is in the outcome."""
        try:
            async with self._turn(order.charge_point_id):
                await self._operations[order.type](order)
        except EntryError as exc:
            return Outcome(id=order.charge_point_id, ok=False, code=exc.code, text=str(exc))
        except EngineError as exc:
            text = f"charge point {order.charge_point_id}: {exc}"
            return Outcome(id=order.charge_point_id, ok=False, code=ErrorCode.ENGINE, text=text)
        return Outcome(id=order.charge_point_id, ok=True)

    async def bury(self, death: ContainerDied) -> Died | None:
        """Look into a death that the engine told of.

        Returns:
            None where it had been asked for, or was an orderly end.

        Raises:
            EngineError: the engine does not say how it came.
        """
        charge_point_id = death.charge_point_id
        if death.container_id in self._expected_deaths:
            self._expected_deaths.discard(death.container_id)
            return None
        async with self._turn(charge_point_id):
            found = await self._engine.find_container(charge_point_id)
            end = await self._engine.post_mortem(death.container_id)
            out_of_memory = end is not None and end.out_of_memory
            # The engine lists a container as running for a moment after it told of its death.
            gone = end is not None and not end.runs_again
            if found is not None and found.container_id == death.container_id and gone:
                reason = f"exit code {death.exit_code}"
                self._say_dead(found, reason + ", out of memory" * out_of_memory)
        if death.exit_code == 0:
            return None
        return Died(
            id=charge_point_id,
            exit_code=death.exit_code,
            out_of_memory=out_of_memory,
            last_log=list(end.last_log) if end is not None else [],
        )

    def forget_expected_deaths(self) -> None:
        """The engine was not listened to for a while: what was expected may have passed by."""
        self._expected_deaths.clear()

    def watch(self) -> None:
        """Note from now on in `touched` which charge points are ordered about, now and later."""
        self.touched = set(self._turns)

    @asynccontextmanager
    async def _turn(self, charge_point_id: str) -> AsyncIterator[None]:
        turn = self._turns.setdefault(charge_point_id, asyncio.Lock())
        self._queued[charge_point_id] += 1
        try:
            async with turn, self._room:
                self.touched.add(charge_point_id)
                yield
        finally:
            self._queued[charge_point_id] -= 1
            if not self._queued[charge_point_id]:
                del self._queued[charge_point_id], self._turns[charge_point_id]

    async def _start(self, order: Order) -> None:
        assert order.specification is not None  # noqa: S101 - see Order
        charge_point_id = order.charge_point_id
        old = await self._engine.find_container(charge_point_id)
        if old is not None and old.alive:
            raise EntryError(
                f"charge point {charge_point_id} is alive: start needs an id whose container "
                f"{old.name} is not running",
                charge_point_id=charge_point_id,
                code=ErrorCode.ALIVE,
            )
        request = await self._request(order.specification)
        if await self._engine.image_id(request.image) is None:
            raise EngineError(f"image {request.image} does not exist on the engine")
        if old is not None:
            await self._engine.remove_container(old.container_id)
        await self._engine.remove_volume(request.name)
        self._board.expect(charge_point_id)
        self._board.clear_leftovers(charge_point_id)
        try:
            await self._make(request)
        except EngineError:
            await self._unmake(request)
            raise

    async def _kill(self, order: Order) -> None:
        found, volume = await self._find(order.charge_point_id)
        if found is None and volume is None:
            raise self._unknown(order.charge_point_id)
        if found is None or not found.alive:
            raise EntryError(
                f"charge point {order.charge_point_id} is dead already: kill needs a running one",
                charge_point_id=order.charge_point_id,
                code=ErrorCode.NOT_RUNNING,
            )
        await self._cut_power(found)

    async def _restart(self, order: Order) -> None:
        charge_point_id = order.charge_point_id
        found, volume = await self._find(charge_point_id)
        specification = order.specification or self._remembered(charge_point_id, found, volume)
        request = await self._request(specification)
        image_id = await self._engine.image_id(request.image)
        if found is not None and found.alive:
            await self._cut_power(found)
        self._board.expect(charge_point_id)
        if (
            found is not None
            and found.fingerprint == request.fingerprint
            and image_id in {found.image_id, None}
        ):
            await self._engine.start(found.container_id)
            return
        if image_id is None:
            raise EngineError(f"image {request.image} does not exist on the engine")
        if found is not None:
            await self._engine.remove_container(found.container_id)
        self._board.clear_leftovers(charge_point_id, keep_connectors=specification.nb_connectors)
        await self._make(request)

    async def _remove(self, order: Order) -> None:
        charge_point_id = order.charge_point_id
        found, volume = await self._find(charge_point_id)
        if found is None and volume is None and self._board.status(charge_point_id) is None:
            raise self._unknown(charge_point_id)
        if found is not None:
            await self._end(found, self._engine.remove_container)
        if volume is not None:
            await self._engine.remove_volume(volume.name)
        if found is not None and found.alive:
            await self._board.wait_for_will(charge_point_id)
        known = [each.specification for each in (found, volume) if each is not None]
        self._board.clear(
            charge_point_id,
            nb_connectors=max((each.nb_connectors for each in known if each), default=0),
        )

    async def _make(self, request: ContainerRequest) -> None:
        await self._engine.create_volume(request)
        await self._engine.start(await self._engine.create_container(request))

    async def _unmake(self, request: ContainerRequest) -> None:
        """Leave nothing half-made behind a start that was refused."""
        try:
            left = await self._engine.find_container(request.charge_point_id)
            if left is not None:
                await self._engine.remove_container(left.container_id)
            await self._engine.remove_volume(request.name)
        except EngineError as exc:
            LOG.warning("%s is left half-made: %s", request.name, exc)

    async def _cut_power(self, found: ContainerRecord) -> None:
        await self._end(found, self._engine.kill)
        self._say_dead(found, "killed")

    async def _end(self, found: ContainerRecord, end: Callable[[str], Awaitable[None]]) -> None:
        """End a container in a way that kills it where it runs, and do not wonder at its death."""
        if found.alive:
            self._expected_deaths.add(found.container_id)
        try:
            await end(found.container_id)
        except EngineError:
            self._expected_deaths.discard(found.container_id)
            raise

    def _say_dead(self, found: ContainerRecord, reason: str) -> None:
        last = self._board.status(found.charge_point_id)
        if last is not None and last.status is ChargePointState.DEAD:
            return
        status = dead_status(last, found.specification, container=found.name, reason=reason)
        if status is not None:
            self._board.publish_dead(found.charge_point_id, status)

    async def _find(
        self, charge_point_id: str
    ) -> tuple[ContainerRecord | None, VolumeRecord | None]:
        return (
            await self._engine.find_container(charge_point_id),
            await self._engine.find_volume(charge_point_id),
        )

    async def _request(self, specification: Specification) -> ContainerRequest:
        on_loopback = self._surroundings.localhost_proxy is not None and await self._on_loopback(
            specification.central_system
        )
        return container.request(specification, self._surroundings, csms_on_loopback=on_loopback)

    def _remembered(
        self, charge_point_id: str, found: ContainerRecord | None, volume: VolumeRecord | None
    ) -> Specification:
        if found is None and volume is None:
            raise self._unknown(charge_point_id)
        for each in (found, volume):
            if each is not None and each.specification is not None:
                return each.specification
        raise EntryError(
            f"charge point {charge_point_id} has no readable label "
            f"{container.SPECIFICATION_LABEL}: restart needs a full entry",
            charge_point_id=charge_point_id,
        )

    def _unknown(self, charge_point_id: str) -> EntryError:
        return EntryError(
            f"charge point {charge_point_id} is unknown: environment "
            f"{self._surroundings.environment} has neither a container nor a volume of it",
            charge_point_id=charge_point_id,
            code=ErrorCode.UNKNOWN_CHARGE_POINT,
        )
