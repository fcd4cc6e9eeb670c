"""The environment variables of the script, by which a charge point charges on its own."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from cp_image.api.payloads import ChargePointType, IdTag
from cp_image.core.script_settings import ScriptSettings, Span
from cp_image.variable import Variable, VariableError, to

_SPAN: Final = re.compile(r"(?P<least>[0-9]+(?:\.[0-9]+)?)(?:-(?P<most>[0-9]+(?:\.[0-9]+)?))?")
_LONGEST_S: Final = 1e7
_MOST_CONSUMPTION: Final = 1e7

Sessions = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class ScriptMode(StrEnum):
    """Whether the script drives the charge point."""

    AUTO = "auto"
    """where nobody else can: without a broker"""
    ON = "on"
    OFF = "off"


def _to_span(text: str, *, least: float, most: float) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    span = Span(least=float(found["least"]), most=float(found["most"] or found["least"]))
    if not least <= span.least <= span.most <= most:
        raise ValueError(text)
    return span


def _to_seconds(text: str) -> Span:
    # No shorter: a driver who takes no time at all would plug and unplug without end.
    return _to_span(text, least=1.0, most=_LONGEST_S)


def _to_consumption(text: str) -> Span:
    return _to_span(text, least=0.0, most=_MOST_CONSUMPTION)


def _to_id_tags(text: str) -> tuple[str, ...]:
    tags: tuple[str, ...] = msgspec.convert(
        tuple(each.strip() for each in text.split(",")), tuple[IdTag, ...]
    )
    return tags


_SECONDS_RULE: Final = f"S or S-S, seconds of 1 to {_LONGEST_S:.0f}"

SCRIPT_VARIABLES: Final = (
    Variable(
        field="script_idle_s",
        read=_to_seconds,
        meaning="script: how long a connector is free between two cars",
        rule=_SECONDS_RULE,
        default="30-120",
    ),
    Variable(
        field="script_handling_s",
        read=_to_seconds,
        meaning="script: from plug to tag, and from stop to unplugging",
        rule=_SECONDS_RULE,
        default="2-10",
    ),
    Variable(
        field="script_charge_s",
        read=_to_seconds,
        meaning="script: how long a car charges",
        rule=_SECONDS_RULE,
        default="60-300",
    ),
    Variable(
        field="script_consumption",
        read=_to_consumption,
        meaning="script: what a car asks for, A on each phase, W for DC",
        rule=f"N or N-N, 0 to {_MOST_CONSUMPTION:.0f}",
        default="6-32",
        dc_default="20000-150000",
    ),
    Variable(
        field="script_id_tags",
        read=_to_id_tags,
        meaning="script: one of these tags is held to the reader",
        rule="tags of 1 to 20 characters with commas between them",
        default="TAG1,TAG2,TAG3",
    ),
    Variable(
        field="script_sessions",
        read=to(Sessions),
        meaning="script: cars at each connector, then none comes any more; 0 is without end",
        rule="0 to 1000000000",
        default="0",
    ),
)


def read_script(
    environ: Mapping[str, str], kind: ChargePointType | None, problems: list[str]
) -> ScriptSettings | None:
    """Return what the script is to do; None where a variable is wrong, each told in `problems`."""
    values = {}
    wrong = len(problems)
    for variable in SCRIPT_VARIABLES:
        field = variable.field.removeprefix("script_")
        try:
            values[field] = variable.value(environ, variable.default_of(kind))
        except VariableError as exc:
            problems.append(str(exc))
    return ScriptSettings(**values) if len(problems) == wrong else None
