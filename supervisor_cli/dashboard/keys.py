"""The one table of keys: bindings, footer, help screen and the README's table come from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from textual.binding import Binding


class Section(StrEnum):
    """What a key is for."""

    CONNECTOR = "At a connector"
    CHARGE_POINT = "Charge points"
    CHOOSE = "Which ones"
    PANES = "Panes"
    PROGRAM = "Program"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key and what it does.

    Attributes:
        names: as Textual calls it; several with commas.
        shown: as people call it.
        action: the method ``action_…`` of the dashboard; empty where the focused pane acts.
        label: a word or two, for the footer.
        text: a line, for the help.
        rank: the lower, the sooner it is in a footer that is short of room.
    """

    names: str
    shown: str
    action: str
    label: str
    text: str
    section: Section
    rank: int


_Row = tuple[str, str, str, str]
"""Of a key: its name for Textual and for people (after a space, where they differ), the action, the
label, the text."""

_ROWS: Final[dict[Section, tuple[_Row, ...]]] = {
    Section.CONNECTOR: (
        ("p", "plug", "plug in", "plug a car in: cable, what it asks for, or a battery"),
        ("u", "unplug", "unplug", "unplug the car"),
        (
            "t",
            "tag",
            "tag",
            "hold a card to the reader: starts a session, and the same card stops it",
        ),
        ("y", "ready", "ready", "the car wants energy, or wants none any more"),
        (
            "d",
            "draw",
            "draw",
            "what the car asks for, on each phase or on L1, L2, L3; or its battery",
        ),
        ("f", "fault", "fault", "inject a fault, of the connector or of the whole charge point"),
        ("F", "unfault", "clear", "clear a fault, or all of them"),
        ("e", "emergency", "emergency", "hit the emergency stop, or release it"),
    ),
    Section.CHARGE_POINT: (
        ("n", "add", "new", "new charge points: one, or many by a pattern"),
        ("K", "kill", "kill", "power cut; what they remember stays, and the car stays plugged"),
        (
            "R",
            "restart",
            "restart",
            "power back, with all they remember; a living one is cut first",
        ),
        ("H", "halt", "stop", "stop in order: the CSMS hears a farewell"),
        ("D", "remove", "remove", "remove, with all they remember"),
        ("z", "freeze", "freeze", "hang: connections open, nothing said"),
        ("Z", "thaw", "thaw", "go on where they hung"),
        ("x", "cut", "cut", "take them their network"),
        ("X", "mend", "mend", "give them their network back"),
        (
            "T",
            "data_transfer",
            "transfer",
            "let them send DataTransfer, and show what the CSMS answers",
        ),
        ("E", "security_event", "event", "let a security event happen"),
        ("L", "load", "load", "load a set-up file: fleet YAML, or JSON of open-ocpp-simu"),
        ("W", "save", "save", "save the set-up to a file"),
        (
            "c",
            "configuration",
            "config",
            "the OCPP configuration of the selected one; s there sets a key",
        ),
        ("C", "configure", "set a key", "set an OCPP configuration key at all that are marked"),
    ),
    Section.CHOOSE: (
        (
            "up,down,pageup,pagedown,home,end ↑ ↓",
            "",
            "select",
            "select a connector; also page up, page down, home, end",
        ),
        (
            "space",
            "mark",
            "mark",
            "mark or unmark; what is marked is acted on, else what is selected",
        ),
        ("a", "mark_all", "mark all", "mark all that is shown, or unmark it"),
        (
            "asterisk *",
            "mark_pattern",
            "mark by pattern",
            "mark by id or shell pattern, such as CP-00*",
        ),
        (
            "slash /",
            "filter",
            "filter",
            "show only what matches: id, status, tag, CSMS; CP-*, !word",
        ),
        (
            "1,2,3,4,5,6,7,8,9 1…9",
            "group",
            "group",
            "show one group alone, as numbered above the table",
        ),
        ("0", "group", "all", "show all groups"),
        ("s", "sort", "sort", "sort by the next column; a click on a column's title sorts by it"),
        ("S", "turn", "turn", "sort the other way round"),
        ("escape esc", "fold", "back", "close what is open; then filter, group and marks go"),
    ),
    Section.PANES: (
        (
            "enter",
            "detail",
            "detail",
            "all there is to say about the selected one; of a frame, its JSON; of a log line, "
            "all of it",
        ),
        ("o", "frames", "OCPP", "OCPP frames of the selected one, or of all that are marked"),
        ("l", "logs", "logs", "the log of the selected one"),
        ("g", "frame_filter", "actions", "OCPP frames of some actions only, such as MeterValues"),
        ("v", "pause", "pause", "hold frames and logs; what comes meanwhile follows"),
        ("tab", "next_pane", "next pane", "to the next pane"),
    ),
    Section.PROGRAM: (
        ("m", "outcomes", "outcomes", "what became of every action"),
        ("question_mark ?", "help", "help", "these keys"),
        ("q,ctrl+c q", "leave", "quit", "leave; also Ctrl-C. Nothing of the fleet changes"),
    ),
}
_OFTEN: Final = (
    *("plug", "unplug", "tag", "add", "kill", "restart", "mark", "frames", "filter", "logs"),
    *("halt", "remove"),
)
KEYS: Final = tuple(
    Key(
        names=row[0].partition(" ")[0],
        shown=row[0].partition(" ")[2] or row[0],
        action=row[1],
        label=row[2],
        text=row[3],
        section=section,
        rank=_OFTEN.index(row[1]) if row[1] in _OFTEN else len(_OFTEN),
    )
    for section, rows in _ROWS.items()
    for row in rows
)


def of(action: str) -> Key:
    """Return the key of an action."""
    return next(key for key in KEYS if key.action == action)


def bindings() -> Iterator[Binding]:
    """Return what Textual listens to; Ctrl-C also inside dialogs."""
    for key in KEYS:
        for name in key.names.split(",") if key.action else ():
            argument = f"({name})" if key.action == "group" else ""
            yield Binding(
                name, f"{key.action}{argument}", key.label, show=False, priority=name == "ctrl+c"
            )


def markdown() -> str:
    """Return the table for the README."""
    lines = ["| key | what it does |", "|---|---|"]
    for section in Section:
        lines.append(f"| | **{section}** |")
        lines += [f"| `{key.shown}` | {key.text} |" for key in KEYS if key.section is section]
    return "\n".join(lines)
