"""The charge point on MQTT: inputs and commands come in, states, events and results go out."""

import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from cp_image.api import topics
from cp_image.api.payloads import (
    CarInput,
    ChargePointCommand,
    ChargePointState,
    ChargePointStatus,
    CommandType,
    ConnectorStatus,
    FaultedInput,
    Frame,
    IdTagInput,
    InputErrorCode,
    InputRefused,
    RequestId,
    Result,
    encode,
)
from cp_image.api.payloads import Event as ChargePointEvent
from cp_image.api.topics import Topic
from cp_image.api.value import Value, replace
from cp_image.core.errors import InputError
from cp_image.core.events import (
    CarChanged,
    ConfigurationWanted,
    DataTransferWanted,
    Event,
    FaultChanged,
    SecurityEventWanted,
    TagPresented,
)
from cp_image.core.messages import DataTransfer
from cp_image.mqtt_link import Message
from cp_image.shell.clock import Clock
from cp_image.shell.frame_secrets import shown
from cp_image.shell.frame_trace import FrameTrace

LOG: Final = logging.getLogger(__name__)


class Link(Protocol):
    """What is used of `MqttLink`."""

    def subscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        """Hear a kind of topic."""

    def publish(self, message: Message) -> None:
        """Publish."""

    async def run(self) -> None:
        """Keep the link up until it is closed."""

    async def close(self) -> None:
        """Disconnect in order."""


class LinkCallbacks(Value):
    """What a link needs to know when it is made."""

    will: Message
    on_message: Callable[[Message], None]
    on_connection: Callable[[bool, str], None]


class Station(Protocol):
    """Where inputs and commands go."""

    def take(self, event: Event) -> None:
        """Give the station an input; raises `InputError` where it refuses it."""

    def ocpp_config(self) -> dict[str, str]:
        """Return the configuration keys that may be read."""

    def stop(self) -> None:
        """End the process in order."""


class Control:
    """Translates between MQTT messages and the station.

    Args:
        identity: the charge point's status as it is at the start; `status` and `reason` change.
        make_link: makes the MQTT link.
        station: where inputs and commands go.
        clock: dates the events.
        trace: has the OCPP frames.
        root: of the topics.
    """

    def __init__(
        self,
        *,
        charge_point_id: str,
        identity: ChargePointStatus,
        make_link: Callable[[LinkCallbacks], Link],
        station: Station,
        clock: Clock,
        trace: FrameTrace,
        root: str = topics.DEFAULT_ROOT,
    ) -> None:
        self._id = charge_point_id
        self._identity = identity
        self._station = station
        self._clock = clock
        self._trace = trace
        self._root = root
        self._published: dict[str, bytes] = {}
        self._dead = False
        will = self._message(topics.CP_STATUS, encode(self._status(ChargePointState.DEAD, "")))
        self._link = make_link(
            LinkCallbacks(
                will=will, on_message=self._received, on_connection=self._connection_changed
            )
        )

    def start(self) -> None:
        """Subscribe to the inputs of this charge point and publish its configuration."""
        for kind in (topics.CP_CMD, *_INPUTS):
            self._link.subscribe(kind, self._root, self._id)
        self._trace.open(self._publish_frame)
        self.publish_ocpp_config()

    async def run(self) -> None:
        """Keep the link up until it is closed.

        Raises:
            Exception: whatever the station raised, but `InputError`.
        """
        await self._link.run()

    async def close(self, reason: str) -> None:
        """Say that the charge point is dead, and disconnect in order."""
        self.publish_station(ChargePointState.DEAD, reason)
        await self._link.close()

    def publish_station(self, state: ChargePointState, reason: str) -> None:
        """Publish the charge point's status; after Dead there is nothing more to say."""
        if not self._dead:
            self._dead = state is ChargePointState.DEAD
            self._publish_changed(topics.CP_STATUS, encode(self._status(state, reason)))

    def publish_connector(self, connector_id: int, status: ConnectorStatus) -> None:
        """Publish a connector's status; readers count on from `metered_at` by their own clocks."""
        status = replace(status, metered_at=self._clock.wall_at(status.metered_at))
        self._publish_changed(topics.CONNECTOR_STATUS, encode(status), connector_id)

    def publish_event(self, event: ChargePointEvent) -> None:
        """Publish an event."""
        self._link.publish(self._message(topics.CP_EVENT, encode(event)))

    def publish_ocpp_config(self) -> None:
        """Publish the configuration keys, also where none has changed: somebody asked."""
        keys = {key: value for key, value in sorted(self._station.ocpp_config().items()) if value}
        self._link.publish(self._message(topics.CP_OCPP_CONFIG, msgspec.json.encode(keys)))

    # -- outwards ------------------------------------------------------------------------------

    def _status(self, state: ChargePointState, reason: str) -> ChargePointStatus:
        return replace(self._identity, status=state, reason=reason)

    def _message(self, kind: Topic, payload: bytes, connector_id: int | None = None) -> Message:
        topic = kind.build(self._root, self._id, connector_id)
        return Message(topic=topic, payload=payload, retain=kind.retain, qos=kind.qos)

    def _publish_changed(
        self, kind: Topic, payload: bytes, connector_id: int | None = None
    ) -> None:
        message = self._message(kind, payload, connector_id)
        if self._published.get(message.topic) != payload:
            self._published[message.topic] = payload
            self._link.publish(message)

    def _connection_changed(self, up: bool, reason: str) -> None:  # noqa: FBT001 - MqttLink's own
        if up:
            LOG.info("connected to the broker")
        else:
            LOG.warning("%s", reason)
            self._trace.unwant()  # nor would frames that nobody hears pile up

    # -- inwards -------------------------------------------------------------------------------

    def _received(self, message: Message) -> None:
        if LOG.isEnabledFor(logging.DEBUG):
            LOG.debug(
                "%s %s", message.topic, shown(message.payload[:1000].decode(errors="replace"))
            )
        request_id: str | None = None
        try:
            request_id = self._obey(message)
        except _RefusedError as exc:
            self._refuse(message, exc.code, str(exc))
        except InputError as exc:
            self._refuse(message, exc.code, str(exc))
        else:
            if request_id is not None:
                self._answer(Result(request_id=request_id, ok=True))

    def _obey(self, message: Message) -> str | None:
        """Do what a message asks; return the request id it carries."""
        found = topics.identify(self._root, message.topic)
        if found is None:
            raise _RefusedError(
                InputErrorCode.UNKNOWN_TOPIC,
                f"{message.topic[:200]} is no input of a charge point",
            )
        kind, address = found
        if message.retain:
            raise _RefusedError(
                InputErrorCode.NOT_NOW,
                "a retained input is old and not obeyed: publish inputs without the retain flag",
            )
        if kind is topics.CP_CMD:
            return self._command(_decode(message.payload, ChargePointCommand))
        reader = _INPUTS[kind]
        payload = _decode(message.payload, reader.payload)
        self._station.take(reader.to_event(address.connector_id, payload))
        request_id: str | None = payload.request_id
        return request_id

    def _command(self, command: ChargePointCommand) -> str | None:
        match command.type:
            case CommandType.OCPP_CONFIG:
                self.publish_ocpp_config()
            case CommandType.DATA_TRANSFER:
                self._station.take(_data_transfer(command))
            case CommandType.CONFIGURE:
                self._station.take(_configuration(command))
            case CommandType.SECURITY_EVENT:
                self._station.take(_security_event(command))
            case CommandType.TRACE:
                self._start_trace(command)
            case CommandType.CLOSE:
                self._station.stop()
        return command.request_id

    def _start_trace(self, command: ChargePointCommand) -> None:
        if command.for_s is None and command.last is None:
            raise _RefusedError(
                InputErrorCode.MALFORMED, "Object missing required field `for_s` or `last` of trace"
            )
        if command.for_s == 0:
            self._trace.unwant()
        elif command.for_s is not None:
            self._trace.want(command.for_s)
        self._trace.replay(command.last or 0, command.request_id)

    def _publish_frame(self, frame: Frame) -> None:
        self._link.publish(self._message(topics.CP_FRAMES, encode(frame)))

    def _refuse(self, message: Message, code: InputErrorCode, text: str) -> None:
        LOG.warning("%s refused: %s", message.topic[:200], text)
        request_id = _request_id_of(message.payload)
        if request_id is not None:
            self._answer(Result(request_id=request_id, ok=False, code=code, text=text))
        self.publish_event(
            InputRefused(at=self._clock.now(), topic=message.topic, code=code, text=text)
        )

    def _answer(self, result: Result) -> None:
        self._link.publish(self._message(topics.CP_RESULT, encode(result)))


def _configuration(command: ChargePointCommand) -> ConfigurationWanted:
    if command.key is None or command.value is None:
        raise _RefusedError(
            InputErrorCode.MALFORMED,
            "Object missing required field `key` or `value` of configure",
        )
    return ConfigurationWanted(key=command.key, value=command.value)


def _security_event(command: ChargePointCommand) -> SecurityEventWanted:
    if command.name is None:
        raise _RefusedError(
            InputErrorCode.MALFORMED, "Object missing required field `name` of security_event"
        )
    return SecurityEventWanted(name=command.name, tech_info=command.tech_info or "")


def _data_transfer(command: ChargePointCommand) -> DataTransferWanted:
    if command.vendor_id is None:
        raise _RefusedError(
            InputErrorCode.MALFORMED, "Object missing required field `vendor_id` of data_transfer"
        )
    request = DataTransfer(
        vendor_id=command.vendor_id, message_id=command.message_id, data=command.data
    )
    return DataTransferWanted(request=request, request_id=command.request_id)


class _RefusedError(Exception):
    """A message that does not even reach the station."""

    def __init__(self, code: InputErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Input(Value):
    """How one kind of topic becomes an event of the station."""

    payload: type[Any]
    to_event: Callable[[Any, Any], Event]


_INPUTS: Final = {
    topics.CONNECTOR_CAR: _Input(
        payload=CarInput,
        to_event=lambda connector_id, car: CarChanged(connector_id=connector_id, car=car),
    ),
    topics.CONNECTOR_ID_TAG: _Input(
        payload=IdTagInput,
        to_event=lambda connector_id, tag: TagPresented(connector_id=connector_id, id_tag=tag.id),
    ),
    topics.CONNECTOR_FAULTED: _Input(
        payload=FaultedInput,
        to_event=lambda connector_id, fault: FaultChanged(
            connector_id=connector_id,
            faulted=fault.faulted,
            error_code=fault.error_code,
            emergency=fault.emergency,
        ),
    ),
}

_DECODE_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _WithRequestId(msgspec.Struct):
    request_id: RequestId | None = None


def _decode(payload: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(payload, type=kind)
    except _DECODE_ERRORS as exc:
        raise _RefusedError(InputErrorCode.MALFORMED, str(exc)) from exc


def _request_id_of(payload: bytes) -> str | None:
    """Return the request id of a refused message, where it is JSON enough to have one."""
    try:
        return msgspec.json.decode(payload, type=_WithRequestId).request_id
    except _DECODE_ERRORS:
        return None
