"""`simu-launcher`: environment variables to a running launcher."""

import argparse
import asyncio
import functools
import logging
import os
import secrets
import signal
import sys
from typing import Final

from cp_image.mqtt_link import MqttLink
from launcher import config as settings
from launcher import retained
from launcher.config import LauncherConfig
from launcher.daemon import Daemon
from launcher.docker_host import DockerHost
from launcher.engine import EngineError

LOG: Final = logging.getLogger("launcher")

EXIT_OK: Final = 0
EXIT_USAGE: Final = 2
EXIT_UNREACHABLE: Final = 3
EXIT_TAKEN: Final = 4
_EXIT_CODES: Final = (
    "exit codes: 0 ended by command, 2 a variable cannot be used, 3 the engine does not answer, "
    "4 another launcher serves the environment, "
    "130 and 143 ended by SIGINT and SIGTERM"
)


def main() -> int:
    """Run the launcher until it is closed; return its exit code."""
    _parser().parse_args()
    try:
        config = settings.from_environment(os.environ)
    except settings.ConfigError as exc:
        return _fail(str(exc), EXIT_USAGE)
    logging.basicConfig(
        level=config.log_level.upper(),
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    try:
        return asyncio.run(_run(config))
    except EngineError as exc:
        return _fail(str(exc), EXIT_UNREACHABLE)


async def _run(config: LauncherConfig) -> int:
    """Serve until closed; return 0 after the command `close`, 128 + its number after a signal.

    So a supervisor that restarts what failed brings it back after a shutdown of the machine, and
    leaves it alone after `close`.
    """
    engine = DockerHost(
        config.environment,
        image=config.charge_point_image,
        broker_host=config.charge_point_broker.host,
        threads=config.side_by_side,
    )
    try:
        version = await engine.check()
        await engine.ensure_network()
    except EngineError:
        await engine.close()
        raise
    LOG.info("environment %s on Docker %s", config.environment, version)

    make_link = functools.partial(
        MqttLink,
        address=config.broker,
        client_id=f"{config.root}-launcher-{secrets.token_hex(8)}",
    )
    daemon = Daemon(config, engine, make_link, lambda: retained.scan(config.broker, config.root))
    ended_by: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        ended_by.append(number)
        daemon.close()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    await daemon.run()
    if daemon.refused:
        return _fail(daemon.refused, EXIT_TAKEN)
    return 128 + ended_by[0] if ended_by else EXIT_OK


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, settings.VARIABLES))
    lines = [f"  {name:<{width}}  {meaning}" for name, meaning in settings.VARIABLES.items()]
    return argparse.ArgumentParser(
        prog="simu-launcher",
        description="Starts, kills, restarts and removes charge points, as asked over MQTT.",
        epilog="\n".join(["environment variables, [default]:", *lines, "", _EXIT_CODES]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _fail(text: str, exit_code: int) -> int:
    sys.stderr.write(f"simu-launcher: {text}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
