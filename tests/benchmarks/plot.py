"""How figures grow with the number of charge points, as an SVG without dependencies."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from tests.benchmarks.figure import DEFINITIONS, Figure, Quantity

_SHOWN = (
    Quantity.BRING_UP,
    Quantity.MEMORY,
    Quantity.LATENCY_MEDIAN,
    Quantity.KILL,
    Quantity.IDLE_CPU,
    Quantity.CHARGING_CPU,
)
_COLUMNS = 3
_WIDTH, _HEIGHT = 300, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 42, 34
_INK, _FAINT, _VALUE, _FLOOR = "#57606a", "#d0d7de", "#0969da", "#8c959f"


def write(file: Path, figures: Sequence[Figure], machine: str) -> None:
    """Write the plot."""
    rows = -(-len(_SHOWN) // _COLUMNS)
    width, height = _COLUMNS * _WIDTH, rows * _HEIGHT + 26
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for place, quantity in enumerate(_SHOWN):
        row, column = divmod(place, _COLUMNS)
        mine = sorted(
            (each for each in figures if each.quantity is quantity and each.value is not None),
            key=lambda each: each.charge_points,
        )
        parts.append(f'<g transform="translate({column * _WIDTH} {row * _HEIGHT})">')
        parts += _panel(quantity, mine)
        parts.append("</g>")
    note = f"by number of charge points; grey: floor; {machine}"
    parts.append(_text(_LEFT, height - 10, note))
    parts.append("</svg>")
    file.write_text("\n".join(parts) + "\n", "utf-8")


def _panel(quantity: Quantity, figures: Sequence[Figure]) -> Iterator[str]:
    known = DEFINITIONS[quantity]
    yield _text(_LEFT, 18, known.name, weight="bold")
    yield _text(_LEFT, 33, known.unit)
    if not figures:
        return
    highest = max(max(each.value or 0.0, each.floor or 0.0) for each in figures) * 1.1 or 1.0
    most = max(each.charge_points for each in figures)

    def at(number: int, value: float) -> tuple[float, float]:
        across, down = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + across * number / most, _HEIGHT - _BOTTOM - down * value / highest

    for share in (0.0, 0.5, 1.0):
        value = highest / 1.1 * share
        (left, y), (right, _) = at(0, value), at(most, value)
        yield f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{_FAINT}"/>'
        yield _text(left - 6, y + 4, f"{value:.3g}", anchor="end")
    for each in figures:
        x, _ = at(each.charge_points, 0.0)
        yield _text(x, _HEIGHT - _BOTTOM + 16, str(each.charge_points), anchor="middle")
    floors = [at(each.charge_points, each.floor) for each in figures if each.floor is not None]
    yield from _line(floors, _FLOOR)
    yield from _line([at(each.charge_points, each.value or 0.0) for each in figures], _VALUE)


def _line(points: Sequence[tuple[float, float]], colour: str) -> Iterator[str]:
    if not points:
        return
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{_INK}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )
