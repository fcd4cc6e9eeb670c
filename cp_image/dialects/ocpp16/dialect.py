"""OCPP 1.6J as the shell sees it."""

from collections.abc import Mapping
from typing import Any, Final, cast

from cp_image.core import messages
from cp_image.core.csms_messages import CsmsAnswer
from cp_image.core.events import CallAnswered, CallFailed, CsmsAsked
from cp_image.dialects.dialect import Heard, Ignored, Incoming, Reply
from cp_image.dialects.ocpp16 import (
    core_profile,
    core_requests,
    firmware_management,
    local_auth_list,
    remote_trigger,
    reservation,
    security,
    smart_charging,
)
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.conversions import ValueRefusedError
from cp_image.dialects.ocpp16.frames import (
    BrokenFrame,
    CallErrorCode,
    CallFrame,
    ErrorFrame,
    MessageType,
    ResultFrame,
    decode,
    encode_call,
    encode_call_error,
    encode_call_result,
)
from cp_image.dialects.ocpp16.incoming import ToRequest, ToResult, examine
from cp_image.dialects.ocpp16.outgoing import OutgoingAction
from cp_image.dialects.ocpp16.validation import Direction, Violation, find_violation

SUBPROTOCOL: Final = "ocpp1.6"

_OUTGOING: Final[Mapping[type[Any], OutgoingAction[Any]]] = {
    **core_profile.OUTGOING,
    **firmware_management.OUTGOING,
    **security.OUTGOING,
}
_INCOMING: Final[Mapping[Action, ToRequest]] = {
    **core_requests.INCOMING,
    **firmware_management.INCOMING,
    **local_auth_list.INCOMING,
    **remote_trigger.INCOMING,
    **reservation.INCOMING,
    **security.INCOMING,
    **smart_charging.INCOMING,
}
_ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    **core_requests.ANSWERS,
    **firmware_management.ANSWERS,
    **local_auth_list.ANSWERS,
    **remote_trigger.ANSWERS,
    **reservation.ANSWERS,
    **security.ANSWERS,
    **smart_charging.ANSWERS,
}
"""A feature profile adds its tables to these three."""

_UNSUPPORTED: Final = Violation(
    code=CallErrorCode.NOT_SUPPORTED, description="this charge point does not support it"
)

_VALID: Final = frozenset({CallErrorCode.NOT_IMPLEMENTED, CallErrorCode.NOT_SUPPORTED})
"""With these a message is refused that is well made."""

_MOST_OPEN_CALLS: Final = 16
"""The core has one CALL open; those it gave up waiting for are remembered for a late answer."""


class Ocpp16:
    """Speaks OCPP 1.6J on one connection: it remembers which requests have no answer yet."""

    def __init__(self) -> None:
        self._open: dict[str, OutgoingAction[Any]] = {}

    @property
    def subprotocol(self) -> str:
        """See `Dialect`."""
        return SUBPROTOCOL

    @property
    def open_calls(self) -> int:
        """See `Dialect`."""
        return len(self._open)

    def encode(self, message_id: str, request: messages.Request) -> str:
        """See `Dialect`."""
        outgoing = _OUTGOING[type(request)]
        payload = outgoing.to_call(request)
        if len(self._open) >= _MOST_OPEN_CALLS:
            del self._open[next(iter(self._open))]
        self._open[message_id] = outgoing
        return encode_call(message_id, outgoing.action, payload)

    def connection_lost(self) -> None:
        """See `Dialect`."""
        self._open.clear()

    def decode(self, frame: str) -> Incoming:
        """See `Dialect`."""
        match decode(frame):
            case CallFrame() as call_frame:
                return self._call(call_frame)
            case ResultFrame() as result_frame:
                return self._result(result_frame)
            case ErrorFrame() as error_frame:
                return self._error(error_frame)
            case BrokenFrame() as broken_frame:
                return self._broken(broken_frame)

    def encode_answer(self, message_id: str, answer: CsmsAnswer) -> str:
        """See `Dialect`."""
        return encode_call_result(message_id, _ANSWERS[type(answer)](answer))

    def encode_refusal(self, message_id: str) -> str:
        """See `Dialect`."""
        return encode_call_error(message_id, _UNSUPPORTED.code, _UNSUPPORTED.description)

    def _call(self, frame: CallFrame) -> Incoming:
        asked = examine(frame)
        if isinstance(asked, Violation):
            return _refused(frame, asked)
        to_request = _INCOMING.get(asked.action)
        if to_request is None:
            return _refused(frame, _UNSUPPORTED)
        try:
            request = to_request(asked.payload)
        except ValueRefusedError as exc:
            return _refused(frame, Violation(code=exc.code, description=str(exc)))
        return Heard(event=CsmsAsked(message_id=frame.message_id, request=request))

    def _result(self, frame: ResultFrame) -> Incoming:
        outgoing = self._open.pop(frame.message_id, None)
        if outgoing is None:
            return Ignored(reason=f"an answer to nothing: {frame.message_id!r}")
        violation = find_violation(Direction.ANSWER, outgoing.action, frame.payload)
        if violation is not None:
            return _invalid(frame, outgoing, violation)
        payload = cast("dict[str, Any]", frame.payload)  # as every schema demands
        try:
            answer = outgoing.to_answer(payload)
        except ValueRefusedError as exc:
            return _invalid(frame, outgoing, Violation(code=exc.code, description=str(exc)))
        return Heard(event=CallAnswered(message_id=frame.message_id, answer=answer))

    def _error(self, frame: ErrorFrame) -> Incoming:
        outgoing = self._open.pop(frame.message_id, None)
        if outgoing is None:
            return Ignored(reason=f"a CALLERROR to nothing: {frame.message_id!r}")
        return _failed(
            frame.message_id, frame.error_code or CallErrorCode.GENERIC_ERROR, frame.description
        )

    def _broken(self, frame: BrokenFrame) -> Incoming:
        message_id = frame.message_id
        if message_id is None:
            return Ignored(reason=frame.reason, complaint=frame.reason)
        if frame.message_type == MessageType.CALL:
            code = CallErrorCode.FORMATION_VIOLATION
            return Reply(
                frame=encode_call_error(message_id, code, frame.reason),
                note=f"broken CALL {message_id!r} refused: {frame.reason}",
                complaint=f"a broken CALL: {frame.reason}",
            )
        outgoing = self._open.pop(message_id, None)
        if outgoing is None:
            return Ignored(reason=frame.reason, complaint=frame.reason)
        why = f"the answer to {outgoing.action} is invalid: {frame.reason}"
        return _failed(message_id, CallErrorCode.FORMATION_VIOLATION, why, complaint=why)


def _refused(frame: CallFrame, violation: Violation) -> Reply:
    note = f"{frame.action[:50]} refused: {violation.code}, {violation.description[:255]}"
    return Reply(
        frame=encode_call_error(frame.message_id, violation.code, violation.description),
        note=note,
        complaint="" if violation.code in _VALID else note,
    )


def _invalid(frame: ResultFrame, outgoing: OutgoingAction[Any], violation: Violation) -> Heard:
    why = f"the answer to {outgoing.action} is invalid: {violation.description[:255]}"
    answer = outgoing.salvage(frame.payload)
    if answer is None:
        return _failed(frame.message_id, violation.code, why, complaint=why)
    return Heard(
        event=CallAnswered(message_id=frame.message_id, answer=answer),
        complaint=f"{why}; it is obeyed as {answer}",
    )


def _failed(message_id: str, error_code: str, description: str, complaint: str = "") -> Heard:
    return Heard(
        event=CallFailed(message_id=message_id, error_code=error_code, description=description),
        complaint=complaint,
    )
