"""Waiting until the CSMS has accepted what the launcher has started."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from cp_image.api.central_system import without_password
from cp_image.api.payloads import ChargePointState
from launcher.api import Died
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView, FleetView
from supervisor_cli.outcomes import Told

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
    started = {each.charge_point_id: each for each in outcomes if each.ok}
    if on_step is None:
        now(f"waiting until the CSMS has accepted {', '.join(started) or 'none'}")
    elif started:
        on_step(_WAITING_FOR, 0, len(started))

    def settled(number: int) -> None:
        if on_step is not None:
            on_step(_WAITING_FOR, number, len(started))

    watch = _Watch(started, settled)
    try:
        await simu.wait_for(watch.look, timeout_s=wait_s)
    except SimuError:
        watch.give_up(simu.view, f"within {wait_s:g} s")
    return [watch.told.get(each.charge_point_id, each) if each.ok else each for each in outcomes]


class _Watch:
    """Looks after all that were started, each time only at those that a change was about.

    Args:
        started: the outcome of the start of each.
        settled: told how many have been accepted, with each one more.
    """

    def __init__(self, started: Mapping[str, Told], settled: Callable[[int], None]) -> None:
        self.told: dict[str, Told] = {}
        self._started = started
        self._settled = settled
        self._accepted = 0
        # As they were last looked at.
        self._waiting: dict[str, ChargePointView | None] = dict.fromkeys(started)

    def look(self, view: FleetView) -> bool:
        """Take note of those that are settled; return whether all are."""
        seen = self._waiting
        for name in [name for name in seen if view.by_id.get(name) is not seen[name]]:
            charge_point = seen[name] = view.by_id.get(name)
            if charge_point is not None and not _is_settled(charge_point):
                continue
            del seen[name]
            self.told[name] = _settled(charge_point, self._started[name])
            if self.told[name].ok:
                self._accepted += 1
                self._settled(self._accepted)
        return not seen

    def give_up(self, view: FleetView, when: str) -> None:
        """Say of those that are not settled how they stand."""
        for name in self._waiting:
            self.told[name] = Told.failed(name, _not_accepted(view, name, when))


def _is_settled(charge_point: ChargePointView) -> bool:
    """Whether nothing more is to be waited for: accepted, or dead of itself."""
    return charge_point.state is ChargePointState.ACCEPTED or charge_point.death is not None


def _settled(charge_point: ChargePointView | None, started: Told) -> Told:
    name = started.charge_point_id
    if charge_point is None:
        return Told.failed(name, SimuError(f"{name} started, and was removed"))
    if charge_point.death is not None:
        return Told.failed(name, _died(name, charge_point.death))
    return Told(charge_point_id=name, text=f"{started.text}, Accepted")


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


def _died(charge_point_id: str, death: Died) -> SimuError:
    why = "for want of memory" if death.out_of_memory else f"with exit code {death.exit_code}"
    # A traceback is logged on one line; its first part says what it was.
    last = f": {death.last_log[-1].partition(' | ')[0]}" if death.last_log else ""
    return SimuError(
        f"{charge_point_id} started, and died {why}{last}",
        hint=f"simuctl logs {charge_point_id}",
    )
