"""A world whose charge points tell their OCPP frames."""

from typing import Any

import msgspec

from cp_image.api import topics
from cp_image.api.payloads import Frame, FrameDirection, Result, encode
from cp_image.mqtt_link import Message
from tests.unit.supervisor_cli.dashboard.stage import NOW
from tests.unit.supervisor_cli.world import ROOT, World


def frame(number: int, message: Any, action: str, *, sent: bool = True) -> Frame:
    direction = FrameDirection.SENT if sent else FrameDirection.RECEIVED
    return Frame(
        n=number,
        started_at=NOW - 100,
        at=NOW,
        direction=direction,
        message=message,
        action=action,
        connection=1,
    )


class TracingWorld(World):
    """A world whose charge points answer `trace`, and count who asked."""

    def receive(self, message: Message) -> None:
        super().receive(message)
        about = topics.CP_CMD.parse(ROOT, message.topic)
        if about is not None:
            asked = msgspec.json.decode(message.payload)
            answer = Result(request_id=asked["request_id"], ok=True)
            self.publish(topics.CP_RESULT.build(ROOT, about.charge_point_id), encode(answer))

    def traced(self) -> list[str]:
        return [topic.split("/")[2] for topic, sent in self.inputs(topics.CP_CMD) if sent["last"]]

    def say(self, name: str, told: Frame) -> None:
        self.publish(topics.CP_FRAMES.build(ROOT, name), encode(told))


def tracing(like: World) -> TracingWorld:
    """Return a world like another one that tells its frames."""
    world = TracingWorld(charge_points_answer=False)
    for topic, payload in like.retained.items():
        world.publish(topic, payload, retain=True)
    return world
