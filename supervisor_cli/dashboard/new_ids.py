"""The ids of new charge points: one, or as many as a pattern counts. Pure."""

from collections.abc import Callable, Collection

from supervisor_cli.errors import SimuError


def names_of(pattern: str, count: int, known: Collection[str], *, first: int = 1) -> list[str]:
    """Return the ids that a pattern such as ``CP-{n:04}`` stands for; those not taken yet.

    Args:
        pattern: ``n`` counts from `first`.
        count: how many.
        known: ids that are taken.
        first: the number of the first.

    Raises:
        SimuError: the pattern cannot be used, or one id is asked for more than once.
    """
    if "{" not in pattern:
        if count > 1:
            raise SimuError(f"{count} charge points need a pattern with {{n}}, such as CP-{{n:04}}")
        return [pattern]
    shape = _shape(pattern)
    names: list[str] = []
    position = first
    while len(names) < count:
        name = shape(position)
        if name not in known:
            names.append(name)
        position += 1
    return names


def _shape(pattern: str) -> Callable[[int], str]:
    def shape(position: int) -> str:
        return pattern.format(n=position)

    try:
        if shape(1) != shape(2):
            return shape
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as exc:
        raise SimuError(f"id {pattern!r} is no pattern: {{n}} or {{n:04}} counts") from exc
    raise SimuError(f"id {pattern!r} is the same for all: {{n}} or {{n:04}} counts")
