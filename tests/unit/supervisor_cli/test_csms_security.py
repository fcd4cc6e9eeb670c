"""The security profiles of the central system in the box, over real sockets and real TLS."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from supervisor_cli.csms_door import ANYBODY, Login
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.frame_line import Direction
from supervisor_cli.ocpp_frames import Call
from supervisor_cli.pki import Pki

WAIT_S = 60.0
AT = "2026-01-01T12:00:00.000Z"
RAW = b"\x00\xff:\x80 not of any character set"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = Pki.create(tmp_path_factory.mktemp("pki"))
    made.issue_csms(["localhost", "127.0.0.1"])
    made.issue_charge_point("CP-1")
    return made


def basic(user: str, password: bytes) -> dict[str, str]:
    encoded = base64.b64encode(user.encode() + b":" + password).decode()
    return {"Authorization": f"Basic {encoded}"}


def client_context(pki: Pki, charge_point_id: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki.root_ca))
    if charge_point_id is not None:
        context.load_cert_chain(*pki.charge_point(charge_point_id))
    return context


@asynccontextmanager
async def connected(
    csms: DemoCsms,
    charge_point_id: str = "CP-1",
    headers: Mapping[str, str] | None = None,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[ClientConnection]:
    async with connect(
        f"{csms.url}/{charge_point_id}",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers=headers,
        ssl=context,
        close_timeout=1,
        proxy=None,
    ) as connection:
        yield connection


async def ask(connection: ClientConnection, action: str, payload: object) -> Any:
    await connection.send(json.dumps([2, f"id-{action}", action, payload]))
    async with asyncio.timeout(WAIT_S):
        kind, unique_id, answer = json.loads(await connection.recv())
    assert (kind, unique_id) == (3, f"id-{action}")
    return answer


async def refusal(
    csms: DemoCsms,
    headers: Mapping[str, str] | None = None,
    context: ssl.SSLContext | None = None,
    charge_point_id: str = "CP-1",
) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        async with connected(csms, charge_point_id, headers, context):
            pass
    assert csms.connected == frozenset()
    return caught.value


# -- profile 1 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("password", [b"a password", RAW, b"with:colons:in:it"])
async def test_a_password_is_raw_bytes(password: bytes) -> None:
    async with (
        DemoCsms(passwords={"CP-1": password}) as csms,
        connected(csms, headers=basic("CP-1", password)) as connection,
    ):
        answer = await ask(connection, "Heartbeat", {})
        assert "currentTime" in answer
        assert csms.refusals == []


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "no password"),
        (basic("CP-1", b"another"), "wrong password"),
        (basic("CP-1", b""), "wrong password"),
        (basic("CP-2", RAW), "user 'CP-2' is not the one of this charge point"),
        ({"Authorization": "Bearer abc"}, "HTTP Basic is asked for"),
        ({"Authorization": "Basic ***"}, "not base64"),
        ({"Authorization": "Basic " + base64.b64encode(b"CP-1").decode()}, "without a colon"),
    ],
)
async def test_a_charge_point_is_turned_away_with(headers: dict[str, str], why: str) -> None:
    async with DemoCsms(passwords={"CP-1": RAW}) as csms:
        turned_away = await refusal(csms, headers)
        assert turned_away.response.status_code == 401
        assert turned_away.response.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert why in (turned_away.response.body or b"").decode()
        assert [each.charge_point_id for each in csms.refusals] == ["CP-1"]
        assert why in csms.refusals[0].text


async def test_who_has_no_password_here_is_turned_away() -> None:
    async with DemoCsms(passwords={"CP-2": RAW}) as csms:
        turned_away = await refusal(csms, basic("CP-1", RAW))
        assert turned_away.response.status_code == 401


async def test_a_user_name_other_than_the_id() -> None:
    logins: dict[str, bytes | Login] = {
        ANYBODY: b"everybody's",
        "CP-1": Login(password=RAW, user="operator"),
    }
    async with DemoCsms(passwords=logins) as csms:
        async with connected(csms, headers=basic("operator", RAW)):
            pass
        async with connected(csms, "CP-9", headers=basic("CP-9", b"everybody's")):
            pass
        await refusal(csms, basic("CP-1", RAW))


async def test_a_password_that_was_changed_holds_from_the_next_connection_on() -> None:
    async with DemoCsms(passwords={"CP-1": b"the old one"}) as csms:
        async with connected(csms, headers=basic("CP-1", b"the old one")):
            csms.set_password("CP-1", b"the new one")
        async with connected(csms, headers=basic("CP-1", b"the new one")):
            pass
        await csms.wait_for(lambda it: not it.connected, WAIT_S)
        await refusal(csms, basic("CP-1", b"the old one"))


# -- profiles 2 and 3 ---------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_profile_2(pki: Pki, version: ssl.TLSVersion) -> None:
    context = pki.server_context(require_client_certificate=False, only_version=version)
    async with DemoCsms(ssl=context, passwords={"CP-1": RAW}) as csms:
        assert csms.url.startswith("wss://127.0.0.1:")
        trusted = client_context(pki)
        async with connected(csms, headers=basic("CP-1", RAW), context=trusted) as connection:
            spoken = connection.transport.get_extra_info("ssl_object").version()
            assert spoken == version.name.replace("_", ".")
            await ask(connection, "Heartbeat", {})
        await csms.wait_for(lambda it: not it.connected, WAIT_S)
        turned_away = await refusal(csms, basic("CP-1", b"wrong"), trusted)
        assert turned_away.response.status_code == 401


async def test_older_tls_is_not_spoken(pki: Pki) -> None:
    context = pki.server_context(require_client_certificate=False)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_profile_3(pki: Pki, version: ssl.TLSVersion) -> None:
    context = pki.server_context(require_client_certificate=True, only_version=version)
    async with DemoCsms(ssl=context, require_client_certificate=True) as csms:
        async with connected(csms, context=client_context(pki, "CP-1")) as connection:
            await ask(connection, "Heartbeat", {})
        await csms.wait_for(lambda it: not it.connected, WAIT_S)
        turned_away = await refusal(
            csms, context=client_context(pki, "CP-1"), charge_point_id="CP-2"
        )
        assert turned_away.response.status_code == 403
        assert "certificate is for CP-1, not for CP-2" in csms.refusals[0].text
        with pytest.raises((OSError, InvalidMessage)):  # which one is the version's affair
            async with connected(csms, context=client_context(pki)):
                pass
        assert csms.connected == frozenset()


def test_a_client_certificate_needs_tls_that_asks_for_one(pki: Pki) -> None:
    with pytest.raises(ValueError, match="SSL context that requires one"):
        DemoCsms(require_client_certificate=True)
    with pytest.raises(ValueError, match="SSL context that requires one"):
        DemoCsms(
            ssl=pki.server_context(require_client_certificate=False),
            require_client_certificate=True,
        )


# -- the messages of the whitepaper -------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("SecurityEventNotification", {"type": "FirmwareUpdated", "timestamp": AT}),
        ("LogStatusNotification", {"status": "Uploaded", "requestId": 7}),
        ("SignedFirmwareStatusNotification", {"status": "Installed", "requestId": 7}),
    ],
)
async def test_a_notification_is_answered(action: str, payload: dict[str, object]) -> None:
    async with DemoCsms() as csms, connected(csms) as connection:
        assert await ask(connection, action, payload) == {}
        assert csms.violations == []


def signing_request(common_name: str) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


async def test_a_certificate_is_issued_and_sent(pki: Pki) -> None:
    async with DemoCsms(issuer=pki.sign) as csms, connected(csms) as connection:
        answer = await ask(connection, "SignCertificate", {"csr": signing_request("CP-1")})
        assert answer == {"status": "Accepted"}
        async with asyncio.timeout(WAIT_S):
            kind, unique_id, action, payload = json.loads(await connection.recv())
        assert (kind, action) == (2, "CertificateSigned")
        made = x509.load_pem_x509_certificate(payload["certificateChain"].encode())
        root = x509.load_pem_x509_certificate(pki.root_ca.read_bytes())
        made.verify_directly_issued_by(root)
        await connection.send(json.dumps([3, unique_id, {"status": "Accepted"}]))
        await csms.wait_for(
            lambda it: any(
                record.action == "CertificateSigned" and record.direction is Direction.TO_CSMS
                for record in it.frames
            ),
            WAIT_S,
        )
        assert csms.violations == []


async def test_a_charge_point_may_ask_for_its_serial_number(pki: Pki) -> None:
    boot = {
        "chargePointVendor": "v",
        "chargePointModel": "m",
        "chargePointSerialNumber": "SERIAL-1",
    }
    async with DemoCsms(issuer=pki.sign) as csms, connected(csms) as connection:
        await ask(connection, "BootNotification", boot)
        answer = await ask(connection, "SignCertificate", {"csr": signing_request("SERIAL-1")})
        assert answer == {"status": "Accepted"}


@pytest.mark.parametrize("request_text", [signing_request("CP-2"), "not a request"])
async def test_a_certificate_of_another_one_is_not_issued(pki: Pki, request_text: str) -> None:
    async with DemoCsms(issuer=pki.sign) as csms, connected(csms) as connection:
        answer = await ask(connection, "SignCertificate", {"csr": request_text})
        assert answer == {"status": "Rejected"}
        assert csms.refusals[0].text.startswith("SignCertificate is rejected: ")
        assert not [
            it
            for it in csms.frames
            if isinstance(it.frame, Call) and it.direction is Direction.TO_CHARGE_POINT
        ]


async def test_without_a_pki_nothing_is_issued() -> None:
    async with DemoCsms() as csms, connected(csms) as connection:
        answer = await ask(connection, "SignCertificate", {"csr": signing_request("CP-1")})
        assert answer == {"status": "Rejected"}


async def test_a_pki_that_lost_its_key_issues_nothing(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path)
    (tmp_path / "root_ca.key").unlink()
    async with DemoCsms(issuer=pki.sign) as csms, connected(csms) as connection:
        answer = await ask(connection, "SignCertificate", {"csr": signing_request("CP-1")})
        assert answer == {"status": "Rejected"}
        assert "root_ca.key" in csms.refusals[0].text
