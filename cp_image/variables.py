"""The table of the charge point's environment variables, and what each may be."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from cp_image import dense
from cp_image.api import central_system
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
from cp_image.api.topics import DEFAULT_ROOT
from cp_image.core.configuration_key import Key
from cp_image.core.effects import LogLevel
from cp_image.core.identity import KeyKind
from cp_image.log_lines import LogFormat
from cp_image.mqtt_link import ACCESS_VARIABLES, BrokerAddress
from cp_image.script_variables import SCRIPT_VARIABLES, ScriptMode
from cp_image.variable import PREFIX, UntoldError, Variable, to

HttpProxy = Annotated[
    str, Meta(pattern=r"\Ahttps?://(?:[^\s/?#@]+@)?[^\s/?#@:]+(?::[0-9]{1,5})?/?\Z")
]
AuthorizationUser = Annotated[str, Meta(pattern=r"\A[^:\x00-\x1f\x7f]{1,255}\Z")]
"""RFC 7617 §2: a user has no colon."""
Environment = Annotated[str, Meta(pattern=r"\A[a-z0-9](?:[a-z0-9\-]{0,30}[a-z0-9])?\Z")]
Root = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+)*\Z")]


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
        meaning="where the state that survives a power cut is kept; may have {hostname} in it",
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


_OTHERS: Final = {**ACCESS_VARIABLES, dense.VARIABLE: dense.MEANING}
"""What they mean by their names; they are read elsewhere."""


def describe() -> str:
    """Return a table of the variables for people."""
    lines = [variable.description for variable in (*VARIABLES, *SCRIPT_VARIABLES)]
    for name, meaning in _OTHERS.items():
        lines += [f"  {name}", f"      {meaning}"]
    return "\n".join(lines)


def unknown(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each variable that looks like ours and is none, misspelt perhaps."""
    known = {*_OTHERS, *(variable.name for variable in (*VARIABLES, *SCRIPT_VARIABLES))}
    strange = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    return [f"{name} is no variable of a charge point{_meant(name, known)}" for name in strange]


def _meant(name: str, known: Iterable[str]) -> str:
    # Only now: it stays in memory.
    from difflib import get_close_matches  # noqa: PLC0415

    nearest = get_close_matches(name, known, n=1, cutoff=0.8)
    return f" (did you mean {nearest[0]}?)" if nearest else ""
