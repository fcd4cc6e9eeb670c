"""A reboot: the station is thrown away, a new one made of what is stored, the link comes back."""

import asyncio
import json
from pathlib import Path

import pytest

from cp_image.core import messages
from cp_image.core.csms_messages import AcceptanceStatus, ResetAnswer
from cp_image.core.effects import Effect, Persist, Reboot, SendAnswer, SendCall
from cp_image.core.events import (
    CallAnswered,
    CarChanged,
    CsmsAsked,
    CsmsConnected,
    CsmsDisconnected,
    Event,
    Stopped,
)
from cp_image.shell.csms import Timing
from cp_image.shell.store import Store
from tests.unit.shell.peers import Csms, run
from tests.unit.shell.test_charge_point import STATUS, charge_point, configuration, plug_and_tag
from tests.unit.shell.test_control import BASE
from tests.unit.shell.test_runner import Bench, FakeStation

NEVER_AGAIN = Timing(first_retry_s=1000.0, last_retry_s=1000.0, close_s=0.5)
RESET = '[2,"csms-1","Reset",{"type":"Soft"}]'


def obey(event: Event) -> list[Effect]:
    """Answer Reset, say something, reboot."""
    if not isinstance(event, CsmsAsked):
        return []
    return [
        Persist(key="k", value=b"v"),
        SendAnswer(
            message_id=event.message_id, answer=ResetAnswer(status=AcceptanceStatus.ACCEPTED)
        ),
        SendCall(message_id="id-1", request=messages.Heartbeat()),
        Reboot(reason="Reset Soft"),
    ]


async def rebooting(bench: Bench, csms: Csms) -> FakeStation:
    """Bring it up and reset it; return the station that must go."""
    old = bench.station
    old.on_event = obey
    await old.had(CsmsConnected)
    await csms.send(RESET)
    await old.had(CsmsAsked)
    return old


def test_what_was_said_goes_out_then_a_new_station_connects_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms() as csms:
            with Store(tmp_path) as store:
                bench = Bench(store, csms.url, NEVER_AGAIN)
                task = asyncio.create_task(bench.runner.run())
                old = await rebooting(bench, csms)
                await csms.until(lambda: len(csms.paths) == 2)
                assert csms.frames[0] == '[3,"csms-1",{"status":"Accepted"}]'
                assert csms.calls("Heartbeat") == [{}]
                assert csms.closed_with == [(1000, "Reset Soft")]
                assert bench.stored == [{}, {"k": b"v"}]
                assert isinstance(old.events[-2], CallAnswered)
                assert isinstance(old.events[-1], CsmsDisconnected)
                assert bench.station is not old
                await bench.station.had(CsmsConnected)
                assert len(bench.station.instants) == 2  # power_up, then the link
                bench.runner.stop()
                await task
                assert isinstance(bench.station.events[-1], (Stopped, CsmsDisconnected))
                assert Stopped not in map(type, old.events)

    run(scenario())


def test_inputs_meanwhile_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms(answers={}) as csms:
            with Store(tmp_path) as store:
                bench = Bench(store, csms.url)
                task = asyncio.create_task(bench.runner.run())
                old = await rebooting(bench, csms)
                # The Heartbeat has no answer yet: the reboot waits for it.
                bench.link.receive(f"{BASE}/connectors/1/car", b'{"request_id":"r1"}')
                (result,) = bench.link.on(f"{BASE}/result")
                assert (result["code"], result["ok"]) == ("not_now", False)
                assert result["text"] == "the charge point is rebooting: Reset Soft"
                assert CarChanged not in map(type, old.events)
                # Questions of the CSMS still have somebody to answer them.
                await csms.send(RESET.replace("csms-1", "csms-2"))
                await csms.until(lambda: any("csms-2" in frame for frame in csms.frames))
                await csms.send('[3,"id-1",{"currentTime":"2026-01-31T12:00:00Z"}]')
                await csms.send('[3,"id-1",{"currentTime":"2026-01-31T12:00:00Z"}]')
                await csms.until(lambda: len(csms.paths) == 2)
                bench.link.receive(f"{BASE}/connectors/1/car", b'{"request_id":"r2"}')
                assert bench.link.on(f"{BASE}/result")[-1] == {"request_id": "r2", "ok": True}
                assert CarChanged in map(type, bench.station.events)
                bench.runner.stop()
                await task

    run(scenario())


def test_a_reboot_without_a_link(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Store(tmp_path) as store:
            bench = Bench(store, timing=NEVER_AGAIN)
            task = asyncio.create_task(bench.runner.run())
            old = bench.station
            await old.had(CsmsDisconnected)
            old.on_event = lambda event: (
                [Reboot(reason="new firmware")] if isinstance(event, CarChanged) else []
            )
            bench.link.receive(f"{BASE}/connectors/1/car", b"{}")
            await bench.made.until(lambda: bench.station is not old)
            await bench.station.had(CsmsDisconnected)  # it tries at once, whatever the back-off
            bench.runner.stop()
            await task

    run(scenario())


def test_it_can_be_stopped_while_it_reboots(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Csms(answers={}) as csms:
            with Store(tmp_path) as store:
                bench = Bench(store, csms.url)
                task = asyncio.create_task(bench.runner.run())
                await rebooting(bench, csms)
                bench.runner.stop("signal SIGTERM")
                await csms.send('[3,"id-1",{"currentTime":"2026-01-31T12:00:00Z"}]')
                await task
                last = bench.link.on(f"{BASE}/status")[-1]
                assert (last["status"], last["reason"]) == ("Dead", "signal SIGTERM")

    run(scenario())


@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
def test_a_reset_of_a_whole_charge_point(tmp_path: Path, kind: str, reason: str) -> None:
    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            await link.seen(STATUS, status="Accepted")
            await plug_and_tag(link)
            await csms.send(f'[2,"csms-1","Reset",{{"type":"{kind}"}}]')
            await csms.heard("BootNotification", 2)
            await csms.heard("StopTransaction")  # before or after the reboot
            frames = [json.loads(frame) for frame in csms.frames]
            answer = frames.index([3, "csms-1", {"status": "Accepted"}])
            stops = [n for n, frame in enumerate(frames) if frame[2] == "StopTransaction"]
            assert len(stops) == 1
            assert stops[0] > answer
            assert frames[stops[0]][3]["reason"] == reason
            assert len(csms.calls("StartTransaction")) == 1
            await link.seen(STATUS, status="Accepted")
            # The car stays plugged through it.
            await link.seen(f"{BASE}/connectors/1/status", car_cable_capacity=32.0)
            assert len(csms.paths) == 2

    run(scenario())
