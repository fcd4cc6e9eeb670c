"""What a charge point asks: the shape of the tables of the feature profiles."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from cp_image.api.value import Value
from cp_image.core import messages
from cp_image.dialects.ocpp16.actions import Action

RequestT = TypeVar("RequestT")
Payload = Mapping[str, Any]


class OutgoingAction(Value, Generic[RequestT]):
    """A request of the charge point.

    Attributes:
        action: its name on the wire.
        to_call: makes the payload of the core's request.
        to_answer: makes the core's answer of a payload that the schema allows; it may raise
            `conversions.ValueRefusedError`.
        salvage: makes it of any payload, where that holds what matters too much to be lost; None
            where it does not.
    """

    action: Action
    to_call: Callable[[RequestT], dict[str, Any]]
    to_answer: Callable[[Payload], messages.Answer]
    salvage: Callable[[object], messages.Answer | None] = lambda _payload: None


def empty_answer(_payload: Payload) -> messages.EmptyAnswer:
    """Return the answer that says nothing."""
    return messages.EmptyAnswer()
