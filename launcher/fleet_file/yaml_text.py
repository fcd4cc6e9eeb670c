"""From YAML 1.2 to nodes."""

import re
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from launcher.fleet_file.nodes import DocumentError, Item, Node, Plain, Scalar

_MERGE: Final = "<<"
_STANDARD: Final = "tag:yaml.org,2002:"
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,300}")
_OTHER_BASE: Final = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def read(text: str) -> Node | None:
    """Return the document in a text; None where there is none.

    Merge keys are merged, and what is anchored stands wherever it is named.

    Raises:
        DocumentError: not YAML, or YAML that a fleet file cannot be.
    """
    try:
        composed = YAML(typ="rt", pure=True).compose(text)
        return None if composed is None else _Conversion().node(composed)
    except MarkedYAMLError as exc:
        raise _refusal(exc, text) from exc
    except YAMLError as exc:  # characters that no YAML may have
        raise DocumentError(f"not YAML: {_one_line(str(exc))}", line=1) from exc
    except RecursionError as exc:
        raise DocumentError("not a fleet file: too deep", line=1) from exc


def plain(text: str) -> Plain:
    """Return what a scalar without quotes means (YAML 1.2.2 §10.3.2, core schema)."""
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL_FLOAT.fullmatch(text):
        return float(text.replace(".", "", 1).lower())
    return text


class _Conversion:
    """From the nodes of ruamel to ours; what is named twice is converted once."""

    def __init__(self) -> None:
        self._done: dict[int, Node] = {}
        self._open: set[int] = set()

    def node(self, raw: Any) -> Node:
        known = self._done.get(id(raw))
        if known is not None:
            return known
        line = raw.start_mark.line + 1
        if id(raw) in self._open:
            raise DocumentError("an anchor is named within itself", line=line)
        self._open.add(id(raw))
        made = self._done[id(raw)] = Node(line=line, content=self._content(raw))
        self._open.discard(id(raw))
        return made

    def _content(self, raw: Any) -> Any:
        line = raw.start_mark.line + 1
        tag = str(raw.tag or "")
        if not tag.startswith(_STANDARD) and tag not in {"", "!"}:
            raise DocumentError(f"the tag {tag} means nothing in a fleet file", line=line)
        match raw:
            case ScalarNode():
                is_text = raw.style is not None or tag in {f"{_STANDARD}str", "!"}
                value = raw.value if is_text else plain(raw.value)
                return Scalar(value=value, text=raw.value)
            case SequenceNode():
                return tuple(self.node(each) for each in raw.value)
            case MappingNode():
                return self._mapping(raw)
        raise DocumentError(f"a {type(raw).__name__} means nothing in a fleet file", line=line)

    def _mapping(self, raw: Any) -> dict[str, Item]:
        own: dict[str, Item] = {}
        merged: dict[str, Item] = {}
        for key, value in raw.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise DocumentError("a key must be a text", line=line)
            if key.value == _MERGE and key.style is None:
                for name, item in self._to_merge(value, line).items():
                    merged.setdefault(name, item)
                continue
            if key.value in own:
                first = own[key.value].line
                raise DocumentError(f"the key {key.value} stands in line {first}, too", line=line)
            own[key.value] = Item(line=line, node=self.node(value))
        return {**merged, **own}

    def _to_merge(self, value: Any, line: int) -> dict[str, Item]:
        node = self.node(value)
        sources = node.content if isinstance(node.content, tuple) else (node,)
        merged: dict[str, Item] = {}
        for source in sources:
            if isinstance(source.content, Scalar | tuple):
                raise DocumentError("<< takes a mapping, or a list of them", line=line)
            for name, item in source.content.items():
                merged.setdefault(name, item)
        return merged


def _refusal(error: MarkedYAMLError, text: str) -> DocumentError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 1
    lines = text.splitlines()
    about = lines[line - 1] if line <= len(lines) else ""
    hint = ""
    if "\t" in about[: len(about) - len(about.lstrip())] or "\\t" in str(error.problem):
        hint = "YAML is indented with blanks, not with tabs"
    elif error.problem and "single document" in str(error.context):
        hint = "a fleet file has one document: leave the second --- out"
    what = "; ".join(_one_line(str(each)) for each in (error.context, error.problem) if each)
    return DocumentError(f"not YAML: {what}", line=line, hint=hint)


def _one_line(text: str) -> str:
    return " ".join(text.split())
