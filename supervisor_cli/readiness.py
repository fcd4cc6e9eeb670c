"""Waits until what was just started answers."""

import asyncio
from typing import Final

from launcher.api import LauncherState
from supervisor_cli.client import SimuClient
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.state import Broker

_LOOK_AGAIN_S: Final = 0.1


async def launcher_answers(environment: str, broker: Broker, timeout_s: float = 30.0) -> None:
    """Wait until the broker takes connections and the launcher says it is alive.

    Raises:
        SimuError: one of them does not come (exit code 4, or 3 where no broker answers).
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        try:
            async with SimuClient(broker=broker, environment=environment) as simu:
                await simu.wait_for(
                    lambda fleet: fleet.launcher is LauncherState.ALIVE,
                    timeout_s=timeout_s,
                    what=f"the launcher of environment {environment}",
                )
                return
        except SimuError as exc:
            unreachable = exc.exit_code is ExitCode.UNREACHABLE
            if not unreachable or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(_LOOK_AGAIN_S)


async def port_answers(host: str, port: int, what: str, timeout_s: float = 30.0) -> None:
    """Wait until somebody listens on a TCP port.

    Raises:
        SimuError: nobody does (exit code 4).
    """
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    _, writer = await asyncio.open_connection(host, port)
                except OSError:
                    await asyncio.sleep(_LOOK_AGAIN_S)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return
    except TimeoutError as exc:
        raise SimuError(
            f"{what} does not listen on {host}:{port} after {timeout_s:g} s",
            hint="simuctl doctor looks at the pieces",
            exit_code=ExitCode.TIMEOUT,
        ) from exc
