"""The form of new charge points, and what it makes of the answers."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import msgspec

from cp_image.api.payloads import ChargePointType
from launcher.api import Networking, OnCrash, Specification
from launcher.fleet import EntryError, read_specification, usual_serial
from launcher.fleet_file.wanted import WantedChargePoint
from supervisor_cli import fleets
from supervisor_cli.dashboard.forms import Field, FormScreen, Values, number
from supervisor_cli.dashboard.new_ids import names_of
from supervisor_cli.dashboard.new_secrets import read_security, security_fields, with_secrets
from supervisor_cli.errors import SimuError
from supervisor_cli.selection import next_free_id

DEFAULT_CSMS: Final = "ws://localhost:9000/ocpp"
_MOST_AT_ONCE: Final = 5000
_WORDS: Final = (
    "type",
    "central_system",
    "vendor",
    "model",
    "clock_start",
    "on_crash",
    "networking",
)
_AMOUNTS: Final = (
    *("voltage", "max_setpoint", "max_setpoint_per_connector"),
    *("clock_rate", "cpus"),
)
_NUMBERS: Final = ("memory_mb", "pids", "log_mb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the form has to know.

    Attributes:
        known: ids that are taken.
        central_system: what stands there at first.
        environment: whose test PKI is used where a security profile needs one.
    """

    known: Collection[str]
    central_system: str
    environment: str


def add(around: Around) -> FormScreen[list[WantedChargePoint]]:
    """Ask for charge points to start."""
    kinds = tuple(str(each) for each in ChargePointType)
    free = next_free_id(around.known)
    usual_w = "AC 32 per connector, DC 300000"
    fields = [
        Field(name="id", label="id", value=free, note="many: CP-{n:04}"),
        Field(name="count", label="how many", value="1"),
        Field(name="first", label="numbered from", otherwise="1"),
        Field(name="central_system", label="CSMS URL", value=around.central_system),
        Field(name="type", label="type", value="AC", choices=kinds),
        Field(name="nb_connectors", label="connectors", value="1"),
        Field(name="nb_phases", label="phases", otherwise="AC 3, DC 1"),
        Field(name="voltage", label="voltage", otherwise="AC 230, DC 400", note="V"),
        Field(name="max_setpoint", label="at most", otherwise=usual_w, note="A, DC: W"),
        Field(
            name="max_setpoint_per_connector",
            label="per connector",
            otherwise="AC 32, DC 150000",
            note="A, DC: W",
        ),
    ]
    fields += [*_make_fields(), *_ocpp_fields(), *security_fields(), *_container_fields()]
    return FormScreen("New charge points", fields, lambda values: read_add(values, around))


def _make_fields() -> list[Field]:
    fields = [
        Field(name="vendor", label="vendor", otherwise="cp-simu"),
        Field(name="model", label="model", otherwise="Simulated CP"),
        Field(name="serial", label="serial number", otherwise="its id"),
    ]
    return [each.in_group("make") for each in fields]


def _ocpp_fields() -> list[Field]:
    fields = [
        Field(name="configuration", label="OCPP keys", otherwise="KEY=VALUE KEY=VALUE"),
        Field(name="clock_rate", label="clock rate", otherwise="1", note="60: 1 h a minute"),
        Field(
            name="clock_start", label="clock starts at", otherwise="now", note="2026-01-31T12:00Z"
        ),
    ]
    return [each.in_group("OCPP configuration and clock") for each in fields]


def _container_fields() -> list[Field]:
    fields = [
        Field(
            name="on_crash",
            label="if it crashes",
            value=OnCrash.REPORT,
            choices=tuple(OnCrash),
            note="it, or start it",
        ),
        Field(
            name="networking",
            label="network",
            value=Networking.BRIDGE,
            choices=tuple(Networking),
            note="host cannot be cut",
        ),
        Field(name="memory_mb", label="memory", otherwise="128", note="MiB"),
        Field(name="cpus", label="processors", otherwise="1"),
        Field(name="pids", label="processes", otherwise="64"),
        Field(name="log_mb", label="log files", otherwise="1", note="MB each, of two"),
    ]
    return [each.in_group("container") for each in fields]


def read_add(values: Values, around: Around) -> list[WantedChargePoint]:
    """Return what is to be started.

    Raises:
        SimuError: a field is off, or a secret is needed and not there.
    """
    count = _whole(values, "count", "how many")
    if not 1 <= count <= _MOST_AT_ONCE:
        raise SimuError(f"how many: 1 to {_MOST_AT_ONCE}, not {count}")
    first = _whole(values, "first", "numbered from") if values["first"].strip() else None
    names = names_of(values["id"].strip(), count, around.known, first=first)
    fields = _read_fields(values)
    serial = values["serial"].strip()
    wanted = [
        with_secrets(
            _specification({**fields, "id": name, "serial": serial or usual_serial(name)}),
            values,
            around.environment,
        )
        for name in names
    ]
    fleets.FleetSecrets.of(wanted).check()
    return wanted


def _read_fields(values: Values) -> dict[str, object]:
    """Return the fields of a specification that all have alike; what is empty is left out."""
    fields: dict[str, object] = {
        name: values[name].strip() for name in _WORDS if values[name].strip()
    }
    is_dc = values["type"] == ChargePointType.DC
    fields["nb_connectors"] = _whole(values, "nb_connectors", "connectors")
    if values["nb_phases"].strip():
        fields["nb_phases"] = _whole(values, "nb_phases", "phases")
    elif not is_dc:
        fields["nb_phases"] = 3
    if is_dc and fields.get("nb_phases", 1) != 1:
        raise SimuError(f"phases: {fields['nb_phases']}, but a DC charge point has one")
    for name in _AMOUNTS:
        amount = number(values, name, name.replace("_", " "))
        if amount is not None:
            fields[name] = amount
    for name in _NUMBERS:
        if values[name].strip():
            fields[name] = _whole(values, name, name.replace("_", " "))
    fields["configuration"] = _keys_and_values(values["configuration"])
    return fields | read_security(values)


def _keys_and_values(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise SimuError(f"OCPP keys: {exc}") from exc
    pairs = [word.partition("=") for word in words]
    for (key, separator, _value), word in zip(pairs, words, strict=True):
        if not key or not separator:
            raise SimuError(f"OCPP keys: {word!r} is not KEY=VALUE, as HeartbeatInterval=60")
    return {key: value for key, _separator, value in pairs}


def _whole(values: Values, name: str, label: str) -> int:
    text = values[name].strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise SimuError(f"{label}: {text!r} is not a whole number")
    return int(text)


def _specification(fields: dict[str, object]) -> Specification:
    try:
        return read_specification(msgspec.json.encode(fields))
    except EntryError as exc:
        raise SimuError(str(exc)) from exc
