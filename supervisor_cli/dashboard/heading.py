"""The two lines above the table: how the environment is, and how many are in which state. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from launcher.api import LauncherState
from supervisor_cli import render
from supervisor_cli.dashboard.roster import Group
from supervisor_cli.terminal import printable

PRESS: Final = "press"
"""The meta data of a text that says which action a click on it is."""
ALARM: Final = "bold #ffffff on #a02c38"
GROUP_STYLES: Final = {
    Group.AVAILABLE: "green",
    Group.PREPARING: "cyan",
    Group.CHARGING: "bold green",
    Group.SUSPENDED: "yellow",
    Group.FINISHING: "cyan",
    Group.RESERVED: "magenta",
    Group.UNAVAILABLE: "",
    Group.FAULTED: "bold red",
    Group.OFFLINE: "red",
}
_SHORT: Final = {
    Group.AVAILABLE: "Avail",
    Group.PREPARING: "Prep",
    Group.CHARGING: "Charge",
    Group.SUSPENDED: "Susp",
    Group.FINISHING: "Finish",
    Group.RESERVED: "Resvd",
    Group.UNAVAILABLE: "Unavl",
    Group.FAULTED: "Fault",
    Group.OFFLINE: "Offl",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the environment is.

    Attributes:
        why_down: why there is no connection; empty while there is one.
        down_s: for how long.
        refilling: whether the connection is back, but not everything heard again.
        unreadable: how many topics have a last message that could not be read.
    """

    environment: str
    broker: str
    launcher: LauncherState | None
    why_down: str = ""
    down_s: float = 0.0
    refilling: bool = False
    unreadable: int = 0


def headline(standing: Standing, *, charge_points: int, power_w: float, columns: int) -> Text:
    """Return the first line; where something is dead the whole of it is red and says what."""
    if standing.why_down:
        text = f" {standing.environment}  this is {standing.down_s:.0f} s old: "
        text += f"{printable(standing.why_down)}; trying again"
        return _filled(Text(text, ALARM), columns)
    if standing.launcher is not LauncherState.ALIVE:
        said = "is Dead" if standing.launcher is LauncherState.DEAD else "was never started"
        text = f" {standing.environment}  the launcher {said}; simuctl doctor tells how to "
        text += "start it; until then nothing can be added, killed or restarted"
        return _filled(Text(text, ALARM), columns)
    total = f"{charge_points} charge point{'s' if charge_points != 1 else ''}"
    if power_w > 0:
        total += f", {render.quantity(power_w, 'W')}"
    line = _alive(standing, f" broker {standing.broker}  launcher ")
    if line.cell_len + len(total) + 3 > columns:
        line = _alive(standing, " launcher ")  # where the broker is matters least
    line.append(total.rjust(max(len(total) + 2, columns - line.cell_len - 1)))
    return _filled(line, columns)


def group_bar(
    counted: Mapping[Group, int],
    *,
    chosen: Group | None,
    marked: int,
    words: str,
    columns: int,
    stale: bool = False,
) -> Text:
    """Return the second line: each group with its key and number; empty ones where there is room.

    Args:
        counted: rows by group.
        chosen: the group that alone is shown.
        marked: how many rows are marked.
        words: the filter.
        columns: the width.
        stale: whether the numbers may be true no more.
    """
    tail = Text()
    if marked:
        tail.append(f"  ● {marked} marked", "bold cyan")
    if words.strip():
        tail.append(f"  / {printable(words.strip())}", "bold yellow")
    room = columns - tail.cell_len - 1
    filled = [each for each in Group if counted[each] or each is chosen]
    for groups, short in ((list(Group), False), (filled, False), (list(Group), True)):
        line = _groups(groups, counted, chosen, short=short, stale=stale)
        if line.cell_len <= room:
            return line.append_text(tail)
    line = _groups(filled, counted, chosen, short=True, stale=stale)
    line.truncate(max(0, room), overflow="ellipsis")
    return line.append_text(tail)


def number_of(group: Group) -> int:
    """Return the digit of a group."""
    return list(Group).index(group) + 1


def _alive(standing: Standing, words: str) -> Text:
    line = Text.assemble((f" {standing.environment} ", "bold"), (words, "dim"), ("Alive", "green"))
    if standing.refilling:
        line.append("  filling anew", "bold yellow")
    if standing.unreadable:
        line.append(f"  {standing.unreadable} unreadable, see m", "yellow")
    return line


def _groups(
    groups: list[Group],
    counted: Mapping[Group, int],
    chosen: Group | None,
    *,
    short: bool,
    stale: bool,
) -> Text:
    line, gap = Text(), " " if short else "  "
    entries = [(0, "All", sum(counted.values()), "", chosen is None)]
    for each in groups:
        words = _SHORT[each] if short else str(each)
        entries.append((number_of(each), words, counted[each], GROUP_STYLES[each], chosen is each))
    for digit, name, number, colour, is_chosen in entries:
        style = colour if (number or not digit) and not stale else "dim"
        entry = Text.assemble((f"{digit} ", "dim"), (name, style), (f" {number}", style))
        if is_chosen:
            entry.stylize("reverse")
        entry.apply_meta({PRESS: f"group({digit})"})
        line.append(gap if line else " ").append_text(entry)
    return line


def _filled(line: Text, columns: int) -> Text:
    line.no_wrap = True
    if line.cell_len > columns:
        line.truncate(columns, overflow="ellipsis")
    line.pad_right(max(0, columns - line.cell_len))
    return line
