"""What the shell offers while a command is typed: fast, and silent where nothing answers."""

import contextlib
from collections.abc import Sequence
from typing import Final

import typer

_PATIENCE_S: Final = 1.5
"""Who has pressed the tabulator does not wait any longer."""


def charge_point_ids(context: typer.Context, args: Sequence[str], incomplete: str) -> list[str]:
    """Return the ids of the live environment that may come next."""
    taken = set(args) | _values(context)
    return [each for each in _ids(context) if each.startswith(incomplete) and each not in taken]


def _values(context: typer.Context) -> set[str]:
    lists = [value for value in context.params.values() if isinstance(value, list | tuple)]
    return {word for value in lists for word in value if isinstance(word, str)}


def _ids(context: typer.Context) -> list[str]:
    """Return all ids; none where the environment cannot be reached: nobody reads an error here."""
    import asyncio  # noqa: PLC0415 - only the shell's question pays for it

    from supervisor_cli.context import Seams, build_settings  # noqa: PLC0415
    from supervisor_cli.fleet_view import natural_key  # noqa: PLC0415

    root = context.find_root()
    seams = context.obj if isinstance(context.obj, Seams) else Seams()

    async def ask() -> list[str]:
        wanted = build_settings(root.params.get("environment"), root.params.get("broker"), seams)
        async with asyncio.timeout(_PATIENCE_S), wanted.client() as simu:
            return sorted(simu.view.by_id, key=natural_key)

    with contextlib.suppress(Exception):
        return asyncio.run(ask())
    return []
