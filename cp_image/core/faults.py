"""Faults: a set beside the state of a connector, and the error code they are reported with."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from cp_image.api.payloads import ErrorCode
from cp_image.api.value import Value


class FaultOrigin(StrEnum):
    """What is broken."""

    CONNECTOR = "connector"
    CHARGE_POINT = "charge point"
    """the whole of it, and so each of its connectors"""


class Fault(Value):
    """Why something is Faulted; each is set and cleared on its own."""

    origin: FaultOrigin
    error_code: ErrorCode


class Faults:
    """The faults of one thing, the oldest first: it is Faulted as long as there is any."""

    __slots__ = ("_set",)

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._set: dict[Fault, None] = dict.fromkeys(faults)  # a set that knows its order

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._set))

    def __bool__(self) -> bool:
        return bool(self._set)

    def change(self, origin: FaultOrigin, error_code: ErrorCode | None, *, faulted: bool) -> None:
        """Set or clear a fault: a level, not an edge.

        Args:
            origin: what is broken.
            error_code: None sets InternalError, and clears all faults of the origin.
            faulted: whether it is there from now on.
        """
        if faulted:
            code = error_code or ErrorCode.INTERNAL_ERROR
            self._set.setdefault(Fault(origin=origin, error_code=code))
            return
        for fault in list(self._set):
            if fault.origin is origin and error_code in {None, fault.error_code}:
                del self._set[fault]

    @property
    def error_code(self) -> ErrorCode:
        """What a StatusNotification says of them: the newest, so that the CSMS hears of each."""
        newest = next(reversed(self._set), None)
        return ErrorCode.NO_ERROR if newest is None else newest.error_code
