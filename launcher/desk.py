"""Where commands come in and answers go out."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from cp_image.mqtt_link import Message
from launcher.answered import Answered
from launcher.api import Answer, Command, CommandType, ErrorCode, Outcome, Progress
from launcher.charge_points import ChargePoints
from launcher.commands import CommandError, Order, read_command, read_orders
from launcher.fleet import EntryError

LOG: Final = logging.getLogger(__name__)

_CLOSING_TEXT: Final = "the launcher is ending and takes no more commands"
_RETAINED_TEXT: Final = "the command was retained by the broker: publish commands without retain"


class Desk:
    """Reads commands, has them executed, and answers each.

    Args:
        charge_points: executes orders.
        say: publishes an answer.
        tell: publishes an event.
        close: ends the launcher.
    """

    def __init__(
        self,
        charge_points: ChargePoints,
        *,
        say: Callable[[Answer], None],
        tell: Callable[[msgspec.Struct], None],
        close: Callable[[], None],
    ) -> None:
        self._charge_points = charge_points
        self._say = say
        self._tell = tell
        self._close = close
        self._answered = Answered()

    def hear(self, message: Message, work: asyncio.TaskGroup | None) -> None:
        """Take a command.

        Args:
            message: on ``launcher/cmd``.
            work: where commands are executed; None: no more are taken.
        """
        try:
            command = read_command(message.payload)
        except CommandError as exc:
            self._refuse(exc.request_id, exc.type, ErrorCode.MALFORMED, str(exc))
            return
        if message.retain and not self._answered.knows(command.request_id):
            self._refuse(command.request_id, command.type, ErrorCode.MALFORMED, _RETAINED_TEXT)
        elif not self._answered.begin(command.request_id):
            self._repeat(command)
        elif work is None:
            self._refuse(command.request_id, command.type, ErrorCode.CLOSING, _CLOSING_TEXT)
            self._answered.forget(command.request_id)
        elif command.type is CommandType.CLOSE:
            self._answer(Answer(request_id=command.request_id, type=command.type, ok=True))
            self._close()
        else:
            orders = read_orders(command)
            for order in orders:
                if isinstance(order, Order):
                    self._charge_points.announce(order)
            work.create_task(self._execute(command, orders), name=f"{command.type}")

    def _repeat(self, command: Command) -> None:
        answer = self._answered.answer(command.request_id)
        if answer is not None:
            LOG.info("%s %s came again: answered again", command.type, command.request_id)
            self._say(answer)

    async def _execute(self, command: Command, orders: list[Order | EntryError]) -> None:
        done = 0

        def count(outcome: Outcome) -> None:
            nonlocal done
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

        # All that is asked for is written down before the first of it is done.
        async with asyncio.TaskGroup() as group:
            prepared = [group.create_task(self._prepare(order)) for order in orders]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._finish(order, refused.result(), count))
                for order, refused in zip(orders, prepared, strict=True)
            ]
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

    async def _prepare(self, order: Order | EntryError) -> Outcome | None:
        if isinstance(order, EntryError):
            return Outcome(id=order.charge_point_id, ok=False, code=order.code, text=str(order))
        return await self._charge_points.prepare(order)

    async def _finish(
        self,
        order: Order | EntryError,
        refused: Outcome | None,
        count: Callable[[Outcome], None],
    ) -> Outcome:
        if refused is not None or isinstance(order, EntryError):
            outcome = refused or Outcome(id="", ok=False)
        else:
            outcome = await self._charge_points.execute(order)
        count(outcome)
        return outcome

    def _refuse(
        self, request_id: str | None, type_: CommandType | None, code: ErrorCode, text: str
    ) -> None:
        """Answer a command that is not begun; another of the same request id keeps its answer."""
        LOG.warning("command refused: %s", text)
        self._say(Answer(request_id=request_id, type=type_, ok=False, code=code, text=text))

    def _answer(self, answer: Answer) -> None:
        self._answered.end(answer)
        self._say(answer)
