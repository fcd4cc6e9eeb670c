"""What the central system in the box has seen: frames, broken rules, refusals."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from supervisor_cli.csms_door import Refusal
from supervisor_cli.frame_line import Direction, FrameRecord
from supervisor_cli.ocpp_frames import Call, CallErrorCode

_T = TypeVar("_T")

_FRAMES_KEPT: Final = 100_000
_LAST_FRAMES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A frame of a charge point that breaks a rule."""

    charge_point_id: str
    frame: str
    code: CallErrorCode
    text: str


class CsmsLedger:
    """Keeps what was seen, and tells whoever waits for something of it.

    Args:
        on_frame: called with every frame; None is nobody.
        on_refusal: called with every refusal; None is nobody.

    Attributes:
        violations: all, oldest first.
        refusals: all, oldest first.
    """

    def __init__(
        self,
        on_frame: Callable[[FrameRecord], None] | None,
        on_refusal: Callable[[Refusal], None] | None,
    ) -> None:
        self._on_frame = on_frame
        self._on_refusal = on_refusal
        self._frames: deque[FrameRecord] = deque(maxlen=_FRAMES_KEPT)
        self._change = asyncio.Event()
        self.violations: list[Violation] = []
        self.refusals: list[Refusal] = []

    @property
    def frames(self) -> Sequence[FrameRecord]:
        """The last frames, oldest first."""
        return tuple(self._frames)

    def calls(self, charge_point_id: str, action: str | None) -> list[Call]:
        """Return the calls of a charge point, oldest first, of one action or of all."""
        return [
            record.frame
            for record in self._frames
            if record.charge_point_id == charge_point_id
            and record.direction is Direction.TO_CSMS
            and isinstance(record.frame, Call)
            and action in {None, record.frame.action}
        ]

    def note_frame(self, record: FrameRecord) -> None:
        """Take a frame in."""
        self._frames.append(record)
        if self._on_frame is not None:
            self._on_frame(record)
        self.changed()

    def note_refusal(self, refusal: Refusal) -> None:
        """Take in that a charge point was not let in, or not given a certificate."""
        self.refusals.append(refusal)
        if self._on_refusal is not None:
            self._on_refusal(refusal)
        self.changed()

    def changed(self) -> None:
        """Let whoever waits look again."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for(self, look: Callable[[], _T], timeout_s: float) -> _T:
        """Wait until `look` returns something true, and return that; it is asked at each change.

        Raises:
            TimeoutError: it did not; the text has the last frames.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := look()):
                    await self._change.wait()
                return found
        except TimeoutError as exc:
            last = "\n".join(str(record) for record in list(self._frames)[-_LAST_FRAMES:])
            raise TimeoutError(
                f"not within {timeout_s} s; the last frames are:\n{last or 'none'}"
            ) from exc
