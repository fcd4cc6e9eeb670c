"""Every action by its key: what is sent, to whom, and what is said of the outcome."""

import asyncio
from collections.abc import Mapping

import pytest

from cp_image.api import topics
from cp_image.api.payloads import (
    ConnectorState,
    InputErrorCode,
    Result,
    TagRefusal,
    TagRefused,
    encode,
)
from launcher.api import Command, ContainerCondition
from supervisor_cli.dashboard.roster import Place
from tests.unit.supervisor_cli.dashboard.stage import NOW, Stage, dashboard, fleet
from tests.unit.supervisor_cli.world import ROOT, World, connector_status


def car(stage: Stage) -> list[tuple[str, dict[str, object]]]:
    return stage.world.inputs(topics.CONNECTOR_CAR)


async def test_plug_with_what_is_usual() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("down", "p")
        await stage.shows("Plug a car in at CP-1 connector 2")
        await stage.press("enter")
        await stage.shows("plugged, cable 32 A, wants 16 / 16 / 16 A")
        assert car(stage) == [
            (
                "cp_simu/cps/CP-1/connectors/2/car",
                {
                    "cable": 32.0,
                    "ready": True,
                    "consumption_l1": 16.0,
                    "consumption_l2": 16.0,
                    "consumption_l3": 16.0,
                },
            )
        ]


async def test_plug_with_what_is_typed() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("p")
        await stage.type("20")
        await stage.press("down", "space", "down", "down", "1", "0", "enter")
        await stage.shows("plugged, cable 20 A, not ready")
        (sent,) = car(stage)
        assert sent[1] == {
            "cable": 20.0,
            "ready": False,
            "consumption_l1": 10.0,
            "consumption_l2": 0.0,
            "consumption_l3": 0.0,
        }


async def test_plug_a_battery_into_dc() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("end", "p")
        await stage.shows("FAST-1 connector 1")
        await stage.press("down", "down", "down")
        await stage.type("60000")
        await stage.press("enter")
        await stage.shows("battery 60000 Wh at 20 %")
        (sent,) = car(stage)
        assert sent[1] == {"cable": 250_000.0, "ready": True, "battery_wh": 60000.0, "soc_pct": 20}


async def test_a_form_says_what_is_wrong_and_stays() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("p", "x", "enter")
        await stage.shows("cable: 'x' is not a number of 0 or more")
        await stage.press("backspace", "0", "enter")
        await stage.shows("a cable that is plugged carries more than 0")
        await stage.press("escape")
        assert "Plug a car in" not in stage.text
        assert car(stage) == []


async def test_unplug() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("u")
        await stage.shows("CP-1: connector 1: unplugged")
        assert car(stage) == [("cp_simu/cps/CP-1/connectors/1/car", {"cable": 0.0})]


async def test_tag_offers_the_card_of_the_session_and_then_the_last_one() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("t", "enter")
        await stage.shows("tag TAG1 presented")
        await stage.press("down", "t", *"TAG9", "enter")
        await stage.shows("tag TAG9 presented")
        await stage.press("down", "t", "enter")
        await stage.until(lambda: len(stage.world.inputs(topics.CONNECTOR_ID_TAG)) == 3, "sent")
        assert stage.world.inputs(topics.CONNECTOR_ID_TAG) == [
            ("cp_simu/cps/CP-1/connectors/1/id_tag", {"id": "TAG1"}),
            ("cp_simu/cps/CP-1/connectors/2/id_tag", {"id": "TAG9"}),
            ("cp_simu/cps/CP-2/connectors/1/id_tag", {"id": "TAG9"}),
        ]


async def test_a_card_that_is_refused_later_is_told() -> None:
    patience = asyncio.Event()
    async with dashboard(fleet(), patience=patience.wait) as stage:
        await stage.press("t", "enter")
        await stage.shows("tag TAG1 presented")
        refused = TagRefused(
            at=NOW,
            connector_id=1,
            id_tag="TAG1",
            why=TagRefusal.INVALID,
            text="the CSMS does not know tag TAG1",
        )
        topic = topics.CP_EVENT.build(ROOT, "CP-1")
        stage.world.publish(topic, encode(refused))
        await stage.shows("✗ CP-1: connector 1: the CSMS does not know tag TAG1")
        patience.set()
        heard = "cp_simu/cps/CP-1/event"
        await stage.until(lambda: heard not in stage.world.links[0].filters, "heard no more")


async def test_the_detail_that_is_open_follows() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("enter")
        await stage.shows("╭─ CP-1")
        await stage.until(lambda: "Charging  TAG1" in stage.text, "charging")
        stage.world.connector("CP-1", 1, connector_status(status=ConnectorState.FINISHING))
        await stage.until(lambda: "connector 1  Finishing" in stage.text, "followed")


async def test_ready_is_turned() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("y")
        await stage.shows("the car wants no energy")
        await stage.press("down", "y")
        await stage.shows("the car wants energy")
        assert [payload for _topic, payload in car(stage)] == [{"ready": False}, {"ready": True}]


async def test_draw_says_only_what_was_typed() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("d", "down", "down", "6", "enter")
        await stage.shows("asks for L2 6")
        assert [payload for _topic, payload in car(stage)] == [{"consumption_l2": 6.0}]


async def test_draw_on_each_phase_there_is() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("d", *"10", "enter")
        await stage.shows("the car asks for L1 10 A, L2 10 A, L3 10 A")
        sent = {"consumption_l1": 10.0, "consumption_l2": 10.0, "consumption_l3": 10.0}
        assert [payload for _topic, payload in car(stage)] == [sent]


async def test_another_battery_for_the_car() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("end", "d", "down", *"60000", "down", *"35", "enter")
        await stage.shows("✓ FAST-1: connector 1: the car has a battery of 60000 Wh at 35 %")
        assert [payload for _topic, payload in car(stage)] == [
            {"battery_wh": 60000.0, "soc_pct": 35.0}
        ]


async def test_plug_on_each_phase_there_is() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("p", "down", "down", *"10", "enter")
        await stage.shows("plugged, cable 32 A, wants 10 / 10 / 10 A")


@pytest.mark.parametrize(
    ("key", "kind", "done"),
    [
        ("K", "kill", "killed"),
        ("H", "stop", "stopped"),
        ("R", "restart", "restarted, Accepted"),
        ("z", "freeze", "frozen"),
        ("Z", "thaw", "thawed"),
        ("x", "cut", "cut off"),
        ("X", "mend", "mended"),
    ],
)
async def test_one_charge_point_is_not_asked_about(key: str, kind: str, done: str) -> None:
    async with dashboard(fleet()) as stage:
        await stage.press(key)
        await stage.shows(f"CP-1: {done}")
        assert stage.world.commands() == [{"type": kind, "charge_points": [{"id": "CP-1"}]}]


async def test_removal_is_asked_about_and_no_is_no() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("D")
        await stage.shows("Remove CP-1 with all that is stored?")
        await stage.press("enter")
        await stage.shows("nothing was removed")
        assert stage.world.commands() == []
        await stage.press("D", "y")
        await stage.shows("CP-1: removed")
        await stage.until(lambda: "CP-1" not in stage.ids, "gone")


async def test_many_are_asked_about_by_name() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("a", "K")
        await stage.shows("Kill 5 charge points?")
        await stage.shows("CP-1, CP-2, CP-3, CP-10, FAST-1")
        await stage.press("y")
        await stage.shows("1 of 5 failed; m shows all: CP-10 is not running")
        await stage.press("m")
        await stage.shows("✗ CP-10: CP-10 is not running")
        await stage.shows("simuctl restart gives it its power back")
        assert stage.text.count("✓") == 4


async def test_marked_ones_are_hit_and_not_the_selected_one() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("down", "space", "space")
        await stage.shows("● 2 marked")
        await stage.press("home", "u")
        await stage.shows("unplug: all 2 done")
        assert [topic.split("/")[2:5:2] for topic, _payload in car(stage)] == [
            ["CP-1", "2"],
            ["CP-2", "1"],
        ]


async def test_mark_by_pattern_and_unmark() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("asterisk")
        await stage.type("CP-1*")
        await stage.press("enter")
        await stage.shows("● 3 marked")
        assert {place.charge_point_id for place in stage.app.marked} == {"CP-1", "CP-10"}
        await stage.press("escape")
        assert stage.app.marked == set()


async def test_what_is_pending_is_marked_so() -> None:
    world = fleet()
    world.launcher_answers = False
    seen: list[Command] = []
    world.on_command = seen.append
    async with dashboard(world) as stage:
        await stage.press("K")
        await stage.shows("killing 1 charge point")
        await stage.until(lambda: stage.lines[3].startswith("⋯ CP-1"), "pending in the table")
        stage.world.answer(seen[0])
        await stage.shows("CP-1: killed")
        await stage.until(lambda: "⋯" not in stage.text, "not pending any more")


async def test_what_is_being_restarted_needs_no_restart() -> None:
    world = fleet()
    world.launcher_answers = False
    async with dashboard(world) as stage:
        await stage.press("end", "up")
        await stage.shows("next: R gives it its power back")
        await stage.press("R")
        await stage.shows("next: wait until that is done")


async def test_what_takes_long_hides_no_later_outcome() -> None:
    world = fleet()
    world.accepts = None
    async with dashboard(world) as stage:
        await stage.press("n", "enter")
        await stage.shows("⋯ waiting for the CSMS to accept: 0 of 1")
        await stage.press("end", "u")
        await stage.shows("✓ FAST-1: connector 1: unplugged ⋯ waiting for the CSMS to accept")
        await stage.press("n", "enter")
        await stage.until(lambda: "unplugged" not in stage.text, "gone with what is newer")
        await stage.shows("⋯ waiting for the CSMS to accept: 0 of 1")


async def test_one_that_is_being_started_is_said_to_be() -> None:
    world = World()
    world.accepts = None
    async with dashboard(world) as stage:
        await stage.press("n", "enter")
        await stage.shows("CP-0001    starting")
        await stage.shows("next: wait until it has started")
        world.container("CP-0001", ContainerCondition.RUNNING)
        await stage.until(lambda: stage.client.view.by_id["CP-0001"].container, "told")
        await stage.shows("CP-0001    starting")
        world.container("CP-0001", ContainerCondition.EXITED, exit_code=1)
        await stage.shows("next: R gives it its power back")
        await stage.shows("CP-0001    unknown")


async def test_a_refusal_is_told_with_its_reason() -> None:
    world = fleet()
    world.refuse_input = Result(
        request_id="", ok=False, code=InputErrorCode.NOT_NOW, text="connector 1 is Reserved"
    )
    async with dashboard(world) as stage:
        await stage.press("u")
        await stage.shows("✗ CP-1: connector 1 is Reserved")


async def test_a_dead_one_takes_no_input() -> None:
    async with dashboard(fleet()) as stage:
        await stage.press("end", "up", "u")
        await stage.shows("CP-10 is Dead: it takes no input; simuctl restart CP-10")


async def test_nothing_is_done_to_nobody() -> None:
    async with dashboard(World()) as stage:
        await stage.press("u")
        await stage.shows("no connector is selected")
        await stage.press("K")
        await stage.shows("no charge point is selected")


async def test_one_new_charge_point() -> None:
    async with dashboard(World(), central_system="ws://csms:9000") as stage:
        await stage.shows("next: n makes a charge point")
        await stage.press("n")
        await stage.shows("CP-0001")
        await stage.press("enter")
        await stage.shows("CP-0001: started, Accepted")
        (command,) = stage.world.commands()
        (entry,) = command["charge_points"]
        assert entry["id"] == "CP-0001"
        assert entry["central_system"] == "ws://csms:9000"
        assert (entry["nb_phases"], entry["voltage"], entry["max_setpoint"]) == (3, 230.0, 32.0)
        assert stage.app.selected is not None
        assert stage.app.selected.place == Place("CP-0001", 1)


async def test_many_new_charge_points_of_another_kind() -> None:
    world = World()
    world.charge_point("FAST-2", central_system="wss://other/ocpp")
    async with dashboard(world) as stage:
        await stage.press("n", *["backspace"] * 7)
        await stage.type("FAST-{n}")
        await stage.press("down", "backspace", "3", "down", "down", "down", "right")
        await stage.press("down", "backspace")
        await stage.press("2", "enter")
        await stage.shows("start: all 3 done")
        (command,) = stage.world.commands()
        entries = command["charge_points"]
        assert [entry["id"] for entry in entries] == ["FAST-1", "FAST-3", "FAST-4"]
        assert {entry["type"] for entry in entries} == {"DC"}
        assert {entry["central_system"] for entry in entries} == {"wss://other/ocpp"}
        assert {entry["nb_connectors"] for entry in entries} == {2}


async def test_the_dialog_of_new_ones_names_the_rule_that_is_broken() -> None:
    async with dashboard(World()) as stage:
        await stage.press("n", "down", "backspace", "5", "enter")
        await stage.shows("5 charge points need a pattern")
        await stage.press("backspace", "1", "down", "down", *["backspace"] * 30, "enter")
        await stage.shows("central_system")
        assert stage.world.commands() == []


async def test_the_configuration() -> None:
    world = fleet()
    world.configuration = {"HeartbeatInterval": "300", "Empty": ""}
    async with dashboard(world) as stage:
        await stage.press("end", "up", "c")
        await stage.shows("CP-10 is Dead")
        await stage.press("home", "c")
        await stage.shows("HeartbeatInterval  300")


@pytest.mark.parametrize(
    ("state", "plugged", "step"),
    [
        (ConnectorState.AVAILABLE, False, "p plugs a car in"),
        (ConnectorState.PREPARING, True, "t holds a card to the reader"),
        (ConnectorState.CHARGING, True, "t with the same card stops"),
        (ConnectorState.FINISHING, True, "u unplugs the car"),
        (ConnectorState.FAULTED, False, "F clears the fault"),
    ],
)
async def test_the_next_step_is_said(state: ConnectorState, plugged: bool, step: str) -> None:
    world = World()
    cable = 32.0 if plugged else 0.0
    world.charge_point("CP-1", connector_status(status=state, car_cable_capacity=cable))
    async with dashboard(world) as stage:
        await stage.shows(f"next: {step}")


async def test_new_ones_with_a_password_get_it_before_they_start() -> None:
    kept: dict[str, dict[str, bytes]] = {}

    class Store:
        def write(self, charge_point_id: str, files: Mapping[str, bytes]) -> None:
            kept[charge_point_id] = dict(files)

        def discard(self, charge_point_id: str) -> None:
            del kept[charge_point_id]

    async with dashboard(World(), open_store=Store) as stage:
        await stage.press("n", "up", "up", "right", "down", "right", "down", *"a password of 20 b.")
        assert "a password" not in stage.text
        await stage.press("enter")
        await stage.shows("CP-0001: started, Accepted")
        (command,) = stage.world.commands()
        (entry,) = command["charge_points"]
        assert (entry["security_profile"], entry["secrets"]) == (1, True)
        assert "password" not in str(command)
        (content,) = kept["CP-0001"].values()
        assert content.strip() == b"hex:" + b"a password of 20 b.".hex().encode()
