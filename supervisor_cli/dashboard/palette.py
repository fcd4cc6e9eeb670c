"""The colours of the dashboard: dark, calm, and the same for a status wherever it stands."""

from typing import Final

from rich.terminal_theme import TerminalTheme
from textual.theme import Theme

GROUND: Final = "#14181f"
THEME: Final = Theme(
    name="cp-simu",
    dark=True,
    primary="#5aa9e6",
    secondary="#7a8ca3",
    accent="#5ac8c8",
    warning="#d9b45a",
    error="#e0606a",
    success="#7fbf6a",
    foreground="#cdd6e0",
    background=GROUND,
    surface="#1a2029",
    panel="#232b37",
    variables={"border": "#34404f", "border-blurred": "#2a3442"},
)
STATUS_COLOURS: Final = TerminalTheme(
    (0x14, 0x18, 0x1F),
    (0xCD, 0xD6, 0xE0),
    [
        (0x23, 0x2B, 0x37),
        (0xE0, 0x60, 0x6A),
        (0x7F, 0xBF, 0x6A),
        (0xD9, 0xB4, 0x5A),
        (0x5A, 0xA9, 0xE6),
        (0xC0, 0x8A, 0xD8),
        (0x5A, 0xC8, 0xC8),
        (0xCD, 0xD6, 0xE0),
    ],
)
"""What the names of colours in `supervisor_cli.render` look like here."""
