"""What is known of a failed test's charge points: how they are, what they said and logged."""

import contextlib
import io
from collections.abc import Iterator
from typing import Final

from rich.console import Console

from cp_image.api.value import replace
from supervisor_cli import charge_point_logs, engine, render
from supervisor_cli.async_simu import AsyncSimu
from supervisor_cli.errors import SimuError
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.simu import Simu

_COLUMNS: Final = 120
_LOG_LINES: Final = 40
_SHOWN_FRAMES: Final = 60


def told(simu: Simu | AsyncSimu) -> list[tuple[str, str]]:
    """Return what there is to know as (title, text): the fleet, then frames and log of each.

    It never raises: the failure itself is the news, and must be told.
    """
    try:
        return list(_sections(simu))
    except Exception as exc:  # noqa: BLE001 - see above
        return [("charge points", f"cannot be told: {type(exc).__name__}: {exc}")]


def _sections(simu: Simu | AsyncSimu) -> Iterator[tuple[str, str]]:
    ours = [each.id for each in simu.charge_points]
    if not ours:
        return
    there = {each: simu.view.by_id[each] for each in ours if each in simu.view.by_id}
    yield "charge points", _table(replace(simu.view, by_id=there), simu.environment)
    for cp in simu.charge_points:
        yield f"OCPP frames of {cp.id}", cp.frames.told(_SHOWN_FRAMES)
        yield f"log of {cp.id}", _log(simu.environment, cp.id)


def _table(view: FleetView, environment: str) -> str:
    text = io.StringIO()
    console = Console(file=text, width=_COLUMNS, color_system=None, force_terminal=False)
    console.print(render.fleet(view, environment=environment, columns=_COLUMNS))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _log(environment: str, charge_point_id: str) -> str:
    try:
        with contextlib.closing(engine.connect()) as client:
            lines = charge_point_logs.recent(client, environment, [charge_point_id], _LOG_LINES)
    except SimuError as exc:
        return str(exc)
    return "\n".join(each.text for each in lines) or "nothing"
