"""The board: what there is to see of the fleet, and what is chosen of it."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.widgets import Static
from textual.worker import WorkerFailed

from supervisor_cli.client import SimuClient
from supervisor_cli.dashboard import keys, palette
from supervisor_cli.dashboard.connection import Connection
from supervisor_cli.dashboard.detail import EVERY_S, PAST_S, SAMPLES, Subject, detail, next_step
from supervisor_cli.dashboard.filter_line import FilterLine
from supervisor_cli.dashboard.footer import footer
from supervisor_cli.dashboard.heading import PRESS, Standing, group_bar, headline
from supervisor_cli.dashboard.pace import Pace
from supervisor_cli.dashboard.power_history import PowerHistory
from supervisor_cli.dashboard.roster import Place, Roster, Row, counts
from supervisor_cli.dashboard.screens import DetailScreen, Record
from supervisor_cli.dashboard.selection import Choice, chosen, wish
from supervisor_cli.dashboard.table import FleetTable, Picture
from supervisor_cli.dashboard.typed_ahead import TypedAhead
from supervisor_cli.outcomes import Told

REST_S: Final = 0.2
"""Between two pictures."""
_MOST_RECORDS: Final = 500
_TICK_S: Final = 1.0


async def _rest() -> None:
    await asyncio.sleep(REST_S)


class Board(TypedAhead):
    """The fleet as it is, refreshed as it changes.

    Args:
        client: of the environment, connected.
        clock: epoch seconds.
        rest: waits between two pictures.
    """

    CSS_PATH = "dashboard.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = list(keys.bindings())
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012 - as Textual has it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-high")]  # noqa: RUF012

    def __init__(
        self,
        client: SimuClient,
        *,
        clock: Callable[[], float] = time.time,
        rest: Callable[[], Awaitable[None]] = _rest,
    ) -> None:
        super().__init__()
        self.register_theme(palette.THEME)
        self.theme = palette.THEME.name
        self.ansi_theme_dark = palette.STATUS_COLOURS
        self.title = "simuctl watch"
        self.client = client
        self.clock = clock
        self.choice = Choice()
        self.marked: set[Place] = set()
        self.pending: Counter[Place] = Counter()
        self.records: deque[Record] = deque(maxlen=_MOST_RECORDS)
        self.pictures = 0
        """How many were made."""
        self.roster = Roster()
        self._pace = Pace(self._show, rest)
        self._history = PowerHistory()
        self._doing: dict[int, str] = {}
        self._told_since = False
        """Whether there is an outcome that is newer than what was begun last."""
        self._connection = Connection()
        self._shown: dict[str, Text] = {}
        self._stack = ExitStack()

    @property
    def failure(self) -> BaseException | None:
        """What ended it that should not have happened."""
        error = self._exception
        return error.error if isinstance(error, WorkerFailed) else error

    @property
    def stands(self) -> bool:
        """Whether there is a board to draw on: timers and workers go on while it is taken down."""
        return self.is_running and bool(self.screen_stack)

    @property
    def fleet_table(self) -> FleetTable:
        """The table."""
        return self.screen_stack[0].query_one(FleetTable)

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self.fleet_table.selected

    def targets(self) -> list[Place]:
        """Return what an action hits: what is marked, else what is selected."""
        if self.marked:
            rows = (self.roster.row(place) for place in self.marked)
            return [row.place for row in sorted(filter(None, rows), key=lambda row: row.by_id)]
        return [self.selected.place] if self.selected is not None else []

    def changed(self) -> None:
        """Say that what is shown is old."""
        self._pace.changed()

    def compose(self) -> ComposeResult:
        """Lay the board out."""
        yield Static(id="headline")
        yield Static(id="groups")
        with Container(id="upper"):
            yield FleetTable(id="fleet")
            with VerticalScroll(id="detail", can_focus=False):
                yield Static(id="detail-text")
        yield from self.lower()
        yield FilterLine()
        yield Static(id="outcome")
        yield Static(id="footer")

    def on_mount(self) -> None:
        """Begin to follow the fleet."""
        self.fleet_table.focus()
        self._stack.enter_context(self.client.watching(self.changed))
        self.run_worker(self._pace.run(), name="follow the fleet")
        self.set_interval(_TICK_S, self._tick)
        self.changed()

    def on_unmount(self) -> None:
        """Stop following."""
        self._stack.close()

    def on_resize(self, _event: events.Resize) -> None:
        """Fill the new room."""
        self.call_after_refresh(self._show)

    async def on_click(self, event: events.Click) -> None:
        """Act as the key would that was clicked in the footer or above the table."""
        action = event.style.meta.get(PRESS)
        if action is not None and len(self.screen_stack) == 1:
            await self.run_action(action)

    def on_fleet_table_moved(self, _message: FleetTable.Moved) -> None:
        """Show the detail of another row, at once."""
        if not self.stands:
            return
        self._show_detail()
        self.selection_moved()

    def on_fleet_table_title_pressed(self, message: FleetTable.TitlePressed) -> None:
        """Sort by a column, or the other way round where it is sorted by it."""
        turned = message.column is self.choice.sort_by and not self.choice.descending
        self.choose(sort_by=message.column, descending=turned)

    def selection_moved(self) -> None:
        """Called when another row is selected or marked; panes that follow it do so."""

    def lower(self) -> ComposeResult:
        """Lay out what is below the table."""
        yield from ()

    def show_panes(self) -> None:
        """Called with each picture: what has come for the lower panes is shown."""

    def choose(self, **changes: Any) -> None:
        """Change what is shown, and show it at once."""
        self.choice = replace(self.choice, **changes)
        self._show()

    def mark(self, places: Sequence[Place], *, on: bool) -> None:
        """Mark places, or unmark them."""
        self.marked = self.marked | set(places) if on else self.marked - set(places)
        self._show()
        self.selection_moved()

    def matching(self, words: str) -> list[Place]:
        """Return the places of all rows that match a filter, also of those not shown."""
        wanted = wish(words)
        return [row.place for row in self.roster.rows if wanted(row)]

    # -- what is being done -----------------------------------------------------------------------

    def begun(self, token: int, text: str) -> None:
        """Show what is being done."""
        if token not in self._doing:
            self._told_since = False
        self._doing[token] = text
        self._show_outcome()

    def ended(self, token: int, record: Record | None) -> None:
        """Show what became of it."""
        self._doing.pop(token, None)
        if record is not None:
            self.records.append(record)
            self._told_since = True
        self._show()

    def record(self, title: str, told: Sequence[Told]) -> Record:
        """Return what became of an action, as of now."""
        clock = time.strftime("%H:%M:%S", time.localtime(self.clock()))
        return Record(clock=clock, title=title, outcomes=told)

    def outcome_text(self) -> Text:
        """Return the line of what is done or was done last."""
        return Text()

    # -- the picture ------------------------------------------------------------------------------

    def _tick(self) -> None:
        """Move what moves by itself: meters, and the age of what is stale."""
        if not self.stands:
            return
        rows, row = self.fleet_table.picture.rows, self.selected
        past = row is not None and self._history.is_within(row.place, self.clock(), PAST_S)
        if self.client.stale or self._doing or past or any(row.charging for row in rows):
            self.changed()

    def _show(self) -> None:
        if not self.stands:
            return
        self.pictures += 1
        now = self.clock()
        self._take_news(now)
        rows, as_of = self.roster.rows, self._connection.as_of(now)
        self.fleet_table.show(
            Picture(
                rows=chosen(rows, self.choice, as_of),
                now=as_of,
                marked=frozenset(self.marked),
                pending=frozenset(self.pending),
                stale=self.client.stale,
                sort_by=self.choice.sort_by,
                descending=self.choice.descending,
            )
        )
        self._show_heading(rows, now)
        self._show_detail()
        self._show_outcome()
        self.show_panes()
        self._put("footer", footer(self.size.width))

    def _take_news(self, now: float) -> None:
        for name in self.roster.heed(self.client.view):
            rows = self.roster.of([name])
            if not rows:
                self._history.forget(name)
            for row in rows:
                power_w = row.connector.power_w if row.connector is not None else 0.0
                self._history.record(row.place, now, power_w)
        self.marked = {place for place in self.marked if self.roster.row(place) is not None}
        back = self._connection.heed(
            is_down=bool(self.client.why_down), is_stale=self.client.stale, now=now
        )
        if back:
            self.records.append(self.record("broker", [Told(charge_point_id="", text=back)]))

    def _show_heading(self, rows: Sequence[Row], now: float) -> None:
        view, columns = self.client.view, self.size.width
        standing = Standing(
            environment=self.client.environment,
            broker=str(self.client.broker),
            launcher=view.launcher,
            why_down=self.client.why_down,
            down_s=self._connection.down_s(now),
            refilling=self.client.stale,
            unreadable=len(view.undecodable),
        )
        power_w = sum(row.connector.power_w for row in rows if row.connector is not None)
        line = headline(standing, charge_points=len(view.by_id), power_w=power_w, columns=columns)
        self._put("headline", line)
        bar = group_bar(
            counts(rows),
            chosen=self.choice.group,
            marked=len(self.marked),
            words=self.choice.words,
            columns=columns,
            stale=self.client.stale,
        )
        self._put("groups", bar)

    def _show_detail(self) -> None:
        row, board = self.selected, self.screen_stack[0]
        now = self._connection.as_of(self.clock())
        if row is None:
            there_are = bool(self.client.view.by_id)
            why = "nothing matches; esc shows all" if there_are else "there are no charge points"
            text = Text(why, "dim")
        else:
            text = detail(self.subject(row, now))
        pane = board.query_one("#detail")
        step = ""
        if row is not None or not self.client.view.by_id:
            step = next_step(row, is_pending=row is not None and row.place in self.pending)
        title = f"next: {step}" if step else "detail"
        if pane.border_title != title:
            pane.border_title = title
        self._put("detail-text", text, layout=True)

        if isinstance(self.screen, DetailScreen):
            open_row = self.roster.row(self.screen.place)
            gone = Text("it is gone", "dim")
            self.screen.show(detail(self.subject(open_row, now)) if open_row is not None else gone)

    def subject(self, row: Row, now: float) -> Subject:
        """Return what the detail of a row is made of."""
        return Subject(
            row=row,
            siblings=self.roster.of([row.place.charge_point_id]),
            samples=self._history.samples(row.place, now, number=SAMPLES, every_s=EVERY_S),
            now=now,
            stale=self.client.stale,
        )

    def _show_outcome(self) -> None:
        if not self.stands:
            return
        line = Text()
        if not self._doing or self._told_since:
            line = self.outcome_text()
        if self._doing:
            text = list(self._doing.values())[-1]
            line = Text.assemble(line, (" ⋯ ", "bold yellow"), text)
        self._put("outcome", line)

    def _put(self, name: str, text: Text, *, layout: bool = False) -> None:
        """Show a text where another one stood; the same one costs nothing."""
        before = self._shown.get(name)
        if before == text and before is not None and before.spans == text.spans:
            return
        self._shown[name] = text
        grows = layout and (before is None or before.plain.count("\n") != text.plain.count("\n"))
        self.screen_stack[0].query_one(f"#{name}", Static).update(text, layout=grows)

    def _print_error_renderables(self) -> None:
        """Print no traceback: `failure` has it, and who runs the board tells it."""
        self._exit_renderables.clear()
