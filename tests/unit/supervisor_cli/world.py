"""An environment in memory: a broker, a launcher and charge points behind the client's link."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cp_image.api import topics
from cp_image.api.payloads import (
    CarInput,
    ChargePointCommand,
    ChargePointState,
    ChargePointStatus,
    ChargePointType,
    ConnectorState,
    ConnectorStatus,
    FaultedInput,
    IdTagInput,
    Result,
    encode,
)
from cp_image.api.topics import Topic
from cp_image.mqtt_link import BrokerAddress, BrokerUnreachableError, Message
from launcher.api import (
    CP_CONTAINER,
    CP_SPECIFICATION,
    LAUNCHER_CMD,
    LAUNCHER_EVENT,
    LAUNCHER_RESULT,
    LAUNCHER_STATUS,
    Answer,
    Command,
    CommandType,
    ContainerCondition,
    ContainerStatus,
    ErrorCode,
    LauncherState,
    Outcome,
    Progress,
)
from supervisor_cli.client import Input

ROOT = "cp_simu"
CONDITIONS = {
    CommandType.FREEZE: ContainerCondition.FROZEN,
    CommandType.THAW: ContainerCondition.RUNNING,
    CommandType.CUT: ContainerCondition.CUT,
    CommandType.MEND: ContainerCondition.RUNNING,
}


def charge_point_status(**changes: Any) -> ChargePointStatus:
    fields: dict[str, Any] = {
        "pid": 1,
        "status": ChargePointState.ACCEPTED,
        "vendor": "cp-simu",
        "model": "Simulated CP",
        "serial": "S1",
        "nb_phases": 3,
        "max_setpoint": 32.0,
        "central_system": "ws://localhost:9000",
        "type": ChargePointType.AC,
        "voltage": 230.0,
        "nb_connectors": 2,
    }
    return ChargePointStatus(**(fields | changes))


def connector_status(**changes: Any) -> ConnectorStatus:
    fields: dict[str, Any] = {
        "status": ConnectorState.AVAILABLE,
        "id_tag": "",
        "max_setpoint": 32.0,
        "ocpp_setpoint": 32.0,
        "setpoint": 0.0,
        "car_consumption_l1": 0.0,
        "car_consumption_l2": 0.0,
        "car_consumption_l3": 0.0,
        "car_cable_capacity": 0.0,
        "car_ready": False,
        "consumption_l1": 0.0,
        "consumption_l2": 0.0,
        "consumption_l3": 0.0,
    }
    return ConnectorStatus(**(fields | changes))


CHARGING = connector_status(
    status=ConnectorState.CHARGING,
    id_tag="TAG1",
    setpoint=16.0,
    car_consumption_l1=16.0,
    car_cable_capacity=32.0,
    car_ready=True,
    consumption_l1=16.0,
    transaction_id=7,
    power_w=3680.0,
    session_wh=1250.0,
    register_wh=20_000.0,
)


@dataclass
class World:
    """Routes messages as a broker does; plays launcher and charge points as far as told to.

    Attributes:
        reachable: whether the broker takes connections.
        launcher_answers: whether the launcher says anything to a command.
        charge_points_answer: whether charge points say anything to an input.
        accepts: the state a started charge point takes; None: it never says anything.
        heard: every message that was published by a client.
    """

    reachable: bool = True
    launcher_answers: bool = True
    charge_points_answer: bool = True
    accepts: ChargePointState | None = ChargePointState.ACCEPTED
    retained: dict[str, bytes] = field(default_factory=dict)
    containers: set[str] = field(default_factory=set)
    heard: list[Message] = field(default_factory=list)
    links: list["FakeLink"] = field(default_factory=list)
    client_ids: list[str] = field(default_factory=list)
    refuse_input: Result | None = None
    refuse_configure: Result | None = None
    on_command: Callable[[Command], None] | None = None
    configuration: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.publish(LAUNCHER_STATUS.build(ROOT), b"Alive", retain=True)

    def link(
        self,
        *,
        address: BrokerAddress,
        client_id: str,
        on_message: Callable[[Message], None],
        on_connection: Callable[[bool, str], None],
    ) -> "FakeLink":
        made = FakeLink(self, address, on_message, on_connection)
        self.client_ids.append(client_id)
        self.links.append(made)
        return made

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if retain:
            self.retained.pop(topic, None)
            if payload:
                self.retained[topic] = payload
        for link in self.links:
            link.deliver(Message(topic=topic, payload=payload, retain=False))

    # -- what there is ----------------------------------------------------------------------

    def charge_point(
        self, charge_point_id: str, *connectors: ConnectorStatus, **status: Any
    ) -> None:
        self.containers.add(charge_point_id)
        made = charge_point_status(**{"nb_connectors": max(1, len(connectors))} | status)
        for number, connector in enumerate(connectors or (connector_status(),), 1):
            self.connector(charge_point_id, number, connector)
        self.publish(topics.CP_STATUS.build(ROOT, charge_point_id), encode(made), retain=True)

    def container(self, charge_point_id: str, state: ContainerCondition, **fields: Any) -> None:
        topic = CP_CONTAINER.build(ROOT, charge_point_id)
        self.publish(topic, encode(ContainerStatus(state=state, **fields)), retain=True)

    def specification(self, entry: dict[str, Any]) -> None:
        topic = CP_SPECIFICATION.build(ROOT, entry["id"])
        self.publish(topic, msgspec.json.encode(entry), retain=True)

    def connector(self, charge_point_id: str, number: int, status: ConnectorStatus) -> None:
        topic = topics.CONNECTOR_STATUS.build(ROOT, charge_point_id, number)
        self.publish(topic, encode(status), retain=True)

    def launcher(self, state: LauncherState | None) -> None:
        payload = state.encode() if state is not None else b""
        self.publish(LAUNCHER_STATUS.build(ROOT), payload, retain=True)

    # -- what is done with it ----------------------------------------------------------------

    def receive(self, message: Message) -> None:
        self.heard.append(message)
        self.publish(message.topic, message.payload, retain=message.retain)
        if message.topic == LAUNCHER_CMD.build(ROOT):
            command = msgspec.json.decode(message.payload, type=Command)
            if self.on_command is not None:
                self.on_command(command)
            if self.launcher_answers:
                self.answer(command)
        told = topics.identify(ROOT, message.topic)
        if told is not None and self.charge_points_answer:
            self._take_input(told[0], told[1].charge_point_id or "", message)

    def inputs(self, kind: Topic) -> list[tuple[str, Any]]:
        """Return the topics and payloads of a kind that were sent, without the request ids."""
        sent = []
        for message in self.heard:
            if kind.parse(ROOT, message.topic) is not None:
                payload = msgspec.json.decode(message.payload)
                payload.pop("request_id")
                sent.append((message.topic, payload))
        return sent

    def commands(self) -> list[dict[str, Any]]:
        return [payload for _topic, payload in self.inputs(LAUNCHER_CMD)]

    def answer(self, command: Command) -> None:
        outcomes = []
        for raw in command.charge_points:
            entry = msgspec.json.decode(raw)
            outcomes.append(self._act(command.type, entry))
            progress = Progress(
                request_id=command.request_id,
                done=len(outcomes),
                total=len(command.charge_points),
                outcome=outcomes[-1],
            )
            self.publish(LAUNCHER_EVENT.build(ROOT), encode(progress))
        answer = Answer(
            request_id=command.request_id,
            type=command.type,
            ok=all(each.ok for each in outcomes),
            results=outcomes,
        )
        self.publish(LAUNCHER_RESULT.build(ROOT), encode(answer))

    def _act(self, kind: CommandType, entry: dict[str, Any]) -> Outcome:
        name = entry["id"]
        alive = self._alive(name)
        if kind is CommandType.START:
            if alive:
                return Outcome(id=name, ok=False, code=ErrorCode.ALIVE, text=f"{name} is alive")
            self.containers.add(name)
            self.specification(entry)
            self._boot(name, entry)
            return Outcome(id=name, ok=True)
        if name not in self.containers:
            text = f"there is no charge point {name}"
            code = ErrorCode.UNKNOWN_CHARGE_POINT
            return Outcome(id=name, ok=False, code=code, text=text)
        if kind in {CommandType.KILL, CommandType.STOP}:
            if not alive:
                text = f"{name} is not running"
                return Outcome(id=name, ok=False, code=ErrorCode.NOT_RUNNING, text=text)
            self.charge_point(name, status=ChargePointState.DEAD)
        elif kind is CommandType.RESTART:
            self._boot(name, {})
        elif kind in CONDITIONS:
            self.container(name, CONDITIONS[kind])
        else:
            self.containers.discard(name)
            for topic in sorted(each for each in self.retained if f"/cps/{name}/" in each):
                self.publish(topic, b"", retain=True)
        return Outcome(id=name, ok=True)

    def _alive(self, name: str) -> bool:
        payload = self.retained.get(topics.CP_STATUS.build(ROOT, name))
        return payload is not None and b'"Dead"' not in payload

    def _boot(self, name: str, entry: dict[str, Any]) -> None:
        if self.accepts is None:
            return
        said = {key: entry[key] for key in ("type", "nb_phases", "voltage") if key in entry}
        if "type" in said:
            said["type"] = ChargePointType(said["type"])
        asyncio.get_running_loop().call_soon(
            lambda: self.charge_point(name, status=self.accepts, **said)
        )

    def _take_input(self, kind: Topic, name: str, message: Message) -> None:
        types: dict[Topic, type[Input]] = {
            topics.CONNECTOR_CAR: CarInput,
            topics.CONNECTOR_ID_TAG: IdTagInput,
            topics.CONNECTOR_FAULTED: FaultedInput,
            topics.CP_CMD: ChargePointCommand,
        }
        if kind not in types:
            return
        payload = msgspec.json.decode(message.payload, type=types[kind])
        result = Result(request_id=payload.request_id or "", ok=True)
        if isinstance(payload, ChargePointCommand) and self.configuration:
            topic = topics.CP_OCPP_CONFIG.build(ROOT, name)
            self.publish(topic, msgspec.json.encode(self.configuration), retain=True)
        refusal = self.refuse_input
        if isinstance(payload, ChargePointCommand) and payload.type == "configure":
            refusal = self.refuse_configure or refusal
        if refusal is not None:
            result = msgspec.structs.replace(refusal, request_id=result.request_id)
        self.publish(topics.CP_RESULT.build(ROOT, name), encode(result))


class FakeLink:
    """What `MqttLink` is to the client, on a `World`."""

    def __init__(
        self,
        world: World,
        address: BrokerAddress,
        on_message: Callable[[Message], None],
        on_connection: Callable[[bool, str], None],
    ) -> None:
        self.world = world
        self.address = address
        self.filters: list[str] = []
        self.up = False
        self.on_message = on_message
        self.on_connection = on_connection
        self.closed = asyncio.Event()
        self.failure: Exception | None = None

    def subscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        self.filters.append(kind.filter(root, charge_point_id))

    def unsubscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        self.filters.remove(kind.filter(root, charge_point_id))

    async def confirm_subscriptions(self) -> None:
        for topic, payload in tuple(self.world.retained.items()):
            await asyncio.sleep(0)  # the messages come in one by one, as from a socket
            self.deliver(Message(topic=topic, payload=payload, retain=True))

    def deliver(self, message: Message) -> None:
        if self.up and any(_matches(each, message.topic) for each in self.filters):
            self.on_message(message)

    def publish(self, message: Message) -> None:
        asyncio.get_running_loop().call_soon(self.world.receive, message)

    async def publish_confirmed(self, message: Message) -> None:
        self.publish(message)
        await asyncio.sleep(0)

    async def connect(self) -> None:
        if not self.world.reachable:
            raise BrokerUnreachableError(f"broker {self.address}: connection refused")
        self.reconnect()

    def lose(self) -> None:
        self.up = False
        self.on_connection(False, "connection lost")

    def reconnect(self) -> None:
        self.up = True
        self.on_connection(True, "")

    async def run(self) -> None:
        await self.closed.wait()
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        self.up = False
        self.closed.set()


def _matches(topic_filter: str, topic: str) -> bool:
    wanted, levels = topic_filter.split("/"), topic.split("/")
    return len(wanted) == len(levels) and all(
        want in {"+", level} for want, level in zip(wanted, levels, strict=True)
    )
