"""A set-up written to a file: all that was asked for of each charge point."""

import tempfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from launcher.api import Specification
from supervisor_cli.errors import SimuError
from supervisor_cli.fleet_view import FleetView

_YAML_SUFFIXES: Final = frozenset({".yaml", ".yml"})


class Format(StrEnum):
    """How a set-up is written."""

    JSON = "json"
    """as open-ocpp-simu does, and reads it"""
    YAML = "yaml"
    """a fleet file"""


def asked_for(view: FleetView) -> list[Specification]:
    """Return what was asked for of each charge point.

    Raises:
        SimuError: of one it is not known.
    """
    from supervisor_cli.setup_plan import specification_of  # noqa: PLC0415 - YAML costs 50 ms

    found = {each.charge_point_id: specification_of(each) for each in view.charge_points}
    unknown = [charge_point_id for charge_point_id, each in found.items() if each is None]
    if unknown:
        raise SimuError(
            f"nobody has said yet what these are: {', '.join(unknown[:5])}",
            hint="simuctl ls shows them; simuctl rm removes what is left of them",
        )
    return [each for each in found.values() if each is not None]


def content_of(specifications: Sequence[Specification], chosen: Format, environment: str) -> bytes:
    """Return the content of a set-up file."""
    if chosen is Format.JSON:
        from launcher.fleet import dump  # noqa: PLC0415

        return dump(specifications)
    from launcher.fleet_file.writing import write  # noqa: PLC0415 - YAML costs 50 ms

    title = f"The fleet of environment {environment}"
    return write(specifications, title=title).encode()


def format_of(file: str) -> Format:
    """Return how a file of that name is written."""
    return Format.YAML if Path(file).suffix.lower() in _YAML_SUFFIXES else Format.JSON


def write_file(path: Path, content: bytes) -> None:
    """Write a file; readers see all of it or nothing.

    Raises:
        SimuError: it cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
            draft.write(content)
        Path(draft.name).chmod(0o644)
        Path(draft.name).replace(path)
    except OSError as exc:
        raise SimuError(f"cannot write {path}: {exc.strerror}") from exc
