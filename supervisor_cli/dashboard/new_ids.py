"""The ids of new charge points: one, or as many as a pattern counts. Pure."""

from collections.abc import Collection
from itertools import islice

from launcher.fleet_file import placeholders
from launcher.fleet_file.placeholders import PlaceholderError
from supervisor_cli.errors import SimuError


def names_of(
    pattern: str, count: int, known: Collection[str], *, first: int | None = None
) -> list[str]:
    """Return the ids that a pattern such as ``CP-{n:04}`` stands for; those not taken yet.

    Args:
        pattern: ``n`` counts from `first`.
        count: how many.
        known: ids that are taken.
        first: the number of the first; None is 1.

    Raises:
        SimuError: the pattern cannot be used, or one id is asked for more than once or counted.
    """
    if "{" not in pattern:
        if count > 1:
            raise SimuError(f"{count} charge points need a pattern with {{n}}, such as CP-{{n:04}}")
        if first is not None:
            raise SimuError(f"numbered from: {pattern!r} has no {{n}} to count, as in CP-{{n:04}}")
        return [pattern]
    start = 1 if first is None else first
    # Another number is another id: of so many, at least `count` are free.
    numbers = range(start, start + count + len(known))
    try:
        ids = (
            placeholders.expand(pattern, number=number, charge_point_id=None) for number in numbers
        )
        names = list(islice((each for each in ids if each not in known), count))
    except PlaceholderError as exc:
        raise SimuError(f"id {pattern!r} is no pattern: {{n}} or {{n:04}} counts") from exc
    if not placeholders.has_number(pattern):
        raise SimuError(f"id {pattern!r} is the same for all: {{n}} or {{n:04}} counts")
    return names
