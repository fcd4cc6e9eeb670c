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
from launcher.api import Answer, Died, Event, Progress
from launcher.config import from_environment
from launcher.container import ContainerRequest, specification_of
from launcher.daemon import Daemon
from launcher.engine import (
    ContainerDied,
    ContainerRecord,
    ContainerState,
    EngineError,
    EngineEvent,
    ListeningBegan,
    Observation,
    PostMortem,
    VolumeRecord,
)

WAIT_S = 5.0
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
        self.closed = False
        self._filters: list[str] = []
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
        self._hand_over(replace(message, retain=False))
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

    def events(self) -> list[Progress | Died]:
        return [msgspec.json.decode(p, type=Event) for p in self.heard("launcher/event")]

    def answers(self) -> list[Answer]:
        return [msgspec.json.decode(p, type=Answer) for p in self.heard("launcher/result")]

    def status(self, charge_point_id: str) -> ChargePointStatus | None:
        payload = self.retained.get(f"{ROOT}/cps/{charge_point_id}/status")
        return msgspec.json.decode(payload, type=ChargePointStatus) if payload else None

    async def command(self, type_: str, *entries: object, request_id: str = "r") -> Answer:
        before = len(self.answers())
        command = {"type": type_, "charge_points": entries, "request_id": request_id}
        self.say("launcher/cmd", msgspec.json.encode(command))
        await self.until(lambda: len(self.answers()) > before)
        return self.answers()[-1]


class FakeEngine:
    """An engine in memory. Containers of charge points say their status and leave wills."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker
        self.containers: dict[str, ContainerRecord] = {}
        self.requests: dict[str, ContainerRequest] = {}
        self.volumes: dict[str, VolumeRecord] = {}
        self.image: str | None = "image-1"
        self.calls: list[str] = []
        self.refuse: dict[str, str] = {}
        self.hold: dict[str, asyncio.Event] = {}
        self.at_once = 0
        self.most_at_once = 0
        self.wills = True
        self.closed = False
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
        return Observation(containers=dict(self.containers), volumes=dict(self.volumes))

    async def find_container(self, charge_point_id: str) -> ContainerRecord | None:
        await self._work("find_container", charge_point_id)
        return self.containers.get(charge_point_id)

    async def find_volume(self, charge_point_id: str) -> VolumeRecord | None:
        await self._work("find_volume", charge_point_id)
        return self.volumes.get(charge_point_id)

    async def image_id(self, image: str) -> str | None:
        await self._work(f"image_id of {image}")
        return self.image

    async def create_volume(self, request: ContainerRequest) -> None:
        await self._work("create_volume", request.charge_point_id)
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
        assert request.charge_point_id in self.volumes
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
        )
        return f"c{self._made}"

    async def start(self, container_id: str) -> None:
        record = self._record(container_id)
        await self._work("start", record.charge_point_id)
        self.set_state(record.charge_point_id, ContainerState.RUNNING)
        self.say_status(record.charge_point_id, ChargePointState.ACCEPTED)

    async def kill(self, container_id: str) -> None:
        record = self._record(container_id)
        await self._work("kill", record.charge_point_id)
        self.die(record.charge_point_id, SIGKILLED)

    async def remove_container(self, container_id: str) -> None:
        record = self._record(container_id)
        await self._work("remove_container", record.charge_point_id)
        if record.alive:
            self.die(record.charge_point_id, SIGKILLED)
        del self.containers[record.charge_point_id]

    async def remove_volume(self, name: str) -> None:
        charge_point_id = name.removeprefix(f"{ENVIRONMENT}.")
        await self._work("remove_volume", charge_point_id)
        self.volumes.pop(charge_point_id, None)

    async def post_mortem(self, container_id: str) -> PostMortem | None:
        await self._work(f"post_mortem of {container_id}")
        return PostMortem(exit_code=1, out_of_memory=True, last_log=("last words",))

    async def events(self) -> AsyncGenerator[EngineEvent]:
        yield ListeningBegan()
        while True:
            yield await self._events.get()

    async def close(self) -> None:
        self.closed = True

    # -- for tests ------------------------------------------------------------------------------

    def set_state(self, charge_point_id: str, state: ContainerState) -> None:
        self.containers[charge_point_id] = replace(self.containers[charge_point_id], state=state)

    def die(self, charge_point_id: str, exit_code: int) -> None:
        record = self.containers[charge_point_id]
        self.set_state(charge_point_id, ContainerState.EXITED)
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
    broker: FakeBroker, engine: FakeEngine, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Daemon]:
    """Run the daemon until the body ends, or until it ends by itself."""
    config = from_environment({"SIMU_ENVIRONMENT": ENVIRONMENT, **(variables or {})})
    daemon = Daemon(config, engine, broker.make_link, broker.scan)
    async with asyncio.timeout(4 * WAIT_S), asyncio.TaskGroup() as group:
        group.create_task(daemon.run())
        await broker.until(lambda: "observe" in engine.calls)
        yield daemon
        daemon.close()
