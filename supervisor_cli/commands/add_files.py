"""`simuctl add -f`: the charge points of fleet files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import typer

from supervisor_cli import fleets
from supervisor_cli.acceptance import accepted
from supervisor_cli.commands.fleet_options import (
    given_options,
    read_files,
    refuse_beside,
)
from supervisor_cli.context import Settings, run, settings
from supervisor_cli.fleets import Fleet, FleetSecrets
from supervisor_cli.outcomes import Told, tell
from supervisor_cli.stages import stages
from supervisor_cli.terminal import say

_ALLOWED: Final = frozenset(
    {
        "files",
        "central_system",
        "no_wait",
        "timeout",
        "as_json",
        "password_file",
        "root_ca",
        "client_cert",
        "client_key",
        "manufacturer_ca",
        "pki",
    }
)


def add_files(
    context: typer.Context,
    files: Sequence[str],
    central_system: str | None,
    secret_paths: Mapping[str, Path | None],
    *,
    pki: Path | None,
    wait_s: float | None,
    as_json: bool,
) -> None:
    """Start the charge points of fleet files.

    Args:
        context: of the command.
        files: their names; ``-`` is stdin.
        central_system: as `read_files` takes it; likewise the secrets and the PKI.
        secret_paths: by the names of `cp_image.api.secrets`.
        pki: a folder.
        wait_s: how long to wait for the CSMS; None: not at all.
        as_json: how the outcomes are printed.

    Raises:
        SimuError: other options are given, a file is faulty, or any charge point fails.
    """
    refuse_beside("-f", given_options(context, _ALLOWED))
    fleet = read_files(context, files, central_system, secret_paths, pki)
    FleetSecrets.of(fleet.charge_points).check()
    if not fleet.charge_points:
        say("the files ask for no charge points")
    tell(run(_start(settings(context), fleet, wait_s)), as_json=as_json)


async def _start(common: Settings, fleet: Fleet, wait_s: float | None) -> list[Told]:
    if not fleet.charge_points:
        return []
    async with common.client() as simu:
        with stages() as progress:
            progress.show("starting", 0, len(fleet.charge_points))
            started = await fleets.start(
                simu, fleet.charge_points, common.secret_store, progress.show
            )
            return await accepted(simu, started, wait_s, say, progress.show)
