"""TLS handshakes that fail, as the central system in the box tells them; over real sockets."""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve

from cp_image.shell.alerting_tls import AlertingContext
from supervisor_cli.certificates import Validity, When
from supervisor_cli.csms_tls import Handshakes
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.pki import Pki

WAIT_S = 60.0
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = Pki.create(tmp_path / "pki")
    made.issue_csms(["localhost"])
    made.issue_charge_point("CP-1")
    return made


def trusting(pki: Pki) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pki.root_ca))


def shake_hands(url: str, context: ssl.SSLContext) -> None:
    """Shake hands as a program without asyncio does; it is not to work."""
    address = ("127.0.0.1", urlsplit(url).port or 0)
    with (
        contextlib.suppress(OSError),
        socket.create_connection(address, WAIT_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        # Under TLS 1.3 a certificate is refused after the client's part is done.
        tls.recv(1)


async def refused(csms: DemoCsms, context: ssl.SSLContext) -> str:
    """Return what is told of a handshake, once only."""
    await asyncio.to_thread(shake_hands, csms.url, context)
    await csms.wait_for(lambda it: it.refusals, WAIT_S)
    (refusal,) = csms.refusals
    assert re.match(r"\d\d:\d\d:\d\d 127\.0\.0\.1:\d+: TLS: ", str(refusal))
    return refusal.text


def expired(pki: Pki) -> ssl.SSLContext:
    pki.issue_csms(["localhost"], validity=Validity.of(9, When.EXPIRED))
    return trusting(pki)


def elsewhere(pki: Pki) -> ssl.SSLContext:
    pki.issue_csms(["elsewhere.example.com"])
    return trusting(pki)


def stranger(pki: Pki) -> ssl.SSLContext:
    return trusting(Pki.create(pki.directory / "other"))


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (stranger, "its root does not vouch for it"),
        (expired, "it has expired"),
        (elsewhere, "made out to another name"),
    ],
)
async def test_a_charge_point_that_does_not_believe_the_csms(
    pki: Pki, make: Callable[[Pki], ssl.SSLContext], words: str, version: ssl.TLSVersion
) -> None:
    client = make(pki)
    context = pki.server_context(require_client_certificate=False, only_version=version)
    async with DemoCsms(ssl=context, passwords={"*": b"x"}) as csms:
        told = await refused(csms, client)
        assert told.startswith("TLS: the charge point refuses the certificate of the CSMS: ")
        assert words in told


def without(pki: Pki) -> ssl.SSLContext:
    return trusting(pki)


def of_another_pki(pki: Pki) -> ssl.SSLContext:
    client, other = trusting(pki), Pki.create(pki.directory / "other")
    other.issue_charge_point("CP-1")
    client.load_cert_chain(*other.charge_point("CP-1"))
    return client


def too_late(pki: Pki) -> ssl.SSLContext:
    pki.issue_charge_point("CP-1", validity=Validity.of(9, When.EXPIRED))
    client = trusting(pki)
    client.load_cert_chain(*pki.charge_point("CP-1"))
    return client


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (without, "the charge point shows no certificate"),
        (of_another_pki, "certificate does not verify: unable to get local issuer certificate"),
        (too_late, "certificate does not verify: certificate has expired"),
    ],
)
async def test_a_charge_point_that_the_csms_does_not_believe(
    pki: Pki, make: Callable[[Pki], ssl.SSLContext], words: str, version: ssl.TLSVersion
) -> None:
    client = make(pki)
    context = pki.server_context(require_client_certificate=True, only_version=version)
    async with DemoCsms(ssl=context, require_client_certificate=True) as csms:
        assert words in await refused(csms, client)


async def test_a_charge_point_that_speaks_no_tls(pki: Pki) -> None:
    context = pki.server_context(require_client_certificate=False)
    async with DemoCsms(ssl=context, passwords={"*": b"x"}) as csms:
        _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(csms.url).port)
        writer.write(b"GET /ocpp/CP-1 HTTP/1.1\r\n\r\n")
        await csms.wait_for(lambda it: it.refusals, WAIT_S)
        assert csms.refusals[0].text == "TLS: it speaks ws:// where wss:// is served"
        writer.close()
        await writer.wait_closed()


async def test_each_failed_handshake_is_told_with_the_address_it_came_from(pki: Pki) -> None:
    context = pki.server_context(require_client_certificate=False)
    async with (
        DemoCsms(ssl=context, passwords={"*": b"x"}) as csms,
        contextlib.AsyncExitStack() as them,
    ):
        writers = []
        for _ in range(3):
            _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(csms.url).port)
            them.push_async_callback(closed, writer)
            writers.append(writer)
        order = [writers[2], writers[0], writers[1]]
        for writer in order:
            before = len(csms.refusals)
            writer.write(b"GET /ocpp/CP-1 HTTP/1.1\r\n\r\n")
            await csms.wait_for(partial(one_more, before), WAIT_S)
        ports = [writer.get_extra_info("sockname")[1] for writer in order]
        assert [each.peer for each in csms.refusals] == [f"127.0.0.1:{port}" for port in ports]


def one_more(before: int, csms: DemoCsms) -> bool:
    return len(csms.refusals) == before + 1


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_who_says_nothing_holds_no_end_up(pki: Pki) -> None:
    context = pki.server_context(require_client_certificate=False)
    async with contextlib.AsyncExitStack() as them, asyncio.timeout(WAIT_S):
        async with DemoCsms(ssl=context, passwords={"*": b"x"}) as csms:
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(csms.url).port)
            them.push_async_callback(closed, writer)
            _, other = await asyncio.open_connection("127.0.0.1", urlsplit(csms.url).port)
            them.push_async_callback(closed, other)
            other.write(b"x" * 100)  # the first has been accepted before the second is refused
            await csms.wait_for(lambda it: it.refusals, WAIT_S)
        assert await reader.read() == b""


async def test_a_charge_point_without_a_common_cipher_suite(pki: Pki) -> None:
    context = pki.server_context(
        require_client_certificate=False, only_version=ssl.TLSVersion.TLSv1_2
    )
    client = trusting(pki)
    client.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the CSMS has an EC key
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    async with DemoCsms(ssl=context, passwords={"*": b"x"}) as csms:
        assert "offers no cipher suite that is taken" in await refused(csms, client)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
async def test_a_charge_point_and_the_csms_do_not_wait_for_each_other(
    pki: Pki, version: ssl.TLSVersion
) -> None:
    other = Pki.create(pki.directory / "other")
    other.issue_charge_point("CP-1")
    client = AlertingContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(pki.root_ca)
    client.load_cert_chain(*other.charge_point("CP-1"))
    context = pki.server_context(require_client_certificate=True, only_version=version)
    async with DemoCsms(ssl=context, require_client_certificate=True) as csms:

        async def connect() -> None:
            reader, _ = await asyncio.open_connection(
                "127.0.0.1", urlsplit(csms.url).port, ssl=client, server_hostname="localhost"
            )
            await reader.read(1)

        with pytest.raises(ssl.SSLError, match="ALERT_UNKNOWN_CA"):
            await asyncio.wait_for(connect(), WAIT_S)


async def test_a_charge_point_that_begins_and_does_not_go_on(pki: Pki) -> None:
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    context = pki.server_context(require_client_certificate=False)
    hands = Handshakes(context, lambda peer, why: told.put_nowait((peer, why)), within_s=0.1)

    async def nothing(connection: ServerConnection) -> None:
        raise AssertionError("it never comes so far")

    made_of = hands.connection_class()
    async with serve(nothing, "127.0.0.1", 0, create_connection=made_of) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), WAIT_S) as silent:
            host, own_port = silent.getsockname()
            async with asyncio.timeout(WAIT_S):
                peer, why = await told.get()
        await hands.close()
    assert peer == f"{host}:{own_port}"
    assert why == "TLS: the charge point began a handshake, and did not go on"
    assert told.empty()
