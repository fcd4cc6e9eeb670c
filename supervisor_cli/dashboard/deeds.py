"""What is done to charge points, and what became of it for each."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from launcher.api import CommandType, ErrorCode
from launcher.fleet_file.wanted import WantedChargePoint
from supervisor_cli import fleets
from supervisor_cli.acceptance import accepted
from supervisor_cli.client import Input, SimuClient
from supervisor_cli.dashboard.roster import Place
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView
from supervisor_cli.outcomes import Told, from_answer, words
from supervisor_cli.selection import need_connector

if TYPE_CHECKING:
    from supervisor_cli.secret_volumes import SecretStore

ACCEPTED_WITHIN_S: Final = 60.0
"""How long the CSMS may take to accept what was started."""

Now = Callable[[str], None]
"""Takes the words for what is being done."""
Build = Callable[[ChargePointView, int], tuple[Input, str]]
"""Makes the input for a connector, and says in words what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """How a command of the launcher is spoken of."""

    kind: CommandType
    verb: str
    doing: str
    done: str


KILL: Final = Verb(kind=CommandType.KILL, verb="Kill", doing="killing", done="killed")
STOP: Final = Verb(kind=CommandType.STOP, verb="Stop", doing="stopping", done="stopped")
RESTART: Final = Verb(
    kind=CommandType.RESTART, verb="Restart", doing="restarting", done="restarted"
)
REMOVE: Final = Verb(kind=CommandType.REMOVE, verb="Remove", doing="removing", done="removed")
FREEZE: Final = Verb(kind=CommandType.FREEZE, verb="Freeze", doing="freezing", done="frozen")
THAW: Final = Verb(kind=CommandType.THAW, verb="Thaw", doing="thawing", done="thawed")
CUT: Final = Verb(kind=CommandType.CUT, verb="Cut off", doing="cutting off", done="cut off")
MEND: Final = Verb(kind=CommandType.MEND, verb="Mend", doing="mending", done="mended")


async def at_connectors(simu: SimuClient, places: Sequence[Place], build: Build) -> list[Told]:
    """Give an input to each connector, all at once; the failure of one stops no other.

    Number 0 is a charge point as a whole.
    """

    async def one(place: Place) -> Told:
        name, number = place
        try:
            charge_point = simu.living(name)
            if number:
                need_connector(charge_point, number)
            payload, done = build(charge_point, number)
            result = await simu.send_input(name, payload, connector_id=number)
        except SimuError as exc:
            return Told.failed(name, exc)
        if result.ok:
            text = f"connector {number}: {done}" if number else done
            return Told(charge_point_id=name, text=text)
        return Told(
            charge_point_id=name,
            code=result.code,
            text=result.text or result.code or "refused without a reason",
            exit_code=ExitCode.FAILED,
        )

    return await _together([one(each) for each in places])


async def command(
    simu: SimuClient, verb: Verb, charge_point_ids: Sequence[str], now: Now
) -> list[Told]:
    """Send a command to the launcher; after a restart wait until the CSMS has accepted.

    Raises:
        SimuError: the launcher is not there, says nothing, or refuses the command as a whole.
    """
    now(f"{words(verb.doing, len(charge_point_ids))}…")
    step = steps(now)
    answer = await simu.command(
        verb.kind, charge_point_ids, lambda each: step(verb.doing, each.done, each.total)
    )
    outcomes = from_answer(answer, done=verb.done, about=simu)
    if verb is RESTART:
        return await accepted(simu, outcomes, ACCEPTED_WITHIN_S, now, steps(now))
    if verb is REMOVE:
        return await _together([_cleared(simu, each) for each in outcomes])
    return outcomes


async def start(
    simu: SimuClient,
    wanted: Sequence[WantedChargePoint],
    open_store: "Callable[[], SecretStore]",
    now: Now,
) -> list[Told]:
    """Start charge points, with their secrets, and wait until the CSMS has accepted them.

    Raises:
        SimuError: as `command`; a secret cannot be read or kept.
    """
    now(f"{words('starting', len(wanted))}…")
    outcomes = await fleets.start(simu, wanted, open_store, steps(now))
    return await accepted(simu, outcomes, ACCEPTED_WITHIN_S, now, steps(now))


def steps(now: Now) -> Callable[[str, int, int], None]:
    """Return what says in words how far something is."""
    return lambda what, done, total: now(f"{what}: {done} of {total}")


async def _cleared(simu: SimuClient, outcome: Told) -> Told:
    """Remove what the broker alone remembers of a charge point."""
    name = outcome.charge_point_id
    if outcome.code != ErrorCode.UNKNOWN_CHARGE_POINT or simu.view.get(name) is None:
        return outcome
    try:
        await simu.clear(name)
    except SimuError as exc:
        return Told.failed(name, exc)
    return Told(charge_point_id=name, text="removed: only the broker remembered it")


async def _together(acts: Sequence[Coroutine[Any, Any, Told]]) -> list[Told]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(act, name="act on a charge point") for act in acts]
    return [task.result() for task in tasks]
