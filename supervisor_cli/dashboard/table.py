"""The table of the fleet: it draws the lines that are seen, and of those the cells that changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from supervisor_cli.dashboard.column_layout import MARK_WIDTH, Slot, lay_out, shortened
from supervisor_cli.dashboard.columns import NOT_SO, Cell, Column
from supervisor_cli.dashboard.roster import Place, Row

_MARK: Final = Cell("●", "bold cyan")
_PENDING: Final = Cell("⋯", "bold yellow")
_PLAIN: Final = Cell("")
_CURSOR_WITHOUT_COLOUR: Final = Style(reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the table is to show.

    Attributes:
        now: epoch seconds, for meters that run.
        stale: whether nothing of it may be true any more.
    """

    rows: Sequence[Row] = ()
    now: float = 0.0
    marked: Collection[Place] = frozenset()
    pending: Collection[Place] = frozenset()
    stale: bool = False
    sort_by: Column = Column.ID
    descending: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it was drawn: `made_of` tells whether it has to be looked at again."""

    made_of: tuple[object, ...]
    cells: tuple[Cell, ...]


class FleetTable(ScrollView, can_focus=True):
    """The fleet, a line for each connector."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--title", "table--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-1000000)", show=False),
        Binding("end", "move(1000000)", show=False),
    ]

    class Moved(Message):
        """Another row is selected."""

    class TitlePressed(Message):
        """A column's title was clicked."""

        def __init__(self, column: Column) -> None:
            super().__init__()
            self.column = column

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id)
        self.picture = Picture()
        self.cells_drawn = 0
        """How many cells were found changed, of all lines that were seen."""
        self._cursor = 0
        self._selected: Place | None = None
        self._lines: dict[int, _Line] = {}
        self._slots: tuple[Slot, ...] = ()

    @property
    def columns(self) -> list[Column]:
        """Those there is room for, from left to right."""
        return [slot.column for slot in self._slots]

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        rows = self.picture.rows
        return rows[self._cursor] if self._cursor < len(rows) else None

    def show(self, picture: Picture) -> None:
        """Show a picture; the cursor stays with its row, and without it where it was."""
        before, self.picture = self.picture, picture
        self._follow_selected()
        if len(before.rows) != len(picture.rows):
            self.virtual_size = Size(self.size.width, len(picture.rows) + 1)
        if (
            self._measure()
            or before.sort_by is not picture.sort_by
            or (before.descending != picture.descending)
        ):
            self._lines.clear()
            self.refresh()
            return
        for y in range(1, self.size.height):
            self._redraw(y)

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen."""
        if y == 0:
            return self._title()
        index = self._index(y)
        if index >= len(self.picture.rows):
            return Strip.blank(self.size.width, self.rich_style)
        line = self._lines.get(y)
        if line is None:
            line = self._lines[y] = self._line(index)
        return self._strip(line, selected=index == self._cursor)

    # -- the cursor -------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Select the row that many lines below."""
        self._move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Select the row a page below."""
        self._move_to(self._cursor + by * max(1, self.size.height - 2))

    def select(self, place: Place) -> None:
        """Select a row, now or as soon as it is there."""
        self._selected = place
        self._follow_selected()
        self._lines.clear()
        self.refresh()

    def _move_to(self, index: int) -> None:
        rows = self.picture.rows
        index = max(0, min(index, len(rows) - 1))
        if not rows or index == self._cursor:
            return
        before, self._cursor = self._cursor, index
        self._selected = rows[index].place
        self._redraw_row(before)
        self._redraw_row(index)
        self._keep_in_sight()
        self.post_message(self.Moved())

    def _follow_selected(self) -> None:
        rows, before = self.picture.rows, self._cursor
        if self._cursor >= len(rows) or rows[self._cursor].place != self._selected:
            places = (i for i, row in enumerate(rows) if row.place == self._selected)
            self._cursor = next(places, max(0, min(self._cursor, len(rows) - 1)))
        if rows and self._selected is None:
            self._selected = rows[self._cursor].place
        if self._cursor != before:
            self._redraw_row(before)
            self._redraw_row(self._cursor)
            self._keep_in_sight()

    def _keep_in_sight(self) -> None:
        top, room = round(self.scroll_offset.y), max(1, self.size.height - 1)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + room:
            self.scroll_to(y=self._cursor - room + 1, animate=False)

    # -- what is drawn ----------------------------------------------------------------------------

    def _index(self, y: int) -> int:
        return y - 1 + self.scroll_offset.y

    def _redraw_row(self, index: int) -> None:
        y = index - self.scroll_offset.y + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _redraw(self, y: int) -> None:
        """Redraw what has changed in a line that was drawn before."""
        index, before = self._index(y), self._lines.get(y)
        if index >= len(self.picture.rows):
            if before is not None:
                del self._lines[y]
                self.refresh(Region(0, y, self.size.width, 1))
            return
        if before is None:
            self.refresh(Region(0, y, self.size.width, 1))
            return
        if before.made_of == self._made_of(index):
            return
        line = self._lines[y] = self._line(index)
        edges = [(0, MARK_WIDTH), *((slot.x, slot.width) for slot in self._slots)]
        for (x, width), old, new in zip(edges, before.cells, line.cells, strict=True):
            if old != new:
                self.cells_drawn += 1
                self.refresh(Region(x, y, width, 1))

    def _made_of(self, index: int) -> tuple[object, ...]:
        picture = self.picture
        row = picture.rows[index]
        meter = int(picture.now) if row.charging and not picture.stale else 0
        # The row is made anew whenever anything of it changes; one that is not is told at once.
        return (
            row,
            meter,
            row.place in picture.marked,
            row.place in picture.pending,
            picture.stale,
            self._is_further(index),
        )

    def _is_further(self, index: int) -> bool:
        """Whether the row above is of the same charge point."""
        rows = self.picture.rows
        above = rows[index - 1].place.charge_point_id if index > 0 else None
        return above == rows[index].place.charge_point_id

    def _line(self, index: int) -> _Line:
        picture, row = self.picture, self.picture.rows[index]
        mark = _MARK if row.place in picture.marked else _PLAIN
        cells = [_PENDING if row.place in picture.pending else mark]
        for column in self.columns:
            cell = column.spec.cell(row, picture.now)
            further = column in _OF_CHARGE_POINT and self._is_further(index)
            unheard = row.charge_point.unreachable is not None and column not in _OF_CHARGE_POINT
            if picture.stale or further or unheard:
                cell = Cell(cell.text, NOT_SO)
            cells.append(cell)
        return _Line(self._made_of(index), tuple(cells))

    def _strip(self, line: _Line, *, selected: bool) -> Strip:
        ground = self.rich_style
        if selected and self.app.no_color:
            ground += _CURSOR_WITHOUT_COLOUR
        elif selected:
            ground += Style(bgcolor=self.get_component_rich_style("table--cursor").bgcolor)
        segments = [_segment(line.cells[0], MARK_WIDTH, ground)]
        for slot, cell in zip(self._slots, line.cells[1:], strict=True):
            segments.append(_segment(cell, slot.width - 1, ground, slot.column))
            segments.append(Segment(" ", ground))
        return Strip(segments).adjust_cell_length(self.size.width, ground)

    def _title(self) -> Strip:
        ground = self.rich_style + self.get_component_rich_style("table--title")
        segments = [Segment(" " * MARK_WIDTH, ground)]
        for column, _x, width in self._slots:
            text = column.spec.title
            if column is self.picture.sort_by:
                text += "▼" if self.picture.descending else "▲"
            segments.append(_segment(Cell(text, "bold"), width - 1, ground, column))
            segments.append(Segment(" ", ground))
        return Strip(segments).adjust_cell_length(self.size.width, ground)

    def _measure(self) -> bool:
        """Lay the columns out; return whether they are other ones than before."""
        ids = (cell_len(row.place.charge_point_id) for row in self.picture.rows)
        slots = lay_out(longest_id=max(ids, default=0), columns=self.size.width)
        before, self._slots = self._slots, slots
        return before != slots

    # -- what happens to it -----------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Forget the lines: they are elsewhere now."""
        if round(old_value) != round(new_value):
            self._lines.clear()
        super().watch_scroll_y(old_value, new_value)

    def on_resize(self, _event: events.Resize) -> None:
        """Lay everything out anew."""
        self.virtual_size = Size(self.size.width, len(self.picture.rows) + 1)
        self._measure()
        self._lines.clear()
        self._keep_in_sight()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Select the row, or sort by the column."""
        if event.y == 0:
            for column, x, width in self._slots:
                if x <= event.x < x + width:
                    self.post_message(self.TitlePressed(column))
        elif self._index(event.y) < len(self.picture.rows):
            self._move_to(self._index(event.y))


_OF_CHARGE_POINT: Final = {Column.ID, Column.STATUS, Column.TYPE, Column.CSMS}


def _segment(cell: Cell, width: int, ground: Style, column: Column | None = None) -> Segment:
    text = shortened(cell.text, width, keep_end=column is Column.ID)
    if column is not None and column.spec.right:
        text = " " * (width - cell_len(text)) + text
    style = ground + Style.parse(cell.style) if cell.style else ground
    return Segment(set_cell_size(text, width), style)
