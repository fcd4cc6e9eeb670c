"""Which columns of the fleet table there is room for, and where they stand. Pure."""

from typing import Final, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

from supervisor_cli.dashboard.columns import Column

MARK_WIDTH: Final = 2
"""Of what stands before the first column."""
_LEAST_REST: Final = 24
"""For less, the column that takes what is left is no use."""
_ID_SHARE: Final = 4
"""The ids take a quarter of the width at most, unless that is less than their column needs."""


class Slot(NamedTuple):
    """Where a column stands; `width` counts the blank behind it."""

    column: Column
    x: int
    width: int


def lay_out(*, longest_id: int, columns: int) -> tuple[Slot, ...]:
    """Return the columns that are shown, from left to right.

    Args:
        longest_id: of all that are shown, in cells.
        columns: how wide the table is.
    """
    room = columns - MARK_WIDTH
    widths: dict[Column, int] = {}
    for column in sorted(Column, key=lambda each: each.spec.goes):
        width = 1 + (column.spec.width or max(_LEAST_REST, room - 1))
        if column is Column.ID:
            width = 1 + max(column.spec.width, min(longest_id, columns // _ID_SHARE))
        if width <= room or not column.spec.goes:
            widths[column] = width
            room -= width
    slots, x = [], MARK_WIDTH
    for column in Column:
        if column in widths:
            slots.append(Slot(column, x, widths[column]))
            x += widths[column]
    return tuple(slots)


def shortened(text: str, width: int, *, keep_end: bool = False) -> str:
    """Return a text that is not wider than `width` cells; what is left out is an ellipsis.

    Args:
        text: on one line.
        width: in cells.
        keep_end: whether the end tells as much as the beginning, as that of an id does.
    """
    if cell_len(text) <= width:
        return text
    end = _last_cells(text, (width - 1) // 2) if keep_end else ""
    return f"{set_cell_size(text, max(0, width - 1 - cell_len(end)))}…{end}"


def _last_cells(text: str, width: int) -> str:
    lines = chop_cells(text[::-1], width) if width > 0 else [""]
    return lines[0][::-1]
