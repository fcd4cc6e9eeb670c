"""Frames and logs: whose they are, what is held, what is let through, and JSON."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from cp_image.api.payloads import ChargePointState
from supervisor_cli.dashboard.frame_text import frame_json, frame_line
from supervisor_cli.dashboard.log_text import log_text
from supervisor_cli.errors import SimuError
from supervisor_cli.frame_stream import TracedFrame
from supervisor_cli.log_line import LogLine
from tests.unit.supervisor_cli.dashboard.stage import Stage, dashboard, fleet
from tests.unit.supervisor_cli.dashboard.tracing import TracingWorld, frame, tracing

BOOT = [2, "1", "BootNotification", {"chargePointVendor": "cp-simu", "chargePointModel": "M"}]
BOOTED = [3, "1", {"status": "Accepted", "interval": 300, "currentTime": "2027-01-15T08:00:00Z"}]


async def asked(stage: Stage, number: int) -> TracingWorld:
    world = stage.world
    assert isinstance(world, TracingWorld)
    await stage.until(lambda: len(world.traced()) == number, f"asked {number} times")
    return world


async def test_the_frames_of_the_selected_one_pass_by() -> None:
    async with dashboard(tracing(fleet())) as stage:
        await stage.press("o")
        await stage.shows("OCPP of CP-1")
        world = await asked(stage, 1)
        world.say("CP-1", frame(1, BOOT, "BootNotification"))
        world.say("CP-1", frame(2, BOOTED, "BootNotification", sent=False))
        await stage.shows("→ BootNotification chargePointVendor=cp-simu")
        await stage.shows("← BootNotification status=Accepted")
        await stage.press("o")
        await stage.until(lambda: "OCPP of" not in stage.text, "closed")


async def test_the_pane_follows_the_selection_and_the_marks() -> None:
    async with dashboard(tracing(fleet())) as stage:
        await stage.press("o")
        world = await asked(stage, 1)
        await stage.press("end")
        await stage.shows("OCPP of FAST-1")
        await asked(stage, 2)
        await stage.press("home", "space", "down", "space")
        await stage.shows("OCPP of 2 charge points")
        await stage.until(lambda: set(world.traced()[2:]) >= {"CP-1", "CP-2"}, "asked both")
        world.say("CP-2", frame(1, BOOT, "BootNotification"))
        await stage.shows("CP-2 → BootNotification")
        world.say("FAST-1", frame(1, BOOT, "BootNotification"))
        await stage.pilot.pause()
        assert "FAST-1 →" not in stage.text


async def test_the_panes_leave_one_that_is_removed() -> None:
    logs = Logs()
    async with dashboard(tracing(fleet()), logs=logs) as stage:
        await stage.press("down", "down", "down", "space", "o", "l")
        await stage.shows("OCPP of CP-3")
        await stage.until(lambda: logs.open == ["CP-10"], "the log of the selected one")
        stage.world.publish("cp_simu/cps/CP-3/status", b"", retain=True)
        stage.world.publish("cp_simu/cps/CP-10/status", b"", retain=True)
        await stage.shows("OCPP of FAST-1")
        await stage.until(lambda: logs.open == ["FAST-1"], "the log of the next one")


async def test_a_frame_opens_as_json() -> None:
    async with dashboard(tracing(fleet())) as stage:
        await stage.press("o")
        world = await asked(stage, 1)
        world.say("CP-1", frame(1, BOOT, "BootNotification"))
        await stage.shows("→ BootNotification")
        await stage.press("tab", "enter")
        await stage.shows('"chargePointVendor": "cp-simu"')


async def test_frames_are_let_through_by_action() -> None:
    async with dashboard(tracing(fleet())) as stage:
        await stage.press("o")
        world = await asked(stage, 1)
        world.say("CP-1", frame(1, BOOT, "BootNotification"))
        world.say("CP-1", frame(2, [2, "2", "Heartbeat", {}], "Heartbeat"))
        await stage.shows("→ Heartbeat")
        await stage.press("g", *"beat", "enter")
        await stage.shows("only beat")
        assert "→ BootNotification" not in stage.text
        world.say("CP-1", frame(3, BOOT, "BootNotification"))
        world.say("CP-1", frame(4, [2, "4", "Heartbeat", {}], "Heartbeat"))
        await stage.until(lambda: stage.text.count("→ Heartbeat") == 2, "two heartbeats")
        await stage.press("g", "enter")
        await stage.until(lambda: stage.text.count("→ BootNotification") == 2, "all again")


async def test_what_is_held_follows_later() -> None:
    async with dashboard(tracing(fleet())) as stage:
        await stage.press("o")
        world = await asked(stage, 1)
        world.say("CP-1", frame(1, [2, "1", "Heartbeat", {}], "Heartbeat"))
        await stage.shows("→ Heartbeat")
        await stage.press("v")
        world.say("CP-1", frame(2, BOOT, "BootNotification"))
        await stage.shows("held: 1 more; v goes on")
        assert "→ BootNotification" not in stage.text
        await stage.press("v")
        await stage.shows("→ BootNotification")


async def test_a_storm_of_frames_keeps_the_newest() -> None:
    async with dashboard(tracing(fleet())) as stage:
        await stage.press("o")
        world = await asked(stage, 1)
        for number in range(1, 3001):
            world.say("CP-1", frame(number, [2, str(number), "A", {"n": number}], "A"))
        await stage.shows("A n=3000")
        assert len(stage.app.frames_pane.plain) == 2000
        before = stage.app.pictures
        await stage.press("tab", "home")
        await stage.shows("A n=1001")
        assert stage.app.pictures - before < 20


async def test_what_is_let_through_opens_though_others_have_driven_it_out() -> None:
    async with dashboard(tracing(fleet())) as stage:
        await stage.press("o")
        world = await asked(stage, 1)
        await stage.press("g", *"boot", "enter")
        await stage.shows("only boot")
        world.say("CP-1", frame(1, BOOT, "BootNotification"))
        await stage.shows("→ BootNotification")
        for number in range(2, 2002):
            world.say("CP-1", frame(number, [2, str(number), "Heartbeat", {}], "Heartbeat"))
        last = [2, "9", "BootNotification", {"chargePointVendor": "the last"}]
        world.say("CP-1", frame(2002, last, "BootNotification"))
        await stage.shows("chargePointVendor=the last")
        await stage.press("tab", "home", "enter")
        await stage.shows('"chargePointVendor": "cp-simu"')


async def test_the_title_says_at_once_whether_what_comes_is_followed() -> None:
    async with dashboard(tracing(fleet())) as stage:
        await stage.press("o")
        world = await asked(stage, 1)
        world.say("CP-1", frame(1, BOOT, "BootNotification"))
        world.say("CP-1", frame(2, BOOTED, "BootNotification", sent=False))
        await stage.shows("← BootNotification")
        await stage.press("tab", "up")
        await stage.shows("end follows again")
        await stage.press("end")
        await stage.until(lambda: "end follows" not in stage.text, "followed again")


class Logs:
    """Logs by charge point; each goes on until it is ended."""

    def __init__(self) -> None:
        self.lines: dict[str, asyncio.Queue[LogLine | None]] = {}
        self.open: list[str] = []

    async def follow(self, charge_point_id: str) -> AsyncGenerator[LogLine, None]:
        if charge_point_id == "CP-2":
            raise SimuError("the engine has no container of CP-2", hint="docker ps -a shows all")
        queue = self.lines[charge_point_id] = asyncio.Queue()
        self.open.append(charge_point_id)
        try:
            while (line := await queue.get()) is not None:
                yield line
        finally:
            self.open.remove(charge_point_id)


def logged(words: str) -> LogLine:
    said = f"2027-01-15T08:00:00.250Z {words}"
    return LogLine(charge_point_id="CP-1", at="2027-01-15T08:00:00.250123456Z", text=said)


def test_a_line_of_a_log_is_short_and_in_the_colour_of_its_level() -> None:
    usual = log_text(logged("INFO CP-1 cp_image.shell.csms: connected"))
    assert usual.plain.endswith(":00.250 connected")
    warning = log_text(logged("WARNING CP-1 cp_image: the CSMS is gone"))
    assert warning.plain.endswith(":00.250 WARNING the CSMS is gone")
    assert "yellow" in {str(span.style) for span in warning.spans}
    other = log_text(LogLine(charge_point_id="CP-1", at="nonsense", text="  File x\n"))
    assert other.plain == "  File x\N{REPLACEMENT CHARACTER}"


async def test_a_line_of_a_log_opens_in_full() -> None:
    logs = Logs()
    async with dashboard(fleet(), logs=logs) as stage:
        await stage.press("l")
        await stage.until(lambda: "CP-1" in logs.open, "open")
        logs.lines["CP-1"].put_nowait(logged(f"INFO CP-1 cp_image: {'x' * 90} the end"))
        await stage.shows("xxx")
        assert "the end" not in stage.text
        await stage.press("tab", "enter")
        await stage.shows("the end")
        await stage.shows("INFO CP-1 cp_image")


async def test_the_log_of_the_selected_one() -> None:
    logs = Logs()
    async with dashboard(fleet(), logs=logs) as stage:
        await stage.press("l")
        await stage.until(lambda: "CP-1" in logs.open, "open")
        logs.lines["CP-1"].put_nowait(logged("INFO CP-1 cp_image: booted \x1b[2J"))
        await stage.shows(".250 booted �[2J")
        await stage.press("end")
        await stage.until(lambda: logs.open == ["FAST-1"], "the other one open alone")
        await stage.press("l")
        await stage.until(lambda: logs.open == [], "closed")


async def test_a_log_that_is_not_there_says_so() -> None:
    async with dashboard(fleet(), logs=Logs()) as stage:
        await stage.press("down", "down", "l")
        await stage.shows("the engine has no container of CP-2; docker ps -a shows all")


async def test_a_log_goes_on_when_its_charge_point_lives_again() -> None:
    logs = Logs()
    async with dashboard(fleet(), logs=logs) as stage:
        await stage.press("l")
        await stage.until(lambda: "CP-1" in logs.open, "open")
        stage.world.charge_point("CP-1", status=ChargePointState.DEAD)
        logs.lines["CP-1"].put_nowait(None)
        await stage.shows("the process has ended")
        assert logs.open == []
        stage.world.charge_point("CP-1")
        await stage.until(lambda: logs.open == ["CP-1"], "open again")


def line(message: Any, action: str = "") -> str:
    told = TracedFrame(charge_point_id="CP-1", frame=frame(1, message, action))
    return frame_line(told, with_id=True).plain[13:]


def test_a_line_for_every_kind_of_frame() -> None:
    assert line([2, "1", "Heartbeat", {}], "Heartbeat") == "CP-1 → Heartbeat "
    assert line([3, "1", {}], "Heartbeat") == "CP-1 → Heartbeat answered"
    error = [4, "1", "NotSupported", "no such thing", {}]
    assert line(error, "Reset") == "CP-1 → Reset failed NotSupported: no such thing"
    assert line("no json\n") == "CP-1 → no json�"
    assert line([9, {}]) == "CP-1 → [9,{}]"


def test_the_json_of_what_is_none() -> None:
    assert frame_json(TracedFrame(charge_point_id="C", frame=frame(1, "{nope", ""))) == "{nope"
