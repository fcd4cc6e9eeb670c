"""The feature profiles of OCPP 1.6 §3.2, and which requests of the CSMS belong to them."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from cp_image.core import csms_messages
from cp_image.core.desk import Handler


class FeatureProfile(StrEnum):
    """As SupportedFeatureProfiles spells them (§9.1)."""

    CORE = "Core"
    FIRMWARE_MANAGEMENT = "FirmwareManagement"
    LOCAL_AUTH_LIST_MANAGEMENT = "LocalAuthListManagement"
    RESERVATION = "Reservation"
    SMART_CHARGING = "SmartCharging"
    REMOTE_TRIGGER = "RemoteTrigger"


_PROFILES: Final[Mapping[type[Any], FeatureProfile]] = MappingProxyType(
    {
        csms_messages.GetDiagnostics: FeatureProfile.FIRMWARE_MANAGEMENT,
        csms_messages.UpdateFirmware: FeatureProfile.FIRMWARE_MANAGEMENT,
        csms_messages.CancelReservation: FeatureProfile.RESERVATION,
        csms_messages.ReserveNow: FeatureProfile.RESERVATION,
        csms_messages.ClearChargingProfile: FeatureProfile.SMART_CHARGING,
        csms_messages.GetCompositeSchedule: FeatureProfile.SMART_CHARGING,
        csms_messages.SetChargingProfile: FeatureProfile.SMART_CHARGING,
        csms_messages.TriggerMessage: FeatureProfile.REMOTE_TRIGGER,
    }
)
"""Whatever is not here is always there: Core, what the Security Whitepaper adds, and the local
list, whose answers have words of their own for not being supported (§7.48, §5.10)."""


def supported(
    handlers: Mapping[type[Any], Handler], profiles: Collection[str]
) -> dict[type[Any], Handler]:
    """Return those of the handlers that belong to one of the profiles, or to none."""
    return {
        request: handler
        for request, handler in handlers.items()
        if request not in _PROFILES or _PROFILES[request] in profiles
    }
