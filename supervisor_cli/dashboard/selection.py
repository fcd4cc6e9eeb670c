"""Which rows are shown, and in what order. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from supervisor_cli.dashboard.columns import Column
from supervisor_cli.dashboard.roster import Group, Row

_PATTERN_CHARACTERS: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is wished to be seen.

    Attributes:
        words: as typed: every word must match id, status, tag or CSMS; one with * ? [ as a shell
            pattern of the whole, ``!word`` must not.
        group: None is all of them.
        descending: the other way round.
    """

    words: str = ""
    group: Group | None = None
    sort_by: Column = Column.ID
    descending: bool = False

    @property
    def narrows(self) -> bool:
        """Whether anything may be left out."""
        return bool(self.words.split()) or self.group is not None


def chosen(rows: Iterable[Row], choice: Choice, now: float) -> list[Row]:
    """Return the rows that are wished, in the order that is wished; ties are by id."""
    wanted = wish(choice.words)
    found = [row for row in rows if choice.group in {None, row.group} and wanted(row)]
    found.sort(key=lambda row: row.by_id)
    if choice.sort_by is not Column.ID:
        key = choice.sort_by.spec.key
        found.sort(key=lambda row: key(row, now), reverse=choice.descending)
    elif choice.descending:
        found.reverse()
    return found


def wish(words: str) -> Callable[[Row], bool]:
    """Return what tells whether a row matches all words of a filter."""
    tests = [_test(word.casefold()) for word in words.split()]
    return lambda row: all(test(row) for test in tests)


def _test(word: str) -> Callable[[Row], bool]:
    if word.startswith("!") and len(word) > 1:
        unwanted = _test(word[1:])
        return lambda row: not unwanted(row)
    if _PATTERN_CHARACTERS.intersection(word):
        return lambda row: any(fnmatchcase(each, word) for each in _searched(row))
    return lambda row: any(word in each for each in _searched(row))


def _searched(row: Row) -> tuple[str, ...]:
    status, connector = row.charge_point.status, row.connector
    return (
        row.place.charge_point_id.casefold(),
        row.group.casefold(),
        (row.charge_point.unreachable or row.charge_point.state or "unknown").casefold(),
        (connector.state or "").casefold() if connector is not None else "",
        connector.reported.id_tag.casefold() if connector is not None else "",
        status.central_system.casefold() if status is not None else "",
    )
