"""Faults: a set beside the state of a connector, and the error code they are reported with."""

from collections.abc import Set as AbstractSet
from enum import StrEnum


class Fault(StrEnum):
    """Why something is Faulted; each is set and cleared on its own."""

    INJECTED = "injected"
    """through the connector's own input"""
    CHARGE_POINT = "charge point"
    """the whole charge point is faulted"""


class ErrorCode(StrEnum):
    """OCPP 1.6 §7.6 ChargePointErrorCode, those that are reported."""

    NO_ERROR = "NoError"
    INTERNAL_ERROR = "InternalError"


def error_code(faults: AbstractSet[Fault]) -> ErrorCode:
    """Return what a StatusNotification says of these faults."""
    return ErrorCode.INTERNAL_ERROR if faults else ErrorCode.NO_ERROR
