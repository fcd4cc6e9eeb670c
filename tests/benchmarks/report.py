"""Figures as a table for people and as JSON for programs."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from tests.benchmarks.figure import Figure

_SHOWN_SIZE: Final = 50


def shown_size(sizes: Collection[int]) -> int:
    """Return the number of charge points whose figures stand for all: 50 where it was measured."""
    return _SHOWN_SIZE if _SHOWN_SIZE in sizes else max(sizes)


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
            _coloured(figure),
            _target(figure),
            "" if figure.floor is None else _number(figure.floor, known.unit),
            figure.note or known.floor_name,
        )
    return shown


def markdown(figures: Sequence[Figure], machine: str) -> str:
    """Return the table as it stands in the README."""
    number = shown_size({each.charge_points for each in figures} or {0})
    rows = [
        _row(each.definition.name, _target(each), measured(each), _floor(each))
        for each in figures
        if each.charge_points == number
    ]
    head = f"| figure, with {number} charge points | target | measured | floor |"
    return "\n".join([f"Measured on {machine}:", "", head, "|---|---|---|---|", *rows, ""])


def _row(*cells: str) -> str:
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def write_json(file: Path, machine: str, figures: Sequence[Figure]) -> None:
    """Write everything, to be compared with another run."""
    known = [
        asdict(each) | {"unit": each.definition.unit, "limit": each.limit, "met": each.met}
        for each in figures
    ]
    file.write_text(json.dumps({"machine": machine, "figures": known}, indent=2) + "\n", "utf-8")


def measured(figure: Figure) -> str:
    """Return what was measured, for people; a cross where it misses its target."""
    if figure.value is None:
        return "not measured"
    text = _number(figure.value, figure.definition.unit)
    return text if figure.met is None else f"{text} {'✓' if figure.met else '✗'}"


def _coloured(figure: Figure) -> Text:
    colours = {True: "green", False: "red", None: "" if figure.value is not None else "yellow"}
    return Text(measured(figure), colours[figure.met])


def _floor(figure: Figure) -> str:
    said = figure.note or figure.definition.floor_name
    if figure.floor is None:
        return said
    return f"{_number(figure.floor, figure.definition.unit)}: {said}"


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
