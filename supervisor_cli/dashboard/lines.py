"""A list of lines that grows at its end, and follows it until somebody looks further up."""

from collections import deque
from collections.abc import Iterable
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

MOST_LINES: Final = 2000


class LineList(ScrollView, can_focus=True):
    """Lines with a cursor; of too many the oldest go."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-1000000)", show=False),
        Binding("end", "move(1000000)", show=False),
    ]

    class Moved(Message):
        """Another line is selected."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id)
        self._lines: deque[Text] = deque(maxlen=MOST_LINES)
        self._cursor = 0
        self._widest = 0

    @property
    def cursor(self) -> int:
        """Which line is selected; 0 where there is none."""
        return self._cursor

    @property
    def follows(self) -> bool:
        """Whether the last line is selected: what comes is then followed."""
        return self._cursor >= len(self._lines) - 1

    @property
    def plain(self) -> list[str]:
        """The lines without their colours."""
        return [line.plain for line in self._lines]

    def replace(self, lines: Iterable[Text]) -> None:
        """Show other lines."""
        self._lines.clear()
        self._cursor = self._widest = 0
        self.extend(lines, follow=True)

    def extend(self, lines: Iterable[Text], *, follow: bool | None = None) -> None:
        """Add lines at the end."""
        follow = self.follows if follow is None else follow
        before = len(self._lines)
        added = list(lines)
        self._lines.extend(added)
        dropped = before + len(added) - len(self._lines)
        self._widest = max([self._widest, *(line.cell_len for line in added)])
        last = max(0, len(self._lines) - 1)
        self._cursor = last if follow else max(0, self._cursor - dropped)
        self.virtual_size = Size(self._widest, len(self._lines))
        if follow:
            self._keep_in_sight()
        elif dropped:
            self.scroll_to(y=max(0, self.scroll_offset.y - dropped), animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen."""
        index, ground = y + self.scroll_offset.y, self.rich_style
        if index >= len(self._lines):
            return Strip.blank(self.size.width, ground)
        if index == self._cursor and self.has_focus:
            cursor = self.get_component_rich_style("lines--cursor")
            ground += Style(bgcolor=cursor.bgcolor)
        text = self._lines[index]
        strip = Strip(list(text.render(self.app.console)), text.cell_len).apply_style(ground)
        x = self.scroll_offset.x
        return strip.crop(x, x + self.size.width).extend_cell_length(self.size.width, ground)

    def action_move(self, by: int) -> None:
        """Select the line that many lines below."""
        index = max(0, min(self._cursor + by, len(self._lines) - 1))
        if index != self._cursor:
            for each in (self._cursor, index):
                self.refresh(Region(0, each - self.scroll_offset.y, self.size.width, 1))
            self._cursor = index
            self._keep_in_sight()
            self.post_message(self.Moved())

    def action_page(self, by: int) -> None:
        """Select the line a page below."""
        self.action_move(by * max(1, self.size.height - 1))

    def on_click(self, event: events.Click) -> None:
        """Select the line that is clicked."""
        self.action_move(event.y + self.scroll_offset.y - self._cursor)

    def on_resize(self, _event: events.Resize) -> None:
        """Keep the selected line in sight."""
        self._keep_in_sight()

    def _keep_in_sight(self) -> None:
        top, room = self.scroll_offset.y, max(1, self.size.height)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + room:
            self.scroll_to(y=self._cursor - room + 1, animate=False, force=True)
