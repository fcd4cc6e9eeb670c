"""The table of the connector's state machine, pair by pair."""

import itertools

import pytest

from cp_image.api.payloads import ConnectorState, InputErrorCode
from cp_image.core.connector_states import (
    TRANSACTION_STATES,
    TRANSITIONS,
    StateEvent,
    TransitionRefusedError,
    next_state,
)

S = ConnectorState
PAIRS = list(itertools.product(ConnectorState, StateEvent))

# OCPP 1.6 §4.9, the matrix of transitions, row by row; no entry for staying.
SPECIFICATION = {
    S.AVAILABLE: {
        S.PREPARING,
        S.CHARGING,
        S.SUSPENDED_EV,
        S.SUSPENDED_EVSE,
        S.RESERVED,
        S.UNAVAILABLE,
        S.FAULTED,
    },
    S.PREPARING: {
        S.AVAILABLE,
        S.CHARGING,
        S.SUSPENDED_EV,
        S.SUSPENDED_EVSE,
        S.FINISHING,
        S.FAULTED,
    },
    S.CHARGING: {
        S.AVAILABLE,
        S.SUSPENDED_EV,
        S.SUSPENDED_EVSE,
        S.FINISHING,
        S.UNAVAILABLE,
        S.FAULTED,
    },
    S.SUSPENDED_EV: {
        S.AVAILABLE,
        S.CHARGING,
        S.SUSPENDED_EVSE,
        S.FINISHING,
        S.UNAVAILABLE,
        S.FAULTED,
    },
    S.SUSPENDED_EVSE: {
        S.AVAILABLE,
        S.CHARGING,
        S.SUSPENDED_EV,
        S.FINISHING,
        S.UNAVAILABLE,
        S.FAULTED,
    },
    S.FINISHING: {S.AVAILABLE, S.PREPARING, S.UNAVAILABLE, S.FAULTED},
    S.RESERVED: {S.AVAILABLE, S.PREPARING, S.UNAVAILABLE, S.FAULTED},
    S.UNAVAILABLE: {
        S.AVAILABLE,
        S.PREPARING,
        S.CHARGING,
        S.SUSPENDED_EV,
        S.SUSPENDED_EVSE,
        S.FAULTED,
    },
    S.FAULTED: set(S) - {S.FAULTED},
}
# Known deviations: a plugged car without a transaction can be made Unavailable at once, and a
# charge point that comes up again with a used cable is Finishing.
BEYOND = {(S.PREPARING, S.UNAVAILABLE), (S.UNAVAILABLE, S.FINISHING)}


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_each_pair_moves_as_listed_or_is_refused(state: ConnectorState, event: StateEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert next_state(state, event) is TRANSITIONS[state, event]
        return
    with pytest.raises(TransitionRefusedError) as refused:
        next_state(state, event)
    assert refused.value.code is InputErrorCode.NOT_NOW
    assert state.value in str(refused.value)
    assert f"'{event.value}'" in str(refused.value)


@pytest.mark.parametrize(("pair", "target"), TRANSITIONS.items())
def test_each_transition_is_one_of_the_specification(
    pair: tuple[ConnectorState, StateEvent], target: ConnectorState
) -> None:
    state, _ = pair
    assert target is state or target in SPECIFICATION[state] or (state, target) in BEYOND


@pytest.mark.parametrize("state", [s for s in S if s is not S.FAULTED])
def test_a_fault_can_come_up_in_every_state(state: ConnectorState) -> None:
    assert next_state(state, StateEvent.FAULT) is S.FAULTED


@pytest.mark.parametrize("state", sorted(TRANSACTION_STATES))
def test_in_a_transaction_the_energy_flow_decides(state: ConnectorState) -> None:
    assert next_state(state, StateEvent.ENERGY_FLOWS) is S.CHARGING
    assert next_state(state, StateEvent.EV_PAUSES) is S.SUSPENDED_EV
    assert next_state(state, StateEvent.EVSE_PAUSES) is S.SUSPENDED_EVSE
    assert next_state(state, StateEvent.END) is S.FINISHING


def test_every_state_can_be_reached_and_left() -> None:
    reached = {S.UNAVAILABLE}  # without power
    while True:
        further = reached | {to for (at, _), to in TRANSITIONS.items() if at in reached}
        if further == reached:
            break
        reached = further
    assert reached == set(S)
    assert {at for (at, _), to in TRANSITIONS.items() if to is not at} == set(S)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[S.FINISHING, StateEvent.PLUG] = S.PREPARING  # type: ignore[index]  # the point
