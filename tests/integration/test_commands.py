"""Stories of what somebody does to charge points and reads of them, with simuctl as a process."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.integration.test_simuctl import WITHIN_S, Simuctl, csms_on_loopback, simuctl

__all__ = ["simuctl"]  # the fixture


@asynccontextmanager
async def fleet(simuctl: Simuctl) -> AsyncIterator[None]:
    """Two charge points of two connectors, at a CSMS."""
    await simuctl.good("up", "--broker-port", "0")
    async with csms_on_loopback(simuctl) as (url, _):
        await simuctl.good("add", "CP-1", "CP-2", "-u", url, "--phases", "3", "-n", "2")
        yield


async def data(simuctl: Simuctl, *words: str) -> Any:
    """Return what a command that succeeds says to a program."""
    return json.loads(await simuctl.good(*words, "--json"))


async def connector(simuctl: Simuctl, charge_point_id: str, number: int) -> dict[str, Any]:
    shown = await data(simuctl, "show", charge_point_id)
    found: dict[str, Any] = shown["connectors"][number - 1]
    return found


async def test_somebody_plays_with_cars_faults_and_keys(simuctl: Simuctl) -> None:
    async with fleet(simuctl):
        # The car.
        await simuctl.good("plug", "--all")
        await simuctl.good("tag", "CP-*", "TAG1")
        await simuctl.good("wait", "--all", "Charging")
        await simuctl.good("draw", "CP-1", "10,6,0")
        drawn = await connector(simuctl, "CP-1", 1)
        assert [drawn[f"consumption_l{n}"] for n in (1, 2, 3)] == [10.0, 6.0, 0.0]
        told = await data(simuctl, "suspend", "CP-*")
        assert [each["ok"] for each in told] == [True, True]
        await simuctl.good("wait", "--all", "SuspendedEV")
        await simuctl.good("ready", "--all")
        await simuctl.good("wait", "--all", "Charging")

        # What breaks.
        await simuctl.good("fault", "CP-1", "-c", "2", "--code", "GroundFailure")
        await simuctl.good("wait", "CP-1", "Faulted", "-c", "2")
        assert (await connector(simuctl, "CP-1", 2))["error_code"] == "GroundFailure"
        await simuctl.good("unfault", "CP-1", "-c", "2", "--code", "GroundFailure")
        await simuctl.good("wait", "CP-1", "Available", "-c", "2")
        await simuctl.good("emergency", "CP-2")
        await simuctl.good("wait", "CP-2", "Faulted")
        assert (await connector(simuctl, "CP-2", 2))["status"] == "Faulted"
        await simuctl.good("unfault", "CP-2", "-c", "0")
        await simuctl.good("wait", "CP-2", "Available", "-c", "2")
        assert "connector 3 does not exist" in await simuctl.bad(1, "fault", "CP-1", "-c", "3")

        # The configuration.
        await simuctl.good("config", "set", "--all", "HeartbeatInterval=77")
        told = await data(simuctl, "config", "get", "CP-*", "-k", "heartbeat*")
        assert [each["configuration"] for each in told] == [{"HeartbeatInterval": "77"}] * 2
        error = await simuctl.bad(1, "config", "set", "CP-1", "NumberOfConnectors=9")
        assert "NumberOfConnectors is read-only" in error

        # What the CSMS hears, and says.
        error = await simuctl.bad(1, "data-transfer", "CP-1", "--vendor", "com.example")
        assert "CP-1: UnknownVendorId" in error
        lines = await simuctl.good("trace", "CP-2", "--last", "200", "--action", "Stop*")
        assert "CP-2 → StopTransaction" in lines
        assert "reason=EmergencyStop" in lines
        frames = await simuctl.good("trace", "--all", "--grep", "DataTransfer", "--json")
        assert [json.loads(line)["id"] for line in frames.splitlines()] == ["CP-1"]
        assert "connected to the broker" in await simuctl.good("logs", "CP-1", "CP-2")
        assert "CP-1 | " in await simuctl.good("logs", "--all", "--tail", "1")

        # Which program this is, and what the shell offers.
        assert (await data(simuctl, "version"))["launcher_is_current"] is True
        simuctl.variables |= {"_SIMUCTL_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
        simuctl.variables["COMP_WORDS"] = "simuctl plug CP-1 CP"
        assert (await simuctl()).out == "CP-2\n"


async def test_a_charge_point_that_hangs_costs_a_command_its_timeout(simuctl: Simuctl) -> None:
    async with fleet(simuctl):
        await simuctl.good("freeze", "CP-2")
        ran = await simuctl("ready", "--all", "--timeout", "20", "--json")
        assert ran.code == 4
        assert [each["ok"] for each in json.loads(ran.out)] == [True, False]
        assert "error: 1 of 2 charge points failed" in ran.err
        for words in (["config", "get"], ["trace"]):
            error = await simuctl.bad(4, *words, "CP-2", "--timeout", "1")
            assert "CP-2 did not answer within 1 s" in error
        await simuctl.good("thaw", "CP-2")


async def test_somebody_reads_along_through_a_power_cut_until_ctrl_c(simuctl: Simuctl) -> None:
    async with fleet(simuctl):
        tracing = await simuctl.start("trace", "CP-1", "CP-2", "-f", "-n", "1", "--json")
        logging = await simuctl.start("logs", "CP-1", "-f", "--tail", "1")
        frames, lines = _Output(tracing), _Output(logging)
        try:
            first = [json.loads(await frames.line()) for _ in range(2)]
            assert {each["id"] for each in first} == {"CP-1", "CP-2"}
            await lines.line()
            await simuctl.good("kill", "CP-1")
            await simuctl.good("restart", "CP-1")
            boot = json.loads(await frames.until(lambda line: "BootNotification" in line))
            assert (boot["id"], boot["n"]) == ("CP-1", 1)
            assert boot["started_at"] > first[0]["started_at"]
            await lines.until(lambda line: "charge point CP-1 starts" in line)
        finally:
            await interrupt(tracing, logging)


async def test_who_reads_along_reads_what_is_added_later(simuctl: Simuctl) -> None:
    await simuctl.good("up", "--broker-port", "0")
    tracing = await simuctl.start("trace", "--all", "-f", "--json")
    logging = await simuctl.start("logs", "--all", "-f")
    frames, lines = _Output(tracing), _Output(logging)
    try:
        for process in (tracing, logging):
            assert process.stderr is not None
            async with asyncio.timeout(WITHIN_S):
                assert b"waiting for them" in await process.stderr.readline()
        async with csms_on_loopback(simuctl) as (url, _):
            await simuctl.good("add", "CP-1", "-u", url)
            first = json.loads(await frames.line())
            assert (first["id"], first["n"], first["action"]) == ("CP-1", 1, "BootNotification")
            assert (await lines.line()).startswith("CP-1 | ")
    finally:
        await interrupt(tracing, logging)


async def interrupt(*processes: asyncio.subprocess.Process) -> None:
    """Press Ctrl-C, which ends all of them in order."""
    for process in processes:
        process.send_signal(signal.SIGINT)
    ended = [await asyncio.wait_for(each.communicate(), WITHIN_S) for each in processes]
    for process, (out, err) in zip(processes, ended, strict=True):
        assert process.returncode == 130, (out, err)
        assert err.endswith(b"interrupted\n")
        assert b"Traceback" not in err
        assert not out or out.endswith(b"\n")


class _Output:
    """Reads what a process prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self._stdout = process.stdout

    async def line(self) -> str:
        async with asyncio.timeout(WITHIN_S):
            return (await self._stdout.readline()).decode()

    async def until(self, found: Callable[[str], bool]) -> str:
        while not found(line := await self.line()):
            assert line, "it has ended"
        return line
