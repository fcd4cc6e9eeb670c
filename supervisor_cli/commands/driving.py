"""Giving an input to a connector of each charge point that is meant."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cp_image.api.payloads import Result
from supervisor_cli.commands.each import each_of
from supervisor_cli.context import Settings
from supervisor_cli.errors import ExitCode
from supervisor_cli.fleet_view import ChargePointView
from supervisor_cli.outcomes import Told, tell

if TYPE_CHECKING:
    from supervisor_cli.client import Input, SimuClient

Build = Callable[[ChargePointView], tuple["Input", str]]
"""Makes the input for a charge point, and the words for what it does; raises `SimuError`."""


def drive(
    wanted: Settings,
    words: Sequence[str] | None,
    connector: int,
    build: Build,
    everything: bool,  # noqa: FBT001 - handed on from an option
    timeout_s: float,
    as_json: bool,  # noqa: FBT001 - handed on from an option
) -> None:
    """Give an input to each charge point at once, and tell what became of it.

    Args:
        wanted: the environment.
        words: ids and patterns.
        connector: 0 is the whole charge point.
        build: makes the input for each.
        everything: whether all charge points are meant.
        timeout_s: how long each may take to answer.
        as_json: whether a program reads it.

    Raises:
        SimuError: one has failed; see `tell`.
    """
    thing = "" if not connector else f"connector {connector}: "

    async def one(simu: "SimuClient", charge_point_id: str) -> Told:
        payload, done = build(simu.living(charge_point_id))
        result = await simu.send_input(
            charge_point_id, payload, connector_id=connector, timeout_s=timeout_s
        )
        if not result.ok:
            return refusal(charge_point_id, result)
        return Told(charge_point_id=charge_point_id, text=f"{thing}{done}")

    tell(each_of(wanted, words, one, everything=everything), as_json=as_json)


def refusal(charge_point_id: str, result: Result) -> Told:
    """Return the outcome that the refusal of an input is."""
    return Told(
        charge_point_id=charge_point_id,
        code=result.code,
        text=result.text or result.code or "refused without a reason",
        hint=f"simuctl show {charge_point_id}",
        exit_code=ExitCode.FAILED,
    )
