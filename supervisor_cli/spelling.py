"""What a misspelt word may have meant."""

import difflib
from collections.abc import Iterable
from typing import Final

_MOST: Final = 3
_MUCH_LESS: Final = 0.15
"""Words that are so much less alike than the best one, of 1, are not offered beside it."""


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """Return a question after the known words that are like one, in whatever case.

    Args:
        word: as it was typed.
        known: the words there are.
        otherwise: what is returned where none is like it.
    """
    by_folded = {each.casefold(): each for each in known}
    folded = word.casefold()
    close = difflib.get_close_matches(folded, by_folded, n=_MOST)
    alike = {each: difflib.SequenceMatcher(None, each, folded).ratio() for each in close}
    best = max(alike.values(), default=0.0)
    meant = [by_folded[each] for each in close if alike[each] >= best - _MUCH_LESS]
    return f"did you mean {' or '.join(meant)}?" if meant else otherwise
