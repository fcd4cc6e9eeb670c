"""How the charge points' containers are, as it is said on ``cps/ID/container``."""

from typing import Any

import msgspec

from launcher.api import ContainerCondition, ContainerStatus
from launcher.board import Board
from launcher.engine import ContainerRecord, ContainerState


class Conditions:
    """Says how containers are.

    Args:
        board: where it is said.
    """

    def __init__(self, board: Board) -> None:
        self._board = board

    def show(
        self,
        found: ContainerRecord,
        *,
        state: ContainerCondition | None = None,
        cut: bool | None = None,
        **details: Any,
    ) -> None:
        """Say how a container is.

        Args:
            found: the container.
            state: if it is no longer as in the record.
            cut: likewise.
            details: other fields of `ContainerStatus`; what is not given is as it was said last
                of the same process, or as usual.
        """
        state = state or condition(found.state, connected=found.connected)
        cut = not found.connected if cut is None else cut
        before = self._board.condition(found.charge_point_id)
        if before is None or _has_process(before.state) != _has_process(state):
            before = ContainerStatus(state=state)
        if state is ContainerCondition.EXITED and found.exit_code is not None:
            details.setdefault("exit_code", found.exit_code)
        said = msgspec.structs.replace(
            before, state=state, cut=cut, network=found.network or before.network, **details
        )
        self._board.publish_condition(found.charge_point_id, said)

    def show_restarts(self, charge_point_id: str, restarts: int) -> None:
        """Say how often in a row a charge point has been started again after a crash."""
        before = self._board.condition(charge_point_id)
        if before is not None:
            said = msgspec.structs.replace(before, restarts=restarts)
            self._board.publish_condition(charge_point_id, said)

    def is_heard(self, charge_point_id: str) -> None:
        """A charge point that was silent for too long is not any more."""
        before = self._board.condition(charge_point_id)
        if before is not None and before.unheard:
            said = msgspec.structs.replace(before, unheard=False, text="")
            self._board.publish_condition(charge_point_id, said)


def running(*, connected: bool) -> ContainerCondition:
    """Return the condition of a container that runs."""
    return ContainerCondition.RUNNING if connected else ContainerCondition.CUT


def condition(state: ContainerState, *, connected: bool) -> ContainerCondition:
    """Return the condition of a container."""
    if state is ContainerState.PAUSED:
        return ContainerCondition.FROZEN
    if state in {ContainerState.RUNNING, ContainerState.RESTARTING}:
        return running(connected=connected)
    return ContainerCondition.EXITED


def _has_process(state: ContainerCondition) -> bool:
    return state not in {ContainerCondition.EXITED, ContainerCondition.WAITING}
