"""The command security-event."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from cp_image.api.payloads import ChargePointCommand, CommandType
from supervisor_cli.commands.each import each_of
from supervisor_cli.commands.options import (
    AsJson,
    ChargePointIds,
    Everything,
    Timeout,
    examples,
)
from supervisor_cli.context import settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.outcomes import Told, tell

if TYPE_CHECKING:
    from supervisor_cli.client import SimuClient

_WITHIN_S: Final = 10.0


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "simuctl security-event CP-0001 --event TamperDetectionActivated",
            "simuctl security-event --all --event MemoryExhaustion --text 'flash is full'",
        )
    )(security_event)


def security_event(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    event: Annotated[
        str, typer.Option("--event", metavar="NAME", help="As the Security Whitepaper spells it.")
    ],
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="techInfo, for people.")
    ] = None,
    everything: Everything = False,
    timeout: Timeout = _WITHIN_S,
    as_json: AsJson = False,
) -> None:
    """Let a security event happen: it goes into the security log, and to the CSMS."""

    async def one(simu: "SimuClient", charge_point_id: str) -> Told:
        return await happened(simu, charge_point_id, event, text, timeout_s=timeout)

    outcomes = each_of(settings(context), ids, one, everything=everything)
    tell(outcomes, as_json=as_json)


async def happened(
    simu: "SimuClient",
    charge_point_id: str,
    event: str,
    text: str | None,
    *,
    timeout_s: float = _WITHIN_S,
) -> Told:
    """Let a security event happen at a charge point, and return what became of it.

    Raises:
        SimuError: it is not there, or refuses (exit code 1); it does not answer (exit code 4).
    """
    command = ChargePointCommand(type=CommandType.SECURITY_EVENT, name=event, tech_info=text)
    result = await simu.send_input(charge_point_id, command, timeout_s=timeout_s)
    if not result.ok:
        raise SimuError(result.text, exit_code=ExitCode.FAILED)
    return Told(charge_point_id=charge_point_id, text=event)
