"""The columns of the table: which there is room for, wide characters, and no colours."""

import pytest
from rich.cells import cell_len

from supervisor_cli.dashboard.column_layout import lay_out, shortened
from supervisor_cli.dashboard.columns import Column
from tests.unit.supervisor_cli.dashboard.stage import NARROW, WIDE, dashboard, fleet
from tests.unit.supervisor_cli.world import CHARGING, World, connector_status

ALWAYS = [Column.ID, Column.STATUS, Column.NUMBER, Column.CONNECTOR]


def test_what_matters_least_goes_first_where_it_is_narrow() -> None:
    shown = [slot.column for slot in lay_out(longest_id=8, columns=59)]
    assert shown == [*ALWAYS, Column.POWER, Column.CHARGE]
    shown = [slot.column for slot in lay_out(longest_id=8, columns=79)]
    assert shown == [*ALWAYS, Column.POWER, Column.SESSION, Column.CHARGE, Column.TAG]
    assert [slot.column for slot in lay_out(longest_id=8, columns=10)] == ALWAYS
    assert [slot.column for slot in lay_out(longest_id=8, columns=140)] == list(Column)


@pytest.mark.parametrize("longest_id", [1, 10, 28, 60])
def test_no_column_is_cut_off(longest_id: int) -> None:
    for columns in range(46, 200):
        slots = lay_out(longest_id=longest_id, columns=columns)
        ends = [slot.x + slot.width for slot in slots]
        assert ends[-1] <= columns
        assert ends[:-1] == [slot.x for slot in slots[1:]]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("CP-0001", 7, "CP-0001"),
        ("CP-0001-A", 7, "CP-000…"),
        ("充電カード", 10, "充電カード"),
        ("充電カード", 9, "充電カー…"),
        ("AB", 1, "…"),
    ],
)
def test_what_is_too_long_ends_in_an_ellipsis(text: str, width: int, expected: str) -> None:
    assert shortened(text, width) == expected


@pytest.mark.parametrize("text", ["CHARGE-POINT-0001", "充電器充電器-0002"])
def test_what_is_shortened_fits(text: str) -> None:
    for width in range(1, 20):
        assert cell_len(shortened(text, width)) <= width
        assert cell_len(shortened(text, width, keep_end=True)) <= width


async def test_long_ids_are_told_apart_and_leave_room() -> None:
    world = World()
    for number in (1, 2):
        world.charge_point(f"CAR-PARK-NORTH-LEVEL-3-{number:04}", CHARGING)
    async with dashboard(world, size=(80, 24)) as stage:
        await stage.shows("  CAR-PARK-N…EL-3-0002 Accepted")
        rows = [line.split() for line in stage.lines if line.startswith("  CAR-PARK-N…")]
        assert [row[-1] for row in rows] == ["TAG1", "TAG1"]
        assert rows[0][0] != rows[1][0]


async def test_a_tag_of_wide_characters_keeps_the_columns_in_line() -> None:
    world = World()
    tag = "充電カード充電カード"
    world.charge_point("CP-1", connector_status(status=CHARGING.status, id_tag=tag), CHARGING)
    async with dashboard(world, size=(100, 24)) as stage:
        await stage.shows("充電カー …")
        wide, plain = (line for line in stage.lines if line.startswith("  CP-1"))
        assert cell_len(wide[: wide.index("AC")]) == plain.index("AC")


async def test_sorting_goes_through_the_columns_that_are_seen() -> None:
    async with dashboard(fleet(), size=NARROW) as stage:
        seen = stage.app.fleet_table.columns
        assert seen != list(Column)
        for column in [*seen[1:], Column.ID]:
            await stage.press("s")
            assert stage.app.choice.sort_by is column
        stage.app.choose(sort_by=Column.CSMS)
        await stage.press("s")
        assert stage.app.choice.sort_by is Column.ID


async def test_the_selected_row_is_seen_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with dashboard(fleet(), size=WIDE) as stage:
        table = stage.app.fleet_table
        reversed_rows = [
            y
            for y in range(1, 5)
            if all(segment.style and segment.style.reverse for segment in table.render_line(y))
        ]
        assert reversed_rows == [1]
