"""A whole charge point fetches its firmware from a real server and uploads its diagnostics."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cp_image.config import read
from cp_image.shell.charge_point import build
from cp_image.shell.clock import WallClock
from cp_image.shell.csms import Timing
from cp_image.shell.recent_log import RecentLog
from cp_image.shell.store import Store
from tests.support.file_servers import http_files
from tests.unit.shell.peers import ACCEPTING, Csms, FakeLink, run

TIMING = Timing(first_retry_s=0.01, last_retry_s=0.05, close_s=0.5)
ANSWERS = ACCEPTING | {"FirmwareStatusNotification": {}, "DiagnosticsStatusNotification": {}}


@asynccontextmanager
async def charge_point(csms: Csms, directory: Path) -> AsyncIterator[None]:
    """Run a charge point whose seconds last a hundredth; it is stopped in order at the end."""
    config = read(
        {
            "SIMU_CENTRAL_SYSTEM": csms.url,
            "SIMU_STATE_DIRECTORY": str(directory),
            "SIMU_CLOCK_RATE": "100",
        },
        "CP-1",
    )
    recent_log = RecentLog(WallClock())
    with Store(config.state_directory) as store:
        runner = build(config, store, make_link=FakeLink, timing=TIMING, recent_log=recent_log)
        logging.getLogger().addHandler(recent_log)
        task = asyncio.create_task(runner.run())
        try:
            await csms.heard("StatusNotification", 2)
            yield
            runner.stop()
            await task
        finally:
            logging.getLogger().removeHandler(recent_log)
            task.cancel()


async def ask(csms: Csms, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    await csms.send(json.dumps([2, f"ask-{action}", action, payload]))

    def answer() -> Any:
        frames = map(json.loads, csms.frames)
        return next((f[2] for f in frames if f[:2] == [3, f"ask-{action}"]), None)

    await csms.until(lambda: answer() is not None)
    found: dict[str, Any] = answer()
    return found


async def statuses(csms: Csms, action: str, last: str) -> list[str]:
    """Return the statuses of an action so far, once the last one is among them."""

    def told() -> list[str]:
        return [call["status"] for call in csms.calls(action)]

    await csms.until(lambda: last in told())
    return told()


def test_a_firmware_update_from_the_request_to_the_new_version(tmp_path: Path) -> None:
    async def scenario() -> None:
        with http_files() as files:
            files.files["/fw.bin"] = b"firmware-version: 2.0.1\nbytes"
            async with Csms(answers=ANSWERS) as csms, charge_point(csms, tmp_path):
                payload = {
                    "location": f"{files.url}/fw.bin",
                    "retrieveDate": "2020-01-01T00:00:00Z",
                }
                assert await ask(csms, "UpdateFirmware", payload) == {}
                told = await statuses(csms, "FirmwareStatusNotification", "Installed")
                assert told == ["Downloading", "Downloaded", "Installing", "Installed"]
                boot = await csms.heard("BootNotification", 2)
                assert boot["firmwareVersion"] == "2.0.1"

    run(scenario())
    left = {path.name for path in tmp_path.iterdir()}
    assert {name for name in left if not name.startswith("state.db")} == {"status"}


def test_diagnostics_hold_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        with http_files() as files:
            async with Csms(answers=ANSWERS) as csms, charge_point(csms, tmp_path):
                logging.getLogger("station").warning("something odd")
                answer = await ask(csms, "GetDiagnostics", {"location": f"{files.url}/in"})
                told = await statuses(csms, "DiagnosticsStatusNotification", "Uploaded")
                assert told == ["Uploading", "Uploaded"]
                text = gzip.decompress(files.files[f"/in/{answer['fileName']}"]).decode()
                assert "id = CP-1" in text
                assert "WARNING station: something odd" in text.partition("[log]")[2]

    with caplog.at_level(logging.INFO):
        run(scenario())


def test_a_download_under_way_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        with http_files() as files:
            files.stalls.add("/fw.bin")
            async with Csms(answers=ANSWERS) as csms, charge_point(csms, tmp_path):
                payload = {
                    "location": f"{files.url}/fw.bin",
                    "retrieveDate": "2020-01-01T00:00:00Z",
                }
                await ask(csms, "UpdateFirmware", payload)
                await asyncio.to_thread(files.arrived.wait, 10)
            assert len(files.seen) == 1
            files.stalls.clear()
            files.files["/fw.bin"] = b"firmware-version: 2.0.1\n"
            # The next start goes on with it.
            async with Csms(answers=ANSWERS) as csms, charge_point(csms, tmp_path):
                told = await statuses(csms, "FirmwareStatusNotification", "Installed")
                assert told == ["Downloading", "Downloaded", "Installing", "Installed"]

    run(scenario())
