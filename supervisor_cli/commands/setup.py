"""The commands setup save and setup load."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cp_image.api.central_system import without_password
from launcher.api import Specification
from supervisor_cli.commands.confirmation import confirm, confirm_removal
from supervisor_cli.commands.fleet_options import CentralSystemOption, read_files, some
from supervisor_cli.commands.options import AsJson, NoWait, Timeout, examples
from supervisor_cli.commands.security import (
    ClientCertOption,
    ClientKeyOption,
    ManufacturerCaOption,
    PasswordFileOption,
    PkiOption,
    RootCaOption,
    paths_of,
)
from supervisor_cli.context import Settings, run, settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.outcomes import Told, tell
from supervisor_cli.set_up_file import Format, asked_for, content_of, format_of, write_file
from supervisor_cli.terminal import data_console, print_json, say

if TYPE_CHECKING:
    from supervisor_cli.fleet_view import FleetView
    from supervisor_cli.fleets import Fleet
    from supervisor_cli.setup_plan import SetUpPlan

_STDOUT: Final = "-"


YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    group = typer.Typer(
        name="setup",
        no_args_is_help=True,
        help="Save the fleet to a file, and make it what a file says.",
    )
    group.command(
        name="save",
        epilog=examples(
            "simuctl setup save fleet.json",
            "simuctl setup save fleet.yaml",
            "simuctl setup save - --format yaml",
        ),
    )(save)
    group.command(
        name="load",
        epilog=examples(
            "simuctl setup load fleet.yaml",
            "simuctl setup load fleet.json --yes",
            "simuctl setup load fleet.yaml --keep",
            "simuctl setup load fleet.yaml --dry-run",
        ),
    )(load)
    app.add_typer(group)


def save(
    context: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help=".json: as open-ocpp-simu has it; .yaml: a fleet file; - is stdout.",
        ),
    ],
    *,
    format_: Annotated[
        Format | None,
        typer.Option("--format", case_sensitive=False, help="Instead of what FILE ends with."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Write over a file without asking.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Save the fleet: all that was asked for of each charge point, but no secrets."""
    wanted = settings(context)
    chosen = format_ or format_of(file)
    path = None if file == _STDOUT else Path(file)
    if path is None and as_json:
        raise SimuError(
            "--json says what was saved: there is no room for it where - is the file",
            hint="--format json is the set-up itself as JSON",
            exit_code=ExitCode.USAGE,
        )
    if path is not None and path.is_dir():
        raise SimuError(f"cannot write {path}: it is a directory")
    if path is not None and path.exists() and not yes:
        _confirm_overwriting(wanted, path)
    specifications = asked_for(run(_snapshot(wanted)))
    content = content_of(specifications, chosen, wanted.environment)
    if path is None:
        sys.stdout.write(content.decode())
    else:
        write_file(path, content)
        say(f"{len(specifications)} charge points saved to {path}")
    if as_json:
        ids = [each.id for each in specifications]
        secret = [each.id for each in specifications if each.secrets]
        print_json({"file": file, "format": chosen, "ids": ids, "without_secrets_of": secret})
    _say_what_is_not_saved(specifications)


def load(  # noqa: PLR0913 - the secrets a file does not have
    context: typer.Context,
    file: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Fleet files, YAML or JSON; - is stdin.")
    ],
    *,
    central_system: CentralSystemOption = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Only add: what is there stays as it is.")
    ] = False,
    yes: YesOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    password_file: PasswordFileOption = None,
    root_ca: RootCaOption = None,
    client_cert: ClientCertOption = None,
    client_key: ClientKeyOption = None,
    manufacturer_ca: ManufacturerCaOption = None,
    pki: PkiOption = None,
    no_wait: NoWait = False,
    timeout: Timeout = 60.0,
    as_json: AsJson = False,
) -> None:
    """Make the fleet what files say: remove, start, restart; what is right stays untouched."""
    paths = paths_of(password_file, root_ca, client_cert, client_key, manufacturer_ca)
    common = settings(context)
    fleet = read_files(context, file, central_system, paths, pki)
    if dry_run:
        _show(run(_snapshot(common)), fleet, only_add=keep, as_json=as_json)
        return
    wanted = _Load(fleet=fleet, only_add=keep, asked=yes, wait_s=None if no_wait else timeout)
    tell(run(_load(common, wanted)), as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    fleet: "Fleet"
    only_add: bool
    asked: bool
    wait_s: float | None


def _show(view: "FleetView", fleet: "Fleet", *, only_add: bool, as_json: bool) -> None:
    todo = fleet.plan(view, only_add=only_add)
    if as_json:
        print_json(todo.builtins)
        return
    for line in todo.lines:
        data_console().print(line, markup=False, soft_wrap=True)


async def _load(common: Settings, wanted: _Load) -> list[Told]:
    from supervisor_cli import fleets  # noqa: PLC0415 - YAML costs 50 ms
    from supervisor_cli.acceptance import accepted  # noqa: PLC0415
    from supervisor_cli.stages import stages  # noqa: PLC0415

    async with common.client() as simu:
        todo = wanted.fleet.plan(simu.view, only_add=wanted.only_add)
        for line in todo.lines:
            say(line)
        fleets.FleetSecrets.of(todo.to_start).check()
        if todo.destroys and not wanted.asked:
            await _confirm(common, todo)
        with stages() as progress:
            told = await fleets.apply(simu, todo, common.secret_store, progress.show)
            awaited = {*(each.id for each in todo.to_start), *todo.restart}
            started = [each for each in told if each.charge_point_id in awaited]
            settled = await accepted(simu, started, wanted.wait_s, say, progress.show)
        others = [each for each in told if each.charge_point_id not in awaited]
        kept = [Told(charge_point_id=each, text="kept") for each in todo.keep]
        return [*others, *settled, *kept]


async def _confirm(common: Settings, todo: "SetUpPlan") -> None:
    import asyncio  # noqa: PLC0415

    number = len(todo.destroys)
    what = todo.destroys[0] if number == 1 else f"{number} charge points"
    # In a thread, so that the connection stays alive while somebody thinks.
    await asyncio.to_thread(
        confirm_removal,
        common,
        what,
        hint="--yes does not ask; --keep only adds",
        declined="nothing was changed",
    )


def _confirm_overwriting(common: Settings, path: Path) -> None:
    confirm(
        common,
        f"Write over {path}?",
        nobody=f"{path} is there already, and nobody to ask",
        hint="--yes writes over it",
        declined="nothing was saved",
    )


async def _snapshot(common: Settings) -> "FleetView":
    async with common.client() as simu:
        return simu.view


def _say_what_is_not_saved(specifications: Sequence[Specification]) -> None:
    having = [each.id for each in specifications if each.secrets]
    if having:
        say(f"passwords, certificates and keys are not saved: {some(having)} need them to load")
    in_urls = [
        each.id
        for each in specifications
        if without_password(each.central_system) != each.central_system
    ]
    if in_urls:
        say(f"warning: the URLs of {some(in_urls)} are saved with the password in them")
