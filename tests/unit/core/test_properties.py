"""Whatever happens in whatever order, some things stay true."""

import itertools
from collections.abc import Callable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from cp_image.api.payloads import CarInput, ConnectorState
from cp_image.core.connector_states import TRANSACTION_STATES
from cp_image.core.errors import InputError
from cp_image.core.messages import (
    AuthorizationStatus,
    Authorize,
    BootNotification,
    IdTagStatus,
    MeterValues,
    RegistrationStatus,
    Request,
    StartTransaction,
    StatusNotification,
    StopTransaction,
)
from tests.support.virtual_station import VirtualStation, make_settings

Step = tuple[str, int, float]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "plug",
                "unplug",
                "tag",
                "other tag",
                "ready",
                "not ready",
                "amperes",
                "fault",
                "clear",
                "fault all",
                "clear all",
                "connect",
                "disconnect",
                "silence",
                "refuse",
                "speak",
                "wait",
                "power cut",
            ]
        ),
        st.integers(1, 3),
        st.floats(0, 400, allow_nan=False),
    ),
    max_size=60,
)
FAMILY = IdTagStatus(status=AuthorizationStatus.ACCEPTED, parent_id_tag="FAMILY")
KINDS: tuple[type[Request], ...] = (
    BootNotification,
    StatusNotification,
    Authorize,
    StartTransaction,
    StopTransaction,
    MeterValues,
)


def make_station() -> VirtualStation:
    station = VirtualStation(make_settings(nb_connectors=3, max_setpoint=40.0))
    station.csms.tags = {"TAG1": FAMILY, "TAG2": FAMILY}
    return station


def actions(connector_id: int, amount: float) -> dict[str, Callable[[VirtualStation], None]]:
    def silence(s: VirtualStation) -> None:
        s.csms.silent = set(KINDS[int(amount) % len(KINDS) :])

    def refuse(s: VirtualStation) -> None:
        s.csms.refusals[KINDS[int(amount) % len(KINDS)]] += 1

    def speak(s: VirtualStation) -> None:
        s.csms.silent = set()

    return {
        "plug": lambda s: s.plug(connector_id, cable=amount / 10, draws=amount / 5),
        "unplug": lambda s: s.unplug(connector_id),
        "tag": lambda s: s.tag("TAG1", connector_id),
        "other tag": lambda s: s.tag("TAG2", connector_id),
        "ready": lambda s: s.car(connector_id, CarInput(ready=True)),
        "not ready": lambda s: s.car(connector_id, CarInput(ready=False)),
        "amperes": lambda s: s.car(connector_id, CarInput(consumption_l1=amount)),
        "fault": lambda s: s.fault(connector_id),
        "clear": lambda s: s.fault(connector_id, faulted=False),
        "fault all": lambda s: s.fault(0),
        "clear all": lambda s: s.fault(0, faulted=False),
        "connect": lambda s: None if s.linked else s.connect(),
        "disconnect": lambda s: s.disconnect(),
        "silence": silence,
        "refuse": refuse,
        "speak": speak,
        "wait": lambda s: s.run(amount),
    }


def play(station: VirtualStation, steps: list[Step], check: bool = True) -> VirtualStation:
    # The harness itself asserts: one call in flight, unique ids, no overdue deadline, nothing
    # sent without a link, registers that never fall.
    for name, connector_id, amount in steps:
        if name == "power cut":
            registers = [station.connector(n).register_wh for n in (1, 2, 3)]
            station = station.power_cut(dark_s=amount)
            after = [station.connector(n).register_wh for n in (1, 2, 3)]
            assert all(new >= old for old, new in zip(registers, after, strict=True))
        else:
            before = len(station.effects), station.station.next_deadline()
            try:
                actions(connector_id, amount)[name](station)
            except InputError:
                assert (len(station.effects), station.station.next_deadline()) == before
        if check:
            check_invariants(station)
    return station


def check_invariants(station: VirtualStation) -> None:
    shown = [station.connector(n) for n in (1, 2, 3)]
    active = [status for status in shown if status.status in TRANSACTION_STATES]
    assert sum(status.setpoint for status in active) <= 40.0
    for status in shown:
        draws = (status.consumption_l1, status.consumption_l2, status.consumption_l3)
        assert max(draws) <= status.setpoint <= status.ocpp_setpoint <= status.max_setpoint
        assert status.setpoint <= status.car_cable_capacity
        assert (status.power_w > 0) == (status.status is ConnectorState.CHARGING)
        assert status.session_wh >= 0
        assert (status.error_code != "NoError") == (status.status is ConnectorState.FAULTED)
        if status.status in TRANSACTION_STATES:
            assert status.id_tag
        if status.status is ConnectorState.AVAILABLE:
            assert status.car_cable_capacity == 0


@given(steps=STEPS)
@settings(max_examples=150, deadline=None)
def test_invariants_hold(steps: list[Step]) -> None:
    play(make_station(), steps)


@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_in_the_end_the_csms_knows_everything(steps: list[Step]) -> None:
    """Once it answers again, the CSMS knows each transaction whole and each status as it is."""
    steps = [step for step in steps if step[0] != "refuse"]  # refusals use up attempts
    station = VirtualStation(
        make_settings(
            nb_connectors=3,
            max_setpoint=40.0,
            configuration={
                "TransactionMessageAttempts": "1000000",
                "MeterValueSampleInterval": "900",
            },
        )
    )
    station.csms.tags = {"TAG1": FAMILY, "TAG2": FAMILY}
    station = play(station, steps, check=False)
    station.csms.silent = set()
    if not station.linked:
        station.connect()
    station.run(86_400)
    for connector_id in (1, 2, 3):
        assert station.reported(connector_id)[-1] is station.connector(connector_id).status
    given_ids = set(range(1001, station.csms.next_transaction_id))
    stopped = {r.transaction_id for r in station.heard(StopTransaction)}
    running = {station.connector(n).transaction_id for n in (1, 2, 3)} - {None}
    assert stopped | running == given_ids
    assert not stopped & running
    assert not [key for key in station.stored if key.startswith("queue/")]


@given(steps=STEPS)
@settings(max_examples=50, deadline=None)
def test_the_same_happens_twice(steps: list[Step]) -> None:
    first, second = play(make_station(), steps), play(make_station(), steps)
    assert first.effects == second.effects
    assert first.stored == second.stored


@given(chunks=st.lists(st.floats(0.1, 4000, allow_nan=False), max_size=20), seed=st.integers(0, 99))
@settings(deadline=None)
def test_extra_ticks_change_nothing(chunks: list[float], seed: int) -> None:
    """A shell that ticks too often gets the same result."""
    stations = [make_station(), make_station()]
    for station in stations:
        station.connect()
        station.plug(cable=32.0, draws=13.0)
        station.tag()
    eager, calm = stations
    random = Random(seed)
    for chunk in chunks:
        for cut in sorted(random.uniform(0, chunk) for _ in range(3)):
            eager.run(cut / 10)
            assert eager.station.tick(eager.now) == []
    calm.run(eager.now - calm.now)
    assert [e for _, e in eager.effects] == [e for _, e in calm.effects]


def test_a_month_of_daily_sessions() -> None:
    station = make_station()
    station.connect()
    station.csms.registration = RegistrationStatus.ACCEPTED
    for day, connector_id in itertools.product(range(30), (1, 2, 3)):
        station.plug(connector_id, draws=10.0)
        station.tag("TAG1", connector_id)
        station.run(2 * 3600)
        station.tag("TAG2" if day % 2 else "TAG1", connector_id)
        station.unplug(connector_id)
        station.run(6 * 3600)
    stops = station.heard(StopTransaction)
    assert [s.transaction_id for s in stops] == list(range(1001, 1091))
    assert [station.connector(n).register_wh for n in (1, 2, 3)] == [30 * 13_800] * 3
    assert len(station.heard(MeterValues)) == 90 * 120
    assert len(station.heard(BootNotification)) == 1
