"""The dashboard: the board with its actions, what is chosen of it, and its screens to read."""

from rich.text import Text
from textual.widgets import Input

from supervisor_cli import render
from supervisor_cli.dashboard import forms, screens
from supervisor_cli.dashboard.configuration import Configuring
from supervisor_cli.dashboard.detail import detail
from supervisor_cli.dashboard.filter_line import FilterLine
from supervisor_cli.dashboard.roster import Group, Place
from supervisor_cli.errors import SimuError


class Watch(Configuring):
    """`simuctl watch`; see `Board`, `Acts` and `Panes` for the arguments."""

    # -- which ones -------------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Mark the selected one, or unmark it, and go on to the next."""
        if self.selected is not None:
            place = self.selected.place
            self.mark([place], on=place not in self.marked)
            self.fleet_table.action_move(1)

    def action_mark_all(self) -> None:
        """Mark all that is shown, or unmark it where it is all marked."""
        places = [row.place for row in self.fleet_table.picture.rows]
        self.mark(places, on=not self.marked.issuperset(places))

    def action_mark_pattern(self) -> None:
        """Mark what matches."""

        async def mark() -> None:
            fields = [forms.Field(name="words", label="what matches", note="as CP-00*")]
            places = await self.ask(forms.FormScreen("Mark", fields, self._read_pattern))
            if places is not None:
                self.mark(places, on=True)

        self.run_worker(mark(), name="mark")

    def action_filter(self) -> None:
        """Type a filter."""
        line = self.query_one(FilterLine)
        line.display = True
        # At once, not when there is time: what is typed meanwhile would be taken for keys.
        self.screen.set_focus(line.entry)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what matches while it is typed."""
        if event.input.id == "filter":
            self.choose(words=event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go back to the table; the filter stays."""
        if event.input.id == "filter":
            self.query_one(FilterLine).display = bool(event.value.strip())
            self.fleet_table.focus()

    def action_fold(self) -> None:
        """Close what is open; then the filter, the group and the marks go, one at a time."""
        line = self.query_one(FilterLine)
        if line.display or self.choice.words:
            line.entry.value = ""
            line.display = False
            self.choose(words="")
        elif self.close_panes():
            pass
        elif self.choice.group is not None:
            self.choose(group=None)
        elif self.marked:
            self.mark(list(self.marked), on=False)
        self.fleet_table.focus()

    def action_group(self, digit: int) -> None:
        """Show one group alone; the same digit once more, or 0, shows all."""
        group = list(Group)[digit - 1] if digit else None
        self.choose(group=None if group is self.choice.group else group)

    def action_sort(self) -> None:
        """Sort by the next column that is shown."""
        shown, sorted_by = self.fleet_table.columns, self.choice.sort_by
        at = shown.index(sorted_by) if sorted_by in shown else -1
        self.choose(sort_by=shown[(at + 1) % len(shown)], descending=False)

    def action_turn(self) -> None:
        """Sort the other way round."""
        self.choose(descending=not self.choice.descending)

    # -- the program ------------------------------------------------------------------------------

    def action_detail(self) -> None:
        """Show all there is to say about the selected one."""
        row = self.selected
        if self.open_line():
            return
        if row is not None:
            text = detail(self.subject(row, self.clock()))
            self.push_screen(screens.DetailScreen(row.place, text))

    def action_outcomes(self) -> None:
        """Show what became of every action."""
        page = screens.outcomes_page(self.records, render.notes(self.client.view))
        self.push_screen(screens.ReadScreen("Outcomes", page))

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(screens.ReadScreen("Keys", screens.help_page()))

    def action_leave(self) -> None:
        """Leave; the fleet goes on."""
        self.exit()

    def outcome_text(self) -> Text:
        """Return the line of what was done last."""
        if not self.records:
            return Text(" ? shows all keys", "dim")
        return screens.outcome_line(self.records[-1])

    def _read_pattern(self, values: forms.Values) -> list[Place]:
        places = self.matching(values["words"])
        if not values["words"].strip() or not places:
            raise SimuError("nothing matches")
        return places
