"""simuctl against an engine on another machine, over TLS."""

import asyncio
import os
import sys
from pathlib import Path

import trustme

from launcher.api import CommandType, LauncherState
from supervisor_cli import images
from supervisor_cli.client import SimuClient
from supervisor_cli.state import Broker
from tests.integration.conftest import free_port
from tests.integration.fleet import WITHIN_S, Stage, story
from tests.integration.own_engine import load, own_engine

NAME = "elsewhere"
BROKER_PORT = 1884
IMAGES = (images.BROKER, images.LOCALHOST_PROXY, images.LAUNCHER)


async def test_an_environment_on_an_engine_elsewhere(where: Stage, tmp_path: Path) -> None:
    # What the web is verified with is nothing to the engine.
    trustme.CA().cert_pem.write_to_path(tmp_path / "web.pem")
    (keys := tmp_path / "keys").mkdir()
    with own_engine(where, keys, free_port()) as engine:
        await asyncio.to_thread(load, where.engine, engine, [*map(images.reference, IMAGES)])
        engine.box.reload()
        address = engine.box.attrs["NetworkSettings"]["Networks"][where.name]["IPAddress"]
        variables = {
            **os.environ,
            **engine.variables,
            "REQUESTS_CA_BUNDLE": str(tmp_path / "web.pem"),
            "SIMU_ENVIRONMENT": NAME,
            "XDG_STATE_HOME": str(tmp_path),
        }

        async def simuctl(*words: str) -> tuple[int | None, str, str]:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "supervisor_cli", *words),
                env=variables,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, errors = await process.communicate()
            return process.returncode, out.decode(), errors.decode()

        async with story(where) as tale:
            # Nobody here would reach a broker on the other machine's loopback.
            code, _, errors = await simuctl("up")
            assert code == 2, errors
            assert "is on another machine" in errors
            assert "hint: --broker-host" in errors
            assert engine.client.containers.list(all=True) == []

            broker = ("--broker-host", address, "--broker-port", str(BROKER_PORT))
            code, out, errors = await simuctl("up", *broker)
            assert code == 0, errors
            assert f"{address}:{BROKER_PORT}" in out
            code, _, errors = await simuctl("add", "CP-1", "-u", tale.url)
            assert code == 0, errors
            names = {each.name for each in engine.client.containers.list()}
            assert names == {
                f"{NAME}_broker",
                f"{NAME}_localhost-proxy",
                f"{NAME}_launcher",
                f"{NAME}.CP-1",
            }

            # Another launcher, of this machine, instead of the container.
            engine.client.containers.get(f"{NAME}_launcher").remove(force=True)
            code, _, errors = await simuctl("up", "--no-launcher", *broker)
            assert code == 0, errors
            assert "simu-launcher" in errors
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "launcher"),
                env={**variables, "SIMU_BROKER": f"{address}:{BROKER_PORT}"},
            )
            there = Broker(host=address, port=BROKER_PORT)
            async with SimuClient(broker=there, environment=NAME) as simu:
                await simu.wait_for(
                    lambda view: view.launcher is LauncherState.ALIVE, timeout_s=WITHIN_S
                )
                answer = await simu.command(CommandType.RESTART, ["CP-1"])
                assert answer.ok, answer
            code, _, errors = await simuctl("wait", "CP-1", "Accepted")
            assert code == 0, errors
            code, _, errors = await simuctl("down", "--yes")
            assert code == 0, errors
            assert await process.wait() == 0
            assert engine.client.containers.list(all=True) == []
