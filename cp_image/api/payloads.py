"""Every MQTT payload of a charge point, as msgspec structs (JSON, UTF-8, compact).

The fields open-ocpp-simu sends and reads keep their names, types and meanings; what cp-simu adds
stands after them and has a default, so that a message of either program decodes. Unknown fields
are ignored.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

CHARGE_POINT_ID_PATTERN: Final = r"\A(?!\.+\Z)[A-Za-z0-9_.\-]{1,48}\Z"
"""What OCPP, an MQTT topic level, a URL path and a container name can all carry."""
CHARGE_POINT_ID_RULE: Final = "an id is 1 to 48 characters of A-Z a-z 0-9 _ . -, not dots alone"

ChargePointId = Annotated[str, Meta(pattern=CHARGE_POINT_ID_PATTERN)]
NonNegative = Annotated[float, Meta(ge=0, le=1e9)]
Percent = Annotated[float, Meta(ge=0, le=100)]
BatteryCapacity = Annotated[float, Meta(ge=100, le=1e7)]
BatteryPower = Annotated[float, Meta(ge=0, le=1e7)]
CarPhases = Annotated[int, Meta(ge=1, le=3)]
IdTag = Annotated[str, Meta(min_length=1, max_length=20)]
"""OCPP 1.6 §7.29: IdToken is a CiString20Type."""
Text20 = Annotated[str, Meta(min_length=1, max_length=20)]
"""Vendor and model: OCPP 1.6 §6.9, CiString20Type."""
Text25 = Annotated[str, Meta(max_length=25)]
"""Serial number: OCPP 1.6 §6.9, CiString25Type."""
NbConnectors = Annotated[int, Meta(ge=1, le=100)]
NbPhases = Annotated[int, Meta(ge=1, le=3)]
Voltage = Annotated[float, Meta(gt=0, le=10_000)]
Frequency = Annotated[float, Meta(gt=0, le=1000)]
ClockRate = Annotated[float, Meta(ge=0.001, le=10_000)]
"""Simulated seconds per second."""
Instant = Annotated[datetime, Meta(tz=True)]
KeyName = Annotated[str, Meta(min_length=1, max_length=50)]
KeyText = Annotated[str, Meta(max_length=500)]
"""OCPP 1.6 §7.29: name and value of a configuration key."""
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


class ErrorCode(StrEnum):
    """OCPP 1.6 §7.6 ChargePointErrorCode."""

    CONNECTOR_LOCK_FAILURE = "ConnectorLockFailure"
    EV_COMMUNICATION_ERROR = "EVCommunicationError"
    GROUND_FAILURE = "GroundFailure"
    HIGH_TEMPERATURE = "HighTemperature"
    INTERNAL_ERROR = "InternalError"
    LOCAL_LIST_CONFLICT = "LocalListConflict"
    NO_ERROR = "NoError"
    OTHER_ERROR = "OtherError"
    OVER_CURRENT_FAILURE = "OverCurrentFailure"
    OVER_VOLTAGE = "OverVoltage"
    POWER_METER_FAILURE = "PowerMeterFailure"
    POWER_SWITCH_FAILURE = "PowerSwitchFailure"
    READER_FAILURE = "ReaderFailure"
    RESET_FAILURE = "ResetFailure"
    UNDER_VOLTAGE = "UnderVoltage"
    WEAK_SIGNAL = "WeakSignal"


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
        clock_rate: how many times as fast as real time its clock, and so its energy, runs.
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
    clock_rate: float = 1.0
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
        metered_at: epoch seconds, by the computer's clock, at which both stood so; since then
            `power_w` has been flowing, for a change of it is published at once.
        error_code: OCPP 1.6 §7.6 ChargePointErrorCode.
        soc_pct: state of charge of the plugged car at `metered_at`; None where it has no battery.
            A change of it alone is no news: like the register it moves all the time, and
            by what `power_w` is of `battery_wh`.
        battery_wh: what that car's battery holds when it is full; None where it has none.
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
    soc_pct: float | None = None
    battery_wh: float | None = None


class CommandType(StrEnum):
    """The `type` of ``cps/ID/cmd``."""

    CLOSE = "close"
    """end the process in order"""
    OCPP_CONFIG = "ocpp_config"
    """publish ``cps/ID/ocpp_config``"""
    DATA_TRANSFER = "data_transfer"
    """send DataTransfer to the CSMS; its answer comes as `DataTransferAnswered`"""
    CONFIGURE = "configure"
    """give a configuration key another value, as somebody who stands at the charge point"""
    SECURITY_EVENT = "security_event"
    """let a security event of the OCPP 1.6 Security Whitepaper happen"""
    TRACE = "trace"
    """publish OCPP frames as ``cps/ID/frames`` for a while, the newest ones at once"""


class ChargePointCommand(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/cmd``.

    Attributes:
        vendor_id: of `data_transfer`, which demands it; likewise `message_id` and `data`, which
            it does not (OCPP 1.6 §4.3).
        key: of `configure`, which demands it and `value`.
        name: of the event of `security_event`, which demands it, as the Whitepaper has it.
        tech_info: of `security_event`, for people; it may be left out.
        for_s: of `trace`: for how many seconds, by the computer's clock, each frame is published
            from now on. Of several the longest holds; 0 ends it for everybody; None leaves it as
            it is.
        last: of `trace`: how many of the newest frames are published again before the answer, as
            far as the charge point has kept them.
    """

    type: CommandType
    request_id: RequestId | None = None
    vendor_id: Annotated[str, Meta(max_length=255)] | None = None
    message_id: Annotated[str, Meta(max_length=50)] | None = None
    data: str | None = None
    key: KeyName | None = None
    value: KeyText | None = None
    name: KeyName | None = None
    tech_info: Annotated[str, Meta(max_length=255)] | None = None
    for_s: Annotated[float, Meta(ge=0, le=86_400)] | None = None
    last: Annotated[int, Meta(ge=0, le=100_000)] | None = None


class CarInput(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/connectors/N/car``: any subset; a missing field is unchanged.

    Attributes:
        cable: rating of the plugged cable, A for AC and W for DC; 0 is unplugged.
        ready: whether the car wants energy.
        consumption_l1: what the car asks for on the phase, A for AC and W for DC; likewise l2, l3.
            It takes the battery away, if there was one: the car asks for just this.
        battery_wh: gives the car a battery of this capacity, which decides what it asks for.
        soc_pct: its state of charge; 20 at first.
        max_power_w: what it takes until the taper begins; twice its capacity in an hour at first.
        max_current_a: what its AC charger takes on each phase; 16 at first.
        nb_phases: on how many phases its AC charger works; 3 at first.
        taper_from_pct: state of charge from which it takes less and less; 80 at first.
    """

    cable: NonNegative | UnsetType = UNSET
    ready: bool | UnsetType = UNSET
    consumption_l1: NonNegative | UnsetType = UNSET
    consumption_l2: NonNegative | UnsetType = UNSET
    consumption_l3: NonNegative | UnsetType = UNSET
    battery_wh: BatteryCapacity | UnsetType = UNSET
    soc_pct: Percent | UnsetType = UNSET
    max_power_w: BatteryPower | UnsetType = UNSET
    max_current_a: NonNegative | UnsetType = UNSET
    nb_phases: CarPhases | UnsetType = UNSET
    taper_from_pct: Percent | UnsetType = UNSET
    request_id: RequestId | None = None

    def __post_init__(self) -> None:
        """Refuse a car with two minds.

        Raises:
            ValueError: it is to have a battery and raw consumption.
        """
        if self.speaks_of_battery and self.speaks_of_consumption:
            raise ValueError("a car has a battery or raw consumption_l1 to l3, not both")

    @property
    def speaks_of_consumption(self) -> bool:
        """Whether raw consumption is said of any phase."""
        raw = (self.consumption_l1, self.consumption_l2, self.consumption_l3)
        return any(each is not UNSET for each in raw)

    @property
    def speaks_of_battery(self) -> bool:
        """Whether anything is said of a battery."""
        said = (
            self.battery_wh,
            self.soc_pct,
            self.max_power_w,
            self.max_current_a,
            self.nb_phases,
            self.taper_from_pct,
        )
        return any(each is not UNSET for each in said)


class IdTagInput(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/connectors/N/id_tag``: a tag is held to the reader."""

    id: IdTag
    request_id: RequestId | None = None


class FaultedInput(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/connectors/N/faulted``: a level, not an edge.

    Attributes:
        error_code: which fault it is; each is set and cleared on its own. None sets
            InternalError, and clears all of them.
        emergency: somebody has hit the emergency stop: the transaction that the fault stops is
            stopped with the reason EmergencyStop instead of Other.
    """

    faulted: bool
    error_code: ErrorCode | None = None
    request_id: RequestId | None = None
    emergency: bool = False

    def __post_init__(self) -> None:
        """Refuse a fault that is none.

        Raises:
            ValueError: the error code is NoError, or an emergency clears a fault.
        """
        if self.emergency and not self.faulted:
            raise ValueError("emergency is said of a fault that is set, not of one that is cleared")
        if self.error_code is ErrorCode.NO_ERROR:
            raise ValueError("error_code NoError is no fault: clear one with its own code")


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
    NOT_ALLOWED = "not_allowed"
    """it never is: a configuration key that does not exist, is read-only or refuses the value"""
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


class TagRefusal(StrEnum):
    """Why a tag was refused; the first four are OCPP 1.6 §7.2 AuthorizationStatus."""

    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"
    CSMS_SILENT = "csms_silent"
    """the CSMS could not be asked or did not answer, and nothing here vouches for the tag"""
    RESERVED = "reserved"
    """the connector is kept for another tag"""
    OTHER_GROUP = "other_group"
    """it is good, but not of the group of the tag whose transaction it was to stop"""
    TOO_LATE = "too_late"
    """it was accepted when the connector could no longer take it"""


class TagRefused(Struct, frozen=True, kw_only=True, tag_field="event", tag="tag_refused"):
    """A tag may not start or stop, or no longer: its transaction was refused by the CSMS.

    Attributes:
        at: epoch seconds.
        text: for people.
    """

    at: float
    connector_id: int
    id_tag: str
    why: TagRefusal
    text: str


class DataTransferOutcome(StrEnum):
    """OCPP 1.6 DataTransferStatus, and what became of a request without an answer."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN_MESSAGE_ID = "UnknownMessageId"
    UNKNOWN_VENDOR_ID = "UnknownVendorId"
    FAILED = "Failed"
    """a CALLERROR, no answer in time, or the connection was lost"""


class DataTransferAnswered(
    Struct, frozen=True, kw_only=True, tag_field="event", tag="data_transfer_answered"
):
    """What came of the command `data_transfer`.

    Attributes:
        data: as the CSMS answered; None where it gave none.
        request_id: of the command; None where it had none.
    """

    at: float
    vendor_id: str
    message_id: str | None
    status: DataTransferOutcome
    data: str | None
    request_id: str | None


Event = InputRefused | TagRefused | TransactionStarted | TransactionStopped | DataTransferAnswered
"""``cps/ID/event``: tagged by the field `event`."""


class FrameDirection(StrEnum):
    """Which way a frame went, seen from the charge point."""

    SENT = "sent"
    RECEIVED = "received"


class Frame(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cps/ID/frames``: an OCPP frame, published while somebody has asked for it by `trace`.

    Attributes:
        n: counts the frames of a process from 1 without gaps, so that a reader sees what it
            missed and what it has already.
        started_at: epoch seconds, by the computer's clock: when that process began. Where it is
            another, `n` counts anew.
        at: when the frame passed; epoch seconds by the clock of the charge point, as in events.
        message: the OCPP-J array; the text of the frame where that is no JSON or too long.
            AuthorizationKeys and the passwords in URLs are starred out.
        action: of the call, also for the answer to it; empty where it is not known.
        connection: counts the connections to the CSMS of a process from 1.
        length: characters of the whole frame where `message` is only its beginning; None where
            it is all of it.
        replayed_for: of a frame that `trace` has published again: its `request_id`, empty where
            it had none; None for one that is published as it passes.
    """

    n: int
    started_at: float
    at: float
    direction: FrameDirection
    message: Any
    action: str
    connection: int
    length: int | None = None
    replayed_for: str | None = None


def encode(payload: Struct) -> bytes:
    """Return the compact JSON of a payload."""
    return msgspec.json.encode(payload)
