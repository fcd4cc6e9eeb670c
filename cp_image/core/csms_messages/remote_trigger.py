"""The feature profile RemoteTrigger: OCPP 1.6 §5.17."""

from enum import StrEnum

from cp_image.api.value import Value


class MessageTrigger(StrEnum):
    """OCPP 1.6 §7.30."""

    BOOT_NOTIFICATION = "BootNotification"
    DIAGNOSTICS_STATUS_NOTIFICATION = "DiagnosticsStatusNotification"
    FIRMWARE_STATUS_NOTIFICATION = "FirmwareStatusNotification"
    HEARTBEAT = "Heartbeat"
    METER_VALUES = "MeterValues"
    STATUS_NOTIFICATION = "StatusNotification"


class TriggerMessageStatus(StrEnum):
    """OCPP 1.6 §7.46."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    NOT_IMPLEMENTED = "NotImplemented"


class TriggerMessage(Value):
    """OCPP 1.6 §5.17; `connector_id` None is all of them where it matters."""

    requested: MessageTrigger
    connector_id: int | None = None


class TriggerMessageAnswer(Value):
    """Answer to `TriggerMessage`."""

    status: TriggerMessageStatus
