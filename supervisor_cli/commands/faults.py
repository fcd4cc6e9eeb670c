"""What breaks: fault, unfault, emergency."""

from typing import Annotated

import typer

from cp_image.api.payloads import ErrorCode, FaultedInput
from supervisor_cli.commands.driving import drive
from supervisor_cli.commands.options import (
    AsJson,
    ChargePointIds,
    Everything,
    InputTimeout,
    examples,
)
from supervisor_cli.context import settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView
from supervisor_cli.spelling import did_you_mean


def error_codes(incomplete: str) -> list[str]:
    """Return the error codes that begin so, for the shell."""
    folded = incomplete.casefold()
    return [each for each in _CODES if each.casefold().startswith(folded)]


_CODES = tuple(code.value for code in ErrorCode if code is not ErrorCode.NO_ERROR)

FaultConnector = Annotated[
    int,
    typer.Option(
        "--connector",
        "-c",
        metavar="N",
        min=0,
        help="Which connector; 0 is the whole charge point.",
    ),
]
Code = Annotated[
    str | None,
    typer.Option(
        "--code",
        metavar="CODE",
        help=f"OCPP error code: {', '.join(_CODES)}.",
        autocompletion=error_codes,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command(
        epilog=examples(
            "simuctl fault CP-0001",
            "simuctl fault CP-0001 -c 2 --code GroundFailure",
            "simuctl fault 'CP-*' -c 0 --code HighTemperature",
        )
    )(fault)
    app.command(
        epilog=examples(
            "simuctl unfault CP-0001",
            "simuctl unfault CP-0001 -c 2 --code GroundFailure",
            "simuctl unfault --all -c 0",
        )
    )(unfault)
    app.command(
        epilog=examples("simuctl emergency CP-0001", "simuctl unfault CP-0001 -c 0   # released")
    )(emergency)


def fault(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    connector: FaultConnector = 1,
    code: Code = None,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Let a connector be faulty, InternalError unless --code says otherwise; it lasts."""
    wanted = error_code(code)
    name = wanted or ErrorCode.INTERNAL_ERROR

    def build(_charge_point: ChargePointView) -> tuple[FaultedInput, str]:
        return FaultedInput(faulted=True, error_code=wanted), f"faulty, {name}"

    drive(settings(context), ids, connector, build, everything, timeout, as_json)


def unfault(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    connector: FaultConnector = 1,
    code: Code = None,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Mend a faulty connector: the fault of --code, else all that it has."""
    wanted = error_code(code)

    def build(_charge_point: ChargePointView) -> tuple[FaultedInput, str]:
        payload = FaultedInput(faulted=False, error_code=wanted)
        return payload, f"{wanted or 'all faults'} mended"

    drive(settings(context), ids, connector, build, everything, timeout, as_json)


def emergency(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    connector: FaultConnector = 0,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Hit the emergency stop: what charges ends with the reason EmergencyStop."""

    def build(_charge_point: ChargePointView) -> tuple[FaultedInput, str]:
        return FaultedInput(faulted=True, emergency=True), "emergency stop hit"

    drive(settings(context), ids, connector, build, everything, timeout, as_json)


def error_code(word: str | None) -> ErrorCode | None:
    """Return the error code that a word means, in whatever case; None where nothing was said.

    Raises:
        SimuError: there is none (exit code 2).
    """
    if word is None:
        return None
    for code in _CODES:
        if code.casefold() == word.casefold():
            return ErrorCode(code)
    raise SimuError(
        f"{word!r} is no error code of a fault",
        hint=did_you_mean(word, _CODES, otherwise=f"one of {', '.join(_CODES)}"),
        exit_code=ExitCode.USAGE,
    )
