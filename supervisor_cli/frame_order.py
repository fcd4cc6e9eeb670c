"""The frames of a charge point in order, each once, and what of them is missing. Pure."""

from typing import Final

from cp_image.api.payloads import Frame
from cp_image.api.value import Value

_NO_FRAMES: Final[tuple[Frame, ...]] = ()


class Ordered(Value):
    """What can be told after a message.

    Attributes:
        frames: to tell now, in order.
        incomplete: whether frames before those that are held back are missing: ask for them.
        missed: how many frames before or among `frames` never came.
    """

    frames: tuple[Frame, ...] = _NO_FRAMES
    incomplete: bool = False
    missed: int = 0


class FrameOrder:
    """Takes the frames of one charge point as they come, and gives them in order.

    A frame counts within a life of the charge point's process, `started_at`. What is asked for is
    repeated while new frames come in, so all are held back until the answer: see `asked` and
    `answered`.
    """

    def __init__(self) -> None:
        self._life: float | None = None
        self._past_lives: set[float] = set()
        self._next = 0
        self._held: dict[int, Frame] = {}
        self._request_id: str | None = None

    @property
    def asking(self) -> bool:
        """Whether an answer is awaited."""
        return self._request_id is not None

    def asked(self, request_id: str) -> None:
        """Hold frames back until the answer to a `trace`."""
        self._request_id = request_id

    def is_answer(self, request_id: str) -> bool:
        """Whether this is the answer that is awaited."""
        return self._request_id == request_id

    def answered(self) -> Ordered:
        """Give what was held back: the answer is there, or will not come."""
        self._request_id = None
        return self._release()

    def take(self, frame: Frame) -> Ordered:
        """Take a frame; what others have asked for is left to them."""
        if frame.replayed_for is not None and not self.is_answer(frame.replayed_for):
            return Ordered()
        if frame.started_at in self._past_lives:
            return Ordered()  # delivered late, or twice
        end_of_life = Ordered()
        if frame.started_at != self._life:
            end_of_life = self._begin_life(frame.started_at)
        if frame.n >= self._next:
            self._held[frame.n] = frame
        if self.asking:
            return end_of_life
        if self._next and self._next not in self._held and self._held:
            return Ordered(frames=end_of_life.frames, missed=end_of_life.missed, incomplete=True)
        rest = self._release()
        return Ordered(
            frames=(*end_of_life.frames, *rest.frames), missed=end_of_life.missed + rest.missed
        )

    def _begin_life(self, started_at: float) -> Ordered:
        """Give what is left of the life before."""
        left = self._release()
        if self._life is not None:
            self._past_lives.add(self._life)
            self._next = 1
        self._life = started_at
        return left

    def _release(self) -> Ordered:
        frames = tuple(self._held[n] for n in sorted(self._held))
        self._held.clear()
        if not frames:
            return Ordered()
        first = self._next or frames[0].n
        self._next = frames[-1].n + 1
        return Ordered(frames=frames, missed=self._next - first - len(frames))
