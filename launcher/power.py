"""The steps of which everything is made that the launcher does with a charge point.

They are taken in the charge point's turn, see `launcher.turns`.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from cp_image.api.payloads import ChargePointState
from launcher import container
from launcher.api import ContainerCondition, Specification, secrets_volume
from launcher.board import Board
from launcher.conditions import Conditions, condition, running
from launcher.container import ContainerRequest, Mark, Surroundings
from launcher.engine import (
    Change,
    ContainerRecord,
    ContainerState,
    Engine,
    EngineError,
    Found,
    Marks,
    Observation,
    VolumeRecord,
)
from launcher.loopback import is_on_loopback
from launcher.network_places import NetworkPlaces
from launcher.reconcile import dead_status

LOG: Final = logging.getLogger(__name__)

_T = TypeVar("_T")

DIE: Final = "die"


class Power:
    """Gives charge points their power and takes it away.

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
        self.conditions: Final = Conditions(board)
        self.places: Final = NetworkPlaces(engine, surroundings)
        self._surroundings = surroundings
        self._on_loopback = on_loopback
        self._own_doing: set[tuple[str, str]] = set()
        self._image_lock = asyncio.Lock()
        self._image_is_there = False
        self.remembered: dict[str, Specification] = {}
        """What was asked for, as far as this launcher has seen it."""
        self.up_since: dict[str, float] = {}
        """When this launcher has started them; by the event loop's clock."""
        self._addresses: dict[str, str] = {}
        """Of containers started by hand that are cut; a launcher's own have theirs on a mark."""

    # -- what the engine has ----------------------------------------------------------------------

    def notice(self, actual: Observation) -> None:
        """Take in which charge points run, and which networks they belong to."""
        for charge_point_id, each in actual.containers.items():
            self.places.notice(charge_point_id, each.network)
            if each.alive and not each.by_hand and each.specification is not None:
                specification = actual.of(charge_point_id).specification or each.specification
                self.remembered.setdefault(charge_point_id, specification)

    def was_own_doing(self, container_id: str, what: str) -> bool:
        """Whether the launcher itself is the cause of an event; each is asked about once."""
        if (container_id, what) not in self._own_doing:
            return False
        self._own_doing.discard((container_id, what))
        return True

    def forget_own_doing(self) -> None:
        """The engine was not listened to for a while: what was expected may have passed by."""
        self._own_doing.clear()
        self.places.look_anew()

    # -- steps ------------------------------------------------------------------------------------

    async def prepare(self, specification: Specification, found: Found) -> Found:
        """Write down that a charge point is asked for, with a clean volume; take away the old.

        Returns:
            What there is of it now.
        """
        charge_point_id = specification.id
        request = await self._request(specification)
        await self._need_image(request.image, may_be_known=found.is_nothing)
        if found.container is not None:
            await self._remove_container(found.container)
        if found.volume is not None:
            await self._engine.remove_volume(found.volume.name)
        await self._engine.create_volume(request)
        for mark in found.marks:
            await self._engine.clear_mark(charge_point_id, mark)
        self._board.expect(charge_point_id)
        self._board.clear_leftovers(charge_point_id)
        self._remember(specification)
        volume = VolumeRecord(
            charge_point_id=charge_point_id, name=request.name, specification=specification
        )
        return Found(volume=volume)

    async def bring_up(self, specification: Specification, found: Found) -> None:
        """Start a charge point on its volume; make what is missing, and what is no longer right."""
        charge_point_id = specification.id
        old = found.container
        if old is not None and old.by_hand:
            self._board.publish_specification(specification)
        else:
            self._remember(specification)
        request = await self._request(specification, old)
        self._board.expect(charge_point_id)
        if old is not None:
            image_id = await self._engine.image_id(request.image)
            if old.by_hand or _is_as_requested(old, request, image_id):
                if await self._start_again(old):
                    cut = not old.connected if old.by_hand else Mark.CUT in found.marks
                    await self._is_up(request, old.container_id, cut=cut)
                    return
            else:
                await self._need_image(request.image)
                await self._remove_container(old)
        self._board.clear_leftovers(charge_point_id, keep_connectors=specification.nb_connectors)
        await self._make(request, found.marks)

    async def put_down(self, found: ContainerRecord, *, in_order: bool = False) -> None:
        """Take the power away, or let the charge point end in order first."""
        if in_order and found.state is ContainerState.PAUSED:
            await self._do(found.container_id, Change.UNPAUSE, self._engine.unpause)
        say_dead = functools.partial(self.say_dead, found, "stopped" if in_order else "killed")
        if in_order:
            ending = await self._do(found.container_id, DIE, self._engine.stop)
        else:
            kill = functools.partial(self._engine.kill, on_death=say_dead)
            ending = await self._do(found.container_id, DIE, kill)
        if not ending.asked_for:  # its death is one to be told of
            self._own_doing.discard((found.container_id, DIE))
        say_dead()
        self.conditions.show(found, state=ContainerCondition.EXITED, exit_code=ending.exit_code)

    async def freeze(self, found: ContainerRecord) -> None:
        """Halt every process."""
        await self._do(found.container_id, Change.PAUSE, self._engine.pause)
        self.conditions.show(found, state=ContainerCondition.FROZEN)

    async def thaw(self, found: ContainerRecord) -> None:
        """Let halted processes go on."""
        await self._do(found.container_id, Change.UNPAUSE, self._engine.unpause)
        self.conditions.show(found, state=running(connected=found.connected))

    async def set_network(self, found: ContainerRecord, *, cut: bool, address: str = "") -> None:
        """Take a container's network away, or give it back at an address if that is free."""
        if cut:
            if found.by_hand and found.address:
                self._addresses[found.container_id] = found.address
            await self._engine.disconnect(found)
        else:
            kept = self._addresses.get(found.container_id, "")
            await self._engine.connect(found, address or (kept if found.alive else ""))
            self._addresses.pop(found.container_id, None)
        self.conditions.show(found, state=condition(found.state, connected=not cut), cut=cut)

    async def remove(self, charge_point_id: str, found: Found) -> None:
        """Remove all there is of a charge point; the last that goes says that it is to go."""
        specification = found.specification or self.remembered.get(charge_point_id)
        await self._engine.set_mark(charge_point_id, Mark.GONE, specification)
        if found.container is not None:
            await self._remove_container(found.container)
        if found.volume is not None:
            await self._engine.remove_volume(found.volume.name)
        await self._remove_secrets(charge_point_id)
        if found.container is not None and found.container.alive:
            await self._board.wait_for_will(charge_point_id)
        nb_connectors = specification.nb_connectors if specification is not None else 0
        self._board.clear(charge_point_id, nb_connectors=nb_connectors)
        for mark in {*found.marks} - {Mark.GONE}:
            await self._engine.clear_mark(charge_point_id, mark)
        await self._engine.clear_mark(charge_point_id, Mark.GONE)
        self.places.free(charge_point_id)
        self.remembered.pop(charge_point_id, None)
        self.up_since.pop(charge_point_id, None)

    async def unmake(self, charge_point_id: str) -> None:
        """Leave nothing half-made behind a start that was refused."""
        self.remembered.pop(charge_point_id, None)
        self._board.withdraw_specification(charge_point_id)
        try:
            left = await self._engine.find(charge_point_id)
            if left.container is not None:
                await self._remove_container(left.container)
            if left.volume is not None:
                await self._engine.remove_volume(left.volume.name)
            await self._remove_secrets(charge_point_id)
            for mark in left.marks:
                await self._engine.clear_mark(charge_point_id, mark)
        except EngineError as exc:
            LOG.warning("%s is left half-made: %s", charge_point_id, exc)

    async def _remove_secrets(self, charge_point_id: str) -> None:
        environment = self._surroundings.environment
        await self._engine.remove_volume(secrets_volume(environment, charge_point_id))

    # -- what the broker is told ------------------------------------------------------------------

    def complain(self, specification: Specification, text: str) -> None:
        """Say that a charge point is dead although it is to run, and why."""
        record = self.stand_in(specification.id, specification)
        self.say_dead(record, text)
        self.conditions.show(record, state=ContainerCondition.EXITED, text=text)

    def stand_in(
        self, charge_point_id: str, specification: Specification | None
    ) -> ContainerRecord:
        """Return what stands for a container that was never made, or is gone."""
        return ContainerRecord(
            charge_point_id=charge_point_id,
            container_id="",
            name=container.name(self._surroundings.environment, charge_point_id),
            state=ContainerState.CREATED,
            image_id="",
            specification=specification,
        )

    def say_dead(self, found: ContainerRecord, reason: str) -> None:
        """Say that a charge point is dead, unless that is known."""
        last = self._board.status(found.charge_point_id)
        if last is not None and last.status is ChargePointState.DEAD:
            return
        status = dead_status(last, found.specification, container=found.name, reason=reason)
        if status is not None:
            self._board.publish_dead(found.charge_point_id, status)

    def is_known(self, charge_point_id: str) -> bool:
        """Whether the broker, at least, knows a charge point."""
        return self._board.status(charge_point_id) is not None

    # -- inside -----------------------------------------------------------------------------------

    def _remember(self, specification: Specification) -> None:
        self.remembered[specification.id] = specification
        self._board.publish_specification(specification)

    async def _make(self, request: ContainerRequest, marks: Marks) -> None:
        await self.places.ensure(request.network)
        container_id = await self._engine.create_container(request)
        await self._do(container_id, Change.START, self._engine.start)
        await self._is_up(request, container_id, cut=Mark.CUT in marks)

    async def _need_image(self, image: str, *, may_be_known: bool = False) -> None:
        """Look whether there is an image; nothing is given up for one that cannot be started."""
        async with self._image_lock:
            if not (may_be_known and self._image_is_there):
                self._image_is_there = await self._engine.image_id(image) is not None
            if not self._image_is_there:
                raise EngineError(f"image {image} does not exist on the engine")

    async def _start_again(self, old: ContainerRecord) -> bool:
        """Start a container that is there; return False where it has to be made anew."""
        try:
            await self._do(old.container_id, Change.START, self._engine.start)
        except EngineError as exc:
            if old.by_hand:
                raise
            # Its network may be gone, say, and another one have taken its name.
            LOG.warning("%s does not start again, and is made anew: %s", old.name, exc)
            self.places.look_anew()
            await self._remove_container(old)
            return False
        return True

    async def _is_up(self, request: ContainerRequest, container_id: str, *, cut: bool) -> None:
        self.up_since[request.charge_point_id] = asyncio.get_running_loop().time()
        record = ContainerRecord(
            charge_point_id=request.charge_point_id,
            container_id=container_id,
            name=request.name,
            state=ContainerState.RUNNING,
            image_id="",
            specification=None,
            network=request.network,
        )
        cut = cut and request.network != container.HOST_NETWORK
        if cut:
            await self._engine.disconnect(record)
        self.conditions.show(record, state=running(connected=not cut), cut=cut)

    async def _remove_container(self, found: ContainerRecord) -> None:
        if found.alive:
            self._own_doing.add((found.container_id, DIE))
        await self._do(found.container_id, Change.DESTROY, self._engine.remove_container)
        self._addresses.pop(found.container_id, None)
        self.places.free(found.charge_point_id)

    async def _do(self, container_id: str, what: str, call: Callable[[str], Awaitable[_T]]) -> _T:
        """Do something to a container, and do not wonder at the event that tells of it."""
        self._own_doing.add((container_id, what))
        try:
            return await call(container_id)
        except EngineError:
            self._own_doing.discard((container_id, what))
            self._own_doing.discard((container_id, DIE))
            raise

    async def _request(
        self, specification: Specification, old: ContainerRecord | None = None
    ) -> ContainerRequest:
        on_loopback = self._surroundings.localhost_proxy is not None and await self._on_loopback(
            specification.central_system
        )
        return container.request(
            specification,
            self._surroundings,
            csms_on_loopback=on_loopback,
            network=self.places.reserve(specification.id, old.network if old is not None else None),
        )


def _is_as_requested(old: ContainerRecord, request: ContainerRequest, image_id: str | None) -> bool:
    return old.fingerprint == request.fingerprint and image_id in {old.image_id, None}
