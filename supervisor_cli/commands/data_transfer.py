"""The command data-transfer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cp_image.api.payloads import DataTransferOutcome
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

_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What a DataTransfer says (OCPP 1.6 §4.3)."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "simuctl data-transfer CP-0001 --vendor com.example",
            "simuctl data-transfer CP-0001 --vendor com.example --message hello --data '{}'",
        )
    )(data_transfer)


def data_transfer(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    vendor: Annotated[
        str, typer.Option("--vendor", metavar="ID", help="Vendor id, at most 255 characters.")
    ],
    message: Annotated[
        str | None,
        typer.Option("--message", metavar="ID", help="Message id, at most 50 characters."),
    ] = None,
    content: Annotated[
        str | None, typer.Option("--data", metavar="TEXT", help="What it says.")
    ] = None,
    everything: Everything = False,
    timeout: Timeout = _WITHIN_S,
    as_json: AsJson = False,
) -> None:
    """Let charge points send DataTransfer to the CSMS, and show what it answers."""
    _check("--vendor", vendor, 255)
    _check("--message", message or "", 50)
    transfer = Transfer(vendor_id=vendor, message_id=message, data=content)

    async def one(simu: "SimuClient", charge_point_id: str) -> Told:
        return await transferred(simu, charge_point_id, transfer, timeout_s=timeout)

    outcomes = each_of(settings(context), ids, one, everything=everything)
    tell(outcomes, as_json=as_json)


async def transferred(
    simu: "SimuClient", charge_point_id: str, transfer: Transfer, *, timeout_s: float = _WITHIN_S
) -> Told:
    """Let a charge point send DataTransfer, and return what the CSMS answers.

    Raises:
        SimuError: it is not there, or refuses (exit code 1); no answer (exit code 4).
    """
    answer = await simu.data_transfer(
        charge_point_id,
        vendor_id=transfer.vendor_id,
        message_id=transfer.message_id,
        data=transfer.data,
        timeout_s=timeout_s,
    )
    accepted = answer.status is DataTransferOutcome.ACCEPTED
    said = "" if answer.data is None else f": {answer.data}"
    return Told(
        charge_point_id=charge_point_id,
        text=f"{answer.status}{said}",
        hint="" if accepted else f"simuctl trace {charge_point_id} shows the answer",
        exit_code=ExitCode.OK if accepted else ExitCode.FAILED,
        details={"status": answer.status.value, "data": answer.data},
    )


def _check(option: str, text: str, most: int) -> None:
    if len(text) > most:
        raise SimuError(
            f"{option} has {len(text)} characters: OCPP 1.6 allows {most}",
            hint="simuctl data-transfer --help",
            exit_code=ExitCode.USAGE,
        )
