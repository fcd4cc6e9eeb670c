"""Waiting until the CSMS has accepted what the launcher has started."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from cp_image.api.central_system import without_password
from cp_image.api.payloads import ChargePointState
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.outcomes import Told, for_each

if TYPE_CHECKING:
    from supervisor_cli.client import SimuClient

_WAITING_FOR: Final = "waiting for the CSMS to accept"


async def accepted(
    simu: "SimuClient",
    outcomes: Sequence[Told],
    wait_s: float | None,
    now: Callable[[str], None],
    on_step: Callable[[str, int, int], None] | None = None,
) -> list[Told]:
    """Wait until those that were started are Accepted; the others keep their outcome.

    Args:
        simu: the environment.
        outcomes: of the start.
        wait_s: how long to wait; None: not at all.
        now: told in words what is going on.
        on_step: told instead how many of how many have been accepted.
    """
    if wait_s is None:
        return list(outcomes)
    by_id = {each.charge_point_id: each for each in outcomes if each.ok}
    settled = 0
    if on_step is None:
        now(f"waiting until the CSMS has accepted {', '.join(by_id) or 'none'}")
    elif by_id:
        on_step(_WAITING_FOR, 0, len(by_id))

    async def one(charge_point_id: str) -> Told:
        nonlocal settled
        try:
            await simu.wait_for(lambda view: _is_settled(view, charge_point_id), timeout_s=wait_s)
        except SimuError as exc:
            raise _not_accepted(simu.view, charge_point_id, f"within {wait_s:g} s") from exc
        charge_point = simu.view.get(charge_point_id)
        if charge_point is not None and charge_point.death is not None:
            raise _died(simu.view, charge_point_id)
        settled += 1
        if on_step is not None:
            on_step(_WAITING_FOR, settled, len(by_id))
        return Told(
            charge_point_id=charge_point_id, text=f"{by_id[charge_point_id].text}, Accepted"
        )

    waited = {each.charge_point_id: each for each in await for_each(list(by_id), one)}
    return [waited.get(each.charge_point_id, each) if each.ok else each for each in outcomes]


def _is_settled(view: FleetView, charge_point_id: str) -> bool:
    """Whether nothing more is to be waited for: accepted, or dead of itself."""
    charge_point = view.get(charge_point_id)
    if charge_point is None:
        return False
    return charge_point.state is ChargePointState.ACCEPTED or charge_point.death is not None


def _not_accepted(view: FleetView, charge_point_id: str, when: str) -> SimuError:
    charge_point = view.get(charge_point_id)
    status = charge_point.status if charge_point is not None else None
    if status is None:
        return SimuError(
            f"{charge_point_id} started, but was not heard {when}",
            hint="simuctl doctor looks at the broker",
            exit_code=ExitCode.TIMEOUT,
        )
    reason = f": {status.reason}" if status.reason else ""
    url = without_password(status.central_system)
    return SimuError(
        f"{charge_point_id} started, but is {status.status}, not Accepted, {when}{reason}",
        hint=f"does a CSMS listen on {url}? simuctl csms is one",
        exit_code=ExitCode.TIMEOUT,
    )


def _died(view: FleetView, charge_point_id: str) -> SimuError:
    death = view.by_id[charge_point_id].death
    if death is None:
        return SimuError(f"{charge_point_id} started, and died")
    why = "for want of memory" if death.out_of_memory else f"with exit code {death.exit_code}"
    # A traceback is logged on one line; its first part says what it was.
    last = f": {death.last_log[-1].partition(' | ')[0]}" if death.last_log else ""
    return SimuError(
        f"{charge_point_id} started, and died {why}{last}",
        hint=f"simuctl logs {charge_point_id}",
    )
