"""Every MQTT payload of a charge point, as msgspec structs (JSON, UTF-8, compact).

The fields open-ocpp-simu sends and reads keep their names, types and meanings; what cp-simu adds
stands after them and has a default, so that a message of either program decodes. Unknown fields
are ignored.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

CHARGE_POINT_ID_PATTERN: Final = r"\A[A-Za-z0-9_.\-]{1,48}\Z"
"""What OCPP, an MQTT topic level and a container name can all carry."""

ChargePointId = Annotated[str, Meta(pattern=CHARGE_POINT_ID_PATTERN)]
NonNegative = Annotated[float, Meta(ge=0, le=1e9)]
IdTag = Annotated[str, Meta(min_length=1, max_length=20)]
"""OCPP 1.6 §7.29: IdToken is a CiString20Type."""
RequestId = Annotated[str, Meta(min_length=1, max_length=128)]


class ChargePointType(StrEnum):
    """What a charge point delivers: setpoints are amperes for AC and watts for DC."""

    AC = "AC"
    DC = "DC"


class ChargePointState(StrEnum):
    """The `status` of ``cps/ID/status``."""

    DISCONNECTED = "Disconnected"
    """no WebSocket to the CSMS"""
    REJECTED = "Rejected"
    """connected, BootNotification not accepted"""
    PENDING = "Pending"
    ACCEPTED = "Accepted"
    DEAD = "Dead"
    """no process: the will, or an orderly end"""


class ConnectorState(StrEnum):
    """OCPP 1.6 §7.7 ChargePointStatus of one connector."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class StopReason(StrEnum):
    """OCPP 1.6 §7.36 Reason of a StopTransaction."""

    DE_AUTHORIZED = "DeAuthorized"
    EMERGENCY_STOP = "EmergencyStop"
    EV_DISCONNECTED = "EVDisconnected"
    HARD_RESET = "HardReset"
    LOCAL = "Local"
    OTHER = "Other"
    POWER_LOSS = "PowerLoss"
    REBOOT = "Reboot"
    REMOTE = "Remote"
    SOFT_RESET = "SoftReset"
    UNLOCK_COMMAND = "UnlockCommand"


class ChargePointStatus(Struct, frozen=True, kw_only=True):
    """``cps/ID/status``, retained, and the will (then `status` is Dead).

    Attributes:
        pid: of the charge point's process, in its own container.
        max_setpoint: of the whole charge point; A for AC, W for DC.
        central_system: the CSMS URL as the user gave it, without the charge point id.
        voltage: phase to neutral for AC, V.
        container: name of the container; empty for a bare process.
        reason: why the status is what it is, for people; empty when there is nothing to say.
    """

    pid: int
    status: ChargePointState
    vendor: str
    model: str
    serial: str
    nb_phases: int
    max_setpoint: float
    central_system: str
    type: ChargePointType
    voltage: float
    nb_connectors: int = 0
    container: str = ""
    reason: str = ""


class ConnectorStatus(Struct, frozen=True, kw_only=True):
    """``cps/ID/connectors/N/status``, retained. Setpoints: A for AC, W for DC.

    Attributes:
        id_tag: the tag of the session; empty without one.
        max_setpoint: what the connector can do.
        ocpp_setpoint: min(max_setpoint, smart charging).
        setpoint: min(ocpp_setpoint, cable), shared down to the charge point's limit, floored.
        car_consumption_l1: what the car asks for on the phase; likewise l2, l3.
        car_cable_capacity: rating of the cable; 0 is unplugged.
        consumption_l1: what is drawn: min(car_consumption_l1, setpoint) while Charging, else 0.
        transaction_id: as the CSMS gave it; None without a transaction or until it is known.
        power_w: drawn active power.
        register_wh: the meter's import register; it never falls.
        session_wh: energy of the running transaction.
        metered_at: epoch seconds at which both stood so; since then `power_w` has been flowing,
            for a change of it is published at once.
        error_code: OCPP 1.6 §7.6 ChargePointErrorCode.
    """

    status: ConnectorState
    id_tag: str
    max_setpoint: float
    ocpp_setpoint: float
    setpoint: float
    car_consumption_l1: float
    car_consumption_l2: float
    car_consumption_l3: float
    car_cable_capacity: float
    car_ready: bool
    consumption_l1: float
    consumption_l2: float
    consumption_l3: float
    transaction_id: int | None = None
    power_w: float = 0.0
    register_wh: float = 0.0
    session_wh: float = 0.0
    metered_at: float = 0.0
    error_code: str = "NoError"


class CommandType(StrEnum):
    """The `type` of ``cps/ID/cmd``."""

    CLOSE = "close"
    """end the process in order"""
    OCPP_CONFIG = "ocpp_config"
    """publish ``cps/ID/ocpp_config``"""


class ChargePointCommand(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/cmd``."""

    type: CommandType
    request_id: RequestId | None = None


class CarInput(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/connectors/N/car``: any subset; a missing field is unchanged.

    Attributes:
        cable: rating of the plugged cable, A for AC and W for DC; 0 is unplugged.
        ready: whether the car wants energy.
        consumption_l1: what the car asks for on the phase, A for AC and W for DC; likewise l2, l3.
    """

    cable: NonNegative | UnsetType = UNSET
    ready: bool | UnsetType = UNSET
    consumption_l1: NonNegative | UnsetType = UNSET
    consumption_l2: NonNegative | UnsetType = UNSET
    consumption_l3: NonNegative | UnsetType = UNSET
    request_id: RequestId | None = None


class IdTagInput(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/connectors/N/id_tag``: a tag is held to the reader."""

    id: IdTag
    request_id: RequestId | None = None


class FaultedInput(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/connectors/N/faulted``: a level, not an edge."""

    faulted: bool
    request_id: RequestId | None = None


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/result``: the answer to an input or command that carried a request id.

    Attributes:
        ok: whether the input was taken.
        code: for programs, see `launcher.api.ErrorCode` and `InputErrorCode`; empty when ok.
        text: for people: the thing, the value and the rule; empty when ok.
    """

    request_id: str
    ok: bool
    code: str = ""
    text: str = ""


class InputErrorCode(StrEnum):
    """Why a charge point refused an input."""

    MALFORMED = "malformed"
    """not JSON, or a field is missing, mistyped or out of range"""
    UNKNOWN_CONNECTOR = "unknown_connector"
    NOT_NOW = "not_now"
    """the state of the connector does not allow it"""
    UNKNOWN_TOPIC = "unknown_topic"


class InputRefused(Struct, frozen=True, kw_only=True, tag_field="event", tag="input_refused"):
    """An input was refused; nothing has changed. `at`: epoch seconds."""

    at: float
    topic: str
    code: InputErrorCode
    text: str


class TransactionStarted(
    Struct, frozen=True, kw_only=True, tag_field="event", tag="transaction_started"
):
    """The CSMS has given a transaction its id."""

    at: float
    connector_id: int
    id_tag: str
    transaction_id: int
    meter_start_wh: int


class TransactionStopped(
    Struct, frozen=True, kw_only=True, tag_field="event", tag="transaction_stopped"
):
    """A transaction has ended.

    Attributes:
        transaction_id: None where the CSMS never gave one.
    """

    at: float
    connector_id: int
    id_tag: str
    transaction_id: int | None
    meter_start_wh: int
    meter_stop_wh: int
    reason: StopReason


Event = InputRefused | TransactionStarted | TransactionStopped
"""``cps/ID/event``: tagged by the field `event`."""


def encode(payload: Struct) -> bytes:
    """Return the compact JSON of a payload."""
    return msgspec.json.encode(payload)
