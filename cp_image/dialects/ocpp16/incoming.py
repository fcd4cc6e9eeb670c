"""What a charge point does with the requests of a CSMS: each is answered, none is obeyed yet."""

from typing import Final

from ocpp.v16.enums import Action

from cp_image.dialects.ocpp16.frames import CallErrorCode, CallFrame
from cp_image.dialects.ocpp16.validation import Direction, Violation, find_violation

TO_CSMS_ONLY: Final = frozenset(
    {
        Action.authorize,
        Action.boot_notification,
        Action.diagnostics_status_notification,
        Action.firmware_status_notification,
        Action.heartbeat,
        Action.log_status_notification,
        Action.meter_values,
        Action.security_event_notification,
        Action.sign_certificate,
        Action.signed_firmware_status_notification,
        Action.start_transaction,
        Action.status_notification,
        Action.stop_transaction,
    }
)
"""Actions that only a CSMS answers (OCPP 1.6 §4)."""


def refuse(frame: CallFrame) -> Violation:
    """Return why a request cannot be obeyed.

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
    if violation is not None:
        return violation
    return Violation(
        code=CallErrorCode.NOT_SUPPORTED,
        description=f"this charge point does not support {action}",
    )
