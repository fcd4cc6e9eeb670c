"""The state machine of a connector, as one table: (state, event) -> state.

What the table does not list is refused. The states are those of OCPP 1.6 §7.7, the transitions
those of §4.9. Faults are a set beside the state (see `cp_image.core.faults`): a connector is
Faulted as long as the set is not empty, and `BECOMES_…` says what is found when it empties.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cp_image.api.payloads import ConnectorState
from cp_image.core.errors import NotNowError


class StateEvent(StrEnum):
    """What moves a connector from state to state."""

    PLUG = "plug"
    UNPLUG = "unplug"
    AUTHORIZE = "authorize"
    """a tag was accepted, and there is no cable yet"""
    WITHDRAW = "withdraw"
    """the authorization without a cable is gone: timed out or cancelled"""
    ENERGY_FLOWS = "energy flows"
    """a transaction runs, and the car draws"""
    EV_PAUSES = "EV pauses"
    """a transaction runs, energy is offered, and the car takes none"""
    EVSE_PAUSES = "EVSE pauses"
    """a transaction runs, and no energy is offered"""
    END = "end"
    """the transaction has stopped"""
    RESERVE = "reserve"
    UNRESERVE = "unreserve"
    DISABLE = "disable"
    """made inoperative by ChangeAvailability, or without power"""
    FAULT = "fault"
    """the first fault came up"""
    BECOMES_FREE = "becomes free"
    """in order again (powered, operative, the last fault cleared), without a cable"""
    BECOMES_PLUGGED = "becomes plugged"
    """in order again, with a cable that has had no transaction yet"""
    BECOMES_SPENT = "becomes spent"
    """in order again, with the cable of a transaction that is over"""


_S = ConnectorState
_E = StateEvent

TRANSITIONS: Final[Mapping[tuple[ConnectorState, StateEvent], ConnectorState]] = MappingProxyType(
    {
        (_S.AVAILABLE, _E.PLUG): _S.PREPARING,
        (_S.AVAILABLE, _E.AUTHORIZE): _S.PREPARING,
        (_S.AVAILABLE, _E.RESERVE): _S.RESERVED,
        (_S.AVAILABLE, _E.DISABLE): _S.UNAVAILABLE,
        (_S.AVAILABLE, _E.FAULT): _S.FAULTED,
        # A tag that waits for its cable, or a cable for its tag.
        (_S.PREPARING, _E.PLUG): _S.PREPARING,
        (_S.PREPARING, _E.UNPLUG): _S.AVAILABLE,
        (_S.PREPARING, _E.AUTHORIZE): _S.PREPARING,
        (_S.PREPARING, _E.WITHDRAW): _S.AVAILABLE,
        (_S.PREPARING, _E.ENERGY_FLOWS): _S.CHARGING,
        (_S.PREPARING, _E.EV_PAUSES): _S.SUSPENDED_EV,
        (_S.PREPARING, _E.EVSE_PAUSES): _S.SUSPENDED_EVSE,
        (_S.PREPARING, _E.DISABLE): _S.UNAVAILABLE,
        (_S.PREPARING, _E.FAULT): _S.FAULTED,
        # In a transaction `Connector.flow` says which of the three it is.
        (_S.CHARGING, _E.ENERGY_FLOWS): _S.CHARGING,
        (_S.CHARGING, _E.EV_PAUSES): _S.SUSPENDED_EV,
        (_S.CHARGING, _E.EVSE_PAUSES): _S.SUSPENDED_EVSE,
        (_S.CHARGING, _E.END): _S.FINISHING,
        (_S.CHARGING, _E.FAULT): _S.FAULTED,
        # The car takes nothing, though it could.
        (_S.SUSPENDED_EV, _E.ENERGY_FLOWS): _S.CHARGING,
        (_S.SUSPENDED_EV, _E.EV_PAUSES): _S.SUSPENDED_EV,
        (_S.SUSPENDED_EV, _E.EVSE_PAUSES): _S.SUSPENDED_EVSE,
        (_S.SUSPENDED_EV, _E.END): _S.FINISHING,
        (_S.SUSPENDED_EV, _E.FAULT): _S.FAULTED,
        # The car gets nothing, whether it wants or not.
        (_S.SUSPENDED_EVSE, _E.ENERGY_FLOWS): _S.CHARGING,
        (_S.SUSPENDED_EVSE, _E.EV_PAUSES): _S.SUSPENDED_EV,
        (_S.SUSPENDED_EVSE, _E.EVSE_PAUSES): _S.SUSPENDED_EVSE,
        (_S.SUSPENDED_EVSE, _E.END): _S.FINISHING,
        (_S.SUSPENDED_EVSE, _E.FAULT): _S.FAULTED,
        # The next session begins with another plugging in.
        (_S.FINISHING, _E.UNPLUG): _S.AVAILABLE,
        (_S.FINISHING, _E.DISABLE): _S.UNAVAILABLE,
        (_S.FINISHING, _E.FAULT): _S.FAULTED,
        # A cable alone does not use up a reservation: the reserving tag does.
        (_S.RESERVED, _E.PLUG): _S.RESERVED,
        (_S.RESERVED, _E.UNPLUG): _S.RESERVED,
        (_S.RESERVED, _E.AUTHORIZE): _S.PREPARING,
        (_S.RESERVED, _E.UNRESERVE): _S.AVAILABLE,
        (_S.RESERVED, _E.DISABLE): _S.UNAVAILABLE,
        (_S.RESERVED, _E.FAULT): _S.FAULTED,
        # Nobody asks a broken or closed charge point before pulling a cable.
        (_S.UNAVAILABLE, _E.PLUG): _S.UNAVAILABLE,
        (_S.UNAVAILABLE, _E.UNPLUG): _S.UNAVAILABLE,
        (_S.UNAVAILABLE, _E.DISABLE): _S.UNAVAILABLE,
        (_S.UNAVAILABLE, _E.BECOMES_FREE): _S.AVAILABLE,
        (_S.UNAVAILABLE, _E.BECOMES_PLUGGED): _S.PREPARING,
        (_S.UNAVAILABLE, _E.BECOMES_SPENT): _S.FINISHING,
        (_S.UNAVAILABLE, _E.FAULT): _S.FAULTED,
        # The same for a broken one; which of the three it becomes is seen then.
        (_S.FAULTED, _E.PLUG): _S.FAULTED,
        (_S.FAULTED, _E.UNPLUG): _S.FAULTED,
        (_S.FAULTED, _E.DISABLE): _S.UNAVAILABLE,
        (_S.FAULTED, _E.BECOMES_FREE): _S.AVAILABLE,
        (_S.FAULTED, _E.BECOMES_PLUGGED): _S.PREPARING,
        (_S.FAULTED, _E.BECOMES_SPENT): _S.FINISHING,
    }
)

TRANSACTION_STATES: Final = frozenset({_S.CHARGING, _S.SUSPENDED_EV, _S.SUSPENDED_EVSE})
"""The states in which a transaction runs."""


class TransitionRefusedError(NotNowError):
    """The table does not list this event in this state."""

    def __init__(self, state: ConnectorState, event: StateEvent) -> None:
        allowed = ", ".join(e.value for s, e in TRANSITIONS if s is state)
        super().__init__(f"a connector that is {state} does not take '{event}': it takes {allowed}")


def next_state(state: ConnectorState, event: StateEvent) -> ConnectorState:
    """Return the state after `event`.

    Raises:
        TransitionRefusedError: the table does not list the pair.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise TransitionRefusedError(state, event) from None
