"""The newest OCPP frames of a charge point, and their way to those who want to see them."""

import json
import re
from collections import deque
from collections.abc import Callable
from typing import Final

from cp_image.api.payloads import Frame, FrameDirection
from cp_image.api.value import Value, replace
from cp_image.shell.clock import Clock
from cp_image.shell.frame_secrets import message_of, shown

_MOST_KEPT: Final = 200
_MOST_KEPT_CHARACTERS: Final = 256 * 1024
_LONGEST_TOLD: Final = 1024 * 1024
_LONGEST_BEGINNING: Final = 1000
"""What is kept and told of a frame that is longer than that."""
_MOST_OPEN_CALLS: Final = 64
_HEAD: Final = re.compile(
    r'\s*\[\s*([234])\s*,\s*("(?:[^"\\]|\\.){0,100}")\s*(?:,\s*("(?:[^"\\]|\\.){0,100}"))?'
)
"""OCPP-J 1.6 §4.2: message type, message id and, of a CALL, the action."""
_CALL: Final = "2"
_OTHER_WAY: Final = {
    FrameDirection.SENT: FrameDirection.RECEIVED,
    FrameDirection.RECEIVED: FrameDirection.SENT,
}


class _Passed(Value):
    """A frame that has passed; `length` is None where `text` is all of it."""

    n: int
    at: float
    direction: FrameDirection
    text: str
    action: str
    connection: int
    length: int | None = None

    def cut(self, longest: int) -> "_Passed":
        """Return it, or but its beginning where it is too long; a secret is not cut in two."""
        if len(self.text) <= longest:
            return self
        return replace(self, text=shown(self.text)[:_LONGEST_BEGINNING], length=len(self.text))


class FrameTrace:
    """Remembers the frames that passed, and tells of each while somebody has asked for it.

    Nothing is told of its own accord, and no timer runs: whether anybody still wants a frame is
    looked up when one passes.

    Args:
        clock: dates the frames; the time for which they are wanted is real.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started_at = self._real_now()
        self._wanted_until = self._started_at
        self._n = 0
        self._connection = 0
        self._kept: deque[_Passed] = deque()
        self._kept_characters = 0
        self._actions: dict[tuple[FrameDirection, str], str] = {}
        self._tell: Callable[[Frame], None] = _tell_nobody

    def open(self, tell: Callable[[Frame], None]) -> None:
        """Tell frames to `tell` from now on, those that are asked for."""
        self._tell = tell

    # -- what passes ----------------------------------------------------------------------------

    def connected(self) -> None:
        """Begin a connection to the CSMS: the answers to calls of the one before never come."""
        self._connection += 1
        self._actions.clear()

    def sent(self, text: str) -> None:
        """Take a frame to the CSMS."""
        self._pass(FrameDirection.SENT, text)

    def received(self, text: str) -> None:
        """Take a frame of the CSMS."""
        self._pass(FrameDirection.RECEIVED, text)

    # -- what is asked for ----------------------------------------------------------------------

    def want(self, for_s: float) -> None:
        """Tell each frame for that long, in real seconds; who wants it longer has it longer."""
        self._wanted_until = max(self._wanted_until, self._real_now() + for_s)

    def unwant(self) -> None:
        """Tell nothing any more: nobody wants it, or nobody can be reached."""
        self._wanted_until = self._real_now()

    def replay(self, last: int, request_id: str | None) -> None:
        """Tell the newest frames once more, as far as they are kept."""
        for passed in tuple(self._kept)[max(0, len(self._kept) - last) :]:
            self._tell(self._frame(passed, replayed_for=request_id or ""))

    # -- inside ---------------------------------------------------------------------------------

    def _pass(self, direction: FrameDirection, text: str) -> None:
        self._n += 1
        passed = _Passed(
            n=self._n,
            at=self._clock.now(),
            direction=direction,
            text=text,
            action=self._action(direction, text),
            connection=self._connection,
        )
        if self._real_now() < self._wanted_until:
            self._tell(self._frame(passed.cut(_LONGEST_TOLD), replayed_for=None))
        self._keep(passed.cut(_MOST_KEPT_CHARACTERS))

    def _keep(self, passed: _Passed) -> None:
        self._kept.append(passed)
        self._kept_characters += len(passed.text)
        while len(self._kept) > _MOST_KEPT or self._kept_characters > _MOST_KEPT_CHARACTERS:
            self._kept_characters -= len(self._kept.popleft().text)

    def _action(self, direction: FrameDirection, text: str) -> str:
        """Return the action of a call, or of the call that is answered, and remember it."""
        head = _HEAD.match(text)
        if head is None:
            return ""
        kind, message_id, action = head.groups()
        if kind != _CALL:
            return self._actions.pop((_OTHER_WAY[direction], message_id), "")
        if action is None:
            return ""
        try:
            name = str(json.loads(action))
        except ValueError:
            return ""
        if len(self._actions) >= _MOST_OPEN_CALLS:
            del self._actions[next(iter(self._actions))]
        self._actions[direction, message_id] = name
        return name

    def _frame(self, passed: _Passed, *, replayed_for: str | None) -> Frame:
        return Frame(
            n=passed.n,
            started_at=self._started_at,
            at=passed.at,
            direction=passed.direction,
            message=message_of(passed.text),
            action=passed.action,
            connection=passed.connection,
            length=passed.length,
            replayed_for=replayed_for,
        )

    def _real_now(self) -> float:
        return self._clock.wall_at(self._clock.now())


def _tell_nobody(_frame: Frame) -> None:
    """Take no notice: nobody is there to be told."""
