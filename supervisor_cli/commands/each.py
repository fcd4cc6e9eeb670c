"""Doing something with each charge point that is meant, at once."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from supervisor_cli.context import Settings, run
from supervisor_cli.outcomes import Told, for_each
from supervisor_cli.selection import need_words, select

if TYPE_CHECKING:
    from supervisor_cli.client import SimuClient

Act = Callable[["SimuClient", str], Awaitable[Told]]
"""Does it with one; raises `SimuError` where it fails."""


def each_of(
    wanted: Settings, words: Sequence[str] | None, act: Act, *, everything: bool
) -> list[Told]:
    """Return what became of each charge point that ids and patterns, or `everything`, mean.

    Raises:
        SimuError: none is named (exit code 2), none matches, or the broker is not there.
    """
    named = words or []
    need_words(named, everything=everything)

    async def all_of_them() -> list[Told]:
        async with wanted.client() as simu:
            ids = select(simu.view.by_id, named, everything=everything)
            return await for_each(ids, lambda charge_point_id: act(simu, charge_point_id))

    return run(all_of_them())
