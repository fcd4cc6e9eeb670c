"""From the bytes on ``launcher/cmd`` to orders, one per charge point. Pure."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from launcher import fleet
from launcher.api import Command, CommandType, ErrorCode, Specification
from launcher.fleet import NOT_JSON, EntryError

_REQUEST_ID_CHARACTERS: Final = 128  # as in RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to do with one charge point.

    Attributes:
        specification: always there for `start`; for `restart` None means: as it was.
    """

    type: CommandType
    charge_point_id: str
    specification: Specification | None = None


class CommandError(ValueError):
    """A command as a whole cannot be read; the text says why.

    Attributes:
        request_id: None where none could be read.
        type: None where none could be read.
    """

    def __init__(self, text: str, *, request_id: str | None, type_: CommandType | None) -> None:
        super().__init__(text)
        self.request_id = request_id
        self.type = type_


def read_command(payload: bytes) -> Command:
    """Decode a command; its entries stay raw.

    Raises:
        CommandError: not JSON, an unknown type, or no entries where some are needed.
    """
    try:
        command = msgspec.json.decode(payload, type=Command)
    except NOT_JSON as exc:
        request_id, type_ = _salvage(payload)
        raise CommandError(_explain(exc), request_id=request_id, type_=type_) from exc
    if command.type is not CommandType.CLOSE and not command.charge_points:
        raise CommandError(
            f"charge_points is missing or empty: {command.type} needs at least one entry",
            request_id=command.request_id,
            type_=command.type,
        )
    return command


def read_orders(command: Command) -> list[Order | EntryError]:
    """Decode the entries of a command one by one: a faulty one does not stop the others.

    Returns:
        An order or the reason for its refusal per entry, in the order of the entries.
    """
    seen: set[str] = set()
    orders: list[Order | EntryError] = []
    for entry in command.charge_points:
        try:
            order = _read_order(command, entry)
        except EntryError as exc:
            orders.append(exc)
            continue
        if order.charge_point_id in seen:
            orders.append(
                EntryError(
                    fleet.duplicate(order.charge_point_id),
                    charge_point_id=order.charge_point_id,
                    code=ErrorCode.DUPLICATE,
                )
            )
            continue
        seen.add(order.charge_point_id)
        orders.append(order)
    return orders


def _read_order(command: Command, entry: msgspec.Raw) -> Order:
    type_ = command.type
    full = type_ is CommandType.START or (
        type_ is CommandType.RESTART and not fleet.only_names(entry)
    )
    if not full:
        return Order(type=type_, charge_point_id=fleet.read_id(entry))
    specification = fleet.read_specification(fleet.with_defaults(entry, command.defaults))
    return Order(type=type_, charge_point_id=specification.id, specification=specification)


def _salvage(payload: bytes) -> tuple[str | None, CommandType | None]:
    """Return request id and type where at least they can be read, so that the asker is answered."""
    try:
        raw: Any = msgspec.json.decode(payload)
    except NOT_JSON:
        return None, None
    if not isinstance(raw, dict):
        return None, None
    request_id, type_ = raw.get("request_id"), raw.get("type")
    if not (isinstance(request_id, str) and 0 < len(request_id) <= _REQUEST_ID_CHARACTERS):
        request_id = None
    known = {command_type.value: command_type for command_type in CommandType}
    return request_id, known.get(type_) if isinstance(type_, str) else None


def _explain(error: Exception) -> str:
    text = f"the command cannot be read: {error}"
    if "enum value" in text:
        text += f" (known: {', '.join(CommandType)})"
    return text
