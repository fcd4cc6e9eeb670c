"""A CSMS that keeps to the schemas and to nothing else: extremes, nonsense, errors, silence."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cp_image.core.configuration_keys import Key
from cp_image.core.events import CallAnswered
from cp_image.core.messages import Answer, Request
from cp_image.dialects.dialect import Heard
from cp_image.dialects.ocpp16.dialect import Ocpp16
from tests.support.schema_payloads import Schema, schema_of
from tests.support.scripted_csms import Refusal, ScriptedCsms

DRAWN_MAX: Final = 60
"""So many answers of one life are drawn; afterwards it behaves, and examples stay small."""

_MOODS: Final = ("sane", "sane", "hostile", "hostile", "error", "silence")
_INTEGERS: Final = (
    *(0, 1, -1, 2, 3, 10, 60, 3600, 86_400, 100_000_000),
    *(2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63)),
)
_NUMBERS: Final = (0, 0.1, 6, 16, 32, 1380, 22_000, 1e9, 1e300, -0.1, -1e300)
_INSTANTS: Final = (
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "2023-11-14T22:13:20Z",
    "2023-11-14T22:14:00.250+02:00",
    "2999-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "soon",
)
_TEXTS: Final = (
    "",
    " ",
    "0",
    "x" * 20,
    "x" * 36,
    "x" * 50,
    "x" * 500,
    "\x00",
    "é\U0001f50c",
    "a,b",
)
_TAGS: Final = ("TAG1", "tag1", "TAG2", "x" * 20, "", " ")
_VALUES: Final = (
    *("", "true", "false", "0", "1", "2", "60", "-1", "1e3", "10000000", "10000001"),
    *(str(2**31), str(2**63), "9" * 400, "9" * 500, "٣"),
    *("Voltage", "SoC,Temperature", "Energy.Active.Import.Interval", "Core", "0.RST", ",,,"),
)
_BY_NAME: Final[dict[str, SearchStrategy[Any]]] = {
    "key": st.sampled_from([str(key) for key in Key]),
    "value": st.sampled_from(_VALUES),
    "idTag": st.sampled_from(_TAGS),
    "parentIdTag": st.sampled_from(_TAGS),
    "connectorId": st.sampled_from([0, 1, 2, 3, *_INTEGERS]),
    "reservationId": st.sampled_from([1, 2, *_INTEGERS]),
    "chargingProfileId": st.sampled_from([1, 2, 3, *_INTEGERS]),
    "stackLevel": st.sampled_from([0, 0, 1, 2, *_INTEGERS]),
    "numberPhases": st.sampled_from([1, 2, 3, 3, *_INTEGERS]),
    "limit": st.sampled_from([0, 6, 16, *_NUMBERS]),
}
"""Where any text or number would nearly always miss what it could mean."""


def hostile(schema: Schema, name: str = "") -> SearchStrategy[Any]:
    """Return a strategy of values that a schema allows, with a taste for extremes."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            return _object(schema)
        case "array":
            several = st.lists(hostile(schema["items"]), max_size=3)
            return several.map(_ascending) if name == "chargingSchedulePeriod" else several
        case "string" if schema.get("format") == "date-time":
            return st.sampled_from(_INSTANTS) | st.datetimes().map(_timestamp)
        case "string":
            longest = schema.get("maxLength", 500)
            return _within(_BY_NAME.get(name, st.sampled_from(_TEXTS)), longest)
        case "integer":
            return _BY_NAME.get(name, st.sampled_from(_INTEGERS))
        case "number":
            return _BY_NAME.get(name, st.sampled_from(_NUMBERS))
        case "boolean":
            return st.booleans()
        case _:
            raise AssertionError(schema)


@cache
def payloads(action: str) -> SearchStrategy[Any]:
    """Return a strategy of payloads of a request or, with ``Response`` at its end, an answer."""
    schema = schema_of(action)
    return hostile(_resolved(schema, schema.get("definitions", {})))


class HostileCsms(ScriptedCsms):
    """Answers what `draw` gives it.

    Args:
        draw: draws from a strategy.
    """

    def __init__(self, draw: Callable[[SearchStrategy[Any]], Any]) -> None:
        super().__init__()
        self._draw = draw
        self._drawn = 0

    def hear(self, request: Request, now: float) -> Answer | Refusal | None:
        """Return the answer to a request, as the dialect reads it; None is silence."""
        if self._drawn >= DRAWN_MAX:
            return super().hear(request, now)
        self._drawn += 1
        match self._draw(
            st.sampled_from(["sane", "sane", "hostile", "hostile", "error", "silence"])
        ):
            case "hostile":
                self.heard.append((now, request))
                return self._read(request)
            case "error":
                self.refusals[type(request)] = 1
            case "silence":
                self.heard.append((now, request))
                return None
        return super().hear(request, now)

    def _read(self, request: Request) -> Answer | Refusal:
        dialect = Ocpp16()
        action = json.loads(dialect.encode("m", request))[2]
        payload = self._draw(payloads(f"{action}Response"))
        heard = dialect.decode(json.dumps([3, "m", payload]))
        assert isinstance(heard, Heard)
        return heard.event.answer if isinstance(heard.event, CallAnswered) else Refusal()


def _resolved(part: Any, definitions: Schema) -> Any:
    """Return a schema with every reference replaced by what it refers to."""
    if isinstance(part, list):
        return [_resolved(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _resolved(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {key: _resolved(value, definitions) for key, value in part.items()}


def _object(schema: Schema) -> SearchStrategy[Any]:
    parts = {name: hostile(part, name) for name, part in schema.get("properties", {}).items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in required},
        optional={name: part for name, part in parts.items() if name not in required},
    )


def _within(texts: SearchStrategy[str], longest: int) -> SearchStrategy[str]:
    return texts.map(lambda text: text[:longest])


def _ascending(periods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return periods that begin at 0 and ascend: others are refused before they are understood."""
    starts = sorted({period["startPeriod"] for period in periods if period["startPeriod"] > 0})
    return [
        {**period, "startPeriod": start}
        for period, start in zip(periods, [0, *starts], strict=False)
    ]


def _timestamp(moment: datetime) -> str:
    return moment.replace(tzinfo=UTC).isoformat()
