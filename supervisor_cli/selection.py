"""Which charge points the words of a command mean, and what is said of those that are not there."""

import itertools
from collections.abc import Callable, Collection, Sequence
from fnmatch import fnmatchcase
from typing import Final

from launcher.fleet_file import placeholders
from launcher.fleet_file.placeholders import PlaceholderError
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView, natural_key
from supervisor_cli.spelling import did_you_mean

_PATTERN_CHARACTERS: Final = frozenset("*?[")


def select(known: Collection[str], words: Sequence[str], *, everything: bool) -> list[str]:
    """Return the charge point ids that are meant, each once.

    Args:
        known: the ids of the environment.
        words: ids, and shell patterns such as ``CP-*``; an id need not be known.
        everything: all that are known; then without words.

    Raises:
        SimuError: words and `everything` together or neither (exit code 2); a pattern, or
            `everything`, that matches nothing (exit code 1).
    """
    need_words(words, everything=everything)
    if everything:
        if not known:
            raise SimuError("there are no charge points", hint="simuctl add makes one")
        return sorted(known, key=natural_key)
    selected: dict[str, None] = {}
    for word in words:
        selected.update(dict.fromkeys(_expand(known, word)))
    return list(selected)


def later_ones(words: Sequence[str], *, everything: bool) -> Callable[[str], bool]:
    """Return what tells whether a charge point that is added later is meant, too.

    All of them, or a pattern, mean it; an id that was not there when it was typed is an error.
    """
    patterns = [word for word in words if _PATTERN_CHARACTERS.intersection(word)]
    return lambda charge_point_id: (
        everything or any(fnmatchcase(charge_point_id, each) for each in patterns)
    )


def need_words(words: Sequence[str], *, everything: bool) -> None:
    """Check that charge points are named, or all of them are meant, and not both.

    Raises:
        SimuError: they are not (exit code 2).
    """
    if bool(words) == everything:
        raise SimuError(
            "charge point ids and --all exclude each other"
            if words
            else "no charge point is named",
            hint="name ids, a pattern such as 'CP-*', or --all",
            exit_code=ExitCode.USAGE,
        )


def unknown_charge_point(
    charge_point_id: str, known: Collection[str], environment: str
) -> SimuError:
    """Return the error for an id that is not there, with those that look like it."""
    there_are = "simuctl ls shows those there are"
    nothing_like_it = there_are if known else "there are none at all; simuctl add makes one"
    return SimuError(
        f"there is no charge point {charge_point_id} in environment {environment}",
        hint=did_you_mean(charge_point_id, known, otherwise=nothing_like_it),
    )


def need_connector(charge_point: ChargePointView, connector_id: int) -> None:
    """Check that a charge point has a connector, as far as it has said what it has.

    Raises:
        SimuError: it has others (exit code 1).
    """
    numbers = charge_point.connector_ids
    if numbers and connector_id not in numbers:
        has = f"connectors 1 to {numbers[-1]}" if len(numbers) > 1 else "connector 1 only"
        raise SimuError(
            f"connector {connector_id} does not exist on {charge_point.charge_point_id}: "
            f"it has {has}",
            hint=f"simuctl show {charge_point.charge_point_id}",
        )


def next_free_id(known: Collection[str]) -> str:
    """Return the lowest of CP-0001, CP-0002, … that is not taken."""
    return free_ids(known, 1)[0]


def free_ids(known: Collection[str], count: int) -> list[str]:
    """Return the `count` lowest of CP-0001, CP-0002, … that are not taken."""
    numbered = (f"CP-{number:04d}" for number in itertools.count(1))
    return list(itertools.islice((each for each in numbered if each not in known), count))


def numbered_ids(
    words: Sequence[str], *, count: int | None, pattern: str | None, first: int | None
) -> list[str]:
    """Return the ids of new charge points, each once; none where those that are free will do.

    Args:
        words: ids.
        count: how many; None where nothing was said.
        pattern: of the ids, as in ``CP-{n:04}``.
        first: what n begins with; None is 1.

    Raises:
        SimuError: that does not go together (exit code 2).
    """
    if words and (count is not None or pattern is not None):
        raise _usage("ids and --count or --id exclude each other")
    if pattern is None and first is not None:
        raise _usage("--first counts the ids of --id, and there is none")
    if pattern is None:
        return list(dict.fromkeys(words))
    start = 1 if first is None else first
    try:
        ids = [
            placeholders.expand(pattern, number=number, charge_point_id=None)
            for number in range(start, start + (1 if count is None else count))
        ]
    except PlaceholderError as exc:
        raise _usage(f"--id {pattern}: {exc}") from exc
    if len(set(ids)) < len(ids):
        raise _usage(f"--id {pattern} has no place for a number")
    return ids


def _usage(text: str) -> SimuError:
    hint = "for example --count 50 --id 'CP-{n:04}'"
    return SimuError(text, hint=hint, exit_code=ExitCode.USAGE)


def _expand(known: Collection[str], word: str) -> list[str]:
    if not _PATTERN_CHARACTERS.intersection(word):
        return [word]
    matched = sorted((each for each in known if fnmatchcase(each, word)), key=natural_key)
    if not matched:
        raise SimuError(
            f"no charge point matches {word!r}", hint="simuctl ls shows those there are"
        )
    return matched
