"""What stands for something else in the texts of a fleet file: {n}, {n:04} and {id}."""

import re
from typing import Final

_IN_IDS: Final = "{n} and {n:04}"
_ELSEWHERE: Final = "{n}, {n:04} and {id}"
_PART: Final = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_NUMBER: Final = re.compile(r"n(?::0(?P<width>[1-9]))?")


class PlaceholderError(ValueError):
    """A text has a placeholder that is none, or that nothing stands behind."""


def expand(text: str, *, number: int | None, charge_point_id: str | None) -> str:
    """Return a text with its placeholders filled in; ``{{`` is a brace.

    Args:
        text: of a fleet file.
        number: of the charge point in its entry; None where the entry has no `count`.
        charge_point_id: None within the id itself.

    Raises:
        PlaceholderError: it has others, or a number or an id that there is not.
    """

    def fill(found: re.Match[str]) -> str:
        whole = found[0]
        if whole in {"{{", "}}"}:
            return whole[0]
        if whole == "{id}" and charge_point_id is not None:
            return charge_point_id
        format_ = _NUMBER.fullmatch(found["name"] or "")
        if format_ is None:
            known = _IN_IDS if charge_point_id is None else _ELSEWHERE
            raise PlaceholderError(f"{whole} is no placeholder: those are {known}")
        if number is None:
            raise PlaceholderError(f"{whole} needs a count")
        return f"{number:0{format_['width'] or 1}d}"

    return _PART.sub(fill, text) if "{" in text or "}" in text else text


def escape(text: str) -> str:
    """Return a text that `expand` gives back as it was."""
    return text.replace("{", "{{").replace("}", "}}")


def has_number(text: str) -> bool:
    """Whether a text has a place for the number of a charge point."""
    return any(
        found["name"] is not None and _NUMBER.fullmatch(found["name"]) is not None
        for found in _PART.finditer(text)
    )
