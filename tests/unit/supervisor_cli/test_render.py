"""Views as text."""

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType

from cp_image.api.payloads import ChargePointState, ChargePointType, ConnectorState
from cp_image.api.value import replace
from launcher.api import Died
from supervisor_cli import render
from supervisor_cli.fleet_view import ChargePointView, FleetView
from tests.unit.supervisor_cli.world import CHARGING, charge_point_status, connector_status


def text_of(what: RenderableType, columns: int = 120, *, colour: bool = False) -> str:
    console = Console(
        file=io.StringIO(),
        width=columns,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
    )
    console.print(what)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def fleet_of(*charge_points: ChargePointView) -> FleetView:
    return FleetView(by_id={each.charge_point_id: each for each in charge_points})


def fleet_text(view: FleetView, columns: int = 120) -> str:
    return text_of(render.fleet(view, environment="cp-simu", columns=columns), columns)


CHARGING_POINT = ChargePointView(
    charge_point_id="CP-1",
    status=charge_point_status(),
    reported={1: CHARGING, 2: connector_status()},
)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "A", "0 A"),
        (16.0, "A", "16 A"),
        (10.34, "A", "10.3 A"),
        (2000.0, "A", "2000 A"),
        (999.0, "W", "999 W"),
        (3680.0, "W", "3.68 kW"),
        (150_000.0, "W", "150 kW"),
        (1_250_000.0, "Wh", "1.25 MWh"),
        (350.4, "Wh", "350.4 Wh"),
        (-1500.0, "W", "-1.5 kW"),
    ],
)
def test_amounts(value: float, unit: str, text: str) -> None:
    assert render.quantity(value, unit) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["A", "W", "Wh"]))
def test_any_amount_has_its_unit(value: float, unit: str) -> None:
    assert render.quantity(value, unit).endswith(unit)


def test_an_empty_fleet_says_what_to_do() -> None:
    text = fleet_text(FleetView())
    assert "no charge points in environment cp-simu" in text
    assert "simuctl add" in text


def test_a_battery_shows_its_charge() -> None:
    charging = msgspec.structs.replace(CHARGING, soc_pct=61.84)
    charge_point = replace(CHARGING_POINT, reported={1: charging})
    assert "Charging 62%" in fleet_text(fleet_of(charge_point))
    assert "battery at 61.8 %" in text_of(render.charge_point_detail(charge_point))
    assert "battery" not in text_of(render.charge_point_detail(CHARGING_POINT))


def test_a_row_per_connector() -> None:
    lines = fleet_text(fleet_of(CHARGING_POINT)).splitlines()
    assert lines[0].split() == [
        "ID", "STATUS", "C", "CONNECTOR", "POWER", "SESSION", "TAG", "LIMIT", "TYPE", "CSMS",
    ]  # fmt: skip
    assert lines[1].split() == [
        "CP-1", "Accepted", "1", "Charging", "3.68", "kW", "1.25", "kWh", "TAG1", "16", "A", "AC",
        "3~", "ws://localhost:9000",
    ]  # fmt: skip
    assert lines[2].split() == ["2", "Available", "-", "-", "-", "-"]


def test_a_dead_charge_point_charges_nothing() -> None:
    dead = ChargePointView(
        charge_point_id="CP-1",
        status=charge_point_status(status=ChargePointState.DEAD),
        reported={1: CHARGING},
    )
    row = fleet_text(fleet_of(dead)).splitlines()[1]
    assert "Dead" in row
    assert "was Charging" in row
    assert "kW" not in row
    detail = text_of(render.charge_point_detail(dead))
    assert "was Charging" in detail
    assert "as it was last heard" in detail
    assert "draws" not in detail


@pytest.mark.parametrize("columns", [40, 50, 60, 80, 100, 200])
def test_narrow_terminals(columns: int) -> None:
    text = fleet_text(fleet_of(CHARGING_POINT), columns)
    assert all(cell_len(line) <= columns for line in text.splitlines())
    assert "CP-1" in text
    assert "Charging" in text
    assert ("TAG1" in text) == (columns >= 60)
    assert ("ws://" in text) == (columns >= 100)


def test_a_charge_point_without_connectors_has_a_row() -> None:
    bare = ChargePointView(charge_point_id="CP-1", status=charge_point_status())
    assert "Accepted" in fleet_text(fleet_of(bare))
    assert "not heard of yet: connector 1, 2" in text_of(render.charge_point_detail(bare))


def test_one_that_was_never_heard() -> None:
    orphan = ChargePointView(charge_point_id="CP-1", reported={1: CHARGING})
    assert "unknown" in fleet_text(fleet_of(orphan))
    assert "unknown" in text_of(render.charge_point_detail(orphan))


def test_detail() -> None:
    text = text_of(render.charge_point_detail(CHARGING_POINT))
    for piece in (
        "CP-1  Accepted",
        "ws://localhost:9000",
        "cp-simu Simulated CP S1",
        "AC 3~, 230 V",
        "connector 1",
        "cable 32 A, ready, wants 16 A / 0 A / 0 A",
        "16 A in force, 32 A from the CSMS, 32 A at most",
        "16 A / 0 A / 0 A",
        "3.68 kW",
        "1.25 kWh",
        "20 kWh",
        "transaction",
        "none plugged",
    ):
        assert piece in text


def test_detail_of_dc_is_in_watts() -> None:
    charge_point = ChargePointView(
        charge_point_id="F-1",
        status=charge_point_status(
            type=ChargePointType.DC, nb_phases=1, voltage=400.0, max_setpoint=300_000.0
        ),
        reported={1: connector_status(max_setpoint=150_000.0, car_cable_capacity=250_000.0)},
    )
    text = text_of(render.charge_point_detail(charge_point))
    assert "300 kW" in text
    assert "cable 250 kW, not ready, wants 0 W" in text


def test_a_death_and_a_reason_and_an_error_are_shown() -> None:
    charge_point = ChargePointView(
        charge_point_id="CP-1",
        status=charge_point_status(status=ChargePointState.DEAD, reason="no power"),
        reported={1: connector_status(status=ConnectorState.FAULTED, error_code="GroundFailure")},
        death=Died(id="CP-1", exit_code=137, out_of_memory=True, last_log=["the last words"]),
    )
    text = text_of(render.charge_point_detail(charge_point))
    for piece in ("no power", "exit code 137, out of memory", "the last words", "GroundFailure"):
        assert piece in text


def test_notes() -> None:
    view = FleetView(undecodable={"cp_simu/cps/CP-1/status": "bad\x1b[2J"})
    said = render.notes(view)
    assert said is not None
    assert "cp_simu/cps/CP-1/status: bad\N{REPLACEMENT CHARACTER}[2J" in said.plain
    assert render.notes(view, "CP-1") is not None
    assert render.notes(view, "CP-2") is None
    assert render.notes(FleetView()) is None


def test_every_status_has_a_colour() -> None:
    assert set(render.CHARGE_POINT_STYLES) == set(ChargePointState)
    assert set(render.CONNECTOR_STYLES) == set(ConnectorState)
    assert "\x1b[1;31mDead" in text_of(render.state_text(ChargePointState.DEAD), colour=True)


@given(st.text(), st.text(), st.text())
def test_no_text_of_a_payload_reaches_the_terminal_as_a_command(
    name: str, tag: str, reason: str
) -> None:
    charge_point = ChargePointView(
        charge_point_id=name,
        status=charge_point_status(reason=reason, vendor=tag, central_system=name, container=tag),
        reported={1: connector_status(id_tag=tag, error_code=reason)},
    )
    text = fleet_text(fleet_of(charge_point)) + text_of(render.charge_point_detail(charge_point))
    assert all(char.isprintable() for char in text.replace("\n", ""))


def test_short_ids_are_in_one_piece_where_it_is_narrow() -> None:
    crasher = replace(CHARGING_POINT, charge_point_id="CRASHER-00000001")
    for columns in (60, 72, 80):
        (line,) = (each for each in fleet_text(fleet_of(crasher), columns).splitlines()[1:2])
        assert line.split()[:4] == ["CRASHER-00000001", "Accepted", "1", "Charging"]
