"""From JSON to nodes: as strict as JSON, but it knows the lines."""

import json
import re
from bisect import bisect_right
from typing import Any, Final

from launcher.fleet_file.nodes import DocumentError, Item, Node, Scalar

_STRINGS: Final = json.JSONDecoder()
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: Final[tuple[tuple[str, bool | None], ...]] = (
    ("true", True),
    ("false", False),
    ("null", None),
)


def read(text: str) -> Node:
    """Return the document in a text.

    Raises:
        DocumentError: it is not JSON, or a key stands twice in an object.
    """
    reader = _Reader(text)
    try:
        return reader.document()
    except RecursionError as exc:
        raise DocumentError("not a set-up file: too deep", line=1) from exc


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_ends = [found.start() for found in re.finditer("\n", text)]

    def document(self) -> Node:
        made = self._node()
        self._skip_blanks()
        if self._at < len(self._text):
            raise self._refusal("something stands behind the end")
        return made

    def _node(self) -> Node:
        self._skip_blanks()
        line = self._line()
        content: Any
        match self._text[self._at : self._at + 1]:
            case "{":
                content = self._object()
            case "[":
                content = self._array()
            case '"':
                text = self._string()
                content = Scalar(value=text, text=text)
            case _:
                content = self._word_or_number()
        return Node(line=line, content=content)

    def _object(self) -> dict[str, Item]:
        items: dict[str, Item] = {}
        self._at += 1
        while not self._ends_with("}", first=not items):
            self._skip_blanks()
            line = self._line()
            if self._text[self._at : self._at + 1] != '"':
                raise self._refusal("a key in quotes is expected")
            key = self._string()
            self._take(":")
            if key in items:
                text = f"the key {key} stands in line {items[key].line}, too"
                raise DocumentError(text, line=line)
            items[key] = Item(line=line, node=self._node())
        return items

    def _array(self) -> tuple[Node, ...]:
        nodes: list[Node] = []
        self._at += 1
        while not self._ends_with("]", first=not nodes):
            nodes.append(self._node())
        return tuple(nodes)

    def _ends_with(self, end: str, *, first: bool) -> bool:
        """Whether a container ends here; else take the comma before its next member."""
        self._skip_blanks()
        here = self._text[self._at : self._at + 1]
        if here == end:
            self._at += 1
            return True
        if not first:
            if here != ",":
                raise self._refusal(f"a comma or {end} is expected")
            self._at += 1
        return False

    def _string(self) -> str:
        try:
            text, self._at = _STRINGS.raw_decode(self._text, self._at)
        except json.JSONDecodeError as exc:
            raise self._refusal(exc.msg[:1].lower() + exc.msg[1:]) from exc
        return str(text)

    def _word_or_number(self) -> Scalar:
        for word, value in _WORDS:
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return Scalar(value=value, text=word)
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            raise self._refusal("a value is expected")
        self._at = found.end()
        whole = found[2] is None and found[3] is None
        return Scalar(value=int(found[0]) if whole else float(found[0]), text=found[0])

    def _take(self, what: str) -> None:
        self._skip_blanks()
        if self._text[self._at : self._at + 1] != what:
            raise self._refusal(f"{what} is expected")
        self._at += 1

    def _skip_blanks(self) -> None:
        found = _BLANKS.match(self._text, self._at)
        self._at = found.end() if found is not None else self._at

    def _line(self) -> int:
        return bisect_right(self._line_ends, self._at - 1) + 1

    def _refusal(self, what: str) -> DocumentError:
        rest = self._text[self._at : self._at + 10].split("\n")[0]
        return DocumentError(
            f"not JSON: {what}, at {rest!r}" if rest else f"not JSON: {what}, but the file ends",
            line=self._line(),
        )
