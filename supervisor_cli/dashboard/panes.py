"""The lower panes: OCPP frames and logs of what is selected or marked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container

from supervisor_cli.dashboard import forms, screens
from supervisor_cli.dashboard.acts import Acts
from supervisor_cli.dashboard.frame_text import frame_json, frame_line
from supervisor_cli.dashboard.log_text import log_text
from supervisor_cli.dashboard.ports import LogSource
from supervisor_cli.dashboard.tails import Tail
from supervisor_cli.errors import SimuError
from supervisor_cli.frame_stream import TracedFrame
from supervisor_cli.log_line import LogLine
from supervisor_cli.terminal import printable

_SETTLE_S: Final = 0.15
"""How long the selection has to stay before a pane follows it."""
_LAST_FRAMES: Final = 50


async def _settle() -> None:
    await asyncio.sleep(_SETTLE_S)


class Panes(Acts):
    """A board with panes that follow the selection; see `Board` and `Acts` for the arguments.

    Args:
        logs: where logs come from; None: there are none to be had.
        settle: waits until the selection may be followed.
    """

    def __init__(
        self,
        *args: Any,
        logs: LogSource | None = None,
        settle: Callable[[], Awaitable[None]] = _settle,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._logs = logs
        self._settle = settle
        self._of_frames: tuple[str, ...] = ()
        self._of_log = ""
        self._log_ended = False
        self.frames_pane = Tail[TracedFrame | Text](
            "OCPP", self._frame, id="frames", order=_passed_at
        )
        self.logs_pane = Tail[LogLine | Text]("log", _logged, id="logs")

    def lower(self) -> ComposeResult:
        """Lay the lower panes out; hidden until they are wanted."""
        with Container(id="lower") as lower:
            lower.display = self.frames_pane.display = self.logs_pane.display = False
            yield self.frames_pane
            yield self.logs_pane

    def show_panes(self) -> None:
        """Show what has come for the panes; who is removed is neither selected nor marked."""
        self.selection_moved()
        for pane in (self.frames_pane, self.logs_pane):
            if pane.display:
                pane.show_waiting()
        charge_point = self.client.view.get(self._of_log)
        if self._log_ended and charge_point is not None and charge_point.alive:
            self._of_log = ""
            self._follow_log()

    def selection_moved(self) -> None:
        """Follow the selection with the panes that are open."""
        if self.frames_pane.display:
            self._follow_frames()
        if self.logs_pane.display:
            self._follow_log()

    # -- the keys -------------------------------------------------------------------------------

    def action_frames(self) -> None:
        """Open or close the pane of OCPP frames."""
        self._toggle(self.frames_pane)

    def action_logs(self) -> None:
        """Open or close the pane of the log."""
        self._toggle(self.logs_pane)

    def action_pause(self) -> None:
        """Hold the panes, or let them go on."""
        on = not (self.frames_pane.paused or self.logs_pane.paused)
        for pane in (self.frames_pane, self.logs_pane):
            pane.hold(on=on)

    def action_next_pane(self) -> None:
        """Go to the next pane that is open."""
        panes = [self.fleet_table, *(p for p in (self.frames_pane, self.logs_pane) if p.display)]
        current = panes.index(self.focused) if self.focused in panes else -1
        panes[(current + 1) % len(panes)].focus()

    def action_frame_filter(self) -> None:
        """Ask which actions are to be shown."""

        async def ask() -> None:
            field = forms.Field(name="actions", label="only", otherwise="all actions")
            about = "Names of OCPP actions or parts of them, such as MeterValues Authorize"
            screen = forms.FormScreen(
                "OCPP frames", [field], lambda values: values["actions"].split(), about=about
            )
            words = await self.ask(screen)
            if words is not None:
                folded = [word.strip(",").casefold() for word in words]
                self.frames_pane.want(lambda item: _is_of(item, folded), ", ".join(words))
                if not self.frames_pane.display:
                    self.action_frames()

        self.run_worker(ask(), name="frame filter")

    def open_line(self) -> bool:
        """Show all of the selected frame or line of the log; return whether there was one."""
        frame, line = self.frames_pane.chosen, self.logs_pane.chosen
        if self.frames_pane.has_focus and isinstance(frame, TracedFrame):
            title = f"{frame.charge_point_id} {frame.frame.direction} {frame.frame.action}"
            self.push_screen(screens.ReadScreen(title, Text(frame_json(frame))))
            return True
        if self.logs_pane.has_focus and isinstance(line, LogLine):
            text = Text(printable(line.text))
            self.push_screen(screens.ReadScreen(f"log of {line.charge_point_id}", text))
            return True
        return False

    def close_panes(self) -> bool:
        """Close the panes; return whether one was open."""
        panes = [each for each in (self.frames_pane, self.logs_pane) if each.display]
        for pane in panes:
            self._toggle(pane)
        return bool(panes)

    # -- what they follow -----------------------------------------------------------------------

    def _toggle(self, pane: Tail[Any]) -> None:
        pane.display = not pane.display
        is_open = self.frames_pane.display or self.logs_pane.display
        board = self.screen_stack[0]
        board.query_one("#lower").display = is_open
        board.set_class(is_open, "-reading")
        if pane.display:
            self._of_frames, self._of_log = (), ""
            self.selection_moved()
        else:
            self.workers.cancel_group(self, str(pane.id))
            if pane.has_focus:
                self.fleet_table.focus()

    def _follow_frames(self) -> None:
        names = tuple(dict.fromkeys(place.charge_point_id for place in self.targets()))
        if names == self._of_frames:
            return
        self._of_frames = names
        self.frames_pane.begin(_whose(names))
        self.run_worker(self._read_frames(names), group="frames", exclusive=True)

    async def _read_frames(self, names: tuple[str, ...]) -> None:
        await self._settle()

        def note(name: str, text: str) -> None:
            self._take(self.frames_pane, Text(f"{printable(name)} {printable(text)}", "yellow"))

        try:
            stream = self.client.frames(names, last=_LAST_FRAMES, on_note=note)
            async with aclosing(stream) as frames:
                async for traced in frames:
                    self._take(self.frames_pane, traced)
        except SimuError as exc:
            self._take(self.frames_pane, Text(printable(str(exc)), "red"))

    def _follow_log(self) -> None:
        name = self.selected.place.charge_point_id if self.selected is not None else ""
        if name == self._of_log:
            return
        self._of_log = name
        self._log_ended = False
        self.logs_pane.begin(f"of {printable(name)}" if name else "")
        self.run_worker(self._read_log(name), group="logs", exclusive=True)

    async def _read_log(self, name: str) -> None:
        await self._settle()
        if not name:
            return
        if self._logs is None:
            self._take(self.logs_pane, Text("there are no logs to be had here", "dim"))
            return
        try:
            async with aclosing(self._logs.follow(name)) as lines:
                async for line in lines:
                    self._take(self.logs_pane, line)
            self._take(self.logs_pane, Text("the process has ended", "dim"))
            self._log_ended = True
        except SimuError as exc:
            hint = f"; {exc.hint}" if exc.hint else ""
            self._take(self.logs_pane, Text(printable(f"{exc}{hint}"), "red"))

    def _take(self, pane: Tail[Any], item: TracedFrame | LogLine | Text) -> None:
        pane.take(item)
        self.changed()

    def _frame(self, item: TracedFrame | Text) -> Text:
        if isinstance(item, Text):
            return item
        return frame_line(item, with_id=len(self._of_frames) > 1)


def _passed_at(item: TracedFrame | Text) -> float:
    return item.frame.at if isinstance(item, TracedFrame) else 0.0


def _whose(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    return f"of {printable(names[0])}" if len(names) == 1 else f"of {len(names)} charge points"


def _is_of(item: TracedFrame | Text, words: Iterable[str]) -> bool:
    wanted = list(words)
    if isinstance(item, Text) or not wanted:
        return True
    return any(word in item.frame.action.casefold() for word in wanted)


def _logged(item: LogLine | Text) -> Text:
    return item if isinstance(item, Text) else log_text(item)
