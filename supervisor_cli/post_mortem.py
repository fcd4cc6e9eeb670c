"""What is known of a failed test's charge points: how they are, what they said and logged."""

import io
from collections.abc import Iterator
from typing import Final

from rich.console import Console

from supervisor_cli import container_log_tail, render
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.simu import Simu

_COLUMNS: Final = 120
_LOG_LINES: Final = 40
_SHOWN_FRAMES: Final = 60


def sections(simu: Simu) -> Iterator[tuple[str, str]]:
    """Yield what there is to know as (title, text): the fleet, then frames and log of each."""
    ours = [each.id for each in simu.charge_points]
    if not ours:
        return
    yield "charge points", _table(simu.view, simu.environment)
    for cp in simu.charge_points:
        yield f"OCPP frames of {cp.id}", cp.frames.told(_SHOWN_FRAMES)
        yield f"log of {cp.id}", container_log_tail.last_lines(simu.environment, cp.id, _LOG_LINES)


def _table(view: FleetView, environment: str) -> str:
    text = io.StringIO()
    console = Console(file=text, width=_COLUMNS, color_system=None, force_terminal=False)
    console.print(render.fleet(view, environment=environment, columns=_COLUMNS))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
