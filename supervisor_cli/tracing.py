"""A mirror that can read the OCPP frames of charge points, too."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from cp_image.api import topics
from cp_image.api.payloads import ChargePointCommand, encode
from cp_image.api.topics import Topic
from cp_image.mqtt_link import Message, MqttLink
from launcher.api import DEFAULT_ENVIRONMENT
from supervisor_cli.frame_stream import FrameStream, OnNote, TracedFrame
from supervisor_cli.mirror import HEARD, LinkFactory, Mirror
from supervisor_cli.selection import unknown_charge_point
from supervisor_cli.state import Broker


def _say_nothing(_charge_point_id: str, _note: str) -> None:
    """Take no notice."""


def _nobody(_charge_point_id: str) -> bool:
    """Return that nobody else is meant."""
    return False


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
        self._readers: dict[tuple[str, str], list[Callable[[Message], None]]] = {}
        super().__init__(broker=broker, environment=environment, link_factory=link_factory)

    async def frames(
        self,
        charge_point_ids: Sequence[str],
        *,
        last: int = 0,
        on_note: OnNote = _say_nothing,
        also: Callable[[str], bool] = _nobody,
    ) -> AsyncGenerator[TracedFrame, None]:
        """Give the OCPP frames of charge points as they pass, without end.

        Those of one charge point come in order and each once, also where it is restarted or the
        broker was away; what passed meanwhile is fetched, as far as the charge point keeps it.
        Close the iterator (`contextlib.aclosing`) to read no more.

        Args:
            charge_point_ids: of charge points that are there; one that is dead is waited for.
            last: how many of the frames that passed before come first, of each charge point.
            on_note: called with a charge point id and a text for people: frames that were missed,
                a charge point that is gone or does not answer. Without an id where the broker
                goes and comes.
            also: whether a charge point that is added later is read, too, from its first frame.

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
            with ExitStack() as reading:
                self._hear_all(stream, stream.charge_point_ids, reading)
                stream.open()
                seen = set(self.view.by_id)

                def take_in() -> None:
                    new = self.view.by_id.keys() - seen
                    seen.update(new)
                    joining = [each for each in new if also(each)]
                    self._hear_all(stream, joining, reading)
                    for each in joining:
                        stream.join(each)

                reading.enter_context(self.watching(take_in))
                async for traced in stream.frames():
                    yield traced
        finally:
            stream.close()
            self._streams.remove(stream)

    @contextmanager
    def reading(
        self,
        kind: Topic,
        charge_point_ids: Iterable[str],
        reader: Callable[[Message], None],
    ) -> Iterator[None]:
        """Call `reader` with what these charge points say on a topic of theirs.

        It need be none that the mirror hears anyway. What is retained comes at once.
        """
        keys = [(kind.template, each) for each in charge_point_ids]
        for key in keys:
            readers = self._readers.setdefault(key, [])
            if not readers and kind not in HEARD:
                self._link.subscribe(kind, self.root, key[1])
            readers.append(reader)
        try:
            yield
        finally:
            for key in keys:
                self._readers[key].remove(reader)
                if not self._readers[key]:
                    del self._readers[key]
                    if kind not in HEARD:
                        self._link.unsubscribe(kind, self.root, key[1])

    # -- for `FrameStream` ------------------------------------------------------------------------

    def send_command(self, charge_point_id: str, command: ChargePointCommand) -> None:
        """Send a command to a charge point; its answer comes to whoever hears."""
        self._publish(topics.CP_CMD.build(self.root, charge_point_id), encode(command))

    def is_alive(self, charge_point_id: str) -> bool:
        """Whether a charge point could take a command."""
        charge_point = self.view.get(charge_point_id)
        return charge_point is not None and charge_point.alive

    # -- inside -----------------------------------------------------------------------------------

    def _hear_all(self, stream: FrameStream, ids: Iterable[str], reading: ExitStack) -> None:
        """Let a stream hear all that concerns these charge points, until `reading` ends."""
        for kind in (topics.CP_FRAMES, topics.CP_RESULT, topics.CP_STATUS):
            reading.enter_context(self.reading(kind, tuple(ids), stream.hear))

    def _heard(self, message: Message) -> None:
        found = topics.identify(self.root, message.topic) if self._readers else None
        if found is None:
            return
        kind, address = found
        for reader in tuple(self._readers.get((kind.template, address.charge_point_id or ""), ())):
            reader(message)

    def _connection(self, up: bool, reason: str) -> None:  # noqa: FBT001 - the link's signature
        super()._connection(up, reason)
        for stream in self._streams:
            if up:
                stream.connected()
            else:
                stream.disconnected(reason)
