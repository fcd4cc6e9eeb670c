"""Which orders wait for their turn, and which later ones have called them off. Pure."""

from typing import Final

from launcher.api import CommandType
from launcher.commands import Order

CAN_BE_CALLED_OFF: Final = frozenset({CommandType.START, CommandType.RESTART})
_CALLING_OFF: Final = frozenset({CommandType.KILL, CommandType.STOP, CommandType.REMOVE})


class CallOffs:
    """Knows each order from its announcement until it is forgotten; the same one, not its like."""

    def __init__(self) -> None:
        self._waiting: dict[int, Order] = {}
        self._called_off: dict[int, Order] = {}
        self._to_blame: dict[int, Order] = {}

    def announce(self, order: Order) -> bool:
        """Take note of an order that has just come.

        Returns:
            Whether it calls off what waits for the same charge point.
        """
        if order.type in CAN_BE_CALLED_OFF:
            self._waiting[id(order)] = order
        if order.type not in _CALLING_OFF:
            return False
        named = order.charge_point_id
        for key in [key for key, it in self._waiting.items() if it.charge_point_id == named]:
            self._called_off[key] = self._waiting.pop(key)
            self._to_blame[id(order)] = order
        return True

    def begin(self, order: Order) -> None:
        """From now on an order is executed, whatever comes."""
        self._waiting.pop(id(order), None)

    def is_called_off(self, order: Order) -> bool:
        """Whether an order is not to be executed any more."""
        return id(order) in self._called_off

    def is_to_blame(self, order: Order) -> bool:
        """Whether others were called off because of an order."""
        return id(order) in self._to_blame

    def forget(self, order: Order) -> None:
        """An order is over, or was refused."""
        for orders in (self._waiting, self._called_off, self._to_blame):
            orders.pop(id(order), None)
