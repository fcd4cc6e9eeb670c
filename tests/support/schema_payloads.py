"""Payloads made from a JSON schema: a full one, every way to spoil it, and random ones."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ocpp
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Schema = Mapping[str, Any]
Steps = tuple[str | int, ...]
"""Leads from a payload to a value in it."""

_SCHEMAS: Final = Path(ocpp.__file__).parent / "v16" / "schemas"
_DATE_TIME: Final = "2026-01-31T12:00:00Z"
_URI: Final = "ftp://127.0.0.1:1/files/"
"""Nobody listens there: nothing leaves this computer."""

FROM_CSMS: Final = (
    "CancelReservation",
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearCache",
    "ClearChargingProfile",
    "DataTransfer",
    "GetCompositeSchedule",
    "GetConfiguration",
    "GetDiagnostics",
    "GetLocalListVersion",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SetChargingProfile",
    "TriggerMessage",
    "UnlockConnector",
    "UpdateFirmware",
)
"""What a CSMS asks a charge point, OCPP 1.6 §5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """A payload with one thing wrong, and the code of the CALLERROR for it."""

    what: str
    payload: Any
    code: str


def schema_of(action: str) -> Schema:
    """Return the schema of a request."""
    schema: Schema = json.loads((_SCHEMAS / f"{action}.json").read_text())
    return schema


def full(schema: Schema) -> Any:
    """Return a valid value with every field and one element in every list."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            return {name: full(part) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [full(schema["items"])]
        case "string":
            return _FORMATS.get(schema.get("format", ""), "text")
        case "integer":
            return 1
        case "number":
            return 16.1
        case "boolean":
            return True
        case _:
            raise AssertionError(schema)


def spoiled(schema: Schema) -> Iterator[Spoiled]:
    """Yield each way to break a rule of a schema, or of the specification it stands for."""
    payload = full(schema)
    not_objects: tuple[Any, ...] = ([], "text", 7, None, True)
    for wrong in not_objects:
        yield Spoiled(what=f"payload {wrong!r}", payload=wrong, code="FormationViolation")
    for steps, part in _parts(schema, ()):
        for what, value, code in _wrong_values(part, _at(payload, steps)):
            if not steps and code == "TypeConstraintViolation":
                continue  # see above: a payload of another type is no payload
            changed = _with(payload, steps, value) if steps else value
            path = ".".join(map(str, steps)) or "payload"
            yield Spoiled(what=f"{path} {what}", payload=changed, code=code)


def random(schema: Schema) -> SearchStrategy[Any]:
    """Return a strategy of values that the schema allows, edges included."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            parts = {name: random(part) for name, part in schema.get("properties", {}).items()}
            required = set(schema.get("required", ()))
            return st.fixed_dictionaries(
                {name: part for name, part in parts.items() if name in required},
                optional={name: part for name, part in parts.items() if name not in required},
            )
        case "array":
            return st.lists(random(schema["items"]), max_size=4)
        case "string" if schema.get("format") == "date-time":
            return _date_times()
        case "string" if schema.get("format") == "uri":
            return st.sampled_from([_URI, "http://h:1/a", "nonsense:", ""]) | st.text(max_size=20)
        case "string":
            return st.text(max_size=min(schema.get("maxLength", 30), 30))
        case "integer":
            small = st.integers(min_value=-2, max_value=5)
            return small | st.sampled_from([86_400, 2**31 - 1, 2**31, -(2**63), 2**63])
        case "boolean":
            return st.booleans()
        case "number":
            return st.integers(min_value=-10, max_value=500_000).map(lambda tenths: tenths / 10)
        case _:
            raise AssertionError(schema)


def broken(schema: Schema) -> SearchStrategy[Any]:
    """Return a strategy of values one or more parts of which are anything at all."""
    return st.builds(_graft, random(schema), st.lists(st.integers(0, 50)), ANYTHING)


ANYTHING: Final[SearchStrategy[Any]] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
"""Any JSON."""


def _date_times() -> SearchStrategy[str]:
    moments = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    return moments | st.sampled_from([_DATE_TIME, "9999-12-31T23:59:59+00:00", "soon", ""])


def _parts(schema: Schema, steps: Steps) -> Iterator[tuple[Steps, Schema]]:
    """Yield every part of a schema with the way to it in its `full` payload."""
    yield steps, schema
    for name, part in schema.get("properties", {}).items():
        yield from _parts(part, (*steps, name))
    if schema.get("type") == "array":
        yield from _parts(schema["items"], (*steps, 0))


def _wrong_values(schema: Schema, value: Any) -> Iterator[tuple[str, Any, str]]:
    if schema["type"] == "object":
        for name in schema.get("required", ()):
            less = {key: item for key, item in value.items() if key != name}
            yield f"without {name}", less, "FormationViolation"
        yield "with an extra field", value | {"nonsense": 1}, "FormationViolation"
    for wrong in _OF_OTHER_TYPES[schema["type"]]:
        yield f"is {wrong!r}", wrong, "TypeConstraintViolation"
    if "enum" in schema:
        yield "is out of its enumeration", "Nonsense", "PropertyConstraintViolation"
    if (longest := schema.get("maxLength")) is not None:
        yield "is too long", "x" * (longest + 1), "PropertyConstraintViolation"
        yield "is 1 MiB long", "x" * 2**20, "PropertyConstraintViolation"
    for wrong in _OF_THE_TYPE.get(schema.get("format", schema["type"]), ()):
        yield f"is {wrong!r:.40}", wrong, "PropertyConstraintViolation"


_OF_OTHER_TYPES: Final[Mapping[str, tuple[Any, ...]]] = {
    "object": (7, "text", None, [{}]),
    "array": (7, "text", None, {}),
    "string": (7, 1.5, True, None, ["text"], {}),
    "integer": ("7", 1.5, True, None, [7]),
    "number": ("7.5", True, None, [7.5]),
    "boolean": ("true", 1, None, [True]),
}
_OF_THE_TYPE: Final[Mapping[str, tuple[Any, ...]]] = {
    "date-time": ("", "soon", "2026-01-31", "2026-02-30T12:00:00Z", "1769860800", "T" * 2**20),
    "uri": ("", "no scheme", "http://[", "ftp://h:99999/", "http://h/a b"),
    "integer": (2**63, -(2**63) - 1, 10**400),
    "number": (4.11, 1e300, 10**400, -0.1),
}
"""What the schemas allow, or say nothing of, although the specification does."""

_FORMATS: Final = {"date-time": _DATE_TIME, "uri": _URI}


def _at(payload: Any, steps: Steps) -> Any:
    for step in steps:
        payload = payload[step]
    return payload


def _with(payload: Any, steps: Steps, value: Any) -> Any:
    changed = copy.deepcopy(payload)
    _at(changed, steps[:-1])[steps[-1]] = value
    return changed


def _graft(payload: Any, choices: list[int], strange: Any) -> Any:
    """Put something strange somewhere into a payload, as deep as the choices lead."""
    steps: list[str | int] = []
    value = payload
    for choice in choices:
        names: list[Any] = (
            sorted(value)
            if isinstance(value, dict)
            else list(range(len(value)))
            if isinstance(value, list)
            else []
        )
        if not names:
            break
        steps.append(names[choice % len(names)])
        value = value[steps[-1]]
    return _with(payload, tuple(steps), strange) if steps else strange
