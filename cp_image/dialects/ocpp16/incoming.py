"""What a CSMS asks: a table per feature profile, and why a request is refused."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cp_image.api.value import Value
from cp_image.core.csms_messages import CsmsRequest
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.frames import CallErrorCode, CallFrame
from cp_image.dialects.ocpp16.validation import Direction, Violation, find_violation

Payload = Mapping[str, Any]

ToRequest = Callable[[Payload], CsmsRequest]
"""Makes the core's request of a payload that the schema allows; it may raise
`conversions.ValueRefusedError`."""

ToResult = Callable[[Any], dict[str, Any]]
"""Makes the payload of the core's answer."""

TO_CSMS_ONLY: Final = frozenset(
    {
        Action.AUTHORIZE,
        Action.BOOT_NOTIFICATION,
        Action.DIAGNOSTICS_STATUS_NOTIFICATION,
        Action.FIRMWARE_STATUS_NOTIFICATION,
        Action.HEARTBEAT,
        Action.LOG_STATUS_NOTIFICATION,
        Action.METER_VALUES,
        Action.SECURITY_EVENT_NOTIFICATION,
        Action.SIGN_CERTIFICATE,
        Action.SIGNED_FIRMWARE_STATUS_NOTIFICATION,
        Action.START_TRANSACTION,
        Action.STATUS_NOTIFICATION,
        Action.STOP_TRANSACTION,
    }
)
"""Actions that only a CSMS answers (OCPP 1.6 §4)."""


class Asked(Value):
    """A request whose payload the schema allows."""

    action: Action
    payload: Payload


def examine(frame: CallFrame) -> Asked | Violation:
    """Return a request that can be read, or why it cannot be obeyed.

    The action is looked at first, then the payload, so that a CSMS developer hears of a wrong
    payload even where the action is not simulated.
    """
    try:
        action = Action(frame.action)
    except ValueError:
        return Violation(
            code=CallErrorCode.NOT_IMPLEMENTED,
            description=f"OCPP 1.6 has no action {frame.action[:50]!r}",
        )
    if action in TO_CSMS_ONLY:
        return Violation(
            code=CallErrorCode.NOT_SUPPORTED,
            description=f"{action} goes from the charge point to the CSMS",
        )
    violation = find_violation(Direction.REQUEST, action, frame.payload)
    if violation is not None or not isinstance(frame.payload, dict):
        return violation or Violation(
            code=CallErrorCode.FORMATION_VIOLATION, description="the payload is not an object"
        )
    return Asked(action=action, payload=frame.payload)
