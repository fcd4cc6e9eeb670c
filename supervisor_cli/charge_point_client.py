"""What can be done with the charge points of an environment themselves, by their topics."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar
from uuid import uuid4

import msgspec

from cp_image.api import topics
from cp_image.api.payloads import (
    CarInput,
    ChargePointCommand,
    ChargePointState,
    CommandType,
    DataTransferAnswered,
    Event,
    FaultedInput,
    Frame,
    IdTagInput,
    Result,
    encode,
)
from cp_image.api.topics import Topic
from cp_image.mqtt_link import Message, MqttLink
from launcher.api import DEFAULT_ENVIRONMENT
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView
from supervisor_cli.mirror import LinkFactory
from supervisor_cli.selection import need_connector, unknown_charge_point
from supervisor_cli.state import Broker
from supervisor_cli.tracing import TracingMirror

__tracebackhide__ = True  # of interest in a failed test is the line that called
T = TypeVar("T")

Input = CarInput | IdTagInput | FaultedInput | ChargePointCommand
"""What a charge point takes; each kind has its topic."""

_TOPIC_OF_INPUT: Final[dict[type[Input], Topic]] = {
    CarInput: topics.CONNECTOR_CAR,
    IdTagInput: topics.CONNECTOR_ID_TAG,
    FaultedInput: topics.CONNECTOR_FAULTED,
    ChargePointCommand: topics.CP_CMD,
}
_EVENT: Final = msgspec.json.Decoder(Event)
_FRAME: Final = msgspec.json.Decoder(Frame)
_RESULT: Final = msgspec.json.Decoder(Result)
_CONFIGURATION: Final = msgspec.json.Decoder(dict[str, str])


class ChargePointClient(TracingMirror):
    """A live mirror of an environment that gives its charge points inputs; see `Mirror`."""

    def __init__(
        self,
        *,
        broker: Broker | None = None,
        environment: str = DEFAULT_ENVIRONMENT,
        link_factory: LinkFactory = MqttLink,
    ) -> None:
        super().__init__(broker=broker, environment=environment, link_factory=link_factory)
        self._inputs: dict[str, asyncio.Future[Result]] = {}

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
        except TimeoutError:
            raise SimuError(
                f"{charge_point_id} did not answer within {timeout_s:g} s{self._while_down()}",
                hint=f"simuctl show {charge_point_id}",
                exit_code=ExitCode.TIMEOUT,
            ) from None
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
        command = ChargePointCommand(type=CommandType.OCPP_CONFIG)
        heard: list[dict[str, str]] = []

        def read(message: Message) -> None:
            keys = decoded(_CONFIGURATION, message.payload)
            if keys is not None:
                heard.append(keys)

        # It publishes the keys, and then its answer.
        with self.reading(topics.CP_OCPP_CONFIG, {charge_point_id}, read):
            result = await self.send_input(charge_point_id, command, timeout_s=timeout_s)
        if not result.ok or not heard:
            raise SimuError(f"{charge_point_id} does not tell its configuration: {result.text}")
        return heard[-1]

    async def configure(
        self, charge_point_id: str, key: str, value: str, *, timeout_s: float = 10.0
    ) -> Result:
        """Give an OCPP configuration key another value; see `send_input`.

        Returns:
            Its answer: it refuses what it would refuse the CSMS.
        """
        command = ChargePointCommand(type=CommandType.CONFIGURE, key=key, value=value)
        return await self.send_input(charge_point_id, command, timeout_s=timeout_s)

    async def data_transfer(
        self,
        charge_point_id: str,
        *,
        vendor_id: str,
        message_id: str | None = None,
        data: str | None = None,
        timeout_s: float = 60.0,
    ) -> DataTransferAnswered:
        """Let a charge point send DataTransfer to the CSMS, and return what that answers.

        Args:
            charge_point_id: of one that the CSMS has accepted.
            vendor_id: whose message it is, OCPP 1.6 §4.3.
            message_id: which one; may be left out.
            data: what it says; may be left out.
            timeout_s: how long the charge point and the CSMS may take together.

        Raises:
            SimuError: it is not there, or refuses (exit code 1); no answer (exit code 4).
        """
        command = ChargePointCommand(
            type=CommandType.DATA_TRANSFER,
            request_id=uuid4().hex,
            vendor_id=vendor_id,
            message_id=message_id,
            data=data,
        )
        answer: asyncio.Future[DataTransferAnswered] = asyncio.get_running_loop().create_future()

        def read(message: Message) -> None:
            event = decoded(_EVENT, message.payload)
            if not isinstance(event, DataTransferAnswered) or answer.done():
                return  # the broker may deliver twice
            if event.request_id == command.request_id:
                answer.set_result(event)

        with self.reading(topics.CP_EVENT, {charge_point_id}, read):
            try:
                async with asyncio.timeout(timeout_s):
                    result = await self.send_input(charge_point_id, command, timeout_s=timeout_s)
                    if not result.ok:
                        raise SimuError(f"{charge_point_id} does not send it: {result.text}")
                    return await answer
            except TimeoutError:
                raise SimuError(
                    f"{charge_point_id}: no answer to DataTransfer within {timeout_s:g} s"
                    f"{self._while_down()}",
                    hint=f"simuctl trace {charge_point_id} shows what it says to the CSMS",
                    exit_code=ExitCode.TIMEOUT,
                ) from None

    @contextmanager
    def hearing_events(
        self, charge_point_ids: Iterable[str], reader: Callable[[str, Event], None]
    ) -> Iterator[None]:
        """Call `reader` with the id and the event whenever one of these charge points tells one."""

        def read(message: Message) -> None:
            address = topics.CP_EVENT.parse(self.root, message.topic)
            event = decoded(_EVENT, message.payload)
            if address is not None and address.charge_point_id and event is not None:
                reader(address.charge_point_id, event)

        with self.reading(topics.CP_EVENT, charge_point_ids, read):
            yield

    async def recent_frames(
        self, charge_point_id: str, *, last: int = 100, timeout_s: float = 10.0
    ) -> list[Frame]:
        """Return the newest OCPP frames that a charge point keeps, in order.

        Raises:
            SimuError: it is not there, or Dead, or refuses (exit code 1); it does not answer
                (exit code 4).
        """
        command = ChargePointCommand(type=CommandType.TRACE, last=last, request_id=uuid4().hex)
        frames: list[Frame] = []

        def read(message: Message) -> None:
            frame = decoded(_FRAME, message.payload)
            if frame is not None and frame.replayed_for == command.request_id:
                frames.append(frame)

        with self.reading(topics.CP_FRAMES, {charge_point_id}, read):
            result = await self.send_input(charge_point_id, command, timeout_s=timeout_s)
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

    def _heard(self, message: Message) -> None:
        super()._heard(message)
        if topics.CP_RESULT.parse(self.root, message.topic) is not None:
            self._input_answered(decoded(_RESULT, message.payload))

    def _input_answered(self, result: Result | None) -> None:
        answer = self._inputs.get(result.request_id) if result is not None else None
        if result is not None and answer is not None and not answer.done():
            answer.set_result(result)


def decoded(decoder: msgspec.json.Decoder[T], payload: bytes) -> T | None:
    """Return a payload, or None for a broken one: it is nobody's answer."""
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
