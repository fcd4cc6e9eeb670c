"""What the handles of the Python library say when something is not as it was wished."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from cp_image.api.central_system import without_password
from cp_image.api.payloads import ChargePointState
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView
from supervisor_cli.outcomes import Told

E = TypeVar("E", bound=StrEnum)


def raise_refusals(outcomes: Sequence[Told]) -> None:
    """Raise what the launcher has refused, if anything.

    Raises:
        SimuError: with the words for each charge point that failed.
    """
    failed = [each for each in outcomes if not each.ok]
    if not failed:
        return
    raise SimuError(
        "; ".join(
            each.text
            if each.charge_point_id in each.text
            else f"{each.charge_point_id}: {each.text}"
            for each in failed
        ),
        hint=failed[0].hint,
        exit_code=failed[0].exit_code,
    )


def is_lost(charge_point: ChargePointView | None) -> bool:
    """Whether it has died of itself, so that nothing more is to be waited for."""
    return charge_point is not None and charge_point.death is not None


def seen(charge_point_id: str, charge_point: ChargePointView | None) -> str:
    """Return how a charge point is, for people: ``CP-1 is Pending: …``."""
    if charge_point is None or charge_point.status is None:
        return f"{charge_point_id} was not heard"
    status = charge_point.status
    if charge_point.death is not None:
        death = charge_point.death
        why = "for want of memory" if death.out_of_memory else f"with exit code {death.exit_code}"
        last = f": {death.last_log[-1].partition(' | ')[0]}" if death.last_log else ""
        return f"{charge_point_id} died {why}{last}"
    hung = f", {charge_point.unreachable}" if charge_point.unreachable is not None else ""
    reason = f" ({status.reason})" if status.reason else ""
    return f"{charge_point_id} is {status.status}{hung}{reason}"


def connector_seen(
    charge_point_id: str, charge_point: ChargePointView | None, connector_id: int
) -> str:
    """Return how a connector is, for people: ``CP-1 connector 1 is Preparing``."""
    connector = charge_point.connector(connector_id) if charge_point is not None else None
    if connector is None or connector.state is None or is_lost(charge_point):
        return f"{seen(charge_point_id, charge_point)}, connector {connector_id} unknown"
    fault = connector.reported.error_code
    why = f" ({fault})" if fault != "NoError" else ""
    around = seen(charge_point_id, charge_point).removeprefix(f"{charge_point_id} is ")
    beside = "" if around == ChargePointState.ACCEPTED else f", the charge point {around}"
    return f"{charge_point_id} connector {connector_id} is {connector.state}{why}{beside}"


def not_so(
    how_it_is: str,
    wished: str,
    timeout_s: float,
    charge_point: ChargePointView | None,
    frames: str,
) -> SimuError:
    """Return the error for what did not become as it was wished."""
    last = f"; last frames:\n{frames}" if frames else ""
    if is_lost(charge_point):
        return SimuError(f"{how_it_is}, instead of {wished}{last}")
    hint = ""
    status = charge_point.status if charge_point is not None else None
    if status is not None and status.status is ChargePointState.DISCONNECTED:
        hint = f"does a CSMS listen on {without_password(status.central_system)}?"
    return SimuError(
        f"{how_it_is} after {timeout_s:g} s, not {wished}{last}",
        hint=hint,
        exit_code=ExitCode.TIMEOUT,
    )


def member(kind: type[E], word: str) -> E:
    """Return a member of an enumeration by its value.

    Raises:
        SimuError: there is none; says which there are (exit code 2).
    """
    try:
        return kind(word)
    except ValueError as exc:
        raise SimuError(f"{word!r} is none of {', '.join(kind)}", exit_code=ExitCode.USAGE) from exc
