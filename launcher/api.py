"""The published MQTT interface of the launcher: its topics and its payloads."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from cp_image.api.payloads import (
    ChargePointId,
    ChargePointType,
    ClockRate,
    Frequency,
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
from cp_image.api.secrets import SecurityProfile, TlsVerification
from cp_image.api.topics import Topic, root_of

LAUNCHER_STATUS: Final = Topic("launcher/status", retain=True)
LAUNCHER_CMD: Final = Topic("launcher/cmd", retain=False)
LAUNCHER_RESULT: Final = Topic("launcher/result", retain=False)
LAUNCHER_EVENT: Final = Topic("launcher/event", retain=False)
LAUNCHER_CLAIM: Final = Topic("launcher/claim", retain=False)
"""Among launchers: who serves the environment."""
CP_CONTAINER: Final = Topic("cps/{id}/container", retain=True)
"""How a charge point's container is; the launcher says it, for the charge point cannot."""
CP_SPECIFICATION: Final = Topic("cps/{id}/specification", retain=True)
"""What was asked for of a charge point: a `Specification`, which has no secrets."""

AuthorizationUser = Annotated[
    str, Meta(max_length=255, pattern=r"\A[^:\x00-\x1f\x7f]*\Z")  # RFC 7617 §2
]
MemoryMb = Annotated[int, Meta(ge=32, le=65_536)]
Cpus = Annotated[float, Meta(ge=0.01, le=256)]
Pids = Annotated[int, Meta(ge=16, le=4096)]
LogMb = Annotated[int, Meta(ge=1, le=1024)]

ENVIRONMENT_PATTERN: Final = r"\A[a-z0-9](?:[a-z0-9\-]{0,30}[a-z0-9])?\Z"
"""An environment is a DNS label: it names the network, containers, volumes and the topic root."""
DEFAULT_ENVIRONMENT: Final = "cp-simu"


def topic_root(environment: str) -> str:
    """Return the topic root of an environment: ``cp-simu`` speaks on ``cp_simu/``."""
    return root_of(environment)


BROKER_ACCESS_AT: Final = "/run/cp-simu-broker"
"""Where launcher and charge points have the files by which they get into a locked broker."""
BROKER_PASSWORD_FILE: Final = "password"  # noqa: S105 - its name
BROKER_CA_FILE: Final = "ca.pem"


def secrets_volume(environment: str, charge_point_id: str) -> str:
    """Return the name of the volume with a charge point's secrets; none of its own is called so.

    Whoever has a charge point started with `secrets` fills it before: see `cp_image.api.secrets`.
    It stays when the charge point is started anew, and goes when it is removed.
    """
    return f"{environment}_secrets.{charge_point_id}"


def secrets_labels(environment: str, charge_point_id: str) -> dict[str, str]:
    """Return the labels of that volume."""
    return {
        "cp-simu.environment": environment,
        "cp-simu.role": "secrets",
        "cp-simu.charge-point-id": charge_point_id,
    }


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
    STOP = "stop"
    """orderly: SIGTERM, the volume stays"""
    RESTART = "restart"
    """power back, with the same volume; a living one is cut first"""
    REMOVE = "remove"
    """container, volume and every retained topic go"""
    FREEZE = "freeze"
    """every process of the container halts: the CSMS sees a hung charge point"""
    THAW = "thaw"
    """they go on where they halted"""
    CUT = "cut"
    """the container's network is gone, until `mend`, whatever else happens to it"""
    MEND = "mend"
    """its network is back"""
    CLOSE = "close"
    """the launcher ends; the charge points live on"""


class OnCrash(StrEnum):
    """What the launcher does when a charge point's process ends without having been asked to."""

    REPORT = "report"
    """say so, and leave it dead"""
    RESTART = "restart"
    """say so, and start it again, later each time; a crash loop ends as `report` does"""


class Networking(StrEnum):
    """Where a charge point's container is on the network."""

    BRIDGE = "bridge"
    """in a network of the environment, with an address of its own"""
    HOST = "host"
    """on the engine's own network: no address of its own, but thousands fit; cannot be cut"""


class Specification(Struct, frozen=True, kw_only=True):
    """A charge point as it is asked for: an entry of `start` or of a set-up file.

    Limits and voltage have no defaults, for what is usual depends on the type: an entry may leave
    them out, and `launcher.fleet.specification` fills them in.

    The order of the fields is that of open-ocpp-simu's set-up files. Vendor, model and serial are
    limited by OCPP 1.6 §6.9.

    Attributes:
        id: of the charge point, as it tells the CSMS.
        type: what it delivers.
        vendor: as in its BootNotification; likewise model and serial.
        model: of the charge point.
        serial: number of the charge point.
        nb_phases: on how many phases it charges; DC has one whatever is asked.
        nb_connectors: how many connectors it has.
        max_setpoint: limit of the whole charge point; A per phase for AC, W for DC.
        voltage: phase to neutral for AC, V.
        max_setpoint_per_connector: limit of each connector; A per phase for AC, W for DC.
        central_system: CSMS URL, ws:// or wss://, without the charge point id.
        frequency: of the mains, Hz.
        seed: of everything random: same seed, same behaviour.
        configuration: OCPP configuration keys that differ from their defaults.
        clock_rate: how many times as fast as real time its clock runs.
        clock_start: what its clock shows when it first starts; None is now.
        on_crash: what the launcher does when its process ends without having been asked to.
        networking: where its container is on the network.
        memory_mb: the container's memory, MiB; a process that wants more is killed.
        cpus: how many processors' time the container may use.
        pids: how many processes and threads it may have.
        log_mb: size of each of the two files that its log is turned over between, MB.
        security_profile: of the Security Whitepaper §2; the least, a CSMS can raise it.
        authorization_user: of HTTP Basic authentication; empty is the id.
        tls_verification: what is asked of the certificate of the CSMS.
        secrets: whether it has the volume `secrets_volume`; what is in it is said nowhere.
    """

    id: ChargePointId
    type: ChargePointType
    vendor: Text20 = "cp-simu"
    model: Text20 = "Simulated CP"
    serial: Text25 = ""
    nb_phases: NbPhases = 1
    nb_connectors: NbConnectors = 1
    max_setpoint: NonNegative
    voltage: Voltage
    max_setpoint_per_connector: NonNegative
    central_system: str
    frequency: Frequency = 50.0
    seed: Text25 = "0"
    configuration: dict[KeyName, KeyText] = {}
    clock_rate: ClockRate = 1.0
    clock_start: Instant | None = None
    on_crash: OnCrash = OnCrash.REPORT
    networking: Networking = Networking.BRIDGE
    memory_mb: MemoryMb = 128
    cpus: Cpus = 1.0
    pids: Pids = 64
    log_mb: LogMb = 1
    security_profile: SecurityProfile = SecurityProfile.NONE
    authorization_user: AuthorizationUser = ""
    tls_verification: TlsVerification = TlsVerification.FULL
    secrets: bool = False


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``launcher/cmd``.

    Attributes:
        charge_points: entries are decoded one by one, so that a bad one does not stop the others.
        defaults: fields that the full entries of this command have unless they say otherwise;
            `configuration` is merged key by key.
        request_id: a command whose id has been answered is answered again, and not done again.
    """

    type: CommandType
    charge_points: list[msgspec.Raw] = []
    defaults: dict[str, msgspec.Raw] = {}
    request_id: RequestId | None = None


class ErrorCode(StrEnum):
    """Why the launcher refused a command or an entry of it."""

    MALFORMED = "malformed"
    """not JSON, or a field is missing, mistyped or out of range"""
    UNKNOWN_CHARGE_POINT = "unknown_charge_point"
    ALIVE = "alive"
    """start of an id that is alive"""
    NOT_RUNNING = "not_running"
    """kill, stop, freeze or thaw of one that is dead"""
    NOT_POSSIBLE = "not_possible"
    """cut of one that has no network of its own"""
    CANCELLED = "cancelled"
    """a kill, stop or remove came before its start had begun"""
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


class Restarted(Struct, frozen=True, kw_only=True, tag_field="event", tag="restarted"):
    """The launcher has started a charge point again that had crashed; `restarts`: in a row."""

    id: str
    restarts: int


class GaveUp(Struct, frozen=True, kw_only=True, tag_field="event", tag="gave_up"):
    """A charge point crashes over and over: it is not started again before somebody asks for it.

    Attributes:
        crashes: how many in a row.
        text: for people.
    """

    id: str
    crashes: int
    text: str


class Unheard(Struct, frozen=True, kw_only=True, tag_field="event", tag="unheard"):
    """A charge point's container runs, but the charge point has said nothing since its start.

    Attributes:
        after_s: how long it was waited for.
        last_log: the last lines it printed.
    """

    id: str
    after_s: float
    last_log: list[str]


Event = Progress | Died | Restarted | GaveUp | Unheard
"""``launcher/event``: tagged by the field `event`."""


class ContainerCondition(StrEnum):
    """The `state` of ``cps/ID/container``."""

    RUNNING = "running"
    FROZEN = "frozen"
    CUT = "cut"
    """runs without a network"""
    EXITED = "exited"
    """has no process"""
    WAITING = "waiting"
    """crashed, and is started again at `restart_at`"""


class ContainerStatus(Struct, frozen=True, kw_only=True):
    """``cps/ID/container``, retained: how a charge point's container is, as the launcher knows it.

    Attributes:
        state: of the container; one that is frozen and cut is frozen.
        cut: whether its network is taken away, also while it is frozen or has no process.
        exit_code: of the last process; None while one runs and where there never was one.
        out_of_memory: whether the kernel killed that process for memory.
        restarts: how often in a row the launcher has started it again after a crash.
        restart_at: epoch seconds; None where no restart is due.
        unheard: whether the charge point has said nothing for too long since it was started.
        network: the engine's network it belongs to; empty where that is not known.
        text: for people, where there is something to say.
    """

    state: ContainerCondition
    cut: bool = False
    exit_code: int | None = None
    out_of_memory: bool = False
    restarts: int = 0
    restart_at: float | None = None
    unheard: bool = False
    network: str = ""
    text: str = ""


class Claim(Struct, frozen=True, kw_only=True):
    """``launcher/claim``: a launcher asks whether another one serves, or says that it does.

    Attributes:
        launcher: tells launchers apart.
        since: epoch seconds at which it was started.
        where: host and process, for people.
        serves: False is a question.
    """

    launcher: str
    since: float
    where: str
    serves: bool
