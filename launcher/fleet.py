"""From raw entries to specifications, and back to set-up files (open-ocpp-simu's). Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from cp_image.api import central_system
from cp_image.api.payloads import (
    CHARGE_POINT_ID_PATTERN,
    CHARGE_POINT_ID_RULE,
    ChargePointType,
)
from cp_image.api.secrets import SecurityProfile
from launcher.api import ErrorCode, Specification

NOT_JSON: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that do not decode."""

_FIELDS: Final = frozenset(Specification.__struct_fields__)
_PATH_TAIL: Final = re.compile(r" - at `\$\.?(?P<path>[^`]*)`\Z")
_SHOWN_CHARACTERS: Final = 60
_SECRET_KEY: Final = "authorizationkey"  # noqa: S105 - its name
"""OCPP 1.6 §7: names of keys ignore case."""
_OUR_OWN: Final[Mapping[str, Any]] = {
    "frequency": 50.0,
    "seed": "0",
    "configuration": {},
    "clock_rate": 1.0,
    "clock_start": None,
    "on_crash": "report",
    "networking": "bridge",
    "memory_mb": 128,
    "cpus": 1.0,
    "pids": 64,
    "log_mb": 1,
    "security_profile": 0,
    "authorization_user": "",
    "tls_verification": "full",
    "secrets": False,
}
_AC_CONNECTOR_A: Final = 32.0
_DC_CONNECTOR_W: Final = 150_000.0
_DC_STATION_W: Final = 300_000.0
_SERIAL_CHARACTERS: Final = 25  # OCPP 1.6 §6.9


class EntryError(ValueError):
    """An entry cannot be used; the text names the thing, the value and the rule.

    Attributes:
        charge_point_id: empty where the entry has no usable one.
        code: for programs.
    """

    def __init__(
        self, text: str, *, charge_point_id: str = "", code: ErrorCode = ErrorCode.MALFORMED
    ) -> None:
        super().__init__(text)
        self.charge_point_id = charge_point_id
        self.code = code


def read_id(entry: bytes | msgspec.Raw) -> str:
    """Return the id of an entry of which nothing but the id is needed.

    Raises:
        EntryError: the entry is no object or its id is missing or unusable.
    """
    return _id(_object(entry))


def only_names(entry: bytes | msgspec.Raw) -> bool:
    """Whether an entry only names a charge point: no field of a specification beside the id.

    Raises:
        EntryError: the entry is no object.
    """
    return not (_object(entry).keys() & _FIELDS) - {"id"}


def with_defaults(
    entry: bytes | msgspec.Raw, defaults: Mapping[str, msgspec.Raw]
) -> bytes | msgspec.Raw:
    """Return an entry that has the defaults for what it does not say itself.

    `configuration` is merged key by key, so that a charge point can differ from its fleet in one
    OCPP configuration key alone.

    Raises:
        EntryError: the entry is no object, or a default of the id is given.
    """
    if not defaults:
        return entry
    own = _object(entry)
    if "id" in defaults:
        text = "defaults have an id: an id belongs to one charge point"
        raise EntryError(text, charge_point_id=_id(own))
    merged = {**{name: msgspec.json.decode(raw) for name, raw in defaults.items()}, **own}
    common, wanted = defaults.get("configuration"), own.get("configuration")
    if common is not None and isinstance(wanted, dict):
        keys = msgspec.json.decode(common)
        merged["configuration"] = {**keys, **wanted} if isinstance(keys, dict) else keys
    return msgspec.json.encode(merged)


def read_specification(entry: bytes | msgspec.Raw) -> Specification:
    """Return the specification in a full entry, as `start` needs it.

    Integers are taken for floats, unknown fields are ignored, DC has one phase whatever is
    asked, and limits and voltage that are left out are those usual for the type.

    Raises:
        EntryError: a field is missing, mistyped or out of range.
    """
    raw = _object(entry)
    charge_point_id = _id(raw)
    raw = with_usual_limits(raw)
    try:
        specification = msgspec.convert(raw, Specification)
    except msgspec.ValidationError as exc:
        text = f"charge point {charge_point_id}: {_explain(exc, raw)}"
        raise EntryError(text, charge_point_id=charge_point_id) from exc
    for name in ("vendor", "model", "serial"):
        text = getattr(specification, name)
        if not text.isprintable():
            raise EntryError(
                f"charge point {charge_point_id}: {name} is {_shown(text)}: only printable "
                "characters are allowed",
                charge_point_id=charge_point_id,
            )
    fault = central_system.fault(specification.central_system) or _security_fault(specification)
    if fault:
        raise EntryError(
            f"charge point {charge_point_id}: {fault}", charge_point_id=charge_point_id
        )
    if specification.type is ChargePointType.DC and specification.nb_phases != 1:
        return msgspec.structs.replace(specification, nb_phases=1)
    return specification


def specification(**fields: object) -> Specification:
    """Return a charge point with these fields of an entry, and the usual for its type for the rest.

    Raises:
        EntryError: as `read_specification`.
    """
    return read_specification(msgspec.json.encode(fields))


def usual_serial(charge_point_id: str) -> str:
    """Return the serial number of a charge point that is given none: its id.

    An entry of `start` that has none stays without.
    """
    return charge_point_id[:_SERIAL_CHARACTERS]


def with_usual_limits(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with the limits and the voltage usual for its type where it has none.

    AC: 32 A on each connector, and as much as its connectors together for the charge point; DC:
    150 kW on each connector, 300 kW for the charge point. A limit of the charge point that is
    given is that of each connector, too, unless that is given.
    """
    is_dc = raw.get("type") == ChargePointType.DC
    station, number = raw.get("max_setpoint"), raw.get("nb_connectors", 1)
    connector: Any = _DC_CONNECTOR_W if is_dc else _AC_CONNECTOR_A
    if isinstance(station, int | float) and station >= 0:
        connector = station
    connector = raw.get("max_setpoint_per_connector", connector)
    usual: dict[str, Any] = {
        "voltage": 400.0 if is_dc else 230.0,
        "max_setpoint_per_connector": connector,
    }
    if isinstance(connector, int | float) and isinstance(number, int):
        usual["max_setpoint"] = max(_DC_STATION_W, connector) if is_dc else connector * number
    return {**usual, **raw}


def dump(specifications: Iterable[Specification]) -> bytes:
    """Return a set-up file that open-ocpp-simu reads too, keys in its order."""
    compact = msgspec.json.encode({"charge_points": [entry(each) for each in specifications]})
    return msgspec.json.format(compact, indent=4) + b"\n"


def entry(specification: Specification) -> dict[str, Any]:
    """Return an entry with the fields of open-ocpp-simu, and of ours what is not the default."""
    fields: dict[str, Any] = msgspec.to_builtins(specification)
    for name, usual in _OUR_OWN.items():
        if fields[name] == usual:
            del fields[name]
    return fields


def _security_fault(specification: Specification) -> str:
    if any(key.casefold() == _SECRET_KEY for key in specification.configuration):
        # Before it stands in labels, in variables and on a retained topic.
        return "configuration cannot have AuthorizationKey: a secret comes as a file"
    url, profile = specification.central_system, specification.security_profile
    if profile >= SecurityProfile.TLS and not url.lower().startswith("wss://"):
        return f"security profile {profile:d} needs a wss:// URL, central_system is {_shown(url)}"
    return ""


def duplicate(charge_point_id: str) -> str:
    """Return the text of an id that occurs twice."""
    return f"charge point {charge_point_id} is named twice: an id occurs once"


def _object(entry: bytes | msgspec.Raw) -> dict[str, Any]:
    try:
        raw = msgspec.json.decode(entry)
    except NOT_JSON as exc:
        raise EntryError(f"an entry is not JSON: {exc}") from exc
    if not isinstance(raw, dict):
        raise EntryError(f"an entry is {_shown(raw)}: it must be an object with at least an id")
    return raw


def _id(raw: dict[str, Any]) -> str:
    if "id" not in raw:
        raise EntryError(f"an entry has no id: {CHARGE_POINT_ID_RULE}")
    charge_point_id = raw["id"]
    if not isinstance(charge_point_id, str) or not re.search(
        CHARGE_POINT_ID_PATTERN, charge_point_id
    ):
        raise EntryError(f"id is {_shown(charge_point_id)}: {CHARGE_POINT_ID_RULE}")
    return charge_point_id


def _explain(error: msgspec.ValidationError, raw: dict[str, Any]) -> str:
    """Put the value into msgspec's message, which has only the rule and the path."""
    rule = str(error)
    tail = _PATH_TAIL.search(rule)
    if tail is None or tail["path"] not in raw:
        return rule[:1].lower() + rule[1:]
    rule = rule[: tail.start()]
    return f"{tail['path']} is {_shown(raw[tail['path']])}: {rule[:1].lower()}{rule[1:]}"


def _shown(value: object) -> str:
    try:
        text = msgspec.json.encode(value).decode()
    except (UnicodeError, msgspec.MsgspecError):
        text = repr(value)
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
