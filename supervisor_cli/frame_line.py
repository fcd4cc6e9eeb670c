"""A frame on one line for people: time, charge point, direction, action and the gist. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from supervisor_cli.ocpp_frames import Call, Error, Frame, Result

_GIST_CHARACTERS: Final = 160


class Direction(StrEnum):
    """Which way a frame goes; the value is the arrow after the charge point's id."""

    TO_CSMS = "→"
    TO_CHARGE_POINT = "←"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """A frame the central system received or sent.

    Attributes:
        at_utc: when.
        text: as it was on the wire.
        frame: taken apart; None where it was none.
        action: of the call, also for its answer; empty where unknown.
        violation: the rule it breaks; empty where it breaks none.
    """

    at_utc: datetime
    charge_point_id: str
    direction: Direction
    text: str
    frame: Frame | None
    action: str
    violation: str = ""

    def __str__(self) -> str:
        """Return the line, in local time and without control characters."""
        at = self.at_utc.astimezone()
        time = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
        line = f"{time} {self.charge_point_id} {self.direction} {self._what()}"
        if self.violation:
            line += f"  VIOLATION {self.violation}"
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)

    def _what(self) -> str:
        match self.frame:
            case Call():
                return _shortened(f"{self.action} {gist(self.action, self.frame.payload)}")
            case Result():
                return _shortened(f"{self.action} answered {_plain(self.frame.payload)}")
            case Error():
                return _shortened(
                    f"{self.action} failed {self.frame.code}: {self.frame.description}"
                )
        return _shortened(self.text)


def gist(action: str, payload: Mapping[str, Any]) -> str:
    """Return what matters in the payload of a call."""
    if action == "MeterValues":
        transaction = payload.get("transactionId")
        head = f"connectorId={payload.get('connectorId')}"
        if transaction is not None:
            head += f" transactionId={transaction}"
        return f"{head} {_meter_values(payload.get('meterValue'))}"
    return _plain({k: v for k, v in payload.items() if k not in {"timestamp", "transactionData"}})


def _meter_values(meter_values: object) -> str:
    samples = (
        sample
        for meter_value in _dictionaries(meter_values)
        for sample in _dictionaries(meter_value.get("sampledValue"))
    )
    return " ".join(map(_sample, samples))


def _dictionaries(value: object) -> list[dict[str, Any]]:
    """Return the objects in what may be anything: invalid frames are shown, too."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _sample(sample: Mapping[str, Any]) -> str:
    # OCPP 1.6 §7.43: what is left out has these meanings.
    measurand = sample.get("measurand", "Energy.Active.Import.Register")
    phase = f"/{sample['phase']}" if "phase" in sample else ""
    unit = sample.get("unit", "Wh" if "Energy" in str(measurand) else "")
    return f"{measurand}{phase}={sample.get('value')}{unit}"


def _plain(payload: Mapping[str, Any]) -> str:
    parts = []
    for name, value in payload.items():
        if isinstance(value, dict):
            parts.append(f"{name}({_plain(value)})")
        elif isinstance(value, list):
            parts.append(f"{name}[{len(value)}]")
        else:
            parts.append(f"{name}={value}")
    return " ".join(parts)


def _shortened(text: str) -> str:
    text = text.rstrip()
    return text if len(text) <= _GIST_CHARACTERS else f"{text[:_GIST_CHARACTERS]}…"
