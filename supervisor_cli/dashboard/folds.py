"""Fields that are rarely needed, folded away behind a line of a form."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.widget import Widget


class Fold(Widget, can_focus=True):
    """The line: right or space opens it, left or space closes it.

    Args:
        title: of what is behind it.
        lines: what is behind it; hidden at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "turn(True)", show=False),
        Binding("left", "turn(False)", show=False),
        Binding("space", "turn", show=False),
    ]
    is_open: reactive[bool] = reactive(False)

    def __init__(self, title: str, lines: Sequence[Widget]) -> None:
        super().__init__(classes="fold")
        self._title = title
        self._lines = lines
        for line in lines:
            line.display = False

    def render(self) -> Text:
        """Show the title, and that there is more."""
        how = "" if self.is_open else "  → opens"
        return Text.assemble(("▾ " if self.is_open else "▸ ", "bold"), self._title, (how, "dim"))

    def watch_is_open(self, is_open: bool) -> None:  # noqa: FBT001 - as Textual calls it
        """Show what is behind it, or hide it."""
        for line in self._lines:
            line.display = is_open
        if is_open and self.is_mounted:
            self.call_after_refresh(self.scroll_visible, top=True, animate=False)

    def action_turn(self, is_open: bool | None = None) -> None:  # noqa: FBT001
        """Open it, or close it."""
        self.is_open = not self.is_open if is_open is None else is_open

    def on_click(self) -> None:
        """Open it, or close it."""
        self.action_turn()
