"""OCPP frames over MQTT, from real containers."""

import asyncio
from contextlib import aclosing

from cp_image.api import topics
from cp_image.api.payloads import ChargePointState, FrameDirection
from cp_image.mqtt_link import Message, MqttLink
from launcher.api import CommandType, topic_root
from supervisor_cli.frame_stream import TracedFrame
from tests.integration.fleet import WITHIN_S, Story


async def test_somebody_reads_along_while_a_charge_point_charges_and_loses_its_power(
    tale: Story,
) -> None:
    await tale.add("CP-1")
    seen = _Frames(tale)
    reading = asyncio.create_task(seen.read("CP-1"))
    try:
        # What passed before anybody wanted it comes first.
        await seen.until("BootNotification", FrameDirection.RECEIVED)
        await tale.charge("CP-1", "TAG1")
        await seen.until("StartTransaction", FrameDirection.RECEIVED)
        call = seen.of("StartTransaction", FrameDirection.SENT)[0].frame
        answer = seen.of("StartTransaction", FrameDirection.RECEIVED)[0].frame
        assert call.message[3]["idTag"] == "TAG1"
        assert answer.message[:2] == [3, call.message[1]]

        seen.frames.clear()
        await tale.command(CommandType.KILL, "CP-1")
        await tale.until_state("CP-1", ChargePointState.DEAD)
        await tale.command(CommandType.RESTART, "CP-1")
        await seen.until("StopTransaction", FrameDirection.RECEIVED)
        new_life = [each.frame for each in seen.frames if each.frame.started_at != call.started_at]
        assert new_life[0].action == "BootNotification"
        assert [each.n for each in new_life] == list(range(1, len(new_life) + 1))
        stop = seen.of("StopTransaction", FrameDirection.SENT)[0].frame
        assert stop.message[3]["reason"] == "PowerLoss"
    finally:
        reading.cancel()
        await asyncio.wait([reading])
    assert seen.missed == [("CP-1", "is gone: waiting for it")]


async def test_a_charge_point_that_nobody_traces_says_nothing(tale: Story) -> None:
    await tale.add("CP-1")
    heard: asyncio.Queue[Message] = asyncio.Queue()
    link = MqttLink(
        address=tale.stage.broker.address(), client_id="eavesdropper", on_message=heard.put_nowait
    )
    link.subscribe(topics.CP_FRAMES, topic_root(tale.stage.name))
    await link.connect()
    running = asyncio.create_task(link.run())
    try:
        await link.confirm_subscriptions()
        await tale.charge("CP-1", "TAG1")
        assert heard.empty()
        frames = await tale.simu.recent_frames("CP-1", last=1000)
        assert {"BootNotification", "StartTransaction"} <= {each.action for each in frames}
        async with asyncio.timeout(WITHIN_S):
            for _ in frames:
                await heard.get()
    finally:
        await link.close()
        await running
    assert heard.empty()


class _Frames:
    """What was read, and what was missed."""

    def __init__(self, tale: Story) -> None:
        self._tale = tale
        self._more = asyncio.Event()
        self.frames: list[TracedFrame] = []
        self.missed: list[tuple[str, str]] = []

    async def read(self, charge_point_id: str) -> None:
        frames = self._tale.simu.frames(
            [charge_point_id], last=100, on_note=lambda *note: self.missed.append(note)
        )
        async with aclosing(frames):
            async for traced in frames:
                self.frames.append(traced)
                self._more.set()

    def of(self, action: str, direction: FrameDirection) -> list[TracedFrame]:
        return [
            each
            for each in self.frames
            if each.frame.action == action and each.frame.direction is direction
        ]

    async def until(self, action: str, direction: FrameDirection) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not self.of(action, direction):
                self._more.clear()
                await self._more.wait()
