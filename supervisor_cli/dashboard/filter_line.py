"""The line in which a filter is typed."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Label


class FilterLine(Horizontal):
    """Hidden until somebody wants to filter."""

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Label("/")
        yield Input(
            id="filter", placeholder="id, status, tag or CSMS; CP-00*, !Available", compact=True
        )

    def on_mount(self) -> None:
        """Hide."""
        self.display = False

    @property
    def entry(self) -> Input:
        """Where it is typed."""
        return self.query_one(Input)
