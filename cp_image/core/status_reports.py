"""Statuses the CSMS hears one after the other, each of them, whatever happens to the link."""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from cp_image.core.messages import Request
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue

S = TypeVar("S")


class StatusReports(Generic[S]):
    """What is still to be told; it survives a broken link, a reboot and a power cut.

    Args:
        key: under which the statuses that are not told yet are kept.
        kind: of the statuses.
        to_request: makes the request that tells one.
    """

    def __init__(
        self,
        *,
        key: str,
        kind: type[S],
        to_request: Callable[[S], Request],
        stored: Mapping[str, bytes],
        queue: RequestQueue,
        outbox: Outbox,
    ) -> None:
        self._key = key
        self._to_request: Callable[[S], Request] = to_request
        self._queue = queue
        self._outbox = outbox
        self._number: int | None = None
        kept: Sequence[S] | None = outbox.recall(stored, key, list[kind])  # type: ignore[valid-type]
        self._untold: list[S] = list(kept or ())

    @property
    def untold(self) -> int:
        """How many statuses the CSMS has not heard of yet."""
        return len(self._untold)

    @property
    def all_told(self) -> bool:
        """Whether the CSMS has every status."""
        return not self._untold

    def resume(self) -> None:
        """Go on with what a former life has left untold."""
        self._say_next()

    def tell(self, status: S) -> None:
        """Tell a status after those before it."""
        self._untold.append(status)
        self._keep()
        self._say_next()

    def concluded(self, number: int) -> None:
        """The CSMS has answered request `number`; one that is not ours changes nothing.

        An error is an answer, too: the CSMS has heard it, and waits for the next one.
        """
        if number == self._number:
            self._number = None
            self._untold.pop(0)
            self._keep()
            self._say_next()

    def link_broken(self, number: int) -> None:
        """Request `number` was lost with the link: it is said again on the next one."""
        if number == self._number:
            self._number = None
            self._say_next()

    def _say_next(self) -> None:
        if self._untold and self._number is None:
            self._number = self._queue.push(self._to_request(self._untold[0]))

    def _keep(self) -> None:
        if self._untold:
            self._outbox.keep(self._key, self._untold)
        else:
            self._outbox.forget(self._key)
