"""Charge points that are started with secrets: those are there before, and not left behind."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Final, Protocol

from launcher.api import Answer, ErrorCode, Specification
from supervisor_cli.client import OnProgress, SimuClient
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.secret_volumes import SecretStore

_SIDE_BY_SIDE: Final = 4


class Secrets(Protocol):
    """Knows the secrets of charge points."""

    def read(self, charge_point_id: str) -> dict[str, bytes]:
        """Return the files of a charge point: name -> what it holds."""


async def start(
    simu: SimuClient,
    specifications: Sequence[Specification],
    on_progress: OnProgress,
    open_store: Callable[[], SecretStore],
    sources: Secrets,
    having: Collection[str] | None = None,
    on_kept: Callable[[int, int], None] | None = None,
) -> Answer:
    """Keep the secrets of charge points for them, and start them; see `SimuClient.start`.

    Args:
        simu: the environment.
        specifications: of the charge points.
        on_progress: told how far it is.
        open_store: keeps the secrets.
        sources: has them.
        having: ids of those that have any; None: all of them.
        on_kept: told of how many of how many the secrets are kept.

    Raises:
        SimuError: a file cannot be read, the engine refuses, or as `SimuClient.start`.
    """
    store = await asyncio.to_thread(open_store)
    given: list[str] = []
    room = asyncio.Semaphore(_SIDE_BY_SIDE)
    kept = 0

    async def keep(charge_point_id: str) -> None:
        nonlocal kept
        async with room:
            files = sources.read(charge_point_id)
            given.append(charge_point_id)
            await _to_its_end(store.write, charge_point_id, files)
        kept += 1
        if on_kept is not None:
            on_kept(kept, len(wanted))

    def may_have(charge_point_id: str) -> bool:
        known = simu.view.get(charge_point_id)
        # One that lives is refused by the launcher: its secrets stay as they are.
        is_alive = known is not None and known.alive
        return not is_alive and (having is None or charge_point_id in having)

    wanted = [each.id for each in specifications if may_have(each.id)]
    try:
        await _all(keep(each) for each in wanted)
    except (SimuError, asyncio.CancelledError):
        with contextlib.suppress(SimuError):  # the engine may be what went; why it ends is told
            await _discard(store, given)
        raise
    try:
        answer = await simu.start(specifications, on_progress)
    except SimuError as exc:
        # A launcher that says nothing may yet start them.
        if exc.exit_code is not ExitCode.TIMEOUT:
            await _discard(store, given)
        raise
    refused = {it.id for it in answer.results if not it.ok and it.code is not ErrorCode.ALIVE}
    await _discard(store, [each for each in given if each in refused or answer.code is not None])
    return answer


async def _to_its_end(
    write: Callable[[str, Mapping[str, bytes]], None], name: str, files: Mapping[str, bytes]
) -> None:
    """Write in a thread, and be cancelled after its end alone: a thread cannot be called off."""
    writing = asyncio.ensure_future(asyncio.to_thread(write, name, files))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.gather(writing, return_exceptions=True)
        raise


async def _all(works: Iterable[Coroutine[None, None, None]]) -> None:
    """Do all of it; what goes wrong first is raised when none runs any more."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work, name="keep secrets")
    except* SimuError as exc:
        raise exc.exceptions[0] from exc


async def _discard(store: SecretStore, charge_point_ids: Iterable[str]) -> None:
    for each in charge_point_ids:
        await asyncio.to_thread(store.discard, each)
