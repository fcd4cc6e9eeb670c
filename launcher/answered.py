"""Which commands have been answered, so that the same one is not done twice. Pure."""

from collections import OrderedDict
from typing import Final

from launcher.api import Answer

MOST: Final = 1000


class Answered:
    """The last answers, and the commands that are being done, by request id.

    A message that comes twice, be it that MQTT delivered it twice or that its sender had lost
    its connection and asked again, has the same request id.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._answers: OrderedDict[str, Answer | None] = OrderedDict()

    def knows(self, request_id: str | None) -> bool:
        """Whether a command was begun, be it answered yet or not."""
        return request_id in self._answers

    def begin(self, request_id: str | None) -> bool:
        """Note that a command is begun; return False where it was begun before."""
        if request_id is None:
            return True
        if request_id in self._answers:
            return False
        self._answers[request_id] = None
        return True

    def forget(self, request_id: str | None) -> None:
        """A command was not done: it may come again."""
        self._answers.pop(request_id or "", None)

    def answer(self, request_id: str | None) -> Answer | None:
        """Return the answer that was given; None while it is not given yet."""
        return self._answers.get(request_id or "")

    def end(self, answer: Answer) -> None:
        """Note an answer; of too many the oldest are forgotten, but none that is outstanding."""
        if answer.request_id is None or answer.request_id not in self._answers:
            return
        self._answers[answer.request_id] = answer
        self._answers.move_to_end(answer.request_id)
        if len(self._answers) > self._most:
            given = (key for key, value in self._answers.items() if value is not None)
            del self._answers[next(given)]
