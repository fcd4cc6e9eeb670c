"""A mirror that can read the OCPP frames of charge points, too."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager

from cp_image.api import topics
from cp_image.api.payloads import ChargePointCommand, encode
from cp_image.mqtt_link import Message, MqttLink
from launcher.api import DEFAULT_ENVIRONMENT
from supervisor_cli.frame_stream import FrameStream, OnNote, TracedFrame
from supervisor_cli.mirror import LinkFactory, Mirror
from supervisor_cli.selection import unknown_charge_point
from supervisor_cli.state import Broker


def _say_nothing(_charge_point_id: str, _note: str) -> None:
    """Take no notice."""


class TracingMirror(Mirror):
    """A live mirror of an environment that reads OCPP frames where asked to; see `Mirror`."""

    def __init__(
        self,
        *,
        broker: Broker | None = None,
        environment: str = DEFAULT_ENVIRONMENT,
        link_factory: LinkFactory = MqttLink,
    ) -> None:
        self._streams: list[FrameStream] = []
        self._frame_readers: dict[str, list[Callable[[Message], None]]] = {}
        super().__init__(broker=broker, environment=environment, link_factory=link_factory)

    async def frames(
        self,
        charge_point_ids: Sequence[str],
        *,
        last: int = 0,
        on_note: OnNote = _say_nothing,
    ) -> AsyncGenerator[TracedFrame, None]:
        """Give the OCPP frames of charge points as they pass, without end.

        Those of one charge point come in order and each once, also where it is restarted or the
        broker was away; what passed meanwhile is fetched, as far as the charge point keeps it.
        Close the iterator (`contextlib.aclosing`) to read no more.

        Args:
            charge_point_ids: of charge points that are there; one that is dead is waited for.
            last: how many of the frames that passed before come first, of each charge point.
            on_note: called with a charge point id and a text for people: frames that were missed,
                a charge point that is gone or does not answer.

        Raises:
            SimuError: there is no such charge point, or it refuses to tell (exit code 1).
        """
        for each in charge_point_ids:
            if each not in self.view.by_id:
                raise unknown_charge_point(each, self.view.by_id, self.environment)
        stream = FrameStream(
            self,
            self.root,
            charge_point_ids,
            last=last,
            on_note=on_note,
            call_later=asyncio.get_running_loop().call_later,
        )
        self._streams.append(stream)
        try:
            with self._reading_frames(stream.charge_point_ids, stream.hear):
                stream.open()
                async for traced in stream.frames():
                    yield traced
        finally:
            stream.close()
            self._streams.remove(stream)

    # -- for `FrameStream` ------------------------------------------------------------------------

    def send_command(self, charge_point_id: str, command: ChargePointCommand) -> None:
        """Send a command to a charge point; its answer comes to whoever hears."""
        self._publish(topics.CP_CMD.build(self.root, charge_point_id), encode(command))

    def is_alive(self, charge_point_id: str) -> bool:
        """Whether a charge point could take a command."""
        charge_point = self.view.get(charge_point_id)
        return charge_point is not None and charge_point.alive

    # -- inside -----------------------------------------------------------------------------------

    @contextmanager
    def _reading_frames(
        self, charge_point_ids: frozenset[str], reader: Callable[[Message], None]
    ) -> Iterator[None]:
        """Call `reader` with all that these charge points say, their frames included."""
        for each in charge_point_ids:
            readers = self._frame_readers.setdefault(each, [])
            if not readers:
                self._link.subscribe(topics.CP_FRAMES, self.root, each)
            readers.append(reader)
        try:
            yield
        finally:
            for each in charge_point_ids:
                readers = self._frame_readers[each]
                readers.remove(reader)
                if not readers:
                    del self._frame_readers[each]
                    self._link.unsubscribe(topics.CP_FRAMES, self.root, each)

    def _heard(self, message: Message) -> None:
        if self._frame_readers:
            found = topics.identify(self.root, message.topic)
            charge_point_id = found[1].charge_point_id if found is not None else None
            for reader in tuple(self._frame_readers.get(charge_point_id or "", ())):
                reader(message)

    def _connection(self, up: bool, reason: str) -> None:  # noqa: FBT001 - the link's signature
        super()._connection(up, reason)
        if not up:
            for stream in self._streams:
                stream.disconnected()
