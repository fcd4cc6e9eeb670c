"""The OCPP configuration of charge points: config get, config set."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor_cli.commands.each import each_of
from supervisor_cli.commands.options import (
    AsJson,
    ChargePointIds,
    Everything,
    InputTimeout,
    examples,
)
from supervisor_cli.completion import configuration_keys, ids_and_assignments
from supervisor_cli.context import settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.outcomes import Told, tell
from supervisor_cli.selection import need_words
from supervisor_cli.spelling import did_you_mean
from supervisor_cli.terminal import data_console, printable

if TYPE_CHECKING:
    from supervisor_cli.client import SimuClient


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    group = typer.Typer(
        name="config",
        no_args_is_help=True,
        help="Read and change the OCPP configuration of charge points.",
    )
    group.command(
        name="get",
        epilog=examples(
            "simuctl config get CP-0001",
            "simuctl config get CP-0001 -k HeartbeatInterval",
            "simuctl config get --all -k 'MeterValue*'",
            "simuctl config get CP-0001 --json",
        ),
    )(get)
    group.command(
        name="set",
        epilog=examples(
            "simuctl config set CP-0001 HeartbeatInterval=60",
            "simuctl config set 'CP-*' HeartbeatInterval=60 LocalPreAuthorize=true",
            "simuctl config set --all LocalPreAuthorize=true",
        ),
    )(change)
    app.add_typer(group)


def get(
    context: typer.Context,
    ids: ChargePointIds = None,
    *,
    everything: Everything = False,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            "-k",
            metavar="KEY",
            help="A key or a pattern; may be repeated.",
            autocompletion=configuration_keys,
        ),
    ] = None,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Show the keys that can be read and have a value, as KEY=VALUE."""
    patterns = keys or ["*"]

    async def one(simu: "SimuClient", charge_point_id: str) -> Told:
        known = await simu.configuration(charge_point_id, timeout_s=timeout)
        found = matching(known, patterns)
        if not found:
            raise SimuError(
                f"{charge_point_id} has no readable key with a value that is called "
                f"{' or '.join(patterns)}",
                hint=did_you_mean(
                    patterns[0],
                    known,
                    otherwise=f"simuctl config get {charge_point_id} shows all",
                ),
            )
        return Told(
            charge_point_id=charge_point_id,
            text=f"{len(found)} keys",
            details={"configuration": found},
        )

    outcomes = each_of(settings(context), ids, one, everything=everything)
    if not as_json:
        for line in lines(outcomes):
            data_console().print(line, markup=False, soft_wrap=True)
    tell(outcomes, as_json=as_json, only_failures=True)


def change(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|KEY=VALUE",
            help="Charge points, and the values their keys are to have.",
            autocompletion=ids_and_assignments,
        ),
    ] = None,
    *,
    everything: Everything = False,
    timeout: InputTimeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Give keys other values, by the rules that hold for the CSMS; obeyed at once, and kept."""
    ids = [word for word in words or [] if "=" not in word]
    wanted = dict(_key_and_value(word) for word in words or [] if "=" in word)
    need_words(ids, everything=everything)
    if not wanted:
        raise _usage("which key is to have which value?")

    async def one(simu: "SimuClient", charge_point_id: str) -> Told:
        refused: dict[str, str] = {}
        codes: list[str] = []
        for key, value in wanted.items():
            result = await simu.configure(charge_point_id, key, value, timeout_s=timeout)
            if not result.ok:
                refused[key] = result.text
                codes.append(result.code)
        taken = {key: value for key, value in wanted.items() if key not in refused}
        done = ", ".join(f"{key}={value}" for key, value in taken.items())
        details = {"configuration": taken}
        if not refused:
            return Told(charge_point_id=charge_point_id, text=done, details=details)
        why = "; ".join(refused.values())
        return Told(
            charge_point_id=charge_point_id,
            text=f"{why} (but {done})" if done else why,
            code=codes[0],
            hint=await _hint(simu, charge_point_id, next(iter(refused)), timeout),
            exit_code=ExitCode.FAILED,
            details=details,
        )

    tell(each_of(settings(context), ids, one, everything=everything), as_json=as_json)


async def _hint(simu: "SimuClient", charge_point_id: str, refused: str, timeout_s: float) -> str:
    """Return what helps where a key was refused: the one that was meant, if it is like another."""
    hint = f"simuctl config get {charge_point_id} shows what stands"
    try:
        known = await simu.configuration(charge_point_id, timeout_s=timeout_s)
    except SimuError:  # why the key was refused is known and told all the same
        return hint
    if refused.casefold() in {each.casefold() for each in known}:
        return hint
    return did_you_mean(refused, known, otherwise=hint)


def matching(known: Mapping[str, str], patterns: Sequence[str]) -> dict[str, str]:
    """Return the keys that a pattern means, in whatever case (OCPP 1.6 §6.6)."""
    folded = [pattern.casefold() for pattern in patterns]
    return {
        key: value
        for key, value in known.items()
        if any(fnmatchcase(key.casefold(), pattern) for pattern in folded)
    }


def lines(outcomes: Sequence[Told]) -> list[str]:
    """Return what was found as ``KEY=VALUE``, with the id in front where there are several."""
    several = len(outcomes) > 1
    told: list[str] = []
    for each in outcomes:
        found = each.details.get("configuration")
        if isinstance(found, Mapping):
            head = f"{each.charge_point_id}  " if several else ""
            told += [printable(f"{head}{key}={value}") for key, value in found.items()]
    return told


def need_lengths(key: str, value: str) -> None:
    """Check that a key and a value are as long as OCPP has them (OCPP 1.6 §6.7).

    Raises:
        SimuError: they are not.
    """
    if not 1 <= len(key) <= 50 or len(value) > 500:
        word = f"{key}={value}"[:60]
        raise _usage(f"{word!r}: a key has 1 to 50 characters, a value at most 500")


def _key_and_value(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    need_lengths(key, value)
    return key, value


def _usage(text: str) -> SimuError:
    return SimuError(
        text,
        hint="simuctl config set CP-0001 HeartbeatInterval=60",
        exit_code=ExitCode.USAGE,
    )
