"""The OCPP frames of charge points as they pass: asked for, renewed, put in order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Protocol
from uuid import uuid4

import msgspec

from cp_image.api import topics
from cp_image.api.payloads import (
    ChargePointCommand,
    ChargePointState,
    ChargePointStatus,
    CommandType,
    Frame,
    Result,
)
from cp_image.api.value import Value, replace
from cp_image.mqtt_link import Message
from supervisor_cli.errors import SimuError
from supervisor_cli.frame_order import FrameOrder, Ordered

WANTED_FOR_S: Final = 30.0
"""A reader that is gone costs a charge point frames for no longer than this."""
_RENEW_S: Final = 10.0
_ANSWER_S: Final = 5.0
_ALL_KEPT: Final = 1000
"""More than a charge point keeps: what was missed is asked for whole."""

_FRAME: Final = msgspec.json.Decoder(Frame)
_RESULT: Final = msgspec.json.Decoder(Result)
_STATUS: Final = msgspec.json.Decoder(ChargePointStatus)

OnNote = Callable[[str, str], None]
"""Called with a charge point id and what is to be said about its frames; no id means all."""


class Timer(Protocol):
    """What is used of `asyncio.TimerHandle`."""

    def cancel(self) -> None:
        """Never call."""


CallLater = Callable[[float, Callable[[], None]], Timer]


class TracedFrame(Value):
    """An OCPP frame and whose it is."""

    charge_point_id: str
    frame: Frame


class Wire(Protocol):
    """What a stream needs of the client."""

    def send_command(self, charge_point_id: str, command: ChargePointCommand) -> None:
        """Send a command to a charge point."""

    def is_alive(self, charge_point_id: str) -> bool:
        """Whether a charge point could take a command."""


class FrameStream:
    """Keeps the charge points telling, and hands out what they tell.

    Args:
        wire: to the charge points.
        root: of the topics.
        charge_point_ids: whose frames.
        last: how many of those that passed before come first, of each charge point.
        on_note: hears of frames that were missed and of charge points that do not answer.
        call_later: as that of an event loop.
    """

    def __init__(
        self,
        wire: Wire,
        root: str,
        charge_point_ids: Sequence[str],
        *,
        last: int,
        on_note: OnNote,
        call_later: CallLater,
    ) -> None:
        self._wire = wire
        self._root = root
        self._last = last
        self._on_note = on_note
        self._call_later = call_later
        self._orders = {each: FrameOrder() for each in charge_point_ids}
        self._lost: set[str] = set()
        """Of these a new life, or a connection that was mended, has to be asked anew."""
        self._asked: set[str] = set()
        """Of these what passed meanwhile is wanted whole."""
        self._silent: set[str] = set()
        self._away = False
        self._timers: dict[str, Timer] = {}
        self._queue: asyncio.Queue[TracedFrame | SimuError] = asyncio.Queue()

    @property
    def charge_point_ids(self) -> frozenset[str]:
        """Whose frames."""
        return frozenset(self._orders)

    def open(self) -> None:
        """Ask for the frames of all that live; of the others as soon as they do."""
        for charge_point_id in self._orders:
            # The newest one at least: later ones are told from it, should the broker go.
            if not self._begin(charge_point_id, max(1, self._last)):
                self._on_note(charge_point_id, "cannot be heard now: waiting for it")

    def join(self, charge_point_id: str) -> None:
        """Ask for the frames of one that has come since, from its first."""
        self._orders[charge_point_id] = FrameOrder()
        self._asked.add(charge_point_id)
        self._begin(charge_point_id, _ALL_KEPT)

    def close(self) -> None:
        """Renew nothing any more; what was asked for runs out by itself."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    async def frames(self) -> AsyncIterator[TracedFrame]:
        """Give the frames, without end.

        Raises:
            SimuError: a charge point refuses to tell.
        """
        while True:
            item = await self._queue.get()
            if isinstance(item, SimuError):
                raise item
            yield item

    # -- what is heard --------------------------------------------------------------------------

    def disconnected(self, reason: str) -> None:
        """Ask all anew once their states are heard again: the broker is away."""
        self._lost.update(self._orders)
        if not self._away:
            self._away = True
            self._on_note("", reason)

    def connected(self) -> None:
        """Say that the broker is there again; the charge points say so themselves."""
        if self._away:
            self._away = False
            self._on_note("", "the broker is there again")

    def hear(self, message: Message) -> None:
        """Take a message of the environment."""
        found = topics.identify(self._root, message.topic)
        charge_point_id = found[1].charge_point_id if found is not None else None
        if found is None or charge_point_id not in self._orders:
            return
        try:
            if found[0] is topics.CP_FRAMES:
                frame = _FRAME.decode(message.payload)
                self._tell(charge_point_id, self._orders[charge_point_id].take(frame))
            elif found[0] is topics.CP_RESULT:
                self._answered(charge_point_id, _RESULT.decode(message.payload))
            elif found[0] is topics.CP_STATUS:
                self._status(charge_point_id, message.payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return  # not of a charge point of ours: the mirror does not take it either

    def _status(self, charge_point_id: str, payload: bytes) -> None:
        if not payload or _STATUS.decode(payload).status is ChargePointState.DEAD:
            if charge_point_id not in self._lost:
                self._on_note(charge_point_id, "is gone: waiting for it")
            self._lost.add(charge_point_id)
        elif charge_point_id in self._lost:
            self._ask_anew(charge_point_id)

    def _answered(self, charge_point_id: str, result: Result) -> None:
        order = self._orders[charge_point_id]
        if not order.is_answer(result.request_id):
            return
        unwanted = self._last == 0 and charge_point_id not in self._asked
        self._asked.add(charge_point_id)
        self._silent.discard(charge_point_id)
        ordered = order.answered()
        if unwanted:
            new = tuple(each for each in ordered.frames if each.replayed_for is None)
            ordered = replace(ordered, frames=new)
        self._tell(charge_point_id, ordered)
        self._renew_in(charge_point_id, _RENEW_S)
        if not result.ok:
            text = f"{charge_point_id} does not tell its frames: {result.text}"
            self._queue.put_nowait(SimuError(text, hint="its image may be an older one"))

    def _tell(self, charge_point_id: str, ordered: Ordered) -> None:
        if ordered.missed:
            self._on_note(charge_point_id, f"{ordered.missed} frames were missed")
        for frame in ordered.frames:
            self._queue.put_nowait(TracedFrame(charge_point_id=charge_point_id, frame=frame))
        if ordered.incomplete:
            self._ask(charge_point_id, _ALL_KEPT)

    # -- what is asked --------------------------------------------------------------------------

    def _begin(self, charge_point_id: str, last: int) -> bool:
        if self._wire.is_alive(charge_point_id):
            self._ask(charge_point_id, last)
            return True
        # All that it says when it comes up is new.
        self._asked.add(charge_point_id)
        self._lost.add(charge_point_id)
        return False

    def _ask_anew(self, charge_point_id: str) -> None:
        self._lost.discard(charge_point_id)
        self._ask(charge_point_id, _ALL_KEPT if charge_point_id in self._asked else self._last)

    def _ask(self, charge_point_id: str, last: int) -> None:
        request_id = uuid4().hex
        self._orders[charge_point_id].asked(request_id)
        self._publish(charge_point_id, last, request_id)
        self._set_timer(
            charge_point_id, _ANSWER_S, lambda: self._no_answer(charge_point_id, request_id)
        )

    def _no_answer(self, charge_point_id: str, request_id: str) -> None:
        order = self._orders[charge_point_id]
        if not order.is_answer(request_id):
            return
        if charge_point_id not in self._silent:
            self._silent.add(charge_point_id)
            self._on_note(charge_point_id, f"does not answer: asked again every {_RENEW_S:g} s")
        self._lost.add(charge_point_id)
        self._tell(charge_point_id, order.answered())
        self._renew_in(charge_point_id, _RENEW_S)

    def _renew_in(self, charge_point_id: str, seconds: float) -> None:
        self._set_timer(charge_point_id, seconds, lambda: self._renew(charge_point_id))

    def _renew(self, charge_point_id: str) -> None:
        if not self._wire.is_alive(charge_point_id):
            self._renew_in(charge_point_id, _RENEW_S)
        elif charge_point_id in self._lost:
            self._ask_anew(charge_point_id)
        else:
            self._publish(charge_point_id, None, uuid4().hex)
            self._renew_in(charge_point_id, _RENEW_S)

    def _publish(self, charge_point_id: str, last: int | None, request_id: str) -> None:
        command = ChargePointCommand(
            type=CommandType.TRACE, for_s=WANTED_FOR_S, last=last, request_id=request_id
        )
        self._wire.send_command(charge_point_id, command)

    def _set_timer(self, charge_point_id: str, seconds: float, act: Callable[[], None]) -> None:
        before = self._timers.get(charge_point_id)
        if before is not None:
            before.cancel()
        self._timers[charge_point_id] = self._call_later(seconds, act)
