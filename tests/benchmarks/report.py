"""Figures as a table for people and as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from tests.benchmarks.figure import Figure


def table(figures: Sequence[Figure], title: str) -> Table:
    """Return the table."""
    shown = Table(title=title, title_justify="left")
    shown.add_column("figure")
    shown.add_column("n", justify="right")
    shown.add_column("measured", justify="right")
    shown.add_column("target", justify="right")
    shown.add_column("floor", justify="right")
    shown.add_column("floor is", overflow="fold")
    for figure in figures:
        known = figure.definition
        shown.add_row(
            known.name,
            str(figure.charge_points),
            _measured(figure),
            _target(figure),
            "" if figure.floor is None else _number(figure.floor, known.unit),
            figure.note or known.floor_name,
        )
    return shown


def write_json(file: Path, machine: str, figures: Sequence[Figure]) -> None:
    """Write everything, to be compared with another run."""
    known = [
        asdict(each) | {"unit": each.definition.unit, "limit": each.limit, "met": each.met}
        for each in figures
    ]
    file.write_text(json.dumps({"machine": machine, "figures": known}, indent=2) + "\n", "utf-8")


def _measured(figure: Figure) -> str:
    if figure.value is None:
        return "[yellow]not measured[/]"
    text = _number(figure.value, figure.definition.unit)
    if figure.met is None:
        return text
    return f"[{'green' if figure.met else 'red'}]{text} {'✓' if figure.met else '✗'}[/]"


def _target(figure: Figure) -> str:
    known = figure.definition
    if known.target is None:
        return ""
    if known.times_floor:
        return f"≤ {known.target:g} times floor"
    return f"≤ {_number(known.target, known.unit)}"


def _number(value: float, unit: str) -> str:
    digits = 0 if value == 0 else 3 if value < 0.1 else 1
    return f"{value:.{digits}f} {unit}".strip()
