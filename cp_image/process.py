"""A charge point from its environment to its exit code, which tells how it ended."""

import asyncio
import logging
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Final

from cp_image import config, log_lines, variables

LOG: Final = logging.getLogger("cp_image")

_USAGE: Final = """\
usage: simu-cp [--help]

One simulated charge point: OCPP 1.6J to a CSMS, MQTT to whoever drives it. It is configured by
environment variables [default]:
"""


class ExitCode(IntEnum):
    """How the process ended."""

    OK = 0
    """asked to end, and did in order"""
    FAILED = 1
    CONFIGURATION = 2


def run(
    arguments: list[str], environment: Mapping[str, str], warnings: Sequence[str] = ()
) -> ExitCode:
    """Run the charge point that the environment describes, and return the exit code.

    Args:
        arguments: of the command line.
        environment: its variables.
        warnings: what is to be logged first.
    """
    if arguments in (["--help"], ["-h"]):
        sys.stdout.write(f"{_USAGE}\n{variables.describe()}\n")
        return ExitCode.OK
    if arguments:
        sys.stderr.write(f"simu-cp: unknown argument {arguments[0]!r}: see simu-cp --help\n")
        return ExitCode.CONFIGURATION
    try:
        configuration = config.read(environment, socket.gethostname())
    except config.ConfigError as exc:
        sys.stderr.write("".join(f"simu-cp: {problem}\n" for problem in exc.problems))
        return ExitCode.CONFIGURATION
    set_up_log(configuration)
    for warning in (*warnings, *variables.unknown(environment)):
        LOG.warning("%s", warning)
    return run_charge_point(configuration)


def set_up_log(configuration: config.Config) -> None:
    """Log to stderr, one line per event."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(log_lines.formatter(configuration.log_format, configuration.id))
    logging.basicConfig(level=configuration.log_level.upper(), handlers=[handler])
    # What matters of these is said by the links themselves, in the charge point's words.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def run_charge_point(configuration: config.Config) -> ExitCode:
    """Run until the end; log what went wrong."""
    # Only now: a wrong configuration is told without loading all that a charge point needs.
    from cp_image.core.configuration_key import ConfigurationError  # noqa: PLC0415
    from cp_image.shell.charge_point import run as run_to_the_end  # noqa: PLC0415
    from cp_image.shell.store import StoreError  # noqa: PLC0415

    LOG.info(
        "charge point %s starts, CSMS %s", configuration.id, shown(configuration.central_system)
    )
    try:
        asyncio.run(run_to_the_end(configuration))
    except ConfigurationError as exc:
        LOG.critical("SIMU_CONFIGURATION: %s", exc)
        return ExitCode.CONFIGURATION
    except Exception as exc:  # the last door: everything is told
        for cause in causes(exc):
            expected = isinstance(cause, StoreError)
            LOG.critical(
                "charge point %s fails: %s",
                configuration.id,
                cause if expected else f"{type(cause).__name__}: {cause}",
                exc_info=None if expected else cause,
            )
        return ExitCode.FAILED
    LOG.info("charge point %s has stopped", configuration.id)
    return ExitCode.OK


def shown(url: str) -> str:
    """Return a URL without its password."""
    from cp_image.api.central_system import without_password  # noqa: PLC0415

    return without_password(url)


def causes(exc: Exception) -> Iterator[Exception]:
    """Return the exceptions inside nested groups."""
    if isinstance(exc, ExceptionGroup):
        for inner in exc.exceptions:
            yield from causes(inner)
    else:
        yield exc
