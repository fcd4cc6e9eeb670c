"""What the launcher does with charge points when it is told to; one order at a time for each."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from launcher import container
from launcher.api import CommandType, ErrorCode, Networking, Outcome, Specification
from launcher.call_offs import CAN_BE_CALLED_OFF, CallOffs
from launcher.caretaker import Caretaker
from launcher.commands import Order
from launcher.container import Mark, Surroundings
from launcher.engine import ContainerRecord, ContainerState, Engine, EngineError, Found, Marks
from launcher.fleet import EntryError
from launcher.power import Power
from launcher.turns import CalledOffError, Turns

LOG: Final = logging.getLogger(__name__)


class ChargePoints:
    """Executes orders.

    What is asked for is written down on the engine before anything is done, so that another
    launcher can finish what this one has begun.

    Args:
        engine: where the containers are.
        power: takes the steps.
        caretaker: looks after them meanwhile.
        turns: who is ordered about when.
        surroundings: what the charge points share.
    """

    def __init__(
        self,
        engine: Engine,
        power: Power,
        caretaker: Caretaker,
        turns: Turns,
        surroundings: Surroundings,
    ) -> None:
        self._engine = engine
        self._power = power
        self._caretaker = caretaker
        self._turns = turns
        self._environment = surroundings.environment
        self._operations: Final = {
            CommandType.START: self._start,
            CommandType.KILL: self._kill,
            CommandType.STOP: self._stop,
            CommandType.RESTART: self._restart,
            CommandType.REMOVE: self._remove,
            CommandType.FREEZE: self._freeze,
            CommandType.THAW: self._thaw,
            CommandType.CUT: self._cut,
            CommandType.MEND: self._mend,
        }
        # Power fails for all at the same time; it comes back for a few at a time.
        self._unpaced: Final = (self._kill, self._stop, self._prepare_restart)
        self._call_offs = CallOffs()
        self._were_off: dict[int, Order] = {}

    def announce(self, order: Order) -> None:
        """Take note of an order that has just come: it may call off others that have not begun."""
        if self._call_offs.announce(order):
            self._turns.call_off(order.charge_point_id)

    async def prepare(self, order: Order) -> Outcome | None:
        """Write down what an order asks for, where doing it takes long; cut the power, if need be.

        Returns:
            None where the order can be executed, else why it is refused.
        """
        preparation = {
            CommandType.START: self._prepare_start,
            CommandType.RESTART: self._prepare_restart,
        }.get(order.type)
        if preparation is None:
            return None
        refused = await self._guarded(order, preparation)
        if refused is not None:
            self._forget(order)
        return refused

    async def execute(self, order: Order) -> Outcome:
        """Execute an order; whatever is refused is in the outcome."""
        refused = await self._guarded(order, self._operations[order.type])
        self._forget(order)
        return refused or Outcome(id=order.charge_point_id, ok=True)

    # -- orders -----------------------------------------------------------------------------------

    async def _prepare_start(self, order: Order, found: Found) -> None:
        specification = _specification(order)
        if found.container is not None and found.container.alive:
            raise EntryError(
                f"charge point {order.charge_point_id} is alive: start needs an id whose container "
                f"{found.container.name} is not running",
                charge_point_id=order.charge_point_id,
                code=ErrorCode.ALIVE,
            )
        try:
            made = await self._power.prepare(specification, found)
        except EngineError:
            if found.is_nothing:
                await self._power.unmake(order.charge_point_id)
            raise
        self._turns.leave(order.charge_point_id, made)

    async def _start(self, order: Order, found: Found) -> None:
        specification = _specification(order)
        try:
            await self._power.bring_up(specification, found)
        except EngineError:
            await self._power.unmake(order.charge_point_id)
            raise
        self._caretaker.watch(order.charge_point_id)

    async def _kill(self, order: Order, found: Found) -> None:
        await self._end(order, found, in_order=False)

    async def _stop(self, order: Order, found: Found) -> None:
        await self._end(order, found, in_order=True)

    async def _end(self, order: Order, found: Found, *, in_order: bool) -> None:
        charge_point_id = order.charge_point_id
        if found.is_nothing and self._call_offs.is_to_blame(order):
            return  # its start was called off before anything was done
        self._need(order, found)
        alive = found.container is not None and found.container.alive
        by_hand = found.container is not None and found.container.by_hand
        if not alive and (by_hand or Mark.OFF in found.marks):
            raise self._dead(order)
        self._caretaker.let_go(charge_point_id)
        if not by_hand:  # such a one stays dead anyway, and its mark would outlive it
            await self._engine.set_mark(charge_point_id, Mark.OFF, found.specification)
        if found.container is not None and alive:
            await self._power.put_down(found.container, in_order=in_order)
        else:  # it was to run, but does not yet
            record = found.container or self._power.stand_in(charge_point_id, found.specification)
            self._power.say_dead(record, "its start was called off")
            self._power.conditions.show(record)

    async def _prepare_restart(self, order: Order, found: Found) -> None:
        charge_point_id = order.charge_point_id
        self._need(order, found)
        specification = order.specification or self._remembered(charge_point_id, found)
        self._caretaker.let_go(charge_point_id)
        if order.specification is not None and specification != found.specification:
            await self._engine.clear_mark(charge_point_id, Mark.CHANGED)
            await self._engine.set_mark(charge_point_id, Mark.CHANGED, specification)
        ended = found.container
        if ended is not None and ended.alive:
            await self._power.put_down(ended)
            ended = replace(ended, state=ContainerState.EXITED)
        if Mark.OFF in found.marks:
            self._were_off[id(order)] = order
            if found.volume is None:
                return  # only the mark knows what it is
            await self._engine.clear_mark(charge_point_id, Mark.OFF)
        if order.specification is None:
            marks: Marks = {mark: it for mark, it in found.marks.items() if mark != Mark.OFF}
            self._turns.leave(charge_point_id, replace(found, container=ended, marks=marks))

    async def _restart(self, order: Order, found: Found) -> None:
        charge_point_id = order.charge_point_id
        self._need(order, found)
        specification = order.specification or self._remembered(charge_point_id, found)
        if found.container is not None and found.container.alive:
            await self._power.put_down(found.container)  # somebody gave it its power back already
        if Mark.OFF in found.marks:
            await self._engine.clear_mark(charge_point_id, Mark.OFF)
        try:
            await self._power.bring_up(specification, found)
        except EngineError:
            if id(order) in self._were_off:  # it stays as it was
                await self._engine.set_mark(charge_point_id, Mark.OFF, found.specification)
            raise
        self._caretaker.watch(charge_point_id)

    async def _remove(self, order: Order, found: Found) -> None:
        charge_point_id = order.charge_point_id
        is_known = self._power.is_known(charge_point_id) or self._call_offs.is_to_blame(order)
        if not is_known:
            self._need(order, found)
        self._caretaker.let_go(charge_point_id)
        await self._power.remove(charge_point_id, found)

    async def _freeze(self, order: Order, found: Found) -> None:
        await self._power.freeze(self._living(order, found))

    async def _thaw(self, order: Order, found: Found) -> None:
        await self._power.thaw(self._living(order, found))

    async def _cut(self, order: Order, found: Found) -> None:
        charge_point_id = order.charge_point_id
        self._need(order, found)
        specification = found.specification
        if specification is not None and specification.networking is Networking.HOST:
            raise EntryError(
                f"charge point {charge_point_id} is on the engine's own network: only one with "
                "networking bridge can be cut",
                charge_point_id=charge_point_id,
                code=ErrorCode.NOT_POSSIBLE,
            )
        old = found.container
        if old is None or not old.by_hand:  # whose container itself knows, and goes without us
            address = old.address if old is not None else ""
            await self._engine.set_mark(charge_point_id, Mark.CUT, specification, address)
        await self._set_network(found, cut=True)

    async def _mend(self, order: Order, found: Found) -> None:
        charge_point_id = order.charge_point_id
        self._need(order, found)
        mark = found.marks.get(Mark.CUT)
        # Only while its process lives are there connections that its old address keeps; one that
        # is dead would not even start where somebody else has that address by then.
        alive = found.container is not None and found.container.alive
        address = mark.address if mark is not None and alive else ""
        await self._set_network(found, cut=False, address=address)
        await self._engine.clear_mark(charge_point_id, Mark.CUT)

    # -- inside -----------------------------------------------------------------------------------

    async def _guarded(
        self, order: Order, operation: Callable[[Order, Found], Awaitable[None]]
    ) -> Outcome | None:
        charge_point_id = order.charge_point_id
        lasting = order.type not in CAN_BE_CALLED_OFF
        try:
            async with self._turns.turn(
                charge_point_id,
                urgent=lasting,
                lasting=lasting,
                paced=operation not in self._unpaced,
            ) as left:
                if self._call_offs.is_called_off(order):
                    raise CalledOffError(charge_point_id)  # noqa: TRY301 - as if by the turns
                if operation == self._operations[order.type]:
                    self._call_offs.begin(order)
                await operation(order, left or await self._engine.find(charge_point_id))
        except CalledOffError:
            text = f"charge point {charge_point_id}: its {order.type} was called off"
            return Outcome(id=charge_point_id, ok=False, code=ErrorCode.CANCELLED, text=text)
        except EntryError as exc:
            return Outcome(id=charge_point_id, ok=False, code=exc.code, text=str(exc))
        except EngineError as exc:
            text = f"charge point {charge_point_id}: {exc}"
            return Outcome(id=charge_point_id, ok=False, code=ErrorCode.ENGINE, text=text)
        return None

    def _forget(self, order: Order) -> None:
        self._call_offs.forget(order)
        self._were_off.pop(id(order), None)

    async def _set_network(self, found: Found, *, cut: bool, address: str = "") -> None:
        if found.container is not None:
            await self._power.set_network(found.container, cut=cut, address=address)

    def _need(self, order: Order, found: Found) -> None:
        if found.is_nothing:
            raise self._unknown(order.charge_point_id)

    def _living(self, order: Order, found: Found) -> ContainerRecord:
        self._need(order, found)
        if found.container is None or not found.container.alive:
            raise self._dead(order)
        return found.container

    def _remembered(self, charge_point_id: str, found: Found) -> Specification:
        specification = found.specification or self._power.remembered.get(charge_point_id)
        if specification is None:
            raise EntryError(
                f"charge point {charge_point_id} has no readable label "
                f"{container.SPECIFICATION_LABEL}: restart needs a full entry",
                charge_point_id=charge_point_id,
            )
        return specification

    def _dead(self, order: Order) -> EntryError:
        return EntryError(
            f"charge point {order.charge_point_id} is dead already: {order.type} needs a running "
            "one",
            charge_point_id=order.charge_point_id,
            code=ErrorCode.NOT_RUNNING,
        )

    def _unknown(self, charge_point_id: str) -> EntryError:
        return EntryError(
            f"charge point {charge_point_id} is unknown: environment "
            f"{self._environment} has neither a container nor a volume of it",
            charge_point_id=charge_point_id,
            code=ErrorCode.UNKNOWN_CHARGE_POINT,
        )


def _specification(order: Order) -> Specification:
    assert order.specification is not None  # noqa: S101 - see Order
    return order.specification
