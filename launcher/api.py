"""The published MQTT interface of the launcher: its topics and its payloads."""

from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from cp_image.api.payloads import (
    ChargePointId,
    ChargePointType,
    ClockRate,
    Instant,
    KeyName,
    KeyText,
    NbConnectors,
    NbPhases,
    NonNegative,
    RequestId,
    Text20,
    Text25,
    Voltage,
)
from cp_image.api.topics import Topic

LAUNCHER_STATUS: Final = Topic("launcher/status", retain=True)
LAUNCHER_CMD: Final = Topic("launcher/cmd", retain=False)
LAUNCHER_RESULT: Final = Topic("launcher/result", retain=False)
LAUNCHER_EVENT: Final = Topic("launcher/event", retain=False)

ENVIRONMENT_PATTERN: Final = r"\A[a-z0-9](?:[a-z0-9\-]{0,30}[a-z0-9])?\Z"
"""An environment is a DNS label: it names the network, containers, volumes and the topic root."""
DEFAULT_ENVIRONMENT: Final = "cp-simu"


def topic_root(environment: str) -> str:
    """Return the topic root of an environment: ``cp-simu`` speaks on ``cp_simu/``."""
    return environment.replace("-", "_")


class LauncherState(StrEnum):
    """The bare word on ``launcher/status``."""

    ALIVE = "Alive"
    DEAD = "Dead"


class CommandType(StrEnum):
    """The `type` of ``launcher/cmd``."""

    START = "start"
    """from a clean volume; an id that is alive is refused"""
    KILL = "kill"
    """power cut: SIGKILL, the volume stays"""
    RESTART = "restart"
    """power back, with the same volume; a living one is cut first"""
    REMOVE = "remove"
    """container, volume and every retained topic go"""
    CLOSE = "close"
    """the launcher ends; the charge points live on"""


class Specification(Struct, frozen=True, kw_only=True):
    """A charge point as it is asked for: an entry of `start` or of a set-up file.

    The order of the fields is that of open-ocpp-simu's set-up files. Vendor, model and serial are
    limited by OCPP 1.6 §6.9.

    Attributes:
        max_setpoint: limit of the whole charge point; A per phase for AC, W for DC.
        voltage: phase to neutral for AC, V.
        max_setpoint_per_connector: limit of each connector; A per phase for AC, W for DC.
        central_system: CSMS URL, ws:// or wss://, without the charge point id.
        configuration: OCPP configuration keys that differ from their defaults.
        clock_rate: how many times as fast as real time its clock runs.
        clock_start: what its clock shows when it first starts; None is now.
    """

    id: ChargePointId
    type: ChargePointType
    vendor: Text20 = "cp-simu"
    model: Text20 = "Simulated CP"
    serial: Text25 = ""
    nb_phases: NbPhases = 1
    nb_connectors: NbConnectors = 1
    max_setpoint: NonNegative = 32.0
    voltage: Voltage = 230.0
    max_setpoint_per_connector: NonNegative = 32.0
    central_system: str
    configuration: dict[KeyName, KeyText] = {}
    clock_rate: ClockRate = 1.0
    clock_start: Instant | None = None


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``launcher/cmd``.

    Attributes:
        charge_points: entries are decoded one by one, so that a bad one does not stop the others.
    """

    type: CommandType
    charge_points: list[msgspec.Raw] = []
    request_id: RequestId | None = None


class ErrorCode(StrEnum):
    """Why the launcher refused a command or an entry of it."""

    MALFORMED = "malformed"
    """not JSON, or a field is missing, mistyped or out of range"""
    UNKNOWN_CHARGE_POINT = "unknown_charge_point"
    ALIVE = "alive"
    """start of an id that is alive"""
    NOT_RUNNING = "not_running"
    """kill of one that is dead already"""
    DUPLICATE = "duplicate"
    """the same id twice in one command"""
    ENGINE = "engine"
    """the Docker engine refused or could not be reached"""
    CLOSING = "closing"
    """the launcher is ending and takes no more commands"""


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one charge point of a command.

    Attributes:
        id: empty where the entry was too broken to have one.
    """

    id: str
    ok: bool
    code: ErrorCode | None = None
    text: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """``launcher/result``: one for each command, when all of it is done.

    Attributes:
        request_id: of the command; None where it had none.
        type: of the command; None where it could not be read.
        ok: whether every entry succeeded.
        results: an outcome per entry, in the order of the command.
        code: set where the command as a whole was refused.
    """

    request_id: str | None
    type: CommandType | None
    ok: bool
    results: list[Outcome] = []
    code: ErrorCode | None = None
    text: str = ""


class Progress(Struct, frozen=True, kw_only=True, tag_field="event", tag="progress"):
    """One entry of a running command is done: `done` of `total`."""

    request_id: str | None
    done: int
    total: int
    outcome: Outcome


class Died(Struct, frozen=True, kw_only=True, tag_field="event", tag="died"):
    """A charge point's container ended without having been asked to.

    Attributes:
        id: of the charge point.
        exit_code: of the process; 137 is SIGKILL.
        out_of_memory: whether the kernel killed it for memory.
        last_log: the last lines it printed.
    """

    id: str
    exit_code: int
    out_of_memory: bool
    last_log: list[str]


Event = Progress | Died
"""``launcher/event``: tagged by the field `event`."""
