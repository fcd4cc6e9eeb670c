"""WebSocket pings, as often as WebSocketPingInterval says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame

from cp_image.core.events import CsmsConnected, CsmsDisconnected
from cp_image.shell.csms import Timing
from cp_image.shell.pings import Pings
from tests.unit.shell.peers import Csms, Watched, run
from tests.unit.shell.test_charge_point import STATUS, charge_point, configuration
from tests.unit.shell.test_csms import link_to


class Peer(Watched):
    """A WebSocket server that counts the pings it gets."""

    def __init__(self, *, deaf: bool = False) -> None:
        super().__init__()
        self.pings = 0
        self.deaf = deaf
        self.closed_with: list[int | None] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[ClientConnection]:
        async with serve(self._serve, "127.0.0.1", 0, ping_interval=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            url = f"ws://127.0.0.1:{port}"
            async with connect(url, ping_interval=None, close_timeout=0.1) as connection:
                yield connection

    async def _serve(self, connection: ServerConnection) -> None:
        answer = connection.protocol.recv_frame

        def spy(frame: Frame) -> None:
            if frame.opcode == 9:
                self.pings += 1
                self.changed()
                if self.deaf:
                    return
            answer(frame)

        connection.protocol.recv_frame = spy  # type: ignore[method-assign]
        await connection.wait_closed()
        self.closed_with.append(connection.close_code)
        self.changed()


@asynccontextmanager
async def pinging(pings: Pings, connection: ClientConnection) -> AsyncIterator[None]:
    task = asyncio.create_task(pings.run(connection))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def pings_on(csms: Csms) -> asyncio.Event:
    """Return what is set by the next ping on the connection that stands."""
    assert csms.connection is not None
    pinged = asyncio.Event()
    hear = csms.connection.protocol.recv_frame

    def spy(frame: Frame) -> None:
        if frame.opcode == 9:
            pinged.set()
        hear(frame)

    csms.connection.protocol.recv_frame = spy  # type: ignore[method-assign]
    return pinged


def test_it_pings_at_its_interval() -> None:
    async def scenario() -> None:
        peer = Peer()
        pings = Pings(interval_s=0.01, pong_s=10.0)
        async with peer.connection() as connection, pinging(pings, connection):
            await peer.until(lambda: peer.pings >= 3)

    run(scenario())


def test_0_never_pings_and_a_new_interval_counts_at_once() -> None:
    async def scenario() -> None:
        peer = Peer()
        pings = Pings(interval_s=0.0, pong_s=10.0)
        async with peer.connection() as connection, pinging(pings, connection):
            await (await connection.ping())  # one round trip, ours
            assert peer.pings == 1
            pings.set_interval(1000.0)
            pings.set_interval(0.01)
            await peer.until(lambda: peer.pings >= 3)
            pings.set_interval(0)
            before = peer.pings
            await (await connection.ping())
            assert peer.pings <= before + 2  # ours, and one that was on its way

    run(scenario())


def test_a_peer_that_does_not_answer_is_given_up() -> None:
    async def scenario() -> None:
        peer = Peer(deaf=True)
        async with peer.connection() as connection:
            await Pings(interval_s=0.01, pong_s=0.01).run(connection)
            with pytest.raises(ConnectionClosed):
                await connection.recv()
            assert connection.close_code == 1011

    run(scenario())


def test_it_ends_with_its_connection() -> None:
    async def scenario() -> None:
        peer = Peer()
        async with peer.connection() as connection:
            task = asyncio.create_task(Pings(interval_s=0.01, pong_s=10.0).run(connection))
            await peer.until(lambda: peer.pings)
            await connection.close()
            await task

    run(scenario())


def test_the_link_pings_and_is_told_how_often() -> None:
    async def scenario() -> None:
        quiet = Timing(first_retry_s=0.01, last_retry_s=0.05, ping_interval_s=0.0, close_s=0.5)
        async with Csms() as csms, link_to(csms.url, quiet) as (link, ear):
            await ear.heard(CsmsConnected)
            pinged = pings_on(csms)
            link.set_ping_interval(0.01)
            await pinged.wait()

    run(scenario())


def test_the_csms_changes_the_interval_of_the_connection_that_stands(tmp_path: Path) -> None:
    change = '[2,"csms-1","ChangeConfiguration",{"key":"WebSocketPingInterval","value":"1"}]'

    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            await link.seen(STATUS, status="Accepted")
            pinged = pings_on(csms)
            await csms.send(change)
            await csms.until(lambda: '[3,"csms-1",{"status":"Accepted"}]' in csms.frames)
            await pinged.wait()
            assert len(csms.paths) == 1

    run(scenario())


def test_a_csms_without_pongs_is_left_and_called_again() -> None:
    def ignore(frame: Frame) -> None:
        """Answer nothing, not even a ping."""

    async def scenario() -> None:
        hasty = Timing(
            first_retry_s=0.01, last_retry_s=0.05, ping_interval_s=0.01, pong_s=0.02, close_s=0.05
        )
        async with Csms() as csms, link_to(csms.url, hasty) as (_, ear):
            await ear.heard(CsmsConnected)
            assert csms.connection is not None
            csms.connection.protocol.recv_frame = ignore  # type: ignore[method-assign]
            lost = await ear.heard(CsmsDisconnected)
            assert lost.reason == "no answer to a ping"
            await ear.heard(CsmsConnected, 2)

    run(scenario())
