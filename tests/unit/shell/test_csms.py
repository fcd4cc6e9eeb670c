"""The link to the CSMS against a real WebSocket server."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from cp_image.core import messages
from cp_image.core.events import (
    CallAnswered,
    CallFailed,
    CsmsConnected,
    CsmsDisconnected,
    Event,
)
from cp_image.dialects.ocpp16.dialect import Ocpp16
from cp_image.shell.csms import CsmsLink, Timing
from cp_image.shell.csms_access import charge_point_url
from cp_image.shell.csms_failures import why_not_connected
from tests.unit.shell.peers import Csms, Watched, door_to, run

QUICK = Timing(first_retry_s=0.01, last_retry_s=0.05, open_s=10.0, close_s=0.5)
HEARTBEAT = messages.Heartbeat()


class Ear(Watched):
    """Hears the events of a link."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.changed()

    async def heard(self, kind: type[Event], number: int = 1) -> Any:
        def found() -> Any:
            matching = [event for event in self.events if isinstance(event, kind)]
            return matching[number - 1] if len(matching) >= number else None

        return await self.until(found)


@asynccontextmanager
async def link_to(
    url: str, timing: Timing = QUICK, **more: Any
) -> AsyncIterator[tuple[CsmsLink, Ear]]:
    ear = Ear()
    link = CsmsLink(
        door=door_to(url, "CP-1"),
        dialect=Ocpp16(),
        on_event=ear,
        random=Random(1),
        timing=timing,
        **more,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(link.run())
        yield link, ear
        task.cancel()


@pytest.mark.parametrize(
    ("central_system", "charge_point_id", "url"),
    [
        ("ws://h:1/ocpp", "CP-1", "ws://h:1/ocpp/CP-1"),
        ("ws://h:1/ocpp/", "CP-1", "ws://h:1/ocpp/CP-1"),
        ("ws://h:1", "CP-1", "ws://h:1/CP-1"),
        ("wss://h/a//", "a b/ü", "wss://h/a/a%20b%2F%C3%BC"),
    ],
)
def test_url(central_system: str, charge_point_id: str, url: str) -> None:
    assert charge_point_url(central_system, charge_point_id) == url


def test_call_and_answer() -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (link, ear):
            await ear.heard(CsmsConnected)
            link.send_call("id-1", HEARTBEAT)
            answered = await ear.heard(CallAnswered)
            assert answered.message_id == "id-1"
            assert csms.paths == ["/ocpp/CP-1"]
            await link.close("done")
            assert csms.frames == ['[2,"id-1","Heartbeat",{}]']

    run(scenario())


def test_an_invalid_answer_fails_the_call() -> None:
    async def scenario() -> None:
        async with Csms(answers={"Heartbeat": {}}) as csms, link_to(csms.url) as (link, ear):
            await ear.heard(CsmsConnected)
            link.send_call("id-1", HEARTBEAT)
            failed = await ear.heard(CallFailed)
            assert failed.error_code == "FormationViolation"

    run(scenario())


def test_an_answer_that_breaks_ocpp_is_complained_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started = {"transactionId": 7, "idTagInfo": {"status": "Accepted"}, "vendorField": 1}
    request = messages.StartTransaction(connector_id=1, id_tag="T", meter_start_wh=0, at=0.0)

    async def scenario() -> None:
        async with (
            Csms(answers={"StartTransaction": started}) as csms,
            link_to(csms.url) as (
                link,
                ear,
            ),
        ):
            await ear.heard(CsmsConnected)
            link.send_call("id-1", request)
            answered = await ear.heard(CallAnswered)
            assert answered.answer.transaction_id == 7

    run(scenario())
    (complaint,) = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert "the CSMS breaks OCPP" in complaint
    assert "vendorField" in complaint


@pytest.mark.parametrize(
    "garbage", ["", "nonsense", "[]", "{}", '[3,"x",{}]', b"\x00\x01", '"' + "x" * 2**20 + '"']
)
def test_garbage_leaves_the_link_alone(garbage: str | bytes) -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (link, ear):
            await ear.heard(CsmsConnected)
            await csms.send(garbage)
            link.send_call("id-1", HEARTBEAT)
            await ear.heard(CallAnswered)
            assert len(csms.paths) == 1

    run(scenario())


def test_a_silent_link_answers_nothing_it_cannot_read() -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (link, ear):
            await ear.heard(CsmsConnected)
            link.set_silence(silent=True)
            await csms.send('[2,"a","Nonsense",{}]')
            link.send_call("id-1", HEARTBEAT)
            await ear.heard(CallAnswered)
            link.set_silence(silent=False)
            await csms.send('[2,"b","Nonsense",{}]')
            await csms.until(lambda: any('"b"' in frame for frame in csms.frames))
            assert not any('"a"' in frame for frame in csms.frames)

    run(scenario())


def test_a_frame_of_sixteen_mebibytes_is_read() -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (link, ear):
            await ear.heard(CsmsConnected)
            await csms.send('"' + "x" * (2**24 - 2) + '"')
            link.send_call("id-1", HEARTBEAT)
            await ear.heard(CallAnswered)
            assert len(csms.paths) == 1

    run(scenario())


def test_a_longer_frame_ends_the_connection_and_says_so() -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (_, ear):
            await ear.heard(CsmsConnected)
            await csms.send('"' + "x" * 2**24 + '"')
            lost = await ear.heard(CsmsDisconnected)
            assert "exceeds limit of 16777216 bytes" in lost.reason
            await ear.heard(CsmsConnected, 2)

    run(scenario())


def test_a_request_of_the_csms_is_answered() -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (_, ear):
            await ear.heard(CsmsConnected)
            await csms.send('[2,"csms-1","Heartbeat",{}]')
            await csms.until(lambda: csms.frames)
            assert csms.frames[0].startswith('[4,"csms-1","NotSupported","')

    run(scenario())


def test_it_connects_again_after_a_loss() -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (link, ear):
            await ear.heard(CsmsConnected)
            assert csms.connection is not None
            await csms.connection.close(1001, "restart")
            lost = await ear.heard(CsmsDisconnected)
            assert lost.reason == "the CSMS closed the connection with code 1001: restart"
            await ear.heard(CsmsConnected, 2)
            link.send_call("id-1", HEARTBEAT)
            await ear.heard(CallAnswered)

    run(scenario())


def test_a_broken_connection_is_told_and_mended() -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (_, ear):
            await ear.heard(CsmsConnected)
            assert csms.connection is not None
            csms.connection.transport.abort()
            lost = await ear.heard(CsmsDisconnected)
            assert lost.reason == "the connection broke without a farewell"
            await ear.heard(CsmsConnected, 2)

    run(scenario())


def test_what_is_queued_goes_out_before_a_disconnect() -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (link, ear):
            await ear.heard(CsmsConnected)
            link.send_call("id-1", HEARTBEAT)
            link.disconnect("reset asked")
            lost = await ear.heard(CsmsDisconnected)
            assert lost.reason == "reset asked"
            assert csms.calls("Heartbeat") == [{}]
            assert csms.closed_with[0] == (1000, "reset asked")
            await ear.heard(CsmsConnected, 2)

    run(scenario())


def test_a_call_without_a_connection_is_not_sent_later() -> None:
    async def scenario() -> None:
        async with Csms() as csms:
            ear = Ear()
            link = CsmsLink(
                door=door_to(csms.url, "CP-1"), dialect=Ocpp16(), on_event=ear, random=Random(1)
            )
            link.send_call("early", HEARTBEAT)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(link.run())
                await ear.heard(CsmsConnected)
                link.send_call("id-1", HEARTBEAT)
                await ear.heard(CallAnswered)
                task.cancel()
            assert csms.frames == ['[2,"id-1","Heartbeat",{}]']

    run(scenario())


def test_close_ends_run() -> None:
    async def scenario() -> None:
        async with Csms() as csms:
            ear = Ear()
            link = CsmsLink(
                door=door_to(csms.url, "1"), dialect=Ocpp16(), on_event=ear, random=Random(1)
            )
            task = asyncio.create_task(link.run())
            await ear.heard(CsmsConnected)
            await link.close("the end")
            await task
            assert isinstance(ear.events[-1], CsmsDisconnected)
            assert csms.closed_with == [(1000, "the end")]

    run(scenario())


def test_close_ends_the_wait_before_the_next_attempt() -> None:
    async def scenario() -> None:
        ear = Ear()
        timing = Timing(first_retry_s=3600, last_retry_s=3600)
        link = CsmsLink(
            door=door_to("ws://127.0.0.1:1", "x"),
            dialect=Ocpp16(),
            on_event=ear,
            random=Random(1),
            timing=timing,
        )
        task = asyncio.create_task(link.run())
        await ear.heard(CsmsDisconnected)
        await link.close("the end")
        await task

    run(scenario())


def test_settle_waits_for_the_answer() -> None:
    async def scenario() -> None:
        async with Csms() as csms, link_to(csms.url) as (link, ear):
            await ear.heard(CsmsConnected)
            link.send_call("id-1", HEARTBEAT)
            await link.settle(10)
            assert isinstance(ear.events[-1], CallAnswered)

    run(scenario())


def test_settle_gives_up() -> None:
    async def scenario() -> None:
        async with Csms(answers={}) as csms, link_to(csms.url) as (link, ear):
            await ear.heard(CsmsConnected)
            link.send_call("id-1", HEARTBEAT)
            await link.settle(0.01)
            assert not any(isinstance(event, CallAnswered) for event in ear.events)

    run(scenario())


def test_what_the_station_raises_ends_run() -> None:
    async def scenario() -> None:
        def refuse(event: Event) -> None:
            raise RuntimeError(f"broken by {type(event).__name__}")

        async with Csms() as csms:
            link = CsmsLink(
                door=door_to(csms.url, "1"), dialect=Ocpp16(), on_event=refuse, random=Random(1)
            )
            with pytest.raises(ExceptionGroup) as caught:
                await link.run()
            assert "broken by CsmsConnected" in repr(caught.value.exceptions)

    run(scenario())


def test_a_csms_that_reads_no_answers_is_hung_up_on() -> None:
    async def scenario() -> None:
        async def flood(connection: ServerConnection) -> None:
            connection.transport.pause_reading()
            frame = '[2,"csms-1","Nonsense",{}]'
            try:
                while True:
                    await connection.send(frame)
                    await asyncio.sleep(0)  # `send` alone would not let the client have its turn
            finally:
                connection.transport.abort()

        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        async with serve(flood, sock=listener, subprotocols=[Subprotocol("ocpp1.6")]):
            port = listener.getsockname()[1]
            async with link_to(f"ws://127.0.0.1:{port}") as (_, ear):
                lost = await ear.heard(CsmsDisconnected)
                assert "reads no answers" in lost.reason

    run(scenario())


# -- why not connected -----------------------------------------------------------------------


async def reason_of(url: str, **more: Any) -> str:
    async with link_to(url, **more) as (_, ear):
        event = await ear.heard(CsmsDisconnected)
        assert isinstance(event, CsmsDisconnected)
        return event.reason


def test_connection_refused() -> None:
    async def scenario() -> None:
        reason = await reason_of("ws://127.0.0.1:1/ocpp")
        assert reason == "cannot connect to ws://127.0.0.1:1/ocpp/CP-1: connection refused"
        assert (await reason_of("ws://localhost:1")).endswith(": connection refused")

    run(scenario())


def test_name_not_known() -> None:
    async def scenario() -> None:
        assert (await reason_of("ws://no-such-host.invalid/ocpp")).endswith(": name not known")

    run(scenario())


@pytest.mark.parametrize(
    ("status", "words"), [(404, "HTTP 404 Not Found"), (401, "HTTP 401 Unauthorized")]
)
def test_http_status(status: int, words: str) -> None:
    async def scenario() -> None:
        def refuse(connection: ServerConnection, _request: Request) -> Response:
            return connection.respond(status, "no")

        async def never(_connection: ServerConnection) -> None:
            raise AssertionError

        async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            assert (await reason_of(f"ws://127.0.0.1:{port}")).endswith(f": {words}")

    run(scenario())


@asynccontextmanager
async def tcp_server(answer: bytes) -> AsyncIterator[int]:
    """Serve something that is no WebSocket."""

    async def serve_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve_it, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def test_not_a_websocket_server() -> None:
    async def scenario() -> None:
        async with tcp_server(b"220 mail ready\r\n") as port:
            assert "not a WebSocket server" in await reason_of(f"ws://127.0.0.1:{port}")

    run(scenario())


def test_no_answer() -> None:
    async def scenario() -> None:
        stop = asyncio.Event()

        async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await stop.wait()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            timing = Timing(open_s=0.05, first_retry_s=0.01)
            reason = await reason_of(f"ws://127.0.0.1:{port}", timing=timing)
            assert reason.endswith(": no answer in time")
            stop.set()

    run(scenario())


def test_tls_against_a_plain_server() -> None:
    async def scenario() -> None:
        async with tcp_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            reason = await reason_of(f"wss://127.0.0.1:{port}")
            assert reason.endswith(": TLS: what answers there speaks no TLS")
        async with tcp_server(b"") as port:
            reason = await reason_of(f"wss://127.0.0.1:{port}")
            assert reason.endswith(": TLS: hung up on during the handshake")

    run(scenario())


def test_tls_certificate_words() -> None:
    exc = ssl.SSLCertVerificationError()
    exc.verify_message = "self-signed certificate"
    assert "self-signed certificate" in why_not_connected(exc, None)


def test_a_csms_of_another_ocpp_version() -> None:
    async def scenario() -> None:
        async with Csms(subprotocols=[]) as csms, link_to(csms.url) as (_, ear):
            event = await ear.heard(CsmsDisconnected)
            assert event.reason.endswith("the CSMS did not agree to the subprotocol ocpp1.6")
            assert not any(isinstance(heard, CsmsConnected) for heard in ear.events)
            await csms.until(lambda: csms.closed_with)
            assert csms.closed_with[0][0] == 1002

    run(scenario())


def test_proxy_refused_and_environment_proxies_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def scenario() -> None:
        async with Csms() as csms:
            async with link_to(csms.url) as (_, ear):
                await ear.heard(CsmsConnected)
            reason = await reason_of(csms.url, proxy="http://127.0.0.1:1")
            assert reason.endswith(": proxy http://127.0.0.1:1: connection refused")

    run(scenario())


def test_proxy_that_refuses_and_proxy_that_works() -> None:
    async def scenario() -> None:
        async with tcp_server(b"HTTP/1.1 502 Bad Gateway\r\n\r\n") as port:
            proxy = f"http://127.0.0.1:{port}"
            reason = await reason_of("ws://csms.invalid/ocpp", proxy=proxy)
            assert reason.endswith(": connection refused")
        async with tcp_server(b"HTTP/1.1 403 Forbidden\r\n\r\n") as port:
            proxy = f"http://127.0.0.1:{port}"
            reason = await reason_of("ws://csms.invalid/ocpp", proxy=proxy)
            assert reason.endswith(f": proxy {proxy}: HTTP 403 Forbidden")
        async with Csms() as csms, tunnel(csms.port) as (proxy, asked):
            async with link_to("ws://csms.invalid/ocpp", proxy=proxy) as (link, ear):
                await ear.heard(CsmsConnected)
                link.send_call("id-1", HEARTBEAT)
                await ear.heard(CallAnswered)
            assert asked[0].startswith(b"CONNECT csms.invalid:80 ")

    run(scenario())


@asynccontextmanager
async def tunnel(port: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An HTTP proxy that leads to a port of this machine, whatever is asked."""
    asked: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def serve_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).splitlines()[0])
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
        finally:
            writer.transport.abort()
            there_writer.transport.abort()

    async with await asyncio.start_server(serve_it, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def test_waits_grow_and_stay_within_bounds() -> None:
    asked: list[tuple[float, float]] = []

    class Spy(Random):
        def uniform(self, a: float, b: float) -> float:
            asked.append((a, b))
            return 0.0

    async def scenario() -> None:
        ear = Ear()
        link = CsmsLink(
            door=door_to("ws://127.0.0.1:1", "x"), dialect=Ocpp16(), on_event=ear, random=Spy(1)
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(link.run())
            await ear.heard(CsmsDisconnected, 8)
            task.cancel()
        assert [low for low, _ in asked[:7]] == [1.0] * 7
        assert [high for _, high in asked[:7]] == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]

    run(scenario())
