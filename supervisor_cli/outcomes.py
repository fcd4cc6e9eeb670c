"""What became of each charge point of a command, and how it is told."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from launcher.api import Answer, ErrorCode, Outcome
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.selection import unknown_charge_point
from supervisor_cli.terminal import data_console, print_json, printable, talk_console

if TYPE_CHECKING:
    from supervisor_cli.client import SimuClient

_HINTS: Final = {
    ErrorCode.ALIVE: "simuctl restart keeps it, simuctl rm removes it",
    ErrorCode.NOT_RUNNING: "simuctl restart gives it its power back",
    ErrorCode.CLOSING: "simuctl up starts it again",
    ErrorCode.NOT_POSSIBLE: "simuctl add without --networking host gives it a network of its own",
    ErrorCode.CANCELLED: "simuctl restart starts it after all",
    ErrorCode.ENGINE: "simuctl doctor looks at the engine",
}
_BY_GRAVITY: Final = (
    ExitCode.UNREACHABLE,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.TIMEOUT,
    ExitCode.INTERRUPTED,
    ExitCode.OK,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The outcome for one charge point.

    Attributes:
        text: what was done, or why not.
        code: for programs, where it went wrong: see `launcher.api.ErrorCode` and
            `cp_image.api.payloads.InputErrorCode`; empty where there is none.
        hint: the way out.
        exit_code: OK, or what the failure alone would end with.
        details: what a program gets beside these, of builtin types.
    """

    charge_point_id: str
    text: str
    code: str = ""
    hint: str = ""
    exit_code: ExitCode = ExitCode.OK
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.exit_code is ExitCode.OK

    @classmethod
    def failed(cls, charge_point_id: str, error: SimuError) -> Self:
        """Return the outcome that an error is."""
        return cls(
            charge_point_id=charge_point_id,
            text=str(error),
            hint=error.hint,
            exit_code=error.exit_code,
        )


async def for_each(
    charge_point_ids: Sequence[str], act: Callable[[str], Awaitable[Told]]
) -> list[Told]:
    """Act on all charge points at once; the failure of one is its outcome and stops no other."""
    import asyncio  # noqa: PLC0415 - costs 50 ms that --help need not pay

    async def guarded(charge_point_id: str) -> Told:
        try:
            return await act(charge_point_id)
        except SimuError as exc:
            return Told.failed(charge_point_id, exc)

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(guarded(each), name=f"act on {each}") for each in charge_point_ids
        ]
    return [task.result() for task in tasks]


def from_answer(answer: Answer, *, done: str, about: "SimuClient") -> list[Told]:
    """Return the outcomes in a launcher's answer.

    Args:
        answer: to a command with entries.
        done: what to say of those that succeeded.
        about: knows the charge points there are, for the hints.

    Raises:
        SimuError: the launcher refused the command as a whole.
    """
    if answer.code is not None:
        raise SimuError(
            f"the launcher refuses: {answer.text or answer.code}", hint=_HINTS.get(answer.code, "")
        )
    return [
        Told(charge_point_id=each.id, text=done) if each.ok else _refused(each, about)
        for each in answer.results
    ]


def tell(outcomes: Sequence[Told], *, as_json: bool, only_failures: bool = False) -> None:
    """Print the outcomes.

    Args:
        outcomes: of all charge points.
        as_json: whether a program reads it.
        only_failures: whether people have been shown the others already.

    Raises:
        SimuError: any has failed: exit code 1, or 4 where all of the failed ones took too long.
    """
    failed = [each for each in outcomes if not each.ok]
    if as_json:
        print_json([_builtins(each) for each in outcomes])
    else:
        shown = failed if only_failures else outcomes
        _print_lines(shown, lone_failure=len(outcomes) == 1 and bool(failed))
    if not failed:
        return
    text = f"{len(failed)} of {len(outcomes)} charge points failed"
    if len(outcomes) == 1:
        text = _with_id(failed[0])
    raise SimuError(
        text,
        hint="; ".join(dict.fromkeys(each.hint for each in failed[:3] if each.hint)),
        exit_code=min((each.exit_code for each in failed), key=_gravity),
    )


def words(verb: str, total: int) -> str:
    """Return what is shown while a command runs."""
    return f"{verb} {total} charge point{'s' if total != 1 else ''}"


def _refused(outcome: Outcome, about: "SimuClient") -> Told:
    code = outcome.code
    hint = _HINTS.get(code, "") if code is not None else ""
    if code is ErrorCode.UNKNOWN_CHARGE_POINT:
        hint = unknown_charge_point(outcome.id, about.view.by_id, about.environment).hint
    return Told(
        charge_point_id=outcome.id,
        code=code or "",
        text=outcome.text or code or "refused without a reason",
        hint=hint,
        exit_code=ExitCode.FAILED,
    )


def _print_lines(outcomes: Sequence[Told], *, lone_failure: bool) -> None:
    if lone_failure:
        return  # it is the error itself
    from rich.text import Text  # noqa: PLC0415

    data, talk = data_console(), talk_console()
    for each in outcomes:
        mark, console = (("✓ ", "green"), data) if each.ok else (("✗ ", "red"), talk)
        console.print(Text.assemble(mark, printable(_with_id(each))), soft_wrap=True)


def _with_id(told: Told) -> str:
    """Return the text with the id in front, unless it names it already."""
    if told.charge_point_id in told.text:
        return told.text
    return f"{told.charge_point_id or 'a charge point without an id'}: {told.text}"


def _builtins(told: Told) -> dict[str, object]:
    return {
        "id": told.charge_point_id,
        "ok": told.ok,
        "code": told.code or None,
        "text": told.text,
        **told.details,
    }


def _gravity(code: ExitCode) -> int:
    """Return the order in which exit codes win: a refusal tells more than a delay."""
    return _BY_GRAVITY.index(code)
