"""What the shell says of how the launcher is to work: `simuctl up` hands it on to its container."""

from collections.abc import Iterable, Mapping
from typing import Final

from launcher.config import ConfigError, from_environment
from supervisor_cli.errors import ExitCode, SimuError

HANDED_ON: Final = (
    "SIMU_LARGEST_BRIDGE",
    "SIMU_SIDE_BY_SIDE",
    "SIMU_MOST_CRASHES",
    "SIMU_HEARD_WITHIN",
    "SIMU_LOG_LEVEL",
)
"""Variables of the launcher that are neither an option of `up` nor settled by the environment."""


def asked_for(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those of a shell's variables that are handed on; an empty one counts as unset.

    Raises:
        SimuError: the launcher would not take one (exit code 2).
    """
    tuning = {name: variables[name] for name in HANDED_ON if variables.get(name, "").strip()}
    try:
        from_environment(tuning)
    except ConfigError as exc:
        raise SimuError(
            str(exc), hint="simu-launcher --help has the defaults", exit_code=ExitCode.USAGE
        ) from exc
    return tuning


def as_it_has(variables: Iterable[str]) -> dict[str, str]:
    """Return what a launcher's container was handed; `variables` are ``NAME=VALUE``."""
    pairs = (each.partition("=") for each in variables)
    return {name: value for name, _, value in pairs if name in HANDED_ON}
