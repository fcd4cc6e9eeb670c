"""A whole charge point in one process: real core, real WebSocket, real SQLite, a fake broker."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cp_image.config import Config, read
from cp_image.shell.charge_point import build
from cp_image.shell.control import LinkCallbacks
from cp_image.shell.csms import Timing
from cp_image.shell.runner import Runner
from cp_image.shell.store import Store
from tests.unit.shell.peers import ACCEPTING, Csms, FakeLink, run

BASE = "cp_simu/cps/CP-1"
STATUS = f"{BASE}/status"
TIMING = Timing(first_retry_s=0.01, last_retry_s=0.05, close_s=0.5)


def configuration(csms: Csms, directory: Path, **more: str) -> Config:
    environ = {
        "SIMU_CENTRAL_SYSTEM": csms.url,
        "SIMU_STATE_DIRECTORY": str(directory),
        "SIMU_NB_CONNECTORS": "2",
        "SIMU_NB_PHASES": "3",
    }
    return read(environ | more, "CP-1")


@asynccontextmanager
async def charge_point(config: Config) -> AsyncIterator[tuple[Runner, FakeLink]]:
    """Run a charge point; it is stopped in order at the end."""
    async with running(config) as (runner, link, task):
        yield runner, link
        runner.stop()
        await task


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[tuple[Runner, FakeLink, asyncio.Task[None]]]:
    """Run a charge point; at the end its task is cancelled: a power cut."""
    links: list[FakeLink] = []

    def make_link(callbacks: LinkCallbacks) -> FakeLink:
        links.append(FakeLink(callbacks))
        return links[0]

    with Store(config.state_directory) as store:
        runner = build(config, store, make_link=make_link, timing=TIMING)
        task = asyncio.create_task(runner.run())
        try:
            yield runner, links[0], task
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (exc := task.exception()) is not None:
                raise exc


async def plug_and_tag(link: FakeLink, connector_id: int = 1, tag: str = "TAG1") -> None:
    topic = f"{BASE}/connectors/{connector_id}"
    car = {"cable": 32, "ready": True, "consumption_l1": 16, "consumption_l2": 16}
    link.receive(f"{topic}/car", json.dumps(car))
    link.receive(f"{topic}/id_tag", json.dumps({"id": tag, "request_id": "tag"}))
    await link.seen(f"{topic}/status", status="Charging", transaction_id=42)


def test_boot_plug_tag_charge_stop_unplug(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            boot = await csms.heard("BootNotification")
            assert boot == {
                "chargePointVendor": "cp-simu",
                "chargePointModel": "Simulated CP",
                "firmwareVersion": boot["firmwareVersion"],
            }
            status = await link.seen(STATUS, status="Accepted")
            assert status["central_system"] == csms.url
            await csms.heard("StatusNotification", 3)
            told = [s["connectorId"] for s in csms.calls("StatusNotification")]
            assert told == [0, 1, 2]

            await plug_and_tag(link)
            assert link.on(f"{BASE}/result") == [{"request_id": "tag", "ok": True}]
            started = await link.seen(f"{BASE}/event", event="transaction_started")
            assert (started["transaction_id"], started["connector_id"]) == (42, 1)
            charging = link.on(f"{BASE}/connectors/1/status")[-1]
            assert charging["consumption_l1"] == 16.0
            assert charging["id_tag"] == "TAG1"

            link.receive(f"{BASE}/connectors/1/id_tag", b'{"id":"TAG1"}')
            stop = await csms.heard("StopTransaction")
            assert stop["transactionId"] == 42
            assert stop["idTag"] == "TAG1"
            assert stop.get("reason", "Local") == "Local"
            assert stop["meterStop"] >= csms.calls("StartTransaction")[0]["meterStart"]
            await link.seen(f"{BASE}/connectors/1/status", status="Finishing")

            link.receive(f"{BASE}/connectors/1/car", b'{"cable":0}')
            await link.seen(f"{BASE}/connectors/1/status", status="Available")
            statuses = [
                s["status"] for s in csms.calls("StatusNotification") if s["connectorId"] == 1
            ]
            assert statuses[:2] == ["Available", "Preparing"]
            assert "Charging" in statuses
        assert link.on(STATUS)[-1]["status"] == "Dead"

    run(scenario())


def test_unplugging_stops_the_transaction(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            await link.seen(STATUS, status="Accepted")
            await plug_and_tag(link, connector_id=2)
            link.receive(f"{BASE}/connectors/2/car", b'{"cable":0}')
            stop = await csms.heard("StopTransaction")
            assert stop["reason"] == "EVDisconnected"

    run(scenario())


def test_a_refused_tag_starts_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        answers = ACCEPTING | {"Authorize": {"idTagInfo": {"status": "Blocked"}}}
        async with (
            Csms(answers=answers) as csms,
            charge_point(configuration(csms, tmp_path)) as (_, link),
        ):
            await link.seen(STATUS, status="Accepted")
            link.receive(f"{BASE}/connectors/1/car", b'{"cable":32,"ready":true}')
            link.receive(f"{BASE}/connectors/1/id_tag", b'{"id":"STOLEN"}')
            await csms.heard("Authorize")
            # What is said to the CSMS next would come behind a StartTransaction, were there one.
            link.receive(f"{BASE}/connectors/2/faulted", b'{"faulted":true}')
            await csms.until(
                lambda: any(s["status"] == "Faulted" for s in csms.calls("StatusNotification"))
            )
            assert csms.calls("StartTransaction") == []

    run(scenario())


def test_unknown_connectors_are_refused_and_nothing_stops(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            await link.seen(STATUS, status="Accepted")
            link.receive(f"{BASE}/connectors/9/car", b'{"cable":32,"request_id":"r9"}')
            result = await link.seen(f"{BASE}/result", request_id="r9")
            assert result["code"] == "unknown_connector"
            assert "connector 9 does not exist on CP-1" in result["text"]
            await plug_and_tag(link)

    run(scenario())


def test_a_csms_that_is_not_there_yet(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as gone:
            port = gone.port
        config = configuration(gone, tmp_path)
        async with charge_point(config) as (_, link):
            status = await link.until(
                lambda: next((s for s in link.on(STATUS) if s["reason"]), None)
            )
            assert status["status"] == "Disconnected"
            assert status["reason"] == (
                f"cannot connect to ws://127.0.0.1:{port}/ocpp/CP-1: connection refused"
            )
            async with Csms(port=port) as csms:
                await link.seen(STATUS, status="Accepted")
                assert len(csms.calls("BootNotification")) == 1

    run(scenario())


def test_a_reconnect_goes_on_with_the_transaction(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            await link.seen(STATUS, status="Accepted")
            await plug_and_tag(link)
            assert csms.connection is not None
            csms.connection.transport.abort()
            await link.seen(STATUS, status="Disconnected")
            link.receive(f"{BASE}/connectors/1/id_tag", b'{"id":"TAG1"}')
            stop = await csms.heard("StopTransaction")
            assert stop["transactionId"] == 42
            assert len(csms.calls("BootNotification")) == 1  # a mere reconnect does not boot

    run(scenario())


def test_a_power_cut_closes_the_transaction_and_loses_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms:
            config = configuration(csms, tmp_path)
            async with running(config) as (_, link, _task):
                await link.seen(STATUS, status="Accepted")
                await plug_and_tag(link)
            assert csms.calls("StopTransaction") == []
            async with charge_point(config) as (_, link):
                stop = await csms.heard("StopTransaction")
                assert stop["reason"] == "PowerLoss"
                assert stop["transactionId"] == 42
                assert len(csms.calls("StartTransaction")) == 1
                status = link.on(f"{BASE}/connectors/1/status")[-1]
                assert status["car_cable_capacity"] == 32.0

    run(scenario())


@pytest.mark.parametrize(
    "frame",
    ["garbage", '[2,"c-1","ClearCache",{}]', '[2,"c-2","Nonsense",{}]', '[3,"x",{}]'],
)
def test_charging_goes_on_whatever_the_csms_says(tmp_path: Path, frame: str) -> None:
    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            await link.seen(STATUS, status="Accepted")
            await csms.send(frame)
            await plug_and_tag(link)
            assert len(csms.paths) == 1

    run(scenario())


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
def test_a_reset_stops_the_transaction_and_boots_again(tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            await link.seen(STATUS, status="Accepted")
            await plug_and_tag(link)
            await csms.send(json.dumps([2, "c-1", "Reset", {"type": kind}]))
            stop = await csms.heard("StopTransaction")
            assert (stop["reason"], stop["transactionId"]) == (f"{kind}Reset", 42)
            await csms.until(lambda: len(csms.calls("BootNotification")) == 2)
            await link.seen(STATUS, status="Accepted")
            await link.seen(f"{BASE}/connectors/1/status", status="Finishing")
            assert len(csms.calls("StopTransaction")) == 1

    run(scenario())


def test_the_configuration_keys_are_published(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            keys: dict[str, Any] = await link.seen(f"{BASE}/ocpp_config")
            assert keys["NumberOfConnectors"] == "2"
            assert list(keys) == sorted(keys)
            assert all(isinstance(value, str) and value for value in keys.values())

    run(scenario())
