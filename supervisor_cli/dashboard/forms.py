"""Dialogs: a form of one-line fields, and a question."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar, Generic, Self, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from supervisor_cli.dashboard.folds import Fold
from supervisor_cli.errors import SimuError

T = TypeVar("T")
Values = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A line of a form.

    Attributes:
        name: under which its value is handed on.
        value: what stands there at first.
        otherwise: what holds where it is left empty; shown in its place.
        choices: what there is to choose from; empty for text.
        note: a unit, or what else is worth knowing.
        secret: whether it is not to be seen.
        group: the title of the fold it is behind; empty: it is always shown.
    """

    name: str
    label: str
    value: str = ""
    otherwise: str = ""
    choices: tuple[str, ...] = ()
    note: str = ""
    secret: bool = False
    group: str = ""

    def in_group(self, group: str) -> Self:
        """Return it behind a fold."""
        return replace(self, group=group)


class Choice(Widget, can_focus=True):
    """One of several words; left and right, or space, go to the next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", show=False),
        Binding("right,space", "turn(1)", show=False),
    ]
    chosen: reactive[int] = reactive(0)

    def __init__(self, choices: tuple[str, ...], value: str, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.choices = choices
        self.set_reactive(Choice.chosen, choices.index(value) if value in choices else 0)

    @property
    def value(self) -> str:
        """The chosen word."""
        return self.choices[self.chosen]

    def render(self) -> Text:
        """Show the chosen word between arrows."""
        return Text.assemble(("◂ ", "dim"), self.value, (" ▸", "dim"))

    def action_turn(self, by: int) -> None:
        """Choose the next or the one before."""
        self.chosen = (self.chosen + by) % len(self.choices)

    def on_click(self) -> None:
        """Choose the next."""
        self.action_turn(1)


class FormScreen(ModalScreen[T | None], Generic[T]):
    """Asks for values; is dismissed with what `check` makes of them, or None when called off.

    Args:
        title: what is done with them.
        fields: in order.
        check: makes the result; its `SimuError` is shown, and the form stays.
        about: lines above the fields.
        destroys: whether anything is lost by it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "call_off", show=False),
        Binding("enter", "submit", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        check: Callable[[Values], T],
        *,
        about: str = "",
        destroys: bool = False,
    ) -> None:
        super().__init__()
        self._destroys = destroys
        self._title = title
        self._fields = fields
        self._check = check
        self._about = about

    def compose(self) -> ComposeResult:
        """Lay the form out."""
        with Vertical(classes="dialog danger" if self._destroys else "dialog") as dialog:
            dialog.border_title = Text(self._title)
            if self._about:
                yield Static(Text(self._about, "dim"), classes="about")
            with Vertical(classes="fields"):
                yield from _lines(self._fields)
            yield Static("", id="complaint")
            yield Static(
                Text.from_markup("[b]enter[/b] do it   [b]tab ↑ ↓[/b] next field   [b]esc[/b] no"),
                classes="keys",
            )

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Take Enter in a field for the form's."""
        self.action_submit()

    def action_submit(self) -> None:
        """Hand the values on, or show what is wrong with them."""
        values = {each.name: _value(self.query_one(f"#{each.name}")) for each in self._fields}
        try:
            result = self._check(values)
        except SimuError as exc:
            self.query_one("#complaint", Static).update(Text(str(exc), "bold red"))
            return
        self.dismiss(result)

    def action_call_off(self) -> None:
        """Close the form without a result."""
        self.dismiss(None)


class ConfirmScreen(ModalScreen[bool]):
    """Asks whether something is to be done; anything but y is no.

    Args:
        question: what is to be done.
        hit: lines that say to whom.
        destroys: whether anything is lost by it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape,enter,q", "answer(False)", show=False),
    ]

    def __init__(self, question: str, hit: Sequence[str], *, destroys: bool = True) -> None:
        super().__init__()
        self._destroys = destroys
        self._question = question
        self._hit = hit

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with Vertical(classes="dialog danger" if self._destroys else "dialog") as dialog:
            dialog.border_title = Text(self._question)
            with Vertical(classes="fields"):
                yield Static(Text("\n".join(self._hit)))
            yield Static(Text.from_markup("[b]y[/b] yes   [b]n[/b] no"), classes="keys")

    def action_answer(self, yes: bool) -> None:  # noqa: FBT001 - as Textual calls it
        """Close with the answer."""
        self.dismiss(yes)


def number(values: Values, name: str, label: str) -> float | None:
    """Return the number in a field; None where it is empty.

    Raises:
        SimuError: it is no number of 0 or more.
    """
    text = values[name].strip()
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise SimuError(f"{label}: {text!r} is not a number of 0 or more")
    return found


def _lines(fields: Sequence[Field]) -> Iterator[Widget]:
    """Return the lines of fields; those of a group follow the line that they are folded behind."""
    for group, those in groupby(fields, key=lambda field: field.group):
        lines = [_line(field) for field in those]
        if group:
            yield Fold(group, lines)
        yield from lines


def _line(field: Field) -> Horizontal:
    entry: Widget
    if field.choices:
        entry = Choice(field.choices, field.value, id=field.name)
    else:
        entry = Input(
            field.value,
            placeholder=field.otherwise,
            password=field.secret,
            id=field.name,
            compact=True,
        )
    return Horizontal(
        Label(Text(field.label), classes="label"),
        entry,
        Label(Text(field.note, "dim"), classes="note"),
        classes="field",
    )


def _value(entry: Widget) -> str:
    if isinstance(entry, Choice):
        return entry.value
    return entry.value if isinstance(entry, Input) else ""
