"""What the shell offers while a command is typed: fast, and silent where nothing answers."""

import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from supervisor_cli.client import SimuClient

_PATIENCE_S: Final = 5.0
"""Who has pressed the tabulator does not wait any longer."""


def charge_point_ids(context: typer.Context, args: Sequence[str], incomplete: str) -> list[str]:
    """Return the ids of the live environment that may come next."""

    async def ask(simu: "SimuClient") -> list[str]:
        return _free_ids(simu, set(args) | _values(context), incomplete)

    return _answer(context, ask)


def configuration_keys(context: typer.Context, incomplete: str) -> list[str]:
    """Return the keys that begin so, of a living charge point."""

    async def ask(simu: "SimuClient") -> list[str]:
        return await _keys(simu, _values(context), incomplete)

    return _answer(context, ask)


def ids_and_assignments(context: typer.Context, args: Sequence[str], incomplete: str) -> list[str]:
    """Return the ids that may come next, and the keys, which wait for their values."""
    taken = set(args) | _values(context)

    async def ask(simu: "SimuClient") -> list[str]:
        ids = _free_ids(simu, taken, incomplete)
        if not (taken or incomplete):
            return ids
        return [*ids, *(f"{each}=" for each in await _keys(simu, taken, incomplete))]

    return _answer(context, ask)


def _free_ids(simu: "SimuClient", taken: Collection[str], incomplete: str) -> list[str]:
    from supervisor_cli.fleet_view import natural_key  # noqa: PLC0415

    ids = (each for each in simu.view.by_id if each.startswith(incomplete) and each not in taken)
    return sorted(ids, key=natural_key)


async def _keys(simu: "SimuClient", named: Collection[str], incomplete: str) -> list[str]:
    """Ask a charge point that is named, else any: their keys differ little."""
    living = [each for each in simu.view.by_id if simu.is_alive(each)]
    asked = next((each for each in living if each in named), next(iter(living), None))
    keys = await simu.configuration(asked) if asked is not None else ()
    return [each for each in keys if each.startswith(incomplete)]


def _values(context: typer.Context) -> set[str]:
    lists = [value for value in context.params.values() if isinstance(value, list | tuple)]
    return {word for value in lists for word in value if isinstance(word, str)}


def _answer(
    context: typer.Context, question: Callable[["SimuClient"], Awaitable[list[str]]]
) -> list[str]:
    """Return nothing where the environment cannot be reached: nobody reads an error here."""
    import asyncio  # noqa: PLC0415 - only the shell's question pays for it

    from supervisor_cli.context import Seams, build_settings  # noqa: PLC0415

    root = context.find_root()
    seams = context.obj if isinstance(context.obj, Seams) else Seams()

    async def ask() -> list[str]:
        wanted = build_settings(root.params.get("environment"), root.params.get("broker"), seams)
        async with asyncio.timeout(_PATIENCE_S), wanted.client() as simu:
            return await question(simu)

    with contextlib.suppress(Exception):
        return asyncio.run(ask())
    return []
