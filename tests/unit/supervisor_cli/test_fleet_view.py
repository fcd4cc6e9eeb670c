"""The reducer of the environment's messages."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api import topics
from cp_image.api.payloads import (
    ChargePointState,
    ChargePointType,
    ConnectorState,
    ConnectorStatus,
    encode,
)
from launcher.api import (
    CP_SPECIFICATION,
    LAUNCHER_EVENT,
    LAUNCHER_STATUS,
    Died,
    LauncherState,
    Outcome,
    Progress,
)
from launcher.fleet import specification
from supervisor_cli.fleet_view import FleetView, natural_key
from tests.unit.supervisor_cli.world import CHARGING, ROOT, charge_point_status, connector_status


def told(view: FleetView, *messages: tuple[str, bytes]) -> FleetView:
    for topic, payload in messages:
        view = view.apply(ROOT, topic, payload)
    return view


def status(charge_point_id: str, **changes: object) -> tuple[str, bytes]:
    return topics.CP_STATUS.build(ROOT, charge_point_id), encode(charge_point_status(**changes))


def connector(charge_point_id: str, number: int, what: ConnectorStatus) -> tuple[str, bytes]:
    return topics.CONNECTOR_STATUS.build(ROOT, charge_point_id, number), encode(what)


def removed(charge_point_id: str) -> tuple[str, bytes]:
    return topics.CP_STATUS.build(ROOT, charge_point_id), b""


def test_launcher_state_is_the_bare_word() -> None:
    view = told(FleetView(), ("cp_simu/launcher/status", b"Alive"))
    assert view.launcher is LauncherState.ALIVE
    assert told(view, ("cp_simu/launcher/status", b"Dead")).launcher is LauncherState.DEAD
    assert told(view, ("cp_simu/launcher/status", b"")).launcher is None


def test_a_charge_point_with_its_connectors() -> None:
    view = told(FleetView(), status("CP-1"), connector("CP-1", 1, CHARGING))
    found = view.by_id["CP-1"]
    assert found.state is ChargePointState.ACCEPTED
    assert found.alive
    assert found.connector_ids == (1, 2)
    assert [each.connector_id for each in found.connectors] == [1]
    assert found.connectors[0].charging
    assert found.power_w == 3680.0


def test_the_order_of_retained_messages_does_not_matter() -> None:
    messages = [status("CP-1"), connector("CP-1", 1, CHARGING), connector("CP-1", 2, CHARGING)]
    assert told(FleetView(), *messages) == told(FleetView(), *reversed(messages))


def test_the_connectors_of_a_dead_charge_point_are_not_live() -> None:
    view = told(FleetView(), status("CP-1"), connector("CP-1", 1, CHARGING))
    dead = told(view, status("CP-1", status=ChargePointState.DEAD)).by_id["CP-1"]
    assert not dead.alive
    only = dead.connectors[0]
    assert (only.live, only.charging, only.state, only.power_w) == (False, False, None, 0.0)
    assert only.reported.status is ConnectorState.CHARGING
    assert only.plugged
    assert dead.power_w == 0.0


def test_a_battery_is_read_at_any_time() -> None:
    charging = connector_status(
        status=ConnectorState.CHARGING,
        power_w=36_000.0,
        metered_at=1000.0,
        soc_pct=20.0,
        battery_wh=60_000.0,
    )
    view = told(FleetView(), status("CP-1", clock_rate=2.0), connector("CP-1", 1, charging))
    assert view.metered(1060.0).by_id["CP-1"].reported[1].soc_pct == 22.0
    assert view.metered(9_999_999.0).by_id["CP-1"].reported[1].soc_pct == 100.0
    # One that does not say what its battery holds is as it told.
    older = msgspec.structs.replace(charging, battery_wh=None)
    view = told(view, connector("CP-1", 1, older))
    assert view.metered(1060.0).by_id["CP-1"].reported[1].soc_pct == 20.0


def test_a_meter_is_read_at_any_time() -> None:
    running = connector_status(
        status=ConnectorState.CHARGING,
        power_w=3600.0,
        register_wh=100.0,
        session_wh=10.0,
        metered_at=1000.0,
    )
    view = told(FleetView(), status("CP-1"), connector("CP-1", 1, running))
    read = view.metered(1060.0).by_id["CP-1"].reported[1]
    assert (read.register_wh, read.session_wh) == (160.0, 70.0)
    # A clock that runs behind takes no energy back, and a dead charge point counts nothing.
    assert view.metered(900.0).by_id["CP-1"].reported[1] == running
    dead = told(view, status("CP-1", status=ChargePointState.DEAD))
    assert dead.metered(1060.0).by_id["CP-1"].reported[1] == running


def test_a_connector_heard_before_its_charge_point_is_not_live() -> None:
    orphan = told(FleetView(), connector("CP-1", 1, CHARGING)).by_id["CP-1"]
    assert orphan.state is None
    assert not orphan.connectors[0].live
    assert orphan.connector_ids == (1,)


def test_an_empty_payload_removes() -> None:
    view = told(FleetView(), status("CP-1"), status("CP-2"), connector("CP-1", 1, CHARGING))
    assert list(told(view, removed("CP-1")).by_id) == ["CP-2"]


def test_an_empty_payload_of_what_is_not_there_changes_nothing() -> None:
    view = told(FleetView(), status("CP-1"))
    assert told(view, removed("CP-9")) is view
    assert told(view, ("cp_simu/cps/CP-9/connectors/1/status", b"")) is view


def test_a_removed_connector() -> None:
    view = told(FleetView(), status("CP-1"), connector("CP-1", 1, CHARGING))
    view = told(view, ("cp_simu/cps/CP-1/connectors/1/status", b""))
    assert view.by_id["CP-1"].connectors == ()


def test_the_last_connector_of_a_charge_point_never_heard_takes_it_along() -> None:
    view = told(FleetView(), connector("CP-1", 1, CHARGING))
    assert told(view, ("cp_simu/cps/CP-1/connectors/1/status", b"")).by_id == {}


def test_what_cannot_be_decoded_is_noted_and_the_last_good_message_stays() -> None:
    view = told(FleetView(), status("CP-1"))
    broken = told(view, ("cp_simu/cps/CP-1/status", b'{"pid": "x"}'))
    assert broken.by_id == view.by_id
    assert "cp_simu/cps/CP-1/status" in broken.undecodable
    mended = told(broken, status("CP-1"))
    assert mended.undecodable == {}


def test_a_note_goes_with_the_topic() -> None:
    broken = told(FleetView(), ("cp_simu/cps/CP-1/status", b"?"))
    assert broken.undecodable
    assert told(broken, removed("CP-1")) == FleetView()


@pytest.mark.parametrize("payload", [b"alive", b"\xff\xfe", b'"Alive"'])
def test_another_word_of_the_launcher_is_noted(payload: bytes) -> None:
    view = told(FleetView(), (LAUNCHER_STATUS.build(ROOT), payload))
    assert view.launcher is None
    assert list(view.undecodable) == ["cp_simu/launcher/status"]


def test_json_nested_beyond_reason_is_noted() -> None:
    payload = b'{"x":' + b"[" * 100_000
    view = told(FleetView(), ("cp_simu/cps/CP-1/status", payload))
    assert list(view.undecodable) == ["cp_simu/cps/CP-1/status"]


@pytest.mark.parametrize(
    "topic",
    [
        "other/cps/CP-1/status",
        "cp_simu/cps/CP-1/cmd",
        "cp_simu/cps/CP-1/ocpp_config",
        "cp_simu/cps//status",
        "cp_simu/cps/CP-1/connectors/x/status",
        "cp_simu",
        "",
    ],
)
def test_other_topics_are_ignored(topic: str) -> None:
    view = FleetView()
    assert told(view, (topic, encode(charge_point_status()))) is view


def test_natural_order() -> None:
    view = told(FleetView(), *(status(each) for each in ("CP-10", "CP-2", "A", "CP-1", "10", "9")))
    ids = [each.charge_point_id for each in view.charge_points]
    assert ids == ["9", "10", "A", "CP-1", "CP-2", "CP-10"]


def test_a_death_is_kept_until_it_lives_again() -> None:
    died = Died(id="CP-1", exit_code=137, out_of_memory=True, last_log=["killed"])
    event = (LAUNCHER_EVENT.build(ROOT), encode(died))
    view = told(FleetView(), status("CP-1"), event)
    assert view.by_id["CP-1"].death == died
    view = told(view, status("CP-1", status=ChargePointState.DEAD))
    assert view.by_id["CP-1"].death == died
    view = told(view, status("CP-1", status=ChargePointState.DISCONNECTED))
    assert view.by_id["CP-1"].death is None


def test_one_that_died_before_it_said_a_word_is_known_by_its_death() -> None:
    died = Died(id="CP-1", exit_code=1, out_of_memory=False, last_log=[])
    view = told(FleetView(), (LAUNCHER_EVENT.build(ROOT), encode(died)))
    assert view.by_id["CP-1"].state is None
    assert view.by_id["CP-1"].death == died


def test_progress_changes_nothing() -> None:
    progress = Progress(request_id="r", done=1, total=2, outcome=Outcome(id="CP-1", ok=True))
    view = FleetView()
    assert told(view, (LAUNCHER_EVENT.build(ROOT), encode(progress))) is view


def test_open_ocpp_simu_messages_are_understood() -> None:
    view = told(
        FleetView(),
        (
            "cp_simu/cps/simu_cp_AC1/status",
            b'{"pid":23144,"status":"Accepted","vendor":"Open OCPP AC","model":"Simulated CP",'
            b'"serial":"S/NABCD1234","nb_phases":3,"max_setpoint":32.0,'
            b'"central_system":"ws://127.0.0.1:18180/ocpp","type":"AC","voltage":230.0}',
        ),
        (
            "cp_simu/cps/simu_cp_AC1/connectors/1/status",
            b'{"status":"Charging","id_tag":"TAG1","max_setpoint":16.0,"ocpp_setpoint":16.0,'
            b'"setpoint":16.0,"car_consumption_l1":10.3,"car_consumption_l2":10.0,'
            b'"car_consumption_l3":0.0,"car_cable_capacity":32.0,"car_ready":true,'
            b'"consumption_l1":10.3,"consumption_l2":10.0,"consumption_l3":0.0}',
        ),
    )
    found = view.by_id["simu_cp_AC1"]
    assert found.connector_ids == (1,)
    assert found.power_w == pytest.approx(20.3 * 230)


def test_dc_consumption_is_power() -> None:
    drawing = msgspec.structs.replace(CHARGING, power_w=0.0, consumption_l1=150_000.0)
    view = told(
        FleetView(),
        status("CP-1", type=ChargePointType.DC, nb_phases=1, voltage=400.0),
        connector("CP-1", 1, drawing),
    )
    assert view.by_id["CP-1"].power_w == 150_000.0


def test_a_view_never_changes() -> None:
    before = told(FleetView(), status("CP-1"))
    told(before, status("CP-2"), connector("CP-1", 1, connector_status()), removed("CP-1"))
    assert list(before.by_id) == ["CP-1"]
    assert before.by_id["CP-1"].connectors == ()


TOPICS = st.sampled_from(
    [
        "cp_simu/launcher/status",
        "cp_simu/launcher/event",
        "cp_simu/launcher/result",
        *(kind.build(ROOT, "CP-1", 1) for kind in topics.CHARGE_POINT_TOPICS),
        "cp_simu/cps/CP-1/connectors/" + "9" * 5000 + "/status",
    ]
)


@given(st.lists(st.tuples(TOPICS | st.text(), st.binary() | st.sampled_from([status("X")[1]]))))
def test_arbitrary_bytes_on_any_topic_never_stop_it(messages: list[tuple[str, bytes]]) -> None:
    view = told(FleetView(), *messages)
    after = told(view, status("CP-7"), ("cp_simu/launcher/status", b"Alive"))
    assert after.by_id["CP-7"].alive
    assert after.launcher is LauncherState.ALIVE


@given(st.lists(st.text(), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_any_ids_is_total(ids: list[str], random: Random) -> None:
    shuffled = list(ids)
    random.shuffle(shuffled)
    assert sorted(shuffled, key=natural_key) == sorted(ids, key=natural_key)


def test_what_was_asked_for_comes_and_goes() -> None:
    wanted = specification(id="CP-1", type=ChargePointType.AC, central_system="ws://h")
    topic = CP_SPECIFICATION.build(ROOT, "CP-1")
    view = told(FleetView(), (topic, encode(wanted)))
    assert view.by_id["CP-1"].specification == wanted
    assert told(view, (topic, b"")).by_id == {}
    heard = told(view, status("CP-1"), (topic, b"")).by_id["CP-1"]
    assert (heard.specification, heard.alive) == (None, True)
    assert told(FleetView(), (topic, b"")) == FleetView()
    assert topic in told(view, (topic, b'{"id":5}')).undecodable
