"""Stories of simuctl as a person or a script runs it: real process, real engine, exit codes."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import pytest

from supervisor_cli import environment
from supervisor_cli.environment import Role
from tests.integration import engine_events
from tests.integration.conftest import free_port

WITHIN_S = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Simuctl:
    """Runs simuctl on one environment, as a process without a terminal."""

    def __init__(self, environment_name: str, home: Path) -> None:
        self.environment_name = environment_name
        self.variables = {
            **os.environ,
            "SIMU_ENVIRONMENT": environment_name,
            "XDG_STATE_HOME": str(home),
            "NO_COLOR": "1",
        }

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Start a command and return its process."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "supervisor_cli",
            *words,
            env=self.variables,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *words: str) -> Ran:
        """Run a command to its end."""
        process = await self.start(*words)
        async with asyncio.timeout(WITHIN_S):
            out, err = await process.communicate()
        return Ran(code=process.returncode or 0, out=out.decode(), err=err.decode())

    async def good(self, *words: str) -> str:
        """Run a command that must succeed; return what it printed."""
        ran = await self(*words)
        assert ran.code == 0, ran
        return ran.out

    async def bad(self, code: int, *words: str) -> str:
        """Run a command that must fail with that exit code; return its error and hint."""
        ran = await self(*words)
        assert ran.code == code, ran
        assert ran.err.count("error: ") == 1, ran
        assert "Traceback" not in ran.err
        return ran.err


@pytest.fixture
async def simuctl(environment_name: str, tmp_path: Path) -> Simuctl:
    return Simuctl(environment_name, tmp_path)


@asynccontextmanager
async def csms_on_loopback(simuctl: Simuctl) -> AsyncIterator[tuple[str, asyncio.StreamReader]]:
    """Run `simuctl csms` on the loopback only; yield its URL and what it prints."""
    port = free_port()
    process = await simuctl.start("csms", "--port", str(port))
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(WITHIN_S):
            assert b"listening" in await process.stderr.readline()
        yield f"ws://localhost:{port}", process.stdout
    finally:
        process.terminate()
        async with asyncio.timeout(WITHIN_S):
            await process.communicate()


async def heard(lines: asyncio.StreamReader, words: str) -> str:
    """Read until a line has these words."""
    async with asyncio.timeout(WITHIN_S):
        async for line in lines:
            if words in line.decode():
                return line.decode()
    raise AssertionError(f"the CSMS ended without a line with {words!r}")


async def test_a_day_at_the_charge_point(
    simuctl: Simuctl, docker_client: docker.DockerClient
) -> None:
    await simuctl.good("up", "--broker-port", "0")
    async with csms_on_loopback(simuctl) as (url, lines):
        out = await simuctl.good("add", "CP-1", "-u", url, "--phases", "3", "-n", "2")
        assert "CP-1" in out
        assert "Accepted" in out
        await heard(lines, "CP-1 → BootNotification")
        await simuctl.good("plug", "CP-1", "-c", "2")
        await simuctl.good("tag", "CP-1", "TAG1", "-c", "2")
        await simuctl.good("wait", "CP-1", "Charging", "-c", "2", "--timeout", "120")
        await heard(lines, "CP-1 → StartTransaction connectorId=2 idTag=TAG1")
        (charge_point,) = json.loads(await simuctl.good("ls", "--json"))
        assert charge_point["connectors"][1]["consumption_l1"] == 16.0
        assert "Charging" in await simuctl.good("show", "CP-1")
        began = time.time()
        await simuctl.good("kill", "CP-1")
        container = f"{simuctl.environment_name}.CP-1"
        told = await asyncio.to_thread(engine_events.of_container, docker_client, container, began)
        assert "die" in told
        assert "kill" not in told, "the launcher's container cannot signal charge points"
        await simuctl.good("wait", "CP-1", "Dead", "--timeout", "120")
        await simuctl.good("restart", "CP-1")
        line = await heard(lines, "CP-1 → StopTransaction")
        assert "reason=PowerLoss" in line
        await simuctl.good("unplug", "CP-1", "-c", "2")
        await simuctl.good("wait", "CP-1", "Available", "-c", "2", "--timeout", "120")
        await simuctl.good("rm", "CP-1", "--yes")
        assert json.loads(await simuctl.good("ls", "--json")) == []
    await simuctl.good("down", "--yes")


async def test_wrong_words_are_explained(simuctl: Simuctl) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    err = await simuctl.bad(3, "--broker", nowhere, "ls", "--json")
    assert nowhere in err
    assert "hint: simuctl up" in err
    await simuctl.good("up", "--broker-port", "0")
    async with csms_on_loopback(simuctl) as (url, _lines):
        await simuctl.good("add", "CP-1", "-u", url)
        err = await simuctl.bad(1, "plug", "CP-2")
        assert "CP-2" in err
        assert "CP-1" in err
        err = await simuctl.bad(1, "plug", "CP-1", "-c", "9")
        assert "connector 9 does not exist on CP-1" in err
        err = await simuctl.bad(1, "add", "CP-1", "-u", url)
        assert "alive" in err.lower()
        err = await simuctl.bad(2, "wait", "CP-1", "Chargin")
        assert "Charging" in err
        err = await simuctl.bad(2, "rm", "CP-1")
        assert "--yes" in err
        err = await simuctl.bad(2, "down")
        assert "--yes" in err
        err = await simuctl.bad(4, "wait", "CP-1", "Charging", "--timeout", "0.5")
        assert "Available" in err
        err = await simuctl.bad(4, "add", "CP-3", "-u", "ws://127.0.0.1:1", "--timeout", "30")
        assert "ws://127.0.0.1:1" in err
        err = await simuctl.bad(2, "add", "no/slash", "-u", url)
        assert "no/slash" in err
        (first, second) = json.loads(await simuctl.good("ls", "--json"))
        assert (first["id"], first["status"], second["status"]) == (
            "CP-1",
            "Accepted",
            "Disconnected",
        )


async def test_a_taken_port_is_explained(
    simuctl: Simuctl, docker_client: docker.DockerClient
) -> None:
    await simuctl.good("up", "--broker-port", "0")
    broker = environment.find(docker_client, simuctl.environment_name, Role.BROKER)
    assert broker is not None
    port = broker.attrs["HostConfig"]["PortBindings"]["1883/tcp"][0]["HostPort"]
    other = Simuctl(f"{simuctl.environment_name}-b", Path(simuctl.variables["XDG_STATE_HOME"]))
    try:
        err = await other.bad(1, "up", "--broker-port", port)
        assert "--broker-port" in err
    finally:
        await other.good("down", "--yes")


async def test_an_environment_stays_as_it_was_asked_for(
    simuctl: Simuctl, docker_client: docker.DockerClient
) -> None:
    simuctl.variables["SIMU_SIDE_BY_SIDE"] = "many"
    assert "SIMU_SIDE_BY_SIDE is 'many'" in await simuctl.bad(2, "up", "--broker-port", "0")
    simuctl.variables["SIMU_SIDE_BY_SIDE"] = "8"
    first = json.loads(await simuctl.good("up", "--broker-port", "0", "--dense", "--json"))
    del simuctl.variables["SIMU_SIDE_BY_SIDE"]
    before = environment.as_it_is(docker_client, simuctl.environment_name)
    assert before.dense
    assert before.tuning == {"SIMU_SIDE_BY_SIDE": "8"}
    assert str(before.broker_port) == first["broker"].split(":")[1]
    assert json.loads(await simuctl.good("up", "--json")) == first
    assert environment.as_it_is(docker_client, simuctl.environment_name) == before
    await simuctl.good("up", "--no-dense")
    after = environment.as_it_is(docker_client, simuctl.environment_name)
    assert after == replace(before, dense=False)


async def test_the_doctor_finds_what_is_broken(
    simuctl: Simuctl, docker_client: docker.DockerClient
) -> None:
    err = await simuctl.bad(1, "doctor")
    assert "simuctl up" in err
    await simuctl.good("up", "--broker-port", "0")
    findings = json.loads(await simuctl.good("doctor", "--json"))
    assert {each["verdict"] for each in findings} == {"good"}
    launcher = environment.find(docker_client, simuctl.environment_name, Role.LAUNCHER)
    assert launcher is not None
    await asyncio.to_thread(launcher.kill)
    ran = await simuctl("doctor", "--json")
    assert ran.code == 1
    bad = {each["piece"] for each in json.loads(ran.out) if each["verdict"] == "bad"}
    assert bad == {f"container {launcher.name}", "launcher answers"}
    await simuctl.good("up")
    await simuctl.good("doctor")


async def test_the_demo_runs_twice(simuctl: Simuctl, docker_client: docker.DockerClient) -> None:
    words = ("demo", "--broker-port", "0", "--csms-port", str(free_port()))
    for _ in range(2):
        out = await simuctl.good(*words)
        rows = [line.split("│") for line in out.splitlines() if "DEMO-" in line]
        table = [[cell.strip() for cell in row[1:-1]] for row in rows]
        assert [(row[0], row[1]) for row in table] == [
            ("DEMO-AC1", "1"),
            ("DEMO-AC3", "1"),
            ("DEMO-AC3", "2"),
            ("DEMO-DC", "1"),
        ]
        assert len({row[3] for row in table}) == 4
        assert all(int(row[4].removesuffix(" Wh")) > 0 for row in table)
        assert {row[5] for row in table} == {"Local", "EVDisconnected"}
    ids = environment.charge_point_ids(docker_client, simuctl.environment_name)
    assert ids == ["DEMO-AC1", "DEMO-AC3", "DEMO-DC"]
    await simuctl.good("down", "--yes")
