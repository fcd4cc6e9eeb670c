"""Screens to read: the keys, what became of the actions, all of a charge point, a text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from supervisor_cli.dashboard.keys import KEYS, Section
from supervisor_cli.dashboard.roster import Place
from supervisor_cli.outcomes import Told
from supervisor_cli.terminal import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of an action.

    Attributes:
        clock: when, as people read it.
        title: what was done.
    """

    clock: str
    title: str
    outcomes: Sequence[Told]

    @property
    def failed(self) -> list[Told]:
        """Those that it did not work for."""
        return [each for each in self.outcomes if not each.ok]


class ReadScreen(ModalScreen[bool]):
    """Something to read; scrolls, and closes by escape, q or enter: dismissed with False."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark", "close", show=False)
    ]
    KEYS: ClassVar[str] = "[b]↑ ↓[/b] scroll   [b]esc[/b] close"

    def __init__(self, title: str, content: RenderableType) -> None:
        super().__init__()
        self._title = title
        self._content = content

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="dialog reading") as dialog:
            dialog.border_title = Text(self._title)
            with VerticalScroll(classes="page"):
                yield Static(self._content, id="content")
            yield Static(Text.from_markup(self.KEYS), classes="keys")

    def show(self, content: RenderableType) -> None:
        """Show something else."""
        if content != self._content:
            self._content = content
            if self.is_mounted:
                self.query_one("#content", Static).update(content)

    def on_mount(self) -> None:
        """Show what was to be shown since it began to be laid out."""
        self.query_one("#content", Static).update(self._content)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(False)


class DetailScreen(ReadScreen):
    """All there is to say about a connector, as it changes."""

    def __init__(self, place: Place, content: Text) -> None:
        super().__init__(place.charge_point_id, content)
        self.place = place


def help_page() -> RenderableType:
    """Return all keys by what they are for."""
    parts: list[RenderableType] = []
    for section in Section:
        table = Table.grid(padding=(0, 2, 0, 1))
        table.add_column(style="bold cyan", justify="right", width=6)
        table.add_column(overflow="fold")
        for key in KEYS:
            if key.section is section:
                table.add_row(key.shown, key.text)
        parts += [Text(section, "bold"), table, Text()]
    return Lines(*parts[:-1])


def outcomes_page(records: Iterable[Record], notes: Text | None) -> RenderableType:
    """Return what became of every action, the last one first; above it what there is to note."""
    text = Text() if notes is None else notes.append("\n\n")
    for record in reversed(list(records)):
        text.append(f"{record.clock}  ", "dim").append(f"{record.title}\n", "bold")
        for told in record.outcomes:
            mark, style = ("✓", "green") if told.ok else ("✗", "bold red")
            name = f"{told.charge_point_id}: " if told.charge_point_id else ""
            text.append(f"  {mark} ", style).append(f"{printable(name + told.text)}\n")
            if told.hint:
                text.append(f"    {printable(told.hint)}\n", "dim")
    return text if text.plain else Text("nothing was done yet", "dim")


def configuration_page(configuration: Mapping[str, str]) -> RenderableType:
    """Return OCPP configuration keys and their values, by name."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name in sorted(configuration):
        value = printable(configuration[name])
        table.add_row(printable(name), value or Text("empty", "dim"))
    return table


def outcome_line(record: Record) -> Text:
    """Return in one line what became of an action."""
    failed, total = record.failed, len(record.outcomes)
    if not failed:
        first = record.outcomes[0] if record.outcomes else None
        what = (
            _told(first)
            if total == 1 and first is not None
            else f"{record.title}: all {total} done"
        )
        return Text.assemble((" ✓ ", "bold green"), printable(what))
    if total == 1:
        hint = f"; {failed[0].hint}" if failed[0].hint else ""
        return Text.assemble((" ✗ ", "bold red"), (printable(_told(failed[0]) + hint), "red"))
    text = f"{record.title}: {len(failed)} of {total} failed; m shows all: {_told(failed[0])}"
    return Text.assemble((" ✗ ", "bold red"), (printable(text), "red"))


def _told(told: Told) -> str:
    if not told.charge_point_id or told.charge_point_id in told.text:
        return told.text
    return f"{told.charge_point_id}: {told.text}"
