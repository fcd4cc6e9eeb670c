"""The OCPP frames of a charge point as they were heard: finding them, pairing them. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final

import msgspec

from cp_image.api.payloads import Frame, FrameDirection

_SHOWN_CHARACTERS: Final = 160
_MOST_KEPT: Final = 20_000
"""Beyond it the older half goes: a script may run for days."""
_ARROWS: Final = {FrameDirection.SENT: "→", FrameDirection.RECEIVED: "←"}


class FrameKind(IntEnum):
    """OCPP-J 1.6 §4.1.3 MessageTypeId, and 0 for what is no frame of OCPP."""

    NONE = 0
    CALL = 2
    RESULT = 3
    ERROR = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFrame:
    """A frame, taken apart.

    Attributes:
        position: its place in the log, from 0.
        frame: as the charge point told it.
    """

    position: int
    frame: Frame

    @property
    def kind(self) -> FrameKind:
        """Call, result, error, or none of them."""
        first = self._part(0)
        known = isinstance(first, int) and first in set(FrameKind)
        return FrameKind(first) if known else FrameKind.NONE

    @property
    def direction(self) -> FrameDirection:
        """Which way it went, seen from the charge point."""
        return self.frame.direction

    @property
    def action(self) -> str:
        """Of the call, also for its answer; empty where it is not known."""
        return self.frame.action

    @property
    def message_id(self) -> str:
        """Of the call, and of its answer."""
        return str(self._part(1))

    @property
    def payload(self) -> dict[str, Any]:
        """Of a call or a result; of an error its code, description and details."""
        match self.kind:
            case FrameKind.CALL:
                payload = self._part(3)
            case FrameKind.RESULT:
                payload = self._part(2)
            case FrameKind.ERROR:
                names = ("errorCode", "errorDescription", "errorDetails")
                payload = {name: self._part(2 + n) for n, name in enumerate(names)}
            case _:
                payload = None
        return payload if isinstance(payload, dict) else {}

    def __str__(self) -> str:
        """Return a line for people: time of the charge point, direction, what it says."""
        at = datetime.fromtimestamp(self.frame.at, UTC)
        kinds = {FrameKind.RESULT: " answered", FrameKind.ERROR: " failed"}
        said = msgspec.json.encode(self.payload).decode()
        if self.kind is FrameKind.NONE:
            said = str(self.frame.message)
        text = f"{self.action}{kinds.get(self.kind, '')} {said}".strip()
        if len(text) > _SHOWN_CHARACTERS:
            text = f"{text[:_SHOWN_CHARACTERS]}…"
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
        return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} {_ARROWS[self.direction]} {text}"

    def _part(self, index: int) -> Any:
        message = self.frame.message
        if isinstance(message, list) and index < len(message):
            return message[index]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a frame is to be like.

    Attributes:
        action: of a call; None is any.
        fields: of its payload; see `matches`.
        direction: None is any.
        after: only frames that came after this one; None is from the first on.
    """

    action: str | None = None
    fields: Mapping[str, Any]
    direction: FrameDirection | None = None
    after: SeenFrame | None = None

    def fits(self, seen: SeenFrame) -> bool:
        """Whether a frame is such a call."""
        return (
            seen.kind is FrameKind.CALL
            and self.action in {None, seen.action}
            and self.direction in {None, seen.direction}
            and (self.after is None or seen.position > self.after.position)
            and matches(self.fields, seen.payload)
        )

    def __str__(self) -> str:
        """Return it for people: ``StartTransaction with idTag='ABC'``."""
        fields = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        text = self.action or "frame"
        if self.direction is not None:
            text = f"{self.direction} {text}"
        if fields:
            text += f" with {fields}"
        if self.after is not None:
            text += f" after {self.after}"
        return text


class FrameLog:
    """The frames of a charge point, in order; those who wait are called after each."""

    def __init__(self) -> None:
        self._seen: list[SeenFrame] = []
        self._heard = 0
        self._listeners: set[Callable[[SeenFrame], None]] = set()

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[SeenFrame]:
        return iter(tuple(self._seen))

    @property
    def last(self) -> SeenFrame | None:
        """The newest; None before the first."""
        return self._seen[-1] if self._seen else None

    def add(self, frame: Frame) -> None:
        """Take a frame."""
        seen = SeenFrame(position=self._heard, frame=frame)
        self._seen.append(seen)
        self._heard += 1
        if len(self._seen) > _MOST_KEPT:
            del self._seen[: _MOST_KEPT // 2]
        for listener in tuple(self._listeners):
            listener(seen)

    def listen(self, listener: Callable[[SeenFrame], None]) -> Callable[[], None]:
        """Call `listener` with each frame from now on; return what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def all(self, wanted: Wanted) -> list[SeenFrame]:
        """Return the calls that are as wanted."""
        return [each for each in self._seen if wanted.fits(each)]

    def answer(self, call: SeenFrame) -> SeenFrame | None:
        """Return the answer to a call, or None where there is none yet."""
        return next((it for it in self._seen if is_answer(it, call)), None)

    def told(self, most: int) -> str:
        """Return the newest frames for people, a line each."""
        if not self._seen:
            return "  no frames"
        lines = [f"  {each}" for each in self._seen[-most:]]
        earlier = self._heard - len(lines)
        if earlier:
            lines.insert(0, f"  … {earlier} earlier")
        return "\n".join(lines)


def is_answer(seen: SeenFrame, call: SeenFrame) -> bool:
    """Whether a frame answers a call: OCPP-J 1.6 §4.1.4, by its id, the other way round."""
    return (
        seen.kind in {FrameKind.RESULT, FrameKind.ERROR}
        and seen.position > call.position
        and seen.message_id == call.message_id
        and seen.direction is not call.direction
        and (seen.frame.started_at, seen.frame.connection)
        == (call.frame.started_at, call.frame.connection)
    )


def matches(wanted: object, there: object) -> bool:
    """Whether a value of a payload is as wanted.

    An object needs the wanted fields and may have more; of a list each wanted element must match
    some element; a function is asked.
    """
    if callable(wanted):
        return bool(wanted(there))
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(
            name in there and matches(value, there[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return isinstance(there, list) and all(
            any(matches(each, element) for element in there) for each in wanted
        )
    return wanted == there and isinstance(wanted, bool) == isinstance(there, bool)
