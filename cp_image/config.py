"""The charge point's configuration: a table of environment variables and what each may be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from cp_image import dense
from cp_image.api import central_system
from cp_image.api.charge_point_id import charge_point_id
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
    Text20,
    Text25,
    Voltage,
)
from cp_image.api.secrets import AUTHORIZATION_KEY, SecurityProfile, TlsVerification
from cp_image.api.topics import DEFAULT_ROOT, root_of
from cp_image.core.configuration_key import Key
from cp_image.core.effects import LogLevel
from cp_image.core.identity import KeyKind
from cp_image.core.script_settings import ScriptSettings
from cp_image.log_lines import LogFormat
from cp_image.mqtt_link import ACCESS_VARIABLES, BrokerAccessError, BrokerAddress, read_access
from cp_image.script_variables import SCRIPT_VARIABLES, ScriptMode, read_script
from cp_image.variable import PREFIX, UntoldError, Variable, VariableError, to

HttpProxy = Annotated[
    str, Meta(pattern=r"\Ahttps?://(?:[^\s/?#@]+@)?[^\s/?#@:]+(?::[0-9]{1,5})?/?\Z")
]
AuthorizationUser = Annotated[str, Meta(pattern=r"\A[^:\x00-\x1f\x7f]{1,255}\Z")]
"""RFC 7617 §2: a user has no colon."""
Environment = Annotated[str, Meta(pattern=r"\A[a-z0-9](?:[a-z0-9\-]{0,30}[a-z0-9])?\Z")]
Root = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+)*\Z")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a charge point is and where its peers are.

    Attributes:
        max_setpoint: limit of the whole charge point; A per phase for AC, W for DC.
        max_setpoint_per_connector: limit of each connector; A per phase for AC, W for DC.
        broker: None runs without MQTT.
        environment: settles the topic root, unless that is given; None is none.
        csms_proxy: HTTP proxy through which the CSMS is reached; None goes straight.
        container: name of the container; empty for a bare process.
        seed: of everything random.
        clock_rate: how many times as fast as real time the charge point's clock runs.
        clock_start: epoch seconds its clock shows when it first starts; None is now.
        configuration: OCPP configuration keys that differ from their defaults.
        security_profile: the least, see `cp_image.api.secrets` for what it takes.
        authorization_user: of HTTP Basic authentication; None is the charge point id.
        tls_verification: what is asked of the certificate of the CSMS.
        key_kind: of the private keys the charge point makes.
        localhost_proxy: is the `csms_proxy` of a CSMS on the machine's own loopback; None is none.
        script: by which the charge point charges on its own; None where others drive it.
    """

    id: str
    central_system: str
    type: ChargePointType
    vendor: str
    model: str
    serial: str
    nb_connectors: int
    nb_phases: int
    voltage: float
    frequency: float
    max_setpoint: float
    max_setpoint_per_connector: float
    broker: BrokerAddress | None
    environment: str | None
    topic_root: str
    state_directory: Path
    csms_proxy: str | None
    container: str
    seed: str
    clock_rate: float
    clock_start: float | None
    configuration: Mapping[str, str]
    security_profile: SecurityProfile
    authorization_user: str | None
    tls_verification: TlsVerification
    key_kind: KeyKind
    localhost_proxy: str | None
    script: ScriptSettings | None
    log_level: LogLevel
    log_format: LogFormat


class ConfigError(Exception):
    """The environment is wrong; `problems` has a line for each wrong variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _to_central_system(text: str) -> str:
    fault = central_system.fault(text)
    if fault:
        raise ValueError(fault)
    return text


def _to_instant(text: str) -> float:
    instant: datetime = msgspec.convert(text, type=Instant)
    return instant.timestamp()


def _to_configuration(text: str) -> Mapping[str, str]:
    keys = msgspec.json.decode(text, type=dict[KeyName, KeyText])
    for name in keys:
        if name.lower() in _ELSEWHERE:
            raise UntoldError(f"{name} does not stand there: {_ELSEWHERE[name.lower()]}")
    return keys


_ELSEWHERE: Final = {
    Key.AUTHORIZATION_KEY.lower(): f"it is a secret, the file {AUTHORIZATION_KEY} holds it",
    Key.SECURITY_PROFILE.lower(): f"{PREFIX}SECURITY_PROFILE says it",
}
"""Configuration keys that are set by other means."""


def _to_broker(text: str) -> BrokerAddress:
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/\[\]]+))(?::([0-9]{1,5}))?", text)
    port = int(found[3] or 1883) if found else 0
    if found is None or not 1 <= port <= 65_535:
        raise ValueError(text)
    return BrokerAddress(host=found[1] or found[2], port=port)


VARIABLES: Final = (
    Variable(
        field="central_system",
        read=_to_central_system,
        meaning="URL of the CSMS; the charge point id is appended",
        rule="a ws:// or wss:// URL with a host, without query or fragment",
        shown_default="none: it must be set",
    ),
    Variable(
        field="id",
        read=to(ChargePointId),
        meaning="charge point id",
        rule="1 to 48 letters, digits, '.', '_' and '-'",
        shown_default="the host name, as {hostname} in it does",
    ),
    Variable(
        field="type",
        read=to(ChargePointType),
        meaning="AC (setpoints in A) or DC (setpoints in W)",
        rule="AC or DC",
        default="AC",
    ),
    Variable(
        field="vendor",
        read=to(Text20),
        meaning="chargePointVendor",
        rule="1 to 20 characters",
        default="cp-simu",
    ),
    Variable(
        field="model",
        read=to(Text20),
        meaning="chargePointModel",
        rule="1 to 20 characters",
        default="Simulated CP",
    ),
    Variable(
        field="serial",
        read=to(Text25),
        meaning="chargePointSerialNumber",
        rule="up to 25 characters",
        default="",
    ),
    Variable(
        field="nb_connectors",
        read=to(NbConnectors),
        meaning="number of connectors",
        rule="1 to 100",
        default="1",
    ),
    Variable(
        field="nb_phases",
        read=to(NbPhases),
        meaning="number of phases; DC has one whatever is asked",
        rule="1 to 3",
        default="1",
    ),
    Variable(
        field="voltage",
        read=to(Voltage),
        meaning="V, phase to neutral for AC",
        rule="above 0, up to 10000",
        default="230",
        dc_default="400",
    ),
    Variable(
        field="frequency",
        read=to(Frequency),
        meaning="Hz, of the mains",
        rule="above 0, up to 1000",
        default="50",
    ),
    Variable(
        field="max_setpoint",
        read=to(NonNegative),
        meaning="limit of the whole charge point",
        rule="0 to 1e9",
        default="32",
        dc_default="150000",
    ),
    Variable(
        field="max_setpoint_per_connector",
        read=to(NonNegative),
        meaning="limit of each connector",
        rule="0 to 1e9",
        default="32",
        dc_default="150000",
    ),
    Variable(
        field="broker",
        read=_to_broker,
        meaning="MQTT broker; without one there is no MQTT",
        rule="HOST or HOST:PORT",
        shown_default="none",
    ),
    Variable(
        field="environment",
        read=to(Environment),
        meaning="environment whose launcher looks after it",
        rule="1 to 32 of a-z, 0-9 and '-', with '-' inside only",
        shown_default="none",
    ),
    Variable(
        field="topic_root",
        read=to(Root),
        meaning="first level(s) of every topic",
        rule="letters, digits, '_', '-', '.' and '/' between them",
        shown_default=f"ENVIRONMENT, with '_' for '-'; {DEFAULT_ROOT}",
    ),
    Variable(
        field="state_directory",
        read=Path,
        meaning="where the state that survives a power cut is kept",
        rule="a directory",
        default="/data",
    ),
    Variable(
        field="csms_proxy",
        read=to(HttpProxy),
        meaning="HTTP proxy (CONNECT) through which the CSMS is reached",
        rule="an http:// URL of a host and port",
        shown_default="none",
    ),
    Variable(
        field="container",
        read=str,
        meaning="name of the container, told on MQTT",
        rule="any text",
        default="",
    ),
    Variable(
        field="seed",
        read=str,
        meaning="seed of everything random: same seed, same behaviour",
        rule="any text",
        default="0",
    ),
    Variable(
        field="clock_rate",
        read=to(ClockRate),
        meaning="how many times as fast as real time its clock runs",
        rule="0.001 to 10000",
        default="1",
    ),
    Variable(
        field="clock_start",
        read=_to_instant,
        meaning="instant its clock shows when it first starts",
        rule="a date and time as in 2026-01-31T12:00:00Z",
        shown_default="now",
    ),
    Variable(
        field="configuration",
        read=_to_configuration,
        meaning="OCPP configuration keys that differ from their defaults",
        rule='a JSON object of strings, as in {"HeartbeatInterval":"60"}',
        default="{}",
    ),
    Variable(
        field="security_profile",
        read=to(SecurityProfile),
        meaning="OCPP security profile; what it takes lies in the files of STATE_DIRECTORY/secrets",
        rule="0 to 3; 2 and 3 go with a wss:// URL",
        default="0",
    ),
    Variable(
        field="authorization_user",
        read=to(AuthorizationUser),
        meaning="user of HTTP Basic authentication, profiles 1 and 2",
        rule="1 to 255 characters without ':'",
        shown_default="the charge point id",
    ),
    Variable(
        field="tls_verification",
        read=to(TlsVerification),
        meaning="what is asked of the certificate of the CSMS; less than full is UNSAFE",
        rule="full, no-host-name or none",
        default="full",
    ),
    Variable(
        field="key_kind",
        read=to(KeyKind),
        meaning="private keys it makes for SignCertificate",
        rule="ec-p256 or rsa-2048",
        default="ec-p256",
    ),
    Variable(
        field="localhost_proxy",
        read=to(HttpProxy),
        meaning="CSMS_PROXY for a CSMS on localhost only",
        rule="an http:// URL of a host and port",
        shown_default="none",
    ),
    Variable(
        field="script",
        read=to(ScriptMode),
        meaning="whether it charges on its own script; auto: where it has no broker",
        rule="auto, on or off",
        default="auto",
    ),
    Variable(
        field="log_level",
        read=to(LogLevel),
        meaning="how much is logged",
        rule="debug, info, warning or error",
        default="info",
    ),
    Variable(
        field="log_format",
        read=to(LogFormat),
        meaning="text, or an object on each line",
        rule="text or json",
        default="text",
    ),
)


def read(environ: Mapping[str, str], host_name: str) -> Config:
    """Return the configuration that an environment asks for.

    Raises:
        ConfigError: a variable is missing or wrong; all of them are named.
    """
    given_id = environ.get(f"{PREFIX}ID", "")
    environ = {**environ, f"{PREFIX}ID": charge_point_id(given_id, host_name)}
    is_dc = environ.get(f"{PREFIX}TYPE") == ChargePointType.DC
    kind = ChargePointType.DC if is_dc else None
    values: dict[str, Any] = {}
    problems: list[str] = []
    for variable in VARIABLES:
        try:
            values[variable.field] = variable.value(environ, variable.default_of(kind))
        except VariableError as exc:
            problems.append(str(exc))
    if not environ.get(f"{PREFIX}CENTRAL_SYSTEM"):
        problems.insert(0, _missing("central_system"))
    try:
        access = read_access(environ)
        if values.get("broker") is not None:
            values["broker"] = replace(values["broker"], access=access)
    except BrokerAccessError as exc:
        problems.append(str(exc))
    if values.get("topic_root") is None:
        environment = values.get("environment")
        values["topic_root"] = root_of(environment) if environment else DEFAULT_ROOT
    script = read_script(environ, kind, problems)
    problems += _unlike(values)
    if problems:
        raise ConfigError(problems)
    if is_dc:
        values["nb_phases"] = 1
    values["script"] = script if _is_scripted(values) else None
    if values["csms_proxy"] is None and central_system.is_on_loopback(values["central_system"]):
        values["csms_proxy"] = values["localhost_proxy"]
    return Config(**values)


def _is_scripted(values: Mapping[str, Any]) -> bool:
    if values["script"] is ScriptMode.AUTO:
        return values["broker"] is None
    return values["script"] is ScriptMode.ON


def _unlike(values: Mapping[str, Any]) -> list[str]:
    """Return what does not go together."""
    profile, url = values.get("security_profile"), values.get("central_system")
    if profile is None or url is None or profile < SecurityProfile.TLS:
        return []
    if url.lower().startswith("wss:"):
        return []
    return [
        f"{PREFIX}SECURITY_PROFILE={profile.value} goes with a wss:// URL: "
        f"{PREFIX}CENTRAL_SYSTEM={central_system.without_password(url)!r} has no TLS"
    ]


def _missing(field: str) -> str:
    variable = next(each for each in VARIABLES if each.field == field)
    return f"{variable.name} is not set: {variable.rule}"


def describe() -> str:
    """Return a table of the variables for people."""
    lines = [variable.description for variable in (*VARIABLES, *SCRIPT_VARIABLES)]
    for name, meaning in {**ACCESS_VARIABLES, dense.VARIABLE: dense.MEANING}.items():
        lines += [f"  {name}", f"      {meaning}"]
    return "\n".join(lines)
