"""The options that defaults, templates and entries have alike, checked where they stand."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from cp_image.api.payloads import KeyName, KeyText
from launcher.fleet_file import keys
from launcher.fleet_file.keys import Key, did_you_mean, meant_by, rule
from launcher.fleet_file.nodes import Item, Node, Remark, Scalar

_SHOWN_CHARACTERS: Final = 60
_ALTERNATIVES: Final[Mapping[str, str]] = {
    keys.PASSWORD: keys.PASSWORD_FILE,
    keys.PASSWORD_FILE: keys.PASSWORD,
}
"""Who names one of them names the other no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value as it was given somewhere in a file.

    Attributes:
        value: as JSON has it.
        path: where, as in ``defaults.voltage``.
    """

    value: Any
    line: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What one place says.

    Attributes:
        values: by key.
        configuration: by OCPP configuration key.
    """

    values: Mapping[str, Given] = field(default_factory=dict)
    configuration: Mapping[str, Given] = field(default_factory=dict)

    def over(self, below: "Options") -> "Options":
        """Return what holds where this is said on top of something more general."""
        displaced = {_ALTERNATIVES[name] for name in self.values if name in _ALTERNATIVES}
        kept = {name: it for name, it in below.values.items() if name not in displaced}
        return Options(
            values={**kept, **self.values},
            configuration={**below.configuration, **self.configuration},
        )


class OptionReader:
    """Reads options, and remembers what is wrong with them.

    Args:
        file: its name, for the remarks.
        lenient: unknown keys are noted, not refused: set-up files of other programs have them.
    """

    def __init__(self, file: str, *, lenient: bool) -> None:
        self.file = file
        self._lenient = lenient
        self.faults: list[Remark] = []
        self.notes: list[Remark] = []
        self.misspelt: set[tuple[str, str]] = set()
        """Paths of mappings, and which keys a wrong one there may mean."""

    def mapping(self, node: Node, path: str) -> Mapping[str, Item]:
        """Return the items of a mapping; none, with a fault, where it is something else."""
        if isinstance(node.content, Scalar | tuple):
            self.fault(node.line, path, f"expected a mapping, got {node.kind}")
            return {}
        return node.content

    def options(self, node: Node, path: str, known: Mapping[str, Key]) -> Options:
        """Return what a mapping says, checked key by key."""
        values: dict[str, Given] = {}
        configuration: Mapping[str, Given] = {}
        for name, item in self.mapping(node, path).items():
            where = f"{path}.{name}"
            if name == keys.CONFIGURATION:
                configuration = self._configuration(item.node, where)
            elif name in known:
                given = self._given(item.node, where, known[name])
                if given is not None:
                    values[name] = given
            else:
                hint = did_you_mean(name, (*known, keys.CONFIGURATION))
                if not self._lenient:
                    self.misspelt |= {(path, each) for each in meant_by(name, known)}
                remarks = self.notes if self._lenient else self.faults
                remarks.append(self._remark(item.line, where, "there is no such key", hint))
        if keys.PASSWORD in values and keys.PASSWORD_FILE in values:
            text = f"{keys.PASSWORD} and {keys.PASSWORD_FILE} exclude each other"
            self.fault(values[keys.PASSWORD].line, path, text)
        return Options(values=values, configuration=configuration)

    def fault(self, line: int, path: str, text: str, hint: str = "") -> None:
        """Remember what is wrong."""
        self.faults.append(self._remark(line, path, text, hint))

    def _remark(self, line: int, path: str, text: str, hint: str) -> Remark:
        return Remark(file=self.file, line=line, path=path, text=text, hint=hint)

    def _given(self, node: Node, path: str, key: Key) -> Given | None:
        scalar = node.content
        if not isinstance(scalar, Scalar):
            text = f"expected a single value, got {node.kind}"
            self.fault(node.line, path, text, _without_quotes(node))
            return None
        if scalar.value is None:
            hint = "leave the key out, or give it a value"
            self.fault(node.line, path, "it has no value", hint)
            return None
        value: Any = scalar.value
        if key.is_text and isinstance(value, int | float) and not isinstance(value, bool):
            value = scalar.text
        waits = key.has_placeholders and isinstance(value, str) and "{" in value
        why = "" if waits else _why_not(key, value)
        if why:
            shown = _shown(value, scalar.text)
            if key.name == keys.PASSWORD:
                shown = "no password"
            self.fault(node.line, path, f"is {shown}: {why}", _way_out(key, value))
            return None
        return Given(value=value, line=node.line, path=path)

    def _configuration(self, node: Node, path: str) -> dict[str, Given]:
        given: dict[str, Given] = {}
        for name, item in self.mapping(node, path).items():
            where = f"{path}.{name}"
            text = _configuration_text(item.node)
            if text is None:
                hint = "numbers, texts, true and false, and lists of them are taken"
                self.fault(item.line, where, f"{item.node.kind} is no value of a key", hint)
                continue
            try:
                for what, type_ in ((name, KeyName), (text, KeyText)):
                    msgspec.convert(what, type_)
            except msgspec.ValidationError as exc:
                self.fault(item.line, where, f"is {_shown(what, what)}: {rule(exc)}")
                continue
            given[name] = Given(value=text, line=item.node.line, path=where)
        return given


def _without_quotes(node: Node) -> str:
    """Return how to write {id}, which without quotes is a mapping in YAML; empty for all else."""
    if isinstance(node.content, Mapping) and len(node.content) == 1:
        ((name, item),) = node.content.items()
        if item.node.content == Scalar(value=None, text=""):
            return f"quotes: '{{{name}}}'"
    return ""


def _configuration_text(node: Node) -> str | None:
    """Return a value as OCPP has it, where all are texts; a list is one with commas."""
    match node.content:
        case Scalar(value=None):
            return None
        case Scalar(value=bool(value)):
            return str(value).lower()
        case Scalar(text=text):
            return text
        case tuple() as members:
            texts = [
                _configuration_text(each) if isinstance(each.content, Scalar) else None
                for each in members
            ]
            return None if None in texts else ",".join(each or "" for each in texts)
    return None


def _why_not(key: Key, value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "expected a finite number"
    return key.check(value)


def _way_out(key: Key, value: Any) -> str:
    if key.is_text:
        return "put it in quotes" if isinstance(value, bool) else ""
    return did_you_mean(str(value), key.words)


def _shown(value: Any, as_written: str) -> str:
    """Return a value as it may be shown: texts in quotes, all else as it stands in the file."""
    text = f'"{as_written}"' if isinstance(value, str) else as_written
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
