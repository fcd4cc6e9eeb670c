"""An engine and a broker in memory, with the daemon between them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from cp_image.api.payloads import ChargePointState, ChargePointStatus
from cp_image.api.topics import Topic
from cp_image.mqtt_link import Message
from launcher.api import CP_CONTAINER, Answer, ContainerStatus, Event, Specification
from launcher.config import from_environment
from launcher.container import ContainerRequest, Mark, specification_of
from launcher.daemon import Daemon
from launcher.engine import (
    Change,
    ContainerChanged,
    ContainerDied,
    ContainerRecord,
    ContainerState,
    Ending,
    EngineError,
    EngineEvent,
    Found,
    ListeningBegan,
    MarkRecord,
    Observation,
    PostMortem,
    VolumeRecord,
)

WAIT_S = 60.0
OBJECTION_S = 0.01
ROOT = "ci_7"
ENVIRONMENT = "ci-7"
SIGKILLED = 137

_T = TypeVar("_T")


class FakeBroker:
    """A broker and the launcher's link to it; charge points in containers have their wills here."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.said: list[Message] = []
        self.connected = True
        self.forgotten: list[str] = []
        self.on_claim: Callable[[], None] | None = None
        self.closed = False
        self._filters: list[str] = []
        self._requests = 0
        self._changed = asyncio.Event()
        self._up = asyncio.Event()
        self._on_message: Callable[[Message], None] = lambda _message: None
        self._on_connection: Callable[[bool, str], None] = lambda _up, _reason: None
        self.will: Message | None = None

    def make_link(
        self,
        *,
        on_message: Callable[[Message], None],
        on_connection: Callable[[bool, str], None],
        will: Message,
    ) -> "FakeBroker":
        self._on_message, self._on_connection, self.will = on_message, on_connection, will
        self._filters.clear()
        self._up.clear()
        return self

    # -- as a link ------------------------------------------------------------------------------

    def subscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        self._filters.append(kind.filter(root, charge_point_id))

    def publish(self, message: Message) -> None:
        self.deliver(message)

    async def publish_confirmed(self, message: Message) -> None:
        self.deliver(message)

    def forget(self, topic: str) -> None:
        self.forgotten.append(topic)

    async def wait_connected(self) -> None:
        await self._up.wait()

    async def run(self) -> None:
        self.reconnect()
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True
        self.poke()

    # -- as a broker ----------------------------------------------------------------------------

    def reconnect(self) -> None:
        self.connected = True
        self._up.set()
        for topic, payload in self.retained.items():
            self._hand_over(Message(topic=topic, payload=payload, retain=True))
        self._on_connection(True, "")

    def deliver(self, message: Message) -> None:
        self.said.append(message)
        if message.retain:
            if message.payload:
                self.retained[message.topic] = message.payload
            else:
                self.retained.pop(message.topic, None)
        self._hand_over(Message(topic=message.topic, payload=message.payload, retain=False))
        is_question = message.topic == f"{ROOT}/launcher/claim" and b'"serves":false' in (
            message.payload
        )
        if is_question and self.on_claim is not None:
            self.on_claim()
        self.poke()

    def poke(self) -> None:
        """Let those look again who wait for something."""
        self._changed.set()
        self._changed = asyncio.Event()

    def say(self, topic: str, payload: bytes | msgspec.Struct, *, retain: bool = False) -> None:
        content = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        self.deliver(Message(topic=f"{ROOT}/{topic}", payload=content, retain=retain))

    async def scan(self) -> Mapping[str, bytes]:
        return {t: p for t, p in self.retained.items() if t.startswith(f"{ROOT}/cps/")}

    def _hand_over(self, message: Message) -> None:
        levels = message.topic.split("/")
        for each in self._filters:
            wanted = each.split("/")
            if len(wanted) == len(levels) and all(
                want in ("+", level) for want, level in zip(wanted, levels, strict=True)
            ):
                asyncio.get_running_loop().call_soon(self._on_message, message)

    # -- for tests ------------------------------------------------------------------------------

    async def until(self, look: Callable[[], _T | None]) -> _T:
        async with asyncio.timeout(WAIT_S):
            while not (found := look()):
                await self._changed.wait()
            return found

    def heard(self, topic: str) -> list[bytes]:
        return [m.payload for m in self.said if m.topic == f"{ROOT}/{topic}"]

    def events(self) -> list[Event]:
        return [msgspec.json.decode(p, type=Event) for p in self.heard("launcher/event")]

    def answers(self) -> list[Answer]:
        return [msgspec.json.decode(p, type=Answer) for p in self.heard("launcher/result")]

    def status(self, charge_point_id: str) -> ChargePointStatus | None:
        payload = self.retained.get(f"{ROOT}/cps/{charge_point_id}/status")
        return msgspec.json.decode(payload, type=ChargePointStatus) if payload else None

    def condition(self, charge_point_id: str) -> ContainerStatus | None:
        payload = self.retained.get(CP_CONTAINER.build(ROOT, charge_point_id))
        return msgspec.json.decode(payload, type=ContainerStatus) if payload else None

    def send(self, type_: str, *entries: object, **fields: object) -> str:
        """Send a command; return its request id."""
        self._requests += 1
        request_id = f"r{self._requests}"
        command = {
            "type": type_,
            "charge_points": entries,
            "request_id": request_id,
            **fields,
        }
        self.say("launcher/cmd", msgspec.json.encode(command))
        return str(command["request_id"])

    async def command(self, type_: str, *entries: object, **fields: object) -> Answer:
        """Send a command and return its answer."""
        before = len(self.answers())
        self.send(type_, *entries, **fields)
        await self.until(lambda: len(self.answers()) > before)
        return self.answers()[-1]


class FakeEngine:
    """An engine in memory. Containers of charge points say their status and leave wills."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker
        self.containers: dict[str, ContainerRecord] = {}
        self.requests: dict[str, ContainerRequest] = {}
        self.volumes: dict[str, VolumeRecord] = {}
        self.marks: dict[str, dict[Mark, MarkRecord]] = {}
        self.networks: list[str] = []
        self.exit_code = 1
        self.out_of_memory = False
        self.image: str | None = "image-1"
        self.calls: list[str] = []
        self.refuse: dict[str, str] = {}
        self.hold: dict[str, asyncio.Event] = {}
        self.observing: asyncio.Event | None = None
        self.looks = 0
        self.hold_at_start: dict[str, asyncio.Event] = {}
        self.hold_at_burial: dict[str, asyncio.Event] = {}
        self.at_once = 0
        self.most_at_once = 0
        self.wills = True
        self.mute = False
        self.closed = False
        self.finished_at: dict[str, float] = {}
        self._deaths = 0
        self._made = 0
        self._events: asyncio.Queue[EngineEvent] = asyncio.Queue()

    async def _work(self, call: str, charge_point_id: str = "") -> None:
        self.calls.append(f"{call} {charge_point_id}".strip())
        self._broker.poke()
        if call in self.refuse:
            raise EngineError(self.refuse[call])
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if charge_point_id in self.hold:
                await self.hold[charge_point_id].wait()
        finally:
            self.at_once -= 1

    async def observe(self) -> Observation:
        await self._work("observe")
        self.looks += 1
        self._broker.poke()
        if self.observing is not None and self.looks > 1:
            await self.observing.wait()
        return self.observation()

    async def find(self, charge_point_id: str) -> Found:
        await self._work("find", charge_point_id)
        return self.observation().of(charge_point_id)

    async def set_mark(
        self,
        charge_point_id: str,
        mark: Mark,
        specification: Specification | None,
        address: str = "",
    ) -> None:
        await self._work(f"mark_{mark}", charge_point_id)
        record = MarkRecord(mark=mark, specification=specification, made_at=1e10, address=address)
        self.marks.setdefault(charge_point_id, {}).setdefault(mark, record)

    async def clear_mark(self, charge_point_id: str, mark: Mark) -> None:
        await self._work(f"unmark_{mark}", charge_point_id)
        self.marks.get(charge_point_id, {}).pop(mark, None)

    async def ensure_network(self, network: str) -> None:
        await self._work(f"ensure_network {network}")
        self.networks.append(network)

    async def image_id(self, image: str) -> str | None:
        await self._work(f"image_id of {image}")
        return self.image

    async def create_volume(self, request: ContainerRequest) -> None:
        await self._work("create_volume", request.charge_point_id)
        self._make_volume(request)

    def _make_volume(self, request: ContainerRequest) -> None:
        self.volumes.setdefault(
            request.charge_point_id,
            VolumeRecord(
                charge_point_id=request.charge_point_id,
                name=request.name,
                specification=specification_of(request.volume_labels),
            ),
        )

    async def create_container(self, request: ContainerRequest) -> str:
        await self._work("create_container", request.charge_point_id)
        assert request.charge_point_id not in self.containers
        if self.image is None:
            raise EngineError(f"image {request.image} does not exist on the engine")
        self._make_volume(request)
        self._made += 1
        self.requests[request.charge_point_id] = request
        self.containers[request.charge_point_id] = ContainerRecord(
            charge_point_id=request.charge_point_id,
            container_id=f"c{self._made}",
            name=request.name,
            state=ContainerState.CREATED,
            image_id=self.image or "",
            specification=specification_of(request.labels),
            fingerprint=request.fingerprint,
            network=request.network,
            address="172.18.0.9",
        )
        return f"c{self._made}"

    async def start(self, container_id: str) -> None:
        record = self._record(container_id)
        await self._work("start", record.charge_point_id)
        if record.charge_point_id in self.hold_at_start:
            await self.hold_at_start[record.charge_point_id].wait()
        self._alter(record.charge_point_id, state=ContainerState.RUNNING, exit_code=None)
        self.change(record.charge_point_id, Change.START)
        if not self.mute:
            self.say_status(record.charge_point_id, ChargePointState.ACCEPTED)

    async def kill(self, container_id: str, on_death: Callable[[], None]) -> Ending:
        record = self._record(container_id)
        await self._work("kill", record.charge_point_id)
        on_death()
        if record.charge_point_id in self.hold_at_burial:
            await self.hold_at_burial[record.charge_point_id].wait()
        return self._end(record.charge_point_id, SIGKILLED)

    async def stop(self, container_id: str) -> Ending:
        record = self._record(container_id)
        await self._work("stop", record.charge_point_id)
        return self._end(record.charge_point_id, 0)

    def _end(self, charge_point_id: str, exit_code: int) -> Ending:
        record = self.containers[charge_point_id]
        if not record.alive:
            return Ending(exit_code=record.exit_code or 0, asked_for=False)
        self.die(charge_point_id, exit_code)
        return Ending(exit_code=exit_code)

    async def pause(self, container_id: str) -> None:
        record = self._record(container_id)
        await self._work("pause", record.charge_point_id)
        self.set_state(record.charge_point_id, ContainerState.PAUSED)
        self.change(record.charge_point_id, Change.PAUSE)

    async def unpause(self, container_id: str) -> None:
        record = self._record(container_id)
        await self._work("unpause", record.charge_point_id)
        self.set_state(record.charge_point_id, ContainerState.RUNNING)
        self.change(record.charge_point_id, Change.UNPAUSE)

    async def disconnect(self, found: ContainerRecord) -> None:
        await self._work("disconnect", found.charge_point_id)
        self._alter(found.charge_point_id, connected=False, address="")

    async def connect(self, found: ContainerRecord, address: str) -> None:
        await self._work("connect", found.charge_point_id)
        self._alter(found.charge_point_id, connected=True, address=address)

    async def remove_container(self, container_id: str) -> None:
        record = self._record(container_id)
        await self._work("remove_container", record.charge_point_id)
        if record.alive:
            self.die(record.charge_point_id, SIGKILLED)
        self.change(record.charge_point_id, Change.DESTROY)
        del self.containers[record.charge_point_id]

    async def remove_volume(self, name: str) -> None:
        charge_point_id = name.removeprefix(f"{ENVIRONMENT}.")
        await self._work("remove_volume", charge_point_id)
        self.volumes.pop(charge_point_id, None)

    async def post_mortem(self, container_id: str) -> PostMortem | None:
        await self._work(f"post_mortem of {container_id}")
        return PostMortem(
            exit_code=self.exit_code,
            out_of_memory=self.out_of_memory,
            last_log=("last words",),
            finished_at=self.finished_at.get(container_id, 0.0),
        )

    async def events(self) -> AsyncGenerator[EngineEvent]:
        yield ListeningBegan()
        while True:
            yield await self._events.get()

    async def close(self) -> None:
        self.closed = True

    # -- for tests ------------------------------------------------------------------------------

    def set_state(self, charge_point_id: str, state: ContainerState) -> None:
        self._alter(charge_point_id, state=state)

    def _alter(self, charge_point_id: str, **fields: Any) -> None:
        self.containers[charge_point_id] = replace(self.containers[charge_point_id], **fields)

    def observation(self) -> Observation:
        return Observation(
            containers=dict(self.containers),
            volumes=dict(self.volumes),
            marks={id_: dict(each) for id_, each in self.marks.items() if each},
        )

    def change(self, charge_point_id: str, change: Change) -> None:
        self._events.put_nowait(
            ContainerChanged(
                charge_point_id=charge_point_id,
                container_id=self.containers[charge_point_id].container_id,
                change=change,
            )
        )

    def die(self, charge_point_id: str, exit_code: int) -> None:
        record = self.containers[charge_point_id]
        self.exit_code = exit_code
        self._deaths += 1
        self.finished_at[record.container_id] = float(self._deaths)
        self._alter(charge_point_id, state=ContainerState.EXITED, exit_code=exit_code)
        if self.wills:
            self.say_status(charge_point_id, ChargePointState.DEAD)
        self._events.put_nowait(
            ContainerDied(
                charge_point_id=charge_point_id,
                container_id=record.container_id,
                exit_code=exit_code,
            )
        )

    def tell(self, event: EngineEvent) -> None:
        self._events.put_nowait(event)

    def say_status(self, charge_point_id: str, state: ChargePointState) -> None:
        specification = self.containers[charge_point_id].specification
        assert specification is not None
        status = a_status(
            state,
            container=f"{ENVIRONMENT}.{charge_point_id}",
            nb_connectors=specification.nb_connectors,
        )
        self._broker.say(f"cps/{charge_point_id}/status", status, retain=True)
        if state is ChargePointState.ACCEPTED:
            for n in range(1, specification.nb_connectors + 1):
                self._broker.say(f"cps/{charge_point_id}/connectors/{n}/status", b"{}", retain=True)
            self._broker.say(f"cps/{charge_point_id}/ocpp_config", b"{}", retain=True)

    def _record(self, container_id: str) -> ContainerRecord:
        return next(r for r in self.containers.values() if r.container_id == container_id)


def a_status(state: ChargePointState, **fields: Any) -> ChargePointStatus:
    values: dict[str, Any] = {
        "pid": 1,
        "status": state.value,
        "vendor": "v",
        "model": "m",
        "serial": "s",
        "nb_phases": 1,
        "max_setpoint": 32.0,
        "central_system": "ws://192.0.2.1",
        "type": "AC",
        "voltage": 230.0,
        **fields,
    }
    return msgspec.convert(values, ChargePointStatus)


@asynccontextmanager
async def launched(
    broker: FakeBroker,
    engine: FakeEngine,
    variables: Mapping[str, str] | None = None,
    *,
    wait: bool = True,
) -> AsyncIterator[Daemon]:
    """Run the daemon until the body ends, or until it ends by itself.

    Args:
        broker: of the environment.
        engine: of the charge points.
        variables: the launcher's.
        wait: until it has looked at everything.
    """
    config = from_environment({"SIMU_ENVIRONMENT": ENVIRONMENT, **(variables or {})})
    daemon = Daemon(config, engine, broker.make_link, broker.scan, objection_s=OBJECTION_S)
    async with asyncio.timeout(4 * WAIT_S), asyncio.TaskGroup() as group:
        group.create_task(daemon.run())
        if wait:
            await broker.until(lambda: engine.looks > 1)
        yield daemon
        daemon.close()
