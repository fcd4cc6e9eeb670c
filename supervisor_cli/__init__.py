"""simuctl, the supervisor of a fleet of simulated charge points, and its Python library.

`Simu` is for scripts and tests, `AsyncSimu` the same with async and await, `SimuError` what both
raise. They are imported when they are asked for: the command line does without.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor_cli.async_simu import AsyncSimu
    from supervisor_cli.errors import SimuError
    from supervisor_cli.simu import Simu

__all__ = ["AsyncSimu", "Simu", "SimuError"]

_HOME_OF = {
    "AsyncSimu": "supervisor_cli.async_simu",
    "Simu": "supervisor_cli.simu",
    "SimuError": "supervisor_cli.errors",
}


def __getattr__(name: str) -> object:
    """Import what the package offers when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOME_OF[name]), name)
