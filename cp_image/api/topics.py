"""Every MQTT topic of a charge point: how it is built, read, and with which QoS and retain flag.

A topic is ``ROOT/cps/CHARGE_POINT_ID/...``. ROOT is ``cp_simu`` unless the environment has
another name, so that several fleets can share one broker.
"""

from typing import Final

import msgspec

DEFAULT_ROOT: Final = "cp_simu"
_MAX_DIGITS: Final = 9
"""A topic level may have 65 535 characters; a connector id that long is none."""


def root_of(environment: str) -> str:
    """Return the topic root of an environment: ``cp-simu`` speaks on ``cp_simu/``."""
    return environment.replace("-", "_")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic speaks of.

    Attributes:
        charge_point_id: None for a topic of the launcher.
        connector_id: None for a topic of the whole charge point.
    """

    charge_point_id: str | None = None
    connector_id: int | None = None


class Topic(msgspec.Struct, frozen=True):
    """One kind of topic.

    Attributes:
        template: levels below the root; ``{id}`` stands for a charge point id and ``{n}`` for a
            connector id.
        retain: whether the broker keeps the last message.
        qos: MQTT quality of service of publisher and subscriber.
    """

    template: str
    retain: bool
    qos: int = 1

    def build(
        self, root: str, charge_point_id: str | None = None, connector_id: int | None = None
    ) -> str:
        """Return the full topic, for example ``cp_simu/cps/CP-0001/status``."""
        return f"{root}/{self.template}".format(id=charge_point_id, n=connector_id)

    def filter(self, root: str, charge_point_id: str = "+") -> str:
        """Return the subscription that covers this kind, of one charge point or of all."""
        return f"{root}/{self.template}".format(id=charge_point_id, n="+")

    def parse(self, root: str, topic: str) -> Address | None:
        """Return what `topic` speaks of, or None where it is not of this kind."""
        expected = f"{root}/{self.template}".split("/")
        levels = topic.split("/")
        if len(levels) != len(expected):
            return None
        charge_point_id: str | None = None
        connector_id: int | None = None
        for want, level in zip(expected, levels, strict=True):
            if want == "{id}":
                charge_point_id = level
            elif want == "{n}":
                if not (level.isascii() and level.isdigit() and len(level) <= _MAX_DIGITS):
                    return None
                connector_id = int(level)
            elif want != level:
                return None
        return Address(charge_point_id=charge_point_id, connector_id=connector_id)


CP_STATUS: Final = Topic("cps/{id}/status", retain=True)
CP_CMD: Final = Topic("cps/{id}/cmd", retain=False)
CP_RESULT: Final = Topic("cps/{id}/result", retain=False)
CP_EVENT: Final = Topic("cps/{id}/event", retain=False)
CP_FRAMES: Final = Topic("cps/{id}/frames", retain=False)
CP_OCPP_CONFIG: Final = Topic("cps/{id}/ocpp_config", retain=True)
CONNECTOR_STATUS: Final = Topic("cps/{id}/connectors/{n}/status", retain=True)
CONNECTOR_CAR: Final = Topic("cps/{id}/connectors/{n}/car", retain=False)
CONNECTOR_ID_TAG: Final = Topic("cps/{id}/connectors/{n}/id_tag", retain=False)
CONNECTOR_FAULTED: Final = Topic("cps/{id}/connectors/{n}/faulted", retain=False)

CHARGE_POINT_TOPICS: Final = (
    CP_STATUS,
    CP_CMD,
    CP_RESULT,
    CP_EVENT,
    CP_FRAMES,
    CP_OCPP_CONFIG,
    CONNECTOR_STATUS,
    CONNECTOR_CAR,
    CONNECTOR_ID_TAG,
    CONNECTOR_FAULTED,
)


def identify(root: str, topic: str) -> tuple[Topic, Address] | None:
    """Return the kind of a charge point's topic and what it speaks of, or None if it is neither."""
    for kind in CHARGE_POINT_TOPICS:
        address = kind.parse(root, topic)
        if address is not None:
            return kind, address
    return None
