"""Tells an orderly end from a power cut, in the next life."""

from collections.abc import Mapping
from typing import Final

from cp_image.api.payloads import StopReason
from cp_image.core.outbox import Outbox

_KEY: Final = "stopped-in-order"


def note(outbox: Outbox) -> None:
    """Keep that this life ends in order."""
    outbox.keep(_KEY, True)


def reason_of_the_gap(stored: Mapping[str, bytes], outbox: Outbox) -> StopReason:
    """Return why a transaction that the former life has left open stops (OCPP 1.6 §7.36).

    What was noted of that end is forgotten: the next one may be another.
    """
    if outbox.recall(stored, _KEY, bool) is None:
        return StopReason.POWER_LOSS
    outbox.forget(_KEY)
    return StopReason.REBOOT
