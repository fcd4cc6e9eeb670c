"""Charge points that are started with secrets: those are there before, and not left behind."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from launcher.api import Answer, ErrorCode, Specification
from supervisor_cli.client import OnProgress, SimuClient
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.secret_files import SecretSources
from supervisor_cli.secret_volumes import SecretStore


async def start(
    simu: SimuClient,
    specifications: Sequence[Specification],
    on_progress: OnProgress,
    open_store: Callable[[], SecretStore],
    sources: SecretSources,
) -> Answer:
    """Keep the secrets of charge points for them, and start them; see `SimuClient.start`.

    Raises:
        SimuError: a file cannot be read, the engine refuses, or as `SimuClient.start`.
    """
    store = await asyncio.to_thread(open_store)
    given: list[str] = []
    try:
        for each in specifications:
            known = simu.view.get(each.id)
            # One that lives is refused by the launcher: its secrets stay as they are.
            if known is None or not known.alive:
                given.append(each.id)
                await asyncio.to_thread(store.write, each.id, sources.read(each.id))
        answer = await simu.start(specifications, on_progress)
    except SimuError as exc:
        # A launcher that says nothing may yet start them.
        if exc.exit_code is not ExitCode.TIMEOUT:
            await _discard(store, given)
        raise
    refused = {it.id for it in answer.results if not it.ok and it.code is not ErrorCode.ALIVE}
    await _discard(store, [each for each in given if each in refused or answer.code is not None])
    return answer


async def _discard(store: SecretStore, charge_point_ids: Iterable[str]) -> None:
    for each in charge_point_ids:
        await asyncio.to_thread(store.discard, each)
