"""An environment from Python: its live mirror, commands to its launcher, inputs to its cars.

async with SimuClient(environment="cp-simu") as simu:
    await simu.start([Specification(id="CP-0001", type=ChargePointType.AC, central_system=URL)])
    await simu.wait_for(lambda fleet: fleet.by_id["CP-0001"].alive, timeout_s=30)
    await simu.send_input("CP-0001", CarInput(cable=32, ready=True, consumption_l1=16))
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import uuid4

import msgspec

from cp_image.api import topics
from cp_image.api.payloads import (
    CarInput,
    ChargePointCommand,
    ChargePointState,
    FaultedInput,
    Frame,
    IdTagInput,
    Result,
    encode,
)
from cp_image.api.payloads import CommandType as ChargePointCommandType
from cp_image.api.topics import Topic
from cp_image.mqtt_link import Message, MqttLink
from launcher.api import (
    DEFAULT_ENVIRONMENT,
    LAUNCHER_CMD,
    LAUNCHER_EVENT,
    LAUNCHER_RESULT,
    Answer,
    Command,
    CommandType,
    Event,
    LauncherState,
    Progress,
    Specification,
)
from launcher.fleet import entry
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView
from supervisor_cli.mirror import LinkFactory
from supervisor_cli.selection import need_connector, unknown_charge_point
from supervisor_cli.state import Broker
from supervisor_cli.tracing import TracingMirror

T = TypeVar("T")

Input = CarInput | IdTagInput | FaultedInput | ChargePointCommand
"""What a charge point takes; each kind has its topic."""

OnProgress = Callable[[Progress], None]

_TOPIC_OF_INPUT: Final[dict[type[Input], Topic]] = {
    CarInput: topics.CONNECTOR_CAR,
    IdTagInput: topics.CONNECTOR_ID_TAG,
    FaultedInput: topics.CONNECTOR_FAULTED,
    ChargePointCommand: topics.CP_CMD,
}
_ANSWER: Final = msgspec.json.Decoder(Answer)
_EVENT: Final = msgspec.json.Decoder(Event)
_FRAME: Final = msgspec.json.Decoder(Frame)
_RESULT: Final = msgspec.json.Decoder(Result)
_CONFIGURATION: Final = msgspec.json.Decoder(dict[str, str])


def ignore(_progress: Progress) -> None:
    """Take no notice of progress."""


@dataclass(slots=True, kw_only=True)
class _Request:
    """A command on its way: `heard` is called whenever the launcher says it is at it."""

    answer: asyncio.Future[Answer]
    heard: OnProgress


class SimuClient(TracingMirror):
    """A live mirror of an environment, and a way to act on it; an async context manager.

    See `Mirror` for the arguments, `view` and `wait_for`, `TracingMirror` for `frames`.
    """

    def __init__(
        self,
        *,
        broker: Broker | None = None,
        environment: str = DEFAULT_ENVIRONMENT,
        link_factory: LinkFactory = MqttLink,
    ) -> None:
        super().__init__(broker=broker, environment=environment, link_factory=link_factory)
        self._requests: dict[str, _Request] = {}
        self._inputs: dict[str, asyncio.Future[Result]] = {}
        self._configurations: dict[str, dict[str, str]] = {}

    # -- the launcher ---------------------------------------------------------------------------

    async def request(
        self,
        command: Command,
        *,
        on_progress: OnProgress = ignore,
        silence_s: float = 60.0,
    ) -> Answer:
        """Send a command to the launcher and return its answer.

        Args:
            command: gets a request id of its own unless it has one.
            on_progress: called after each entry of the command.
            silence_s: how long the launcher may say nothing, neither progress nor answer.

        Raises:
            SimuError: no launcher lives (exit code 3), or it says nothing (exit code 4).
        """
        self._need_launcher()
        request_id = command.request_id or uuid4().hex
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        try:
            async with asyncio.timeout(silence_s) as limit:

                def heard(progress: Progress) -> None:
                    if not limit.expired():
                        limit.reschedule(loop.time() + silence_s)
                    on_progress(progress)

                self._requests[request_id] = _Request(answer=answer, heard=heard)
                with self._watching(lambda: self._fail_without_launcher(answer)):
                    asked = msgspec.structs.replace(command, request_id=request_id)
                    self._publish(LAUNCHER_CMD.build(self.root), encode(asked))
                    return await answer
        except TimeoutError as exc:
            raise SimuError(
                f"the launcher said nothing to {command.type} for {silence_s:g} s"
                f"{self._while_down()}",
                hint="simuctl doctor looks at the engine and the launcher",
                exit_code=ExitCode.TIMEOUT,
            ) from exc
        finally:
            self._requests.pop(request_id, None)

    async def start(
        self,
        specifications: Sequence[Specification],
        on_progress: OnProgress = ignore,
    ) -> Answer:
        """Start charge points from a clean volume; see `request`."""
        entries = [msgspec.Raw(msgspec.json.encode(entry(each))) for each in specifications]
        command = Command(type=CommandType.START, charge_points=entries)
        return await self.request(command, on_progress=on_progress)

    async def command(
        self,
        kind: CommandType,
        charge_point_ids: Sequence[str],
        on_progress: OnProgress = ignore,
    ) -> Answer:
        """Kill, restart or remove charge points; see `request`."""
        entries = [msgspec.Raw(msgspec.json.encode({"id": each})) for each in charge_point_ids]
        command = Command(type=kind, charge_points=entries)
        return await self.request(command, on_progress=on_progress)

    # -- charge points --------------------------------------------------------------------------

    def living(self, charge_point_id: str) -> ChargePointView:
        """Return a charge point that can take an input now.

        Raises:
            SimuError: there is no such charge point, or it is Dead (exit code 1).
        """
        charge_point = self.view.get(charge_point_id)
        if charge_point is None:
            raise unknown_charge_point(charge_point_id, self.view.by_id, self.environment)
        if charge_point.state is ChargePointState.DEAD:
            raise SimuError(
                f"{charge_point_id} is Dead: it takes no input",
                hint=f"simuctl restart {charge_point_id}",
            )
        return charge_point

    async def send_input(
        self,
        charge_point_id: str,
        payload: Input,
        *,
        connector_id: int = 1,
        timeout_s: float = 10.0,
    ) -> Result:
        """Send an input or a command to a charge point and return its answer.

        Args:
            charge_point_id: of a living one.
            payload: gets a request id of its own unless it has one.
            connector_id: ignored where the payload is for the whole charge point; 0 is that of a
                fault.
            timeout_s: how long to wait for the answer.

        Raises:
            SimuError: there is no such charge point or connector, or it is Dead (exit code 1);
                it does not answer (exit code 4).
        """
        topic = _TOPIC_OF_INPUT[type(payload)]
        charge_point = self.living(charge_point_id)
        whole = connector_id == 0 and isinstance(payload, FaultedInput)
        if topic is not topics.CP_CMD and not whole:
            need_connector(charge_point, connector_id)
        request_id = payload.request_id or uuid4().hex
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._inputs[request_id] = answer
        try:
            async with asyncio.timeout(timeout_s):
                asked = msgspec.structs.replace(payload, request_id=request_id)
                self._publish(topic.build(self.root, charge_point_id, connector_id), encode(asked))
                return await answer
        except TimeoutError as exc:
            raise SimuError(
                f"{charge_point_id} did not answer within {timeout_s:g} s{self._while_down()}",
                hint=f"simuctl show {charge_point_id}",
                exit_code=ExitCode.TIMEOUT,
            ) from exc
        finally:
            self._inputs.pop(request_id, None)

    async def configuration(
        self, charge_point_id: str, *, timeout_s: float = 10.0
    ) -> dict[str, str]:
        """Return the readable OCPP configuration keys of a charge point that have a value.

        Raises:
            SimuError: there is no such charge point, or it is Dead or refuses (exit code 1); it
                does not answer (exit code 4).
        """
        self._link.subscribe(topics.CP_OCPP_CONFIG, self.root, charge_point_id)
        command = ChargePointCommand(type=ChargePointCommandType.OCPP_CONFIG)
        # It publishes the keys, and then its answer.
        result = await self.send_input(charge_point_id, command, timeout_s=timeout_s)
        if not result.ok or charge_point_id not in self._configurations:
            raise SimuError(f"{charge_point_id} does not tell its configuration: {result.text}")
        return dict(self._configurations[charge_point_id])

    async def recent_frames(self, charge_point_id: str, *, last: int = 100) -> list[Frame]:
        """Return the newest OCPP frames that a charge point keeps, in order.

        Raises:
            SimuError: it is not there, or Dead, or refuses (exit code 1); it does not answer
                (exit code 4).
        """
        command = ChargePointCommand(
            type=ChargePointCommandType.TRACE, last=last, request_id=uuid4().hex
        )
        frames: list[Frame] = []

        def read(message: Message) -> None:
            if topics.CP_FRAMES.parse(self.root, message.topic) is not None:
                frame = _decoded(_FRAME, message.payload)
                if frame is not None and frame.replayed_for == command.request_id:
                    frames.append(frame)

        with self._reading_frames(frozenset({charge_point_id}), read):
            result = await self.send_input(charge_point_id, command)
        if not result.ok:
            raise SimuError(f"{charge_point_id} does not tell its frames: {result.text}")
        return frames

    async def clear(self, charge_point_id: str) -> None:
        """Remove what the broker retains of a charge point.

        A launcher that hears it also deletes the charge point's container and volume.

        Raises:
            SimuError: the broker does not confirm (exit code 4).
        """
        charge_point = self.view.get(charge_point_id)
        numbers: set[int] = set()
        if charge_point is not None:
            numbers = {*charge_point.connector_ids, *charge_point.reported}
        emptied = [
            topics.CONNECTOR_STATUS.build(self.root, charge_point_id, number)
            for number in sorted(numbers)
        ]
        emptied.append(topics.CP_OCPP_CONFIG.build(self.root, charge_point_id))
        emptied.append(topics.CP_STATUS.build(self.root, charge_point_id))
        try:
            for topic in emptied:
                await self._link.publish_confirmed(Message(topic=topic, payload=b"", retain=True))
        except TimeoutError as exc:
            raise SimuError(
                f"broker {self.broker} did not confirm the removal of {charge_point_id}",
                exit_code=ExitCode.TIMEOUT,
            ) from exc

    # -- inside ---------------------------------------------------------------------------------

    def _heard(self, message: Message) -> None:
        super()._heard(message)
        if LAUNCHER_RESULT.parse(self.root, message.topic) is not None:
            self._answered(_decoded(_ANSWER, message.payload))
        elif LAUNCHER_EVENT.parse(self.root, message.topic) is not None:
            event = _decoded(_EVENT, message.payload)
            if isinstance(event, Progress):
                self._progressed(event)
        elif topics.CP_RESULT.parse(self.root, message.topic) is not None:
            self._input_answered(_decoded(_RESULT, message.payload))
        else:
            told = topics.CP_OCPP_CONFIG.parse(self.root, message.topic)
            keys = _decoded(_CONFIGURATION, message.payload) if told is not None else None
            if told is not None and told.charge_point_id and keys is not None:
                self._configurations[told.charge_point_id] = keys

    def _answered(self, answer: Answer | None) -> None:
        if answer is None or answer.request_id is None:
            return
        request = self._requests.get(answer.request_id)
        if request is not None and not request.answer.done():
            request.answer.set_result(answer)

    def _progressed(self, progress: Progress) -> None:
        request = self._requests.get(progress.request_id or "")
        if request is None or request.answer.done():
            return
        try:
            request.heard(progress)
        except Exception as exc:  # noqa: BLE001 - the caller's own, handed back to it
            request.answer.set_exception(exc)

    def _input_answered(self, result: Result | None) -> None:
        answer = self._inputs.get(result.request_id) if result is not None else None
        if result is not None and answer is not None and not answer.done():
            answer.set_result(result)

    def _need_launcher(self) -> None:
        if self.view.launcher is not LauncherState.ALIVE:
            raise self._no_launcher()

    def _fail_without_launcher(self, answer: asyncio.Future[Answer]) -> None:
        if self.view.launcher is not LauncherState.ALIVE and not answer.done():
            answer.set_exception(self._no_launcher())

    def _no_launcher(self) -> SimuError:
        what = "is Dead" if self.view.launcher is LauncherState.DEAD else "was never started"
        return SimuError(
            f"the launcher of environment {self.environment} {what} (broker {self.broker})",
            hint="simuctl up starts it",
            exit_code=ExitCode.UNREACHABLE,
        )


def _decoded(decoder: msgspec.json.Decoder[T], payload: bytes) -> T | None:
    """Return a payload, or None for a broken one: it is nobody's answer."""
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
