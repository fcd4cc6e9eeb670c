"""Measures what charge points cost: ``make bench``, ``make bench-quick``."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from supervisor_cli import engine, images
from supervisor_cli.errors import SimuError
from tests.benchmarks import kernel, plot, report
from tests.benchmarks.dense import dense_memory
from tests.benchmarks.figure import Figure
from tests.benchmarks.measures import Length, measured, warm_up
from tests.benchmarks.stage import stage

THOROUGH = Length(settle_s=10.0, idle_s=45.0, intervals=3, floor_s=5.0, inputs=400, merging_s=5.0)
QUICK = Length(settle_s=3.0, idle_s=10.0, intervals=2, floor_s=3.0, inputs=100, merging_s=2.0)


def main() -> int:
    """Measure, print a table, write JSON and the plot."""
    asked = _arguments()
    # Also in the background of a shell, which would ignore one of them: nothing is left behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    talk, data = Console(stderr=True), Console(width=140 if not sys.stdout.isatty() else None)
    try:
        client = engine.connect()
        images.ensure_images(client, talk.print)
        machine = kernel.machine(str(client.version()["Version"]))
    except SimuError as exc:
        return _complain(talk, exc)
    figures: list[Figure] = []
    code = 0
    for part in (_ordinary, _dense):
        # What one has measured is shown whatever the other ends with.
        try:
            asyncio.run(part(asked.sizes, QUICK if asked.quick else THOROUGH, talk, figures))
        except KeyboardInterrupt:
            talk.print("interrupted: what was measured until now")
            break
        except (SimuError, RuntimeError, OSError) as exc:
            code = _complain(talk, exc)
    data.print(report.table(figures, f"Measured on {machine}"))
    if asked.markdown is not None:
        asked.markdown.write_text(report.markdown(figures, machine), "utf-8")
    if asked.json is not None:
        report.write_json(asked.json, machine, figures)
    if asked.svg is not None:
        plot.write(asked.svg, figures, machine)
    return code


def _complain(talk: Console, exc: Exception) -> int:
    """Say what went wrong; return the exit code."""
    talk.print(f"error: {str(exc) or type(exc).__name__}", markup=False)
    if isinstance(exc, PermissionError):
        talk.print("hint: only root sees what containers use: sudo make bench")
    if not isinstance(exc, SimuError):
        return 1
    talk.print(f"hint: {exc.hint}", markup=False)
    return exc.exit_code


async def _ordinary(
    sizes: Sequence[int], length: Length, talk: Console, figures: list[Figure]
) -> None:
    """Measure; each figure is there at once."""
    async with stage() as ordinary:
        await warm_up(ordinary)
        for number in sizes:
            talk.print(f"{number} charge points")
            async for figure in measured(ordinary, number, length):
                figures.append(figure)
                talk.print(f"  {figure.definition.name}: {report.measured(figure)}")


async def _dense(
    sizes: Sequence[int], length: Length, talk: Console, figures: list[Figure]
) -> None:
    number = report.shown_size(sizes)
    talk.print(f"{number} dense charge points")
    figures.append(await dense_memory(number, length))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default=[10, 50, 100, 200], metavar="N,N,…")
    parser.add_argument("--quick", action="store_true", help="short looks, for a first idea")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="how the figures grow")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="the table of the README, at 50"
    )
    return parser.parse_args()


def _sizes(text: str) -> list[int]:
    sizes = sorted({int(part) for part in text.split(",")})
    if not sizes or sizes[0] < 1:
        raise argparse.ArgumentTypeError("one charge point at least")
    return sizes


if __name__ == "__main__":
    sys.exit(main())
