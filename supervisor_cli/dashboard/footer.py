"""The line of keys at the bottom. Pure."""

from rich.text import Text

from supervisor_cli.dashboard.heading import PRESS
from supervisor_cli.dashboard.keys import KEYS, Key


def footer(columns: int) -> Text:
    """Return as many keys as fit, those that are often needed first; help and quit always."""
    last = [key for key in KEYS if key.action in {"help", "leave"}]
    room = columns - sum(_width(key) for key in last)
    shown = []
    for key in sorted((each for each in KEYS if each not in last), key=lambda it: it.rank):
        if _width(key) <= room:
            room -= _width(key)
            shown.append(key)
    line = Text(no_wrap=True)
    for key in [*(each for each in KEYS if each in shown), *last]:
        entry = Text.assemble((f" {key.shown}", "bold cyan"), f" {key.label}")
        if key.action and key.action != "group":
            entry.apply_meta({PRESS: key.action})
        line.append_text(entry)
    line.pad_right(max(0, columns - line.cell_len))
    return line


def _width(key: Key) -> int:
    return len(key.shown) + len(key.label) + 2
