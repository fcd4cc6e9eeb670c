"""From fleet files to the charge points they ask for; all that is wrong is found at once."""

import codecs
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from launcher.fleet_file import json_text, keys, yaml_text
from launcher.fleet_file.around import Around
from launcher.fleet_file.expansion import Entry, Expansion
from launcher.fleet_file.keys import did_you_mean
from launcher.fleet_file.nodes import DocumentError, Item, Node, Remark, Scalar
from launcher.fleet_file.options import OptionReader, Options
from launcher.fleet_file.wanted import WantedChargePoint

_SHAPE: Final = "a fleet file is a mapping with charge_points, and perhaps defaults and templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A fleet file as it was read.

    Attributes:
        name: for people.
        folder: where its paths begin.
        is_json: whether it can be nothing else; None: the text tells.
    """

    name: str
    content: bytes
    folder: str = "."
    is_json: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What fleet files ask for.

    Attributes:
        charge_points: in the order of the files.
        faults: what is wrong; the charge points are worth nothing where there are any.
        notes: what is ignored.
    """

    charge_points: Sequence[WantedChargePoint]
    faults: Sequence[Remark]
    notes: Sequence[Remark]


def read(sources: Iterable[Source], around: Around | None = None) -> Reading:
    """Return what fleet files ask for.

    Args:
        sources: one file or several; an id occurs once in all of them together.
        around: what holds beside them.
    """
    charge_points: list[WantedChargePoint] = []
    faults: list[Remark] = []
    notes: list[Remark] = []
    taken: dict[str, str] = {}
    for source in sources:
        file = _File(source, around or Around(), taken)
        charge_points += file.charge_points()
        faults += file.faults
        notes += file.notes
    return Reading(charge_points=charge_points, faults=faults, notes=notes)


class _File:
    def __init__(self, source: Source, around: Around, taken: dict[str, str]) -> None:
        self._source = source
        self._around = around
        self._taken = taken
        self.faults: list[Remark] = []
        self.notes: list[Remark] = []

    def charge_points(self) -> list[WantedChargePoint]:
        try:
            document, is_json = self._document()
        except DocumentError as exc:
            remark = Remark(
                file=self._source.name, line=exc.line, path="", text=str(exc), hint=exc.hint
            )
            self.faults.append(remark)
            return []
        is_set_up = (
            is_json
            and isinstance(document.content, Mapping)
            and set(document.content) == {keys.CHARGE_POINTS}
        )
        reader = OptionReader(self._source.name, lenient=is_set_up)
        try:
            return self._charge_points(document, reader, literal=is_set_up)
        finally:
            self.faults += sorted(reader.faults, key=lambda each: each.line)
            self.notes += reader.notes

    def _document(self) -> tuple[Node, bool]:
        text = _text(self._source.content)
        if not text.strip():
            raise DocumentError("the file is empty", line=1, hint=_SHAPE)
        is_json = self._source.is_json
        if is_json or (is_json is None and text.lstrip().startswith("{")):
            try:
                return json_text.read(text), True
            except DocumentError:
                if is_json:
                    raise
        document = yaml_text.read(text)
        if document is None:
            raise DocumentError("nothing but comments stands in the file", line=1, hint=_SHAPE)
        return document, False

    def _charge_points(
        self, document: Node, reader: OptionReader, *, literal: bool
    ) -> list[WantedChargePoint]:
        if isinstance(document.content, Scalar | tuple):
            reader.fault(document.line, "", f"no fleet file, but {document.kind}", _SHAPE)
            return []
        top = document.content
        for name, item in top.items():
            if name not in keys.AT_THE_TOP and not name.startswith(keys.IGNORED_PREFIX):
                hint = did_you_mean(name, keys.AT_THE_TOP)
                reader.fault(item.line, name, "there is no such key", hint or _SHAPE)
        defaults = Options()
        if keys.DEFAULTS in top:
            node = top[keys.DEFAULTS].node
            defaults = reader.options(node, keys.DEFAULTS, keys.OPTIONS)
        templates = _Templates(top.get(keys.TEMPLATES), reader)
        if keys.CHARGE_POINTS not in top:
            reader.fault(document.line, "", "charge_points is missing", _SHAPE)
            return []
        nodes = top[keys.CHARGE_POINTS].node
        if not isinstance(nodes.content, tuple):
            text = f"expected a list, got {nodes.kind}"
            reader.fault(nodes.line, keys.CHARGE_POINTS, text, "charge_points: [] is an empty one")
            return []
        expansion = Expansion(
            reader,
            folder=self._source.folder,
            around=self._around,
            taken=self._taken,
            literal=literal,
        )
        found: list[WantedChargePoint] = []
        for position, node in enumerate(nodes.content):
            path = f"{keys.CHARGE_POINTS}[{position}]"
            own = reader.options(node, path, keys.OF_ENTRIES)
            if isinstance(node.content, Scalar | tuple):
                continue
            under = self._around.options(self._around.under, node.line, path)
            over = self._around.options(self._around.over, node.line, path)
            below = templates.options(own, path).over(defaults.over(under))
            options = over.over(own.over(below))
            found += expansion.expand(Entry(line=node.line, path=path, options=options))
        return found


class _Templates:
    """The templates of a file, each with what it is made after."""

    def __init__(self, item: Item | None, reader: OptionReader) -> None:
        self._reader = reader
        self._own: dict[str, Options] = {}
        self._whole: dict[str, Options] = {}
        if item is not None:
            for name, each in reader.mapping(item.node, keys.TEMPLATES).items():
                path = f"{keys.TEMPLATES}.{name}"
                self._own[name] = reader.options(each.node, path, keys.OF_TEMPLATES)
        for name in self._own:
            self._resolve(name, ())

    def options(self, entry: Options, path: str) -> Options:
        """Return what the template of an entry says."""
        asked = entry.values.get(keys.TEMPLATE)
        if asked is None:
            return Options()
        if asked.value not in self._own:
            self._unknown(asked.value, asked.line, f"{path}.{keys.TEMPLATE}")
            return Options()
        return self._whole[asked.value]

    def _resolve(self, name: str, behind: tuple[str, ...]) -> Options:
        if name in self._whole:
            return self._whole[name]
        own = self._own[name]
        asked = own.values.get(keys.EXTENDS)
        below = Options()
        if asked is not None:
            path = f"{keys.TEMPLATES}.{name}.{keys.EXTENDS}"
            circle = (*behind, name)
            if asked.value not in self._own:
                self._unknown(asked.value, asked.line, path)
            elif asked.value in circle:
                shown = " → ".join((*circle[circle.index(asked.value) :], asked.value))
                self._reader.fault(asked.line, path, f"templates go round in a circle: {shown}")
            else:
                below = self._resolve(asked.value, circle)
        self._whole[name] = own.over(below)
        return self._whole[name]

    def _unknown(self, name: str, line: int, path: str) -> None:
        hint = did_you_mean(name, self._own) or (
            f"there are {', '.join(self._own)}" if self._own else "templates has none"
        )
        self._reader.fault(line, path, f"there is no template {name}", hint)


def _text(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DocumentError("the file is UTF-16", line=1, hint="save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        raise DocumentError("the file is not UTF-8", line=line, hint="save it as UTF-8") from exc
