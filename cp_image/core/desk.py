"""Answers what the CSMS asks: a table from the kind of request to what handles it."""

from collections.abc import Callable, Mapping
from typing import Any

from cp_image.api.value import Value
from cp_image.core.csms_messages import CsmsAnswer
from cp_image.core.effects import RefuseCall, SendAnswer
from cp_image.core.events import CsmsAsked
from cp_image.core.outbox import Outbox


class Reply(Value):
    """What a handler decides.

    Attributes:
        answer: leaves first.
        then: what the request causes; called with `now` after the answer has left.
    """

    answer: CsmsAnswer
    then: Callable[[float], None] | None = None


Handler = Callable[[Any, float], Reply]
"""Takes a request and `now`. What it does to the station itself it does in `Reply.then`."""


class Desk:
    """Takes in the requests of the CSMS.

    Args:
        handlers: of every feature profile together; a request without one is not supported.
    """

    def __init__(self, handlers: Mapping[type[Any], Handler], outbox: Outbox) -> None:
        self._handlers = dict(handlers)
        self._outbox = outbox

    def asked(self, event: CsmsAsked, now: float) -> None:
        """Answer a request, then do what it causes."""
        handler = self._handlers.get(type(event.request))
        if handler is None:
            self._outbox.put(RefuseCall(message_id=event.message_id))
            return
        reply = handler(event.request, now)
        self._outbox.put(SendAnswer(message_id=event.message_id, answer=reply.answer))
        if reply.then is not None:
            reply.then(now)
