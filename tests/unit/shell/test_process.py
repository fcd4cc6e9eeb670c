"""The charge point as a process: exit codes, log, signals."""

import asyncio
import json
import logging
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from cp_image.log_lines import LogFormat, formatter
from tests.unit.shell.peers import Csms, run

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) CP-1 "
)


async def start(*arguments: str, **variables: str) -> asyncio.subprocess.Process:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SIMU_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cp_image",
        *arguments,
        env=environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    def end(_scenario: object) -> None:
        if process.returncode is None:  # the scenario has failed
            process.kill()

    scenario = asyncio.current_task()
    assert scenario is not None
    scenario.add_done_callback(end)
    return process


async def finish(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def test_help() -> None:
    async def scenario() -> None:
        code, out, err = await finish(await start("--help"))
        assert (code, err) == (0, "")
        assert "SIMU_CENTRAL_SYSTEM" in out
        assert "[/data]" in out

    run(scenario())


def test_unknown_argument() -> None:
    async def scenario() -> None:
        code, out, err = await finish(await start("--fast"))
        assert (code, out) == (2, "")
        assert "'--fast'" in err

    run(scenario())


def test_a_signal_before_it_has_begun() -> None:
    # The first process of a container ignores a signal for which it has no handler.
    early = """if True:
        import os, signal, sys
        from cp_image import __main__, dense
        sys.argv = ["simu-cp"]
        dense.settle = lambda _: os.kill(os.getpid(), signal.SIGTERM) or []
        __main__.main()
        """

    async def scenario() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            early,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert await finish(process) == (0, "", "")

    run(scenario())


def test_wrong_configuration() -> None:
    async def scenario() -> None:
        code, out, err = await finish(await start(SIMU_NB_PHASES="4", SIMU_ID="CP-1"))
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 2
        assert "SIMU_CENTRAL_SYSTEM is not set" in err
        assert "SIMU_NB_PHASES='4'" in err

    run(scenario())


def test_a_state_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "CP-1.db").write_bytes(b"nonsense" * 1000)

    async def scenario() -> None:
        process = await start(
            SIMU_CENTRAL_SYSTEM="ws://127.0.0.1:1",
            SIMU_ID="CP-1",
            SIMU_STATE_DIRECTORY=str(tmp_path),
        )
        code, out, err = await finish(process)
        assert (code, out) == (1, "")
        assert "CP-1.db cannot be opened: file is not a database" in err
        assert "Traceback" not in err
        assert all(LINE.match(line) for line in err.splitlines())

    run(scenario())


def test_the_log_as_json(tmp_path: Path) -> None:
    (tmp_path / "CP-1.db").write_bytes(b"nonsense" * 1000)

    async def scenario() -> None:
        process = await start(
            SIMU_CENTRAL_SYSTEM="ws://127.0.0.1:1",
            SIMU_ID="CP-1",
            SIMU_STATE_DIRECTORY=str(tmp_path),
            SIMU_LOG_FORMAT="json",
            SIMU_LOG_LEVLE="debug",
        )
        code, out, err = await finish(process)
        assert (code, out) == (1, "")
        lines = [json.loads(line) for line in err.splitlines()]
        assert {tuple(line) for line in lines} == {
            ("at", "level", "charge_point_id", "logger", "message")
        }
        assert [(line["level"], line["charge_point_id"]) for line in lines] == [
            ("warning", "CP-1"),
            ("info", "CP-1"),
            ("critical", "CP-1"),
        ]
        assert "did you mean SIMU_LOG_LEVEL?" in lines[0]["message"]
        assert "file is not a database" in lines[-1]["message"]

    run(scenario())


def test_an_exception_in_a_log_as_json() -> None:
    line = logging.LogRecord("a", logging.ERROR, "", 0, "%s \udcff", ("said",), None)
    try:
        int("no")
    except ValueError:
        line.exc_info = sys.exc_info()
    told = json.loads(formatter(LogFormat.JSON, "CP-1").format(line))
    assert told["message"] == "said ?"
    assert told["exception"].startswith("Traceback")
    assert told["exception"].endswith("base 10: 'no'")


def test_it_charges_on_its_own_without_a_broker(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms:
            process = await start(
                SIMU_CENTRAL_SYSTEM=csms.url,
                SIMU_ID="CP-1",
                SIMU_STATE_DIRECTORY=str(tmp_path),
                SIMU_CLOCK_RATE="100",
                SIMU_SCRIPT_IDLE_S="10",
                SIMU_SCRIPT_HANDLING_S="5",
                SIMU_SCRIPT_CHARGE_S="60",
                SIMU_SCRIPT_ID_TAGS="ALICE",
            )
            await csms.heard("StopTransaction", 2)
            assert (tmp_path / "status").read_text() == "Accepted\n"
            process.send_signal(signal.SIGTERM)
            code, _, err = await finish(process)
            assert code == 0, err
            assert all("ALICE" in frame for frame in csms.frames if '"StartTransaction"' in frame)
            assert (tmp_path / "status").read_text() == "Dead\n"

    run(scenario())


def test_another_id_on_the_same_volume_is_another_charge_point(tmp_path: Path) -> None:
    async def live(csms: Csms, charge_point_id: str) -> None:
        process = await start(
            SIMU_CENTRAL_SYSTEM=csms.url,
            SIMU_ID=charge_point_id,
            SIMU_STATE_DIRECTORY=str(tmp_path),
            # The script plugs a car in, and no more: its only tag might come before the CSMS has
            # accepted anything.
            SIMU_SCRIPT_IDLE_S="1",
            SIMU_SCRIPT_HANDLING_S="10000000",
        )

        def cars() -> int:
            told = csms.calls("StatusNotification")
            return sum(each["status"] == "Preparing" for each in told)

        cars_before, starts = cars(), len(csms.calls("StartTransaction"))
        await csms.until(lambda: cars() > cars_before)
        remote_start = {"connectorId": 1, "idTag": "TAG1"}
        await csms.send(json.dumps([2, charge_point_id, "RemoteStartTransaction", remote_start]))
        await csms.heard("StartTransaction", starts + 1)
        process.send_signal(signal.SIGKILL)
        await finish(process)

    async def scenario() -> None:
        async with Csms() as csms:
            for each in ("CP-1", "CP-2"):
                await live(csms, each)
            assert not csms.calls("StopTransaction")
            assert [it["meterStart"] for it in csms.calls("StartTransaction")] == [0, 0]
            process = await start(
                SIMU_CENTRAL_SYSTEM=csms.url, SIMU_ID="CP-1", SIMU_STATE_DIRECTORY=str(tmp_path)
            )
            stopped = await csms.heard("StopTransaction")
            assert stopped["reason"] == "PowerLoss"
            process.send_signal(signal.SIGTERM)
            await finish(process)

    run(scenario())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    async def scenario() -> None:
        async with Csms() as csms:
            process = await start(
                SIMU_CENTRAL_SYSTEM=csms.url,
                SIMU_ID="CP-1",
                SIMU_STATE_DIRECTORY=str(tmp_path),
            )
            await csms.heard("StatusNotification", 2)
            process.send_signal(number)
            code, out, err = await finish(process)
            assert (code, out) == (0, "")
            assert all(LINE.match(line) for line in err.splitlines())
            assert f"stopping: signal {number.name}" in err
            assert csms.closed_with == [(1000, "the charge point stops")]

    run(scenario())
