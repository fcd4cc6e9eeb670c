"""What the benchmarks make of their figures: verdicts, a table, JSON, a plot."""

import json
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from supervisor_cli import engine, images
from supervisor_cli.errors import ExitCode, SimuError
from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks import kernel, plot, report
from tests.benchmarks.figure import DEFINITIONS, Figure, Quantity
from tests.benchmarks.traffic import percentile

FIGURES = [
    Figure(quantity=Quantity.BRING_UP, charge_points=10, value=3.0, floor=2.0),
    Figure(quantity=Quantity.BRING_UP, charge_points=50, value=21.0, floor=10.0),
    Figure(quantity=Quantity.MEMORY, charge_points=10, value=17.9, floor=11.0),
    Figure(
        quantity=Quantity.DENSE_MEMORY,
        charge_points=10,
        value=None,
        note="ksmd <is> off: 1 | tee",
    ),
]
MESSAGES = Figure(quantity=Quantity.IDLE_MESSAGES, charge_points=50, value=0.0, note="in 60 s")


@pytest.mark.parametrize(
    ("figure", "limit", "met"),
    [
        (FIGURES[0], 4.0, True),
        (FIGURES[1], 20.0, False),
        (FIGURES[2], 18.0, True),
        (FIGURES[3], 6.0, None),
    ],
)
def test_a_figure_is_compared_with_its_target(
    figure: Figure, limit: float, met: bool | None
) -> None:
    assert (figure.limit, figure.met) == (limit, met)


def test_a_target_of_floors_needs_a_floor() -> None:
    figure = Figure(quantity=Quantity.BRING_UP, charge_points=10, value=3.0)
    assert (figure.limit, figure.met) == (None, None)


def test_every_quantity_is_defined() -> None:
    assert DEFINITIONS.keys() == set(Quantity)


def test_the_table_says_what_was_not_measured_and_why() -> None:
    console = Console(file=StringIO(), width=160)
    console.print(report.table(FIGURES, "Measured on a machine"))
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert "not measured" in text
    assert "ksmd <is> off" in text
    assert "2 times floor" in text


def test_the_table_of_the_readme_has_the_figures_of_fifty() -> None:
    text = report.markdown([*FIGURES, MESSAGES], "a machine")
    assert text == (
        "Measured on a machine:\n\n"
        "| figure, with 50 charge points | target | measured | floor |\n"
        "|---|---|---|---|\n"
        "| bring-up until all are Accepted | ≤ 2 times floor | 21.0 s ✗ | "
        "10.0 s: containers that sleep |\n"
        "| MQTT messages while idle | ≤ 0 | 0 ✓ | in 60 s |\n"
    )


def test_where_fifty_were_not_measured_the_most_stand_for_all() -> None:
    assert (report.shown_size([10, 50, 200]), report.shown_size([3, 10])) == (50, 10)
    assert "with 10 charge points" in report.markdown(FIGURES[:1], "a machine")
    assert report.markdown([], "a machine").startswith("Measured on a machine:")


def test_a_bar_does_not_end_a_cell_of_the_table() -> None:
    last = report.markdown(FIGURES[3:], "a machine").splitlines()[-1]
    assert last.endswith(r"| not measured | ksmd <is> off: 1 \| tee |")


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (
            SimuError(
                "the network stays", hint="restart the engine", exit_code=ExitCode.UNREACHABLE
            ),
            3,
        ),
        (RuntimeError("simuctl add failed"), 1),
        (PermissionError(13, "Permission denied"), 1),
    ],
)
def test_what_was_measured_is_told_whatever_it_ended_with(
    problem: Exception,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    async def ordinary(*words: Any) -> None:
        words[-1].extend(FIGURES[:3])
        raise problem

    async def dense(*words: Any) -> None:
        words[-1].append(FIGURES[3])

    client = SimpleNamespace(version=lambda: {"Version": "20.10"})
    monkeypatch.setattr(engine, "connect", lambda: client)
    monkeypatch.setattr(images, "ensure_images", lambda *_: None)
    monkeypatch.setattr(benchmarks, "_ordinary", ordinary)
    monkeypatch.setattr(benchmarks, "_dense", dense)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    file = tmp_path / "bench.json"
    monkeypatch.setattr(sys, "argv", ["bench", "--json", str(file)])
    assert benchmarks.main() == code
    said = capsys.readouterr()
    assert f"error: {problem}" in said.err
    assert len(json.loads(file.read_text())["figures"]) == len(FIGURES)
    assert "not measured" in said.out


def test_the_last_death_is_waited_for() -> None:
    sleepers = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
    try:
        with kernel.deaths([each.pid for each in sleepers]) as all_are_gone:
            for each in sleepers:
                each.kill()
            all_are_gone()
            assert [each.poll() for each in sleepers] == [-signal.SIGKILL] * 2
    finally:
        for each in sleepers:
            each.kill()
            each.wait()


def test_the_json_has_figures_units_and_verdicts(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    report.write_json(file, "a machine", FIGURES)
    told = json.loads(file.read_text())
    assert told["machine"] == "a machine"
    assert [each["met"] for each in told["figures"]] == [True, False, True, None]
    assert told["figures"][0] == {
        "quantity": "bring_up",
        "charge_points": 10,
        "value": 3.0,
        "floor": 2.0,
        "note": "",
        "unit": "s",
        "limit": 4.0,
        "met": True,
    }


def test_the_plot_is_an_svg_with_a_line_for_figures_and_one_for_floors(tmp_path: Path) -> None:
    file = tmp_path / "bench.svg"
    plot.write(file, FIGURES, "2 cores & more")
    root = ElementTree.fromstring(file.read_text())
    lines = root.iter("{http://www.w3.org/2000/svg}polyline")
    assert [len(str(line.get("points")).split()) for line in lines] == [2, 2, 1, 1]


def test_a_percentile() -> None:
    assert percentile([float(value) for value in range(101)], 99) == 99.0
