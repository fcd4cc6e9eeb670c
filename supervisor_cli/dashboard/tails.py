"""What streams by in the lower panes: it can be held, and what comes meanwhile is kept."""

from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from rich.text import Text

from supervisor_cli.dashboard.lines import MOST_LINES, LineList

T = TypeVar("T")
_MOST_ITEMS: Final = 2000


class Tail(LineList, Generic[T]):
    """A list of lines made of items; shown when asked to, not with each item.

    Args:
        what: is shown, for the title.
        line: makes the line of an item.
        order: what comes together is shown in its order; None: as it came.
    """

    def __init__(
        self,
        what: str,
        line: Callable[[T], Text],
        *,
        id: str,  # noqa: A002 - as Textual calls it
        order: Callable[[T], float] | None = None,
    ) -> None:
        super().__init__(id=id)
        self._order = order
        self._what = what
        self._line = line
        self._shown: deque[T] = deque(maxlen=_MOST_ITEMS)
        self._listed: deque[T] = deque(maxlen=MOST_LINES)
        """What the lines are of: those of `_shown` that are wanted, and older ones."""
        self._waiting: deque[T] = deque(maxlen=_MOST_ITEMS)
        self._wanted: Callable[[T], bool] = lambda _item: True
        self._about = ""
        self._filter = ""
        self.paused = False
        self.add_class("pane")

    @property
    def chosen(self) -> T | None:
        """The item under the cursor."""
        return self._listed[self.cursor] if self.cursor < len(self._listed) else None

    def begin(self, about: str) -> None:
        """Show something else from now on."""
        self._about = about
        self._shown.clear()
        self._listed.clear()
        self._waiting.clear()
        self.paused = False
        self.replace([])
        self._entitle()

    def take(self, item: T) -> None:
        """Keep an item until it is shown."""
        self._waiting.append(item)

    def show_waiting(self) -> None:
        """Show what has come, unless it is held."""
        if self._waiting and not self.paused:
            items = list(self._waiting)
            if self._order is not None:
                items.sort(key=self._order)
            self._waiting.clear()
            self._shown.extend(items)
            listed = [item for item in items if self._wanted(item)]
            self._listed.extend(listed)
            self.extend(self._line(item) for item in listed)
        self._entitle()

    def hold(self, *, on: bool) -> None:
        """Hold what is shown, or let it go on."""
        self.paused = on
        self.show_waiting()

    def want(self, wanted: Callable[[T], bool], words: str) -> None:
        """Show only some items; `words` says which."""
        self._wanted, self._filter = wanted, words
        self._listed.clear()
        self._listed.extend(item for item in self._shown if wanted(item))
        self.replace(self._line(item) for item in self._listed)
        self._entitle()

    def on_line_list_moved(self) -> None:
        """Say whether what comes is followed."""
        self._entitle()

    def _entitle(self) -> None:
        title = Text.assemble((self._what, "bold"), f" {self._about}")
        if self._filter:
            title.append(f", only {self._filter}", "yellow")
        if self.paused:
            title.append(f", held: {len(self._waiting)} more; v goes on", "bold yellow")
        elif not self.follows:
            title.append(", end follows again", "dim")
        markup = title.markup
        if self.border_title != markup:
            self.border_title = markup
