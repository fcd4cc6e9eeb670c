"""What the broker has retained of the charge points: remembered, corrected, cleared."""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import msgspec

from cp_image.api import topics
from cp_image.api.payloads import (
    CHARGE_POINT_ID_PATTERN,
    ChargePointState,
    ChargePointStatus,
    encode,
)
from cp_image.mqtt_link import Message
from launcher.api import CP_CONTAINER, CP_SPECIFICATION, ContainerStatus, Specification
from launcher.fleet import NOT_JSON
from launcher.fleet import entry as entry_of
from launcher.reconcile import Retained

LOG: Final = logging.getLogger(__name__)

RETAINED_KINDS: Final = (
    topics.CP_STATUS,
    topics.CP_OCPP_CONFIG,
    topics.CONNECTOR_STATUS,
    CP_CONTAINER,
    CP_SPECIFICATION,
)
"""Every kind of topic the broker retains of a charge point."""

_WILL_S: Final = 1.0


class Link(Protocol):
    """What the launcher needs of an MQTT link; see `cp_image.mqtt_link.MqttLink`."""

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection."""

    def publish(self, message: Message) -> None:
        """Publish; what is retained is remembered."""

    def forget(self, topic: str) -> None:
        """Do not re-publish a topic any more."""

    def subscribe(self, kind: topics.Topic, root: str, charge_point_id: str = "+") -> None:
        """Hear a kind of topic."""

    async def publish_confirmed(self, message: Message) -> None:
        """Publish and wait until the broker has it."""

    async def wait_connected(self) -> None:
        """Wait until the broker has accepted the connection."""

    async def run(self) -> None:
        """Keep the link up."""

    async def close(self) -> None:
        """Disconnect in order."""


class Board:
    """The retained topics of all charge points of an environment.

    Nothing is published for later while the link is down: by then a charge point may speak for
    itself. The reconciliation after each connection makes up for it.

    Args:
        root: topic root.
        link: to the broker.
        will_s: how long a will may take to come, at most.
    """

    def __init__(self, root: str, link: Link, *, will_s: float = _WILL_S) -> None:
        self._root = root
        self._link = link
        self._will_s = will_s
        self._known: dict[str, ChargePointStatus] = {}
        self._conditions: dict[str, ContainerStatus] = {}
        self._specifications: dict[str, Specification] = {}
        self._connectors: Counter[str] = Counter()
        self._echoes: Counter[str] = Counter()
        self._gone: set[str] = set()
        self._wills: dict[str, asyncio.Event] = {}

    def status(self, charge_point_id: str) -> ChargePointStatus | None:
        """Return what a charge point said last; None where nothing is retained."""
        return self._known.get(charge_point_id)

    def condition(self, charge_point_id: str) -> ContainerStatus | None:
        """Return what was last said of a charge point's container; None where nothing was."""
        return self._conditions.get(charge_point_id)

    def publish_condition(self, charge_point_id: str, condition: ContainerStatus) -> None:
        """Say how a charge point's container is, unless that is known."""
        if self._conditions.get(charge_point_id) != condition:
            self._conditions[charge_point_id] = condition
            topic = CP_CONTAINER.build(self._root, charge_point_id)
            # The link says it again after each reconnect: nobody but the launcher says it.
            self._link.publish(_retained(topic, encode(condition)))

    def publish_specification(self, specification: Specification) -> None:
        """Say what was asked for of a charge point, unless that is known."""
        if self._specifications.get(specification.id) != specification:
            self._specifications[specification.id] = specification
            topic = CP_SPECIFICATION.build(self._root, specification.id)
            self._link.publish(_retained(topic, msgspec.json.encode(entry_of(specification))))

    def withdraw_specification(self, charge_point_id: str) -> None:
        """Say no longer what was asked for: its start was refused."""
        if self._specifications.pop(charge_point_id, None) is not None:
            self._empty(CP_SPECIFICATION.build(self._root, charge_point_id))

    def hear(self, message: Message) -> str | None:
        """Take in a message on ``cps/ID/status``.

        Returns:
            The id of a charge point that somebody has just removed by emptying its status.
        """
        address = topics.CP_STATUS.parse(self._root, message.topic)
        if address is None or address.charge_point_id is None:
            return None
        charge_point_id = address.charge_point_id
        if not re.search(CHARGE_POINT_ID_PATTERN, charge_point_id):
            return None
        if not message.payload:
            if self._echoes[charge_point_id] > 0:
                self._echoes[charge_point_id] -= 1
                return None
            self._known.pop(charge_point_id, None)
            return charge_point_id
        status = read_status(message)
        if status is not None:
            self._learn(charge_point_id, status)
        return None

    def _learn(self, charge_point_id: str, status: ChargePointStatus) -> None:
        self._known[charge_point_id] = status
        self._count_connectors(charge_point_id, status.nb_connectors)
        if status.status is not ChargePointState.DEAD:
            return
        if charge_point_id in self._wills:
            self._wills[charge_point_id].set()
        if charge_point_id in self._gone:
            # The will of a charge point that was removed came after its topics were cleared.
            self.clear(charge_point_id)

    def _count_connectors(self, charge_point_id: str, nb_connectors: int) -> None:
        self._connectors[charge_point_id] = max(nb_connectors, self._connectors[charge_point_id])

    def expect(self, charge_point_id: str) -> None:
        """A charge point of this id is about to be started."""
        self._gone.discard(charge_point_id)

    def publish_dead(self, charge_point_id: str, status: ChargePointStatus) -> None:
        """Say that a charge point is dead, for it cannot say so itself."""
        self._speak_for(charge_point_id, status)

    def _speak_for(self, charge_point_id: str, status: ChargePointStatus) -> None:
        if not self._link.connected:
            return
        topic = topics.CP_STATUS.build(self._root, charge_point_id)
        self._link.publish(_retained(topic, encode(status)))
        self._link.forget(topic)
        self._known[charge_point_id] = status

    def publish_unreachable(self, charge_point_id: str, reason: str) -> None:
        """Correct the will of a charge point whose process lives, but cannot be reached."""
        last = self._known.get(charge_point_id)
        if last is not None and last.status is ChargePointState.DEAD:
            status = msgspec.structs.replace(
                last, status=ChargePointState.DISCONNECTED, reason=reason
            )
            self._speak_for(charge_point_id, status)

    def clear_leftovers(self, charge_point_id: str, *, keep_connectors: int = 0) -> None:
        """Clear what only an earlier charge point of this id has said, but for its status."""
        if keep_connectors == 0:
            self._empty(topics.CP_OCPP_CONFIG.build(self._root, charge_point_id))
        for connector_id in range(keep_connectors + 1, self._connectors[charge_point_id] + 1):
            self._empty(topics.CONNECTOR_STATUS.build(self._root, charge_point_id, connector_id))
        self._connectors[charge_point_id] = keep_connectors

    def clear(self, charge_point_id: str, *, nb_connectors: int = 0) -> None:
        """Clear every retained topic of a charge point that is gone for good.

        Args:
            charge_point_id: of the charge point.
            nb_connectors: at least as many as it had; more are cleared where more were heard of.
        """
        self._count_connectors(charge_point_id, nb_connectors)
        self.clear_leftovers(charge_point_id)
        self._conditions.pop(charge_point_id, None)
        self._specifications.pop(charge_point_id, None)
        kinds = (topics.CP_STATUS, CP_CONTAINER, CP_SPECIFICATION)
        self.clear_topics(kind.build(self._root, charge_point_id) for kind in kinds)
        self._known.pop(charge_point_id, None)
        self._gone.add(charge_point_id)

    def clear_topics(self, names: Iterable[str]) -> None:
        """Clear these topics, and know one's own echo when it comes back."""
        for name in sorted(names):
            address = topics.CP_STATUS.parse(self._root, name)
            if address is not None and address.charge_point_id and self._link.connected:
                self._echoes[address.charge_point_id] += 1
                self._known.pop(address.charge_point_id, None)
            self._empty(name)

    async def wait_for_will(self, charge_point_id: str) -> None:
        """Wait until the broker has said that a killed charge point is dead, if it ever will."""
        status = self._known.get(charge_point_id)
        if not self._link.connected or (status and status.status is ChargePointState.DEAD):
            return
        will = self._wills.setdefault(charge_point_id, asyncio.Event())
        try:
            async with asyncio.timeout(self._will_s):
                await will.wait()
        except TimeoutError:
            LOG.info("%s: no will came, it had not reached the broker", charge_point_id)
        finally:
            self._wills.pop(charge_point_id, None)

    def begin_anew(self, retained: Mapping[str, bytes]) -> dict[str, Retained]:
        """Take in all that the broker has retained, after a new connection.

        Args:
            retained: payloads by topic.

        Returns:
            The same by charge point id.
        """
        sorted_by_id: dict[str, Retained] = {}
        for topic, payload in retained.items():
            found = _identify(self._root, topic)
            if found is None or found[1].charge_point_id is None or not payload:
                continue
            kind, address = found
            charge_point_id = address.charge_point_id or ""
            before = sorted_by_id.get(charge_point_id, Retained())
            status = before.status
            if kind is topics.CP_STATUS:
                status = read_status(Message(topic=topic, payload=payload, retain=True))
            self._count_connectors(charge_point_id, address.connector_id or 0)
            sorted_by_id[charge_point_id] = Retained(status=status, topics=before.topics | {topic})
        for charge_point_id in self._known.keys() - sorted_by_id.keys():
            del self._known[charge_point_id]
        return sorted_by_id

    def forget_echoes(self) -> None:
        """What was published before the connection broke does not come back."""
        self._echoes.clear()

    def _empty(self, topic: str) -> None:
        if self._link.connected:
            self._link.publish(_retained(topic, b""))


def _identify(root: str, topic: str) -> tuple[topics.Topic, topics.Address] | None:
    for kind in RETAINED_KINDS:
        address = kind.parse(root, topic)
        if address is not None:
            return kind, address
    return None


def read_status(message: Message) -> ChargePointStatus | None:
    """Return the status in a message, or None, logged, where it cannot be read."""
    try:
        return msgspec.json.decode(message.payload, type=ChargePointStatus)
    except NOT_JSON as exc:
        LOG.warning("%s is no status of a charge point: %s", message.topic, exc)
        return None


def _retained(topic: str, payload: bytes) -> Message:
    return Message(topic=topic, payload=payload, retain=True, qos=topics.CP_STATUS.qos)
