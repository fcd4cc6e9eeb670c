"""Between the core's values and the words of an OCPP 1.6 payload."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cp_image.core import messages, meter_values
from cp_image.dialects.ocpp16.frames import CallErrorCode

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_INTEGER: Final = 2**63
"""Nothing that counts, stores or publishes an integer here can hold more."""


_LARGEST_COUNT: Final = 2**31 - 1
"""So many seconds are 68 years: no clock runs into it."""
_LARGEST_LIMIT: Final = 1e9
"""Watts and amperes beyond it are nobody's."""
_LONGEST_TIMESTAMP: Final = 100
_TIMESTAMP: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)


class ValueRefusedError(ValueError):
    """A payload that its schema allows holds a value that means nothing.

    Args:
        text: which value and why.
        code: of the CALLERROR it earns.
    """

    def __init__(
        self, text: str, code: CallErrorCode = CallErrorCode.PROPERTY_CONSTRAINT_VIOLATION
    ) -> None:
        super().__init__(text)
        self.code = code


def payload_of(**fields: object) -> dict[str, Any]:
    """Return a JSON object of fields as OCPP spells them; what is None is left out."""
    return {name: value for name, value in fields.items() if value is not None}


def to_timestamp(at: float) -> str:
    """Return epoch seconds as RFC 3339, UTC, with milliseconds: ``2026-01-31T12:00:00.250Z``."""
    moment = _EPOCH + timedelta(milliseconds=round(at * 1000))
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def to_epoch(name: str, text: str) -> float:
    """Return the epoch seconds of an RFC 3339 timestamp, with or without fraction or offset.

    A timestamp without an offset is UTC: OCPP 1.6 §3.15 strongly recommends it.

    Raises:
        ValueRefusedError: it is no timestamp.
    """
    upper = text[:_LONGEST_TIMESTAMP].strip().upper()
    try:
        # What Python reads beyond RFC 3339, dates alone and week numbers, nobody means.
        moment = datetime.fromisoformat(upper if _TIMESTAMP.fullmatch(upper) else "")
    except ValueError as exc:
        raise ValueRefusedError(f"{name} is no timestamp: {text[:40]!r}") from exc
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH).total_seconds()


def to_integer(name: str, value: int) -> int:
    """Return an integer that everything downstream can hold.

    Raises:
        ValueRefusedError: it does not fit 64 bits.
    """
    if not -_LONGEST_INTEGER <= value < _LONGEST_INTEGER:
        raise ValueRefusedError(f"{name} does not fit 64 bits")
    return value


def to_count(name: str, value: int, *, least: int = 0) -> int:
    """Return an integer that cannot be less than `least`: a connector, a level, seconds.

    Raises:
        ValueRefusedError: it is less, or more than anything that is counted here.
    """
    if not least <= value <= _LARGEST_COUNT:
        raise ValueRefusedError(f"{name} is not between {least} and {_LARGEST_COUNT}")
    return value


def to_limit(name: str, value: float) -> float:
    """Return amperes or watts.

    Raises:
        ValueRefusedError: they are negative, or more than anything that exists.
    """
    if not 0 <= value <= _LARGEST_LIMIT:
        raise ValueRefusedError(f"{name} is not between 0 and 1e9")
    return float(value)


def to_id_tag(name: str, text: str) -> str:
    """Return an IdToken (OCPP 1.6 §7.28).

    Raises:
        ValueRefusedError: it is empty, which stands for no tag at all here.
    """
    if not text:
        raise ValueRefusedError(f"{name} is empty")
    return text


def to_number(value: float, decimals: int) -> str:
    """Return a number as decimal text without trailing zeros: ``230``, ``10.3``."""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def to_id_tag_status(id_tag_info: Mapping[str, Any]) -> messages.IdTagStatus:
    """Return the core's words for an IdTagInfo that its schema allows.

    Raises:
        ValueRefusedError: expiryDate is no timestamp.
    """
    expiry_date = id_tag_info.get("expiryDate")
    return messages.IdTagStatus(
        status=messages.AuthorizationStatus(id_tag_info["status"]),
        parent_id_tag=id_tag_info.get("parentIdTag"),
        expires_at=None if expiry_date is None else to_epoch("expiryDate", expiry_date),
    )


def to_meter_value(meter_value: meter_values.MeterValue) -> dict[str, Any]:
    """Return a MeterValue with every field that has a default in OCPP spelled out."""
    return payload_of(
        timestamp=to_timestamp(meter_value.at),
        sampledValue=[_to_sampled_value(value) for value in meter_value.sampled_values],
    )


def _to_sampled_value(sampled: meter_values.SampledValue) -> dict[str, Any]:
    return payload_of(
        value=to_number(sampled.value, _DECIMALS[sampled.unit]),
        context=sampled.context.value,
        format="Raw",
        measurand=sampled.measurand.value,
        phase=None if sampled.phase is None else sampled.phase.value,
        location=sampled.location.value,
        unit=None if sampled.unit is None else sampled.unit.value,
    )


_DECIMALS: Final[Mapping[meter_values.Unit | None, int]] = {
    meter_values.Unit.WH: 3,
    meter_values.Unit.W: 1,
    meter_values.Unit.A: 3,
    meter_values.Unit.V: 1,
    meter_values.Unit.PERCENT: 1,
    meter_values.Unit.CELSIUS: 1,
    None: 3,
}
"""As fine as a good meter reads, and without the noise of binary floats."""
