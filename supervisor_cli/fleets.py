"""Fleet files from Python: read them, see what has to be done, do it.

::

    fleet = load_fleet("fleet.yaml")
    async with SimuClient(environment="cp-simu") as simu:
        todo = fleet.plan(simu.view)
        outcomes = await apply(simu, todo, lambda: SecretVolumes("cp-simu"))
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from launcher.api import CommandType, ErrorCode, Progress, Specification
from launcher.fleet_file import keys
from launcher.fleet_file.around import Around
from launcher.fleet_file.nodes import Remark
from launcher.fleet_file.reading import Source, read
from launcher.fleet_file.wanted import WantedChargePoint
from supervisor_cli import setup_plan
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.outcomes import Told, from_answer
from supervisor_cli.secret_files import Password, SecretSources
from supervisor_cli.setup_plan import SetUpPlan

if TYPE_CHECKING:
    from supervisor_cli.client import SimuClient
    from supervisor_cli.secret_volumes import SecretStore

STDIN: Final = "-"
_GONE_WITHIN_S: Final = 60.0
_KEEPING: Final = "writing the secrets of"
_SHOWN_FAULTS: Final = 50
_JSON_SUFFIXES: Final = {".json": True, ".yaml": False, ".yml": False}

OnStep = Callable[[str, int, int], None]
"""Told how far something is: what is done, how often it was done, how often it is to be."""


def _ignore(_what: str, _done: int, _total: int) -> None:
    """Take no notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What fleet files ask for.

    Attributes:
        charge_points: in the order of the files.
        notes: what stands in the files and is ignored.
    """

    charge_points: tuple[WantedChargePoint, ...]
    notes: tuple[Remark, ...] = ()

    @property
    def specifications(self) -> list[Specification]:
        """Of the charge points."""
        return [each.specification for each in self.charge_points]

    def plan(self, fleet: FleetView, *, only_add: bool = False) -> SetUpPlan:
        """Return what has to be done so that a fleet is this one; see `setup_plan.plan`."""
        return setup_plan.plan(fleet, self.charge_points, only_add=only_add)


class FleetFileError(SimuError):
    """Fleet files cannot be used.

    Attributes:
        faults: all that is wrong with them.
    """

    def __init__(self, faults: Sequence[Remark]) -> None:
        shown = [str(each) for each in faults[:_SHOWN_FAULTS]]
        if len(faults) > _SHOWN_FAULTS:
            shown.append(f"… and {len(faults) - _SHOWN_FAULTS} more")
        text = shown[0] if len(shown) == 1 else "\n  ".join((f"{len(faults)} faults:", *shown))
        super().__init__(
            text, hint="simuctl schema describes fleet files", exit_code=ExitCode.USAGE
        )
        self.faults = tuple(faults)


def load_fleet(
    *paths: str | Path,
    supplied: Mapping[str, Path] | None = None,
    from_pki: frozenset[str] = frozenset(),
    over: Mapping[str, str] | None = None,
    under: Mapping[str, str] | None = None,
) -> Fleet:
    """Return what fleet files ask for: YAML, or set-up files in JSON.

    Args:
        paths: of the files; ``-`` is stdin.
        supplied: files of secrets for those charge points that need them and name none, by the
            names of `cp_image.api.secrets`; ``{id}`` stands for the id.
        from_pki: which of them a test PKI has.
        over: options that hold for all charge points whatever the files say, `central_system`
            for one.
        under: options that hold where the files say nothing.

    Raises:
        SimuError: a file cannot be read (exit code 1), or stdin is named twice (exit code 2).
        FleetFileError: one is faulty (exit code 2); tells everything that is wrong.
    """
    if [str(path) for path in paths].count(STDIN) > 1:
        raise SimuError("stdin is named twice: it can be read once", exit_code=ExitCode.USAGE)
    given = {name: str(path.absolute()) for name, path in (supplied or {}).items()}
    reading = read(
        [_source(str(path)) for path in paths],
        Around(supplied=given, from_pki=from_pki, over=over or {}, under=under or {}),
    )
    if reading.faults:
        raise FleetFileError(reading.faults)
    return Fleet(charge_points=tuple(reading.charge_points), notes=tuple(reading.notes))


@dataclass(frozen=True, slots=True)
class FleetSecrets:
    """The secrets of the charge points of a fleet, read when they are asked for."""

    charge_points: Mapping[str, WantedChargePoint]

    @classmethod
    def of(cls, wanted: Iterable[WantedChargePoint]) -> "FleetSecrets":
        """Return those of some charge points."""
        return cls({each.id: each for each in wanted})

    @property
    def ids(self) -> list[str]:
        """Of the charge points that have any."""
        return [id_ for id_, each in self.charge_points.items() if each.has_secrets]

    def read(self, charge_point_id: str) -> dict[str, bytes]:
        """Return the files of a charge point: name -> what it holds.

        Raises:
            SimuError: one cannot be read, is too long, or is no password.
        """
        wanted = self.charge_points[charge_point_id]
        folder = Path(wanted.folder)
        sources = SecretSources(
            password=None if wanted.password is None else Password(wanted.password),
            paths={name: folder / Path(it).expanduser() for name, it in wanted.paths.items()},
            from_pki=wanted.from_pki,
            named_by={name: key for key, name in keys.SECRET_PATHS.items()},
        )
        try:
            return sources.read(charge_point_id)
        except SimuError as exc:
            text = f"{wanted.origin}: {charge_point_id}: {exc}"
            raise SimuError(text, hint=exc.hint, exit_code=exc.exit_code) from exc

    def check(self) -> None:
        """Read them all, to be sure.

        Raises:
            SimuError: one cannot be read, or one that is needed is named nowhere.
        """
        for each in self.charge_points.values():
            if each.missing:
                named_by = {name: key for key, name in keys.SECRET_PATHS.items()}
                lacking = " and ".join(named_by[name] for name in each.missing)
                raise SimuError(
                    f"{each.origin}: {each.id} needs {lacking}, and the file does not say where "
                    "that is",
                    hint="password_file, root_ca, client_cert, client_key or pki in the file, or "
                    "the options of these names",
                    exit_code=ExitCode.USAGE,
                )
        for charge_point_id in self.ids:
            self.read(charge_point_id)


async def start(
    simu: "SimuClient",
    wanted: Sequence[WantedChargePoint],
    open_store: "Callable[[], SecretStore]",
    on_step: OnStep = _ignore,
) -> list[Told]:
    """Start charge points, with their secrets.

    Args:
        simu: the environment.
        wanted: none of them is alive; one that is, is refused and stays as it is.
        open_store: keeps the secrets; called only where there are any.
        on_step: told how far it is.

    Raises:
        SimuError: a secret cannot be read, no launcher answers, or it refuses everything.
    """
    if not wanted:
        return []
    fleet_secrets = FleetSecrets.of(wanted)
    fleet_secrets.check()
    specifications = [each.specification for each in wanted]

    def heard(progress: Progress) -> None:
        on_step("starting", progress.done, progress.total)

    if fleet_secrets.ids:
        from supervisor_cli import secret_delivery  # noqa: PLC0415 - the engine costs 200 ms

        on_step(_KEEPING, 0, len(fleet_secrets.ids))
        answer = await secret_delivery.start(
            simu,
            specifications,
            heard,
            open_store,
            fleet_secrets,
            fleet_secrets.ids,
            lambda done, total: on_step(_KEEPING, done, total),
        )
    else:
        answer = await simu.start(specifications, heard)
    return from_answer(answer, done="started", about=simu)


async def apply(
    simu: "SimuClient",
    todo: SetUpPlan,
    open_store: "Callable[[], SecretStore]",
    on_step: OnStep = _ignore,
) -> list[Told]:
    """Do what has to be done; return what became of each charge point but those that are kept.

    Nothing is removed before the secrets of all that is to be started have been read. What goes
    wrong after something was removed is the outcome of those it goes wrong for.

    Raises:
        SimuError: a secret cannot be read, no launcher answers, or it refuses, and nothing was
            done yet.
    """
    FleetSecrets.of(todo.to_start).check()
    removed = await _remove(simu, todo.destroys, on_step)
    stuck = {each.charge_point_id for each in removed if not each.ok}
    gone = {each.wanted.id for each in todo.renew} - stuck
    told = [each for each in removed if each.charge_point_id not in gone]
    to_start = [each for each in todo.to_start if each.id not in stuck]
    try:
        told += await start(simu, to_start, open_store, on_step)
    except SimuError as exc:
        if not told:
            raise  # nothing was done: one error says it all
        told += [Told.failed(each.id, exc) for each in to_start]
    try:
        told += await _restart(simu, todo.restart, on_step)
    except SimuError as exc:
        if not told:
            raise
        told += [Told.failed(each, exc) for each in todo.restart]
    return told


async def _restart(
    simu: "SimuClient", charge_point_ids: Sequence[str], on_step: OnStep
) -> list[Told]:
    if not charge_point_ids:
        return []

    def heard(progress: Progress) -> None:
        on_step("restarting", progress.done, progress.total)

    answer = await simu.command(CommandType.RESTART, charge_point_ids, heard)
    return from_answer(answer, done="restarted", about=simu)


async def _remove(
    simu: "SimuClient", charge_point_ids: Sequence[str], on_step: OnStep
) -> list[Told]:
    if not charge_point_ids:
        return []

    def heard(progress: Progress) -> None:
        on_step("removing", progress.done, progress.total)

    answer = await simu.command(CommandType.REMOVE, charge_point_ids, heard)
    told = []
    for each in from_answer(answer, done="removed", about=simu):
        outcome = each
        if each.code == ErrorCode.UNKNOWN_CHARGE_POINT:  # the broker alone remembers it
            await simu.clear(each.charge_point_id)
            outcome = Told(charge_point_id=each.charge_point_id, text="removed")
        told.append(outcome)
    gone = {each.charge_point_id for each in told if each.ok}
    await simu.wait_for(
        lambda fleet: not gone & fleet.by_id.keys(),
        timeout_s=_GONE_WITHIN_S,
        what="the end of what was removed",
    )
    return told


def _source(path: str) -> Source:
    if path == STDIN:
        return Source(name="stdin", content=sys.stdin.buffer.read())
    try:
        content = Path(path).read_bytes()
    except OSError as exc:
        raise SimuError(f"cannot read {path}: {exc.strerror}") from exc
    return Source(
        name=path,
        content=content,
        folder=str(Path(path).parent),
        is_json=_JSON_SUFFIXES.get(Path(path).suffix.lower()),
    )
