"""What stands in a fleet file, YAML or JSON, and in which line."""

from collections.abc import Mapping
from dataclasses import dataclass

Plain = bool | int | float | str | None
"""What a scalar can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A single value.

    Attributes:
        text: as it stands in the file, without quotes.
    """

    value: Plain
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A key of a mapping, with what is behind it; `line` is that of the key."""

    line: int
    node: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value of any kind; `line` counts from 1."""

    line: int
    content: "Scalar | tuple[Node, ...] | Mapping[str, Item]"

    @property
    def kind(self) -> str:
        """What it is, for people."""
        match self.content:
            case Scalar(value=None):
                return "nothing"
            case Scalar(value=bool()):
                return "true or false"
            case Scalar(value=str()):
                return "a text"
            case Scalar():
                return "a number"
            case tuple():
                return "a list"
        return "a mapping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something about a line of a file, for people.

    Attributes:
        path: to what it is about, as in ``charge_points[3].voltage``; empty is the whole file.
        text: the value and the rule.
        hint: the way out; empty where the text says it.
    """

    file: str
    line: int
    path: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " + (f"{self.path}: " if self.path else "")
        return f"{where}{self.text}" + (f" ({self.hint})" if self.hint else "")


class DocumentError(ValueError):
    """A text is neither YAML nor JSON as it should be; `line` counts from 1."""

    def __init__(self, text: str, *, line: int, hint: str = "") -> None:
        super().__init__(text)
        self.line = line
        self.hint = hint
