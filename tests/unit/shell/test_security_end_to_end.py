"""A whole charge point: passwords and certificates are changed on real connections."""

import asyncio
import base64
import gzip
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cp_image.api import secrets
from cp_image.config import read
from cp_image.shell.charge_point import build
from cp_image.shell.csms import Timing
from cp_image.shell.store import Store
from tests.support.certificates import NOW, Authority
from tests.support.file_servers import http_files
from tests.unit.shell.peers import ACCEPTING, Csms, FakeLink, run
from tests.unit.shell.test_charge_point import STATUS

TIMING = Timing(first_retry_s=0.01, last_retry_s=0.05, close_s=0.5)
ANSWERS = ACCEPTING | {
    # Certificates are judged by the CSMS's clock: the true time, for once.
    "BootNotification": ACCEPTING["BootNotification"]
    | {"currentTime": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"},
    "LogStatusNotification": {},
    "SecurityEventNotification": {},
    "SignCertificate": {"status": "Accepted"},
    "SignedFirmwareStatusNotification": {},
}
OLD_KEY = b"old key 16 bytes"
NEW_KEY = b"\x00new key, binary\xff"
ROOT = Authority.shared()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the state directory of a charge point that has everything."""
    kept = tmp_path / "state" / secrets.DIRECTORY
    kept.mkdir(parents=True)
    own = ROOT.issue("CP-1")
    for name, content in {
        secrets.AUTHORIZATION_KEY: secrets.authorization_key_file(OLD_KEY),
        secrets.ROOT_CA: ROOT.pem.encode(),
        secrets.MANUFACTURER_CA: ROOT.pem.encode(),
        secrets.CLIENT_CERT: own.pem.encode(),
        secrets.CLIENT_KEY: own.key_pem,
    }.items():
        (kept / name).write_bytes(content)
    return kept.parent


@asynccontextmanager
async def charge_point(
    csms: Csms, directory: Path, profile: int, **more: str
) -> AsyncIterator[FakeLink]:
    """Run a charge point; it is stopped in order at the end."""
    environ = {
        "SIMU_CENTRAL_SYSTEM": csms.url,
        "SIMU_STATE_DIRECTORY": str(directory),
        "SIMU_SECURITY_PROFILE": str(profile),
    }
    config = read(environ | more, "CP-1")
    links: list[FakeLink] = []

    def make_link(callbacks: Any) -> FakeLink:
        links.append(FakeLink(callbacks))
        return links[0]

    with Store(config.state_directory) as store:
        runner = build(config, store, make_link=make_link, timing=TIMING)
        task = asyncio.create_task(runner.run())
        try:
            yield links[0]
            runner.stop()
            await task
        finally:
            task.cancel()


async def ask(csms: Csms, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    number = f"ask-{len(csms.frames)}"
    await csms.send(json.dumps([2, number, action, payload]))

    def answer() -> Any:
        return next((f[2] for f in map(json.loads, csms.frames) if f[:2] == [3, number]), None)

    await csms.until(lambda: answer() is not None)
    found: dict[str, Any] = answer()
    return found


async def change(csms: Csms, key: str, value: str) -> str:
    answer = await ask(csms, "ChangeConfiguration", {"key": key, "value": value})
    return str(answer["status"])


async def connections(csms: Csms, number: int) -> None:
    await csms.until(lambda: len(csms.paths) >= number)


def events(csms: Csms) -> list[str]:
    return [call["type"] for call in csms.calls("SecurityEventNotification")]


async def event(csms: Csms, name: str) -> None:
    await csms.until(lambda: name in events(csms))


def server(
    directory: Path, verify: ssl.VerifyMode = ssl.CERT_OPTIONAL, clients: Authority = ROOT
) -> ssl.SSLContext:
    context = ROOT.issue("csms", hosts=("localhost",)).server(directory, clients=clients)
    context.verify_mode = verify
    return context


def test_a_new_password_reaches_the_socket_and_outlives_the_process(directory: Path) -> None:
    async def scenario() -> None:
        async with Csms(answers=ANSWERS, login=("me", OLD_KEY)) as csms:
            user = {"SIMU_AUTHORIZATION_USER": "me"}
            async with charge_point(csms, directory, 1, **user) as link:
                await link.seen(STATUS, status="Accepted")
                csms.login = ("me", NEW_KEY)
                assert await change(csms, "AuthorizationKey", NEW_KEY.hex()) == "Accepted"
                await connections(csms, 2)
                await event(csms, "ReconfigurationOfSecurityParameters")
                answer = await ask(csms, "GetConfiguration", {"key": ["AuthorizationKey"]})
                assert answer["configurationKey"] == [
                    {"key": "AuthorizationKey", "readonly": False}
                ]
            async with charge_point(csms, directory, 1, **user) as link:
                await link.seen(STATUS, status="Accepted")

    run(scenario())


def test_a_new_password_that_is_refused_gives_way_to_the_old_one(directory: Path) -> None:
    async def scenario() -> None:
        async with (
            Csms(answers=ANSWERS, login=("CP-1", OLD_KEY)) as csms,
            charge_point(csms, directory, 1) as link,
        ):
            await link.seen(STATUS, status="Accepted")
            assert await change(csms, "AuthorizationKey", NEW_KEY.hex()) == "Accepted"
            reason = f"cannot connect to {csms.url}/CP-1: HTTP 401 Unauthorized: "
            await link.seen(
                STATUS, status="Disconnected", reason=f"{reason}the CSMS refuses user or password"
            )
            await link.seen(STATUS, status="Accepted", reason="")
            await event(csms, "FailedToAuthenticateAtCentralSystem")

    run(scenario())


def test_from_profile_2_to_3_and_never_back(directory: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        tls = server(tmp_path)
        async with Csms(answers=ANSWERS, tls=tls) as csms:
            async with charge_point(csms, directory, 2) as link:
                await link.seen(STATUS, status="Accepted")
                assert peer(csms) is None
                assert await change(csms, "SecurityProfile", "1") == "Rejected"
                assert await change(csms, "SecurityProfile", "3") == "Accepted"
                await connections(csms, 2)
                await event(csms, "ReconfigurationOfSecurityParameters")
                assert common_name(csms) == "CP-1"
                assert await change(csms, "SecurityProfile", "2") == "Rejected"
            async with charge_point(csms, directory, 2) as link:
                await connections(csms, 3)
                assert common_name(csms) == "CP-1"

    run(scenario())


def peer(csms: Csms) -> x509.Certificate | None:
    assert csms.connection is not None
    shown = csms.connection.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(shown) if shown else None


def common_name(csms: Csms) -> str:
    certificate = peer(csms)
    assert certificate is not None
    (name,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(name.value)


def test_a_profile_that_cannot_connect_falls_back(directory: Path) -> None:
    async def scenario() -> None:
        async with (
            Csms(answers=ANSWERS, login=("CP-1", OLD_KEY)) as csms,
            charge_point(csms, directory, 1) as link,
        ):
            await link.seen(STATUS, status="Accepted")
            assert await change(csms, "SecurityProfile", "2") == "Accepted"
            status = await link.seen(STATUS, status="Disconnected")
            await connections(csms, 2)
            await link.seen(STATUS, status="Accepted")
            reasons = [told["reason"] for told in link.on(STATUS)]
            assert any(r.startswith("cannot connect to wss://127.0.0.1") for r in reasons)
            assert status["central_system"] == csms.url
            answer = await ask(csms, "GetConfiguration", {"key": ["SecurityProfile"]})
            assert answer["configurationKey"][0]["value"] == "1"

    run(scenario())


@pytest.mark.parametrize("kind", ["ec-p256", "rsa-2048"])
def test_a_certificate_is_renewed_and_used(directory: Path, tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        tls = server(tmp_path, ssl.CERT_REQUIRED)
        async with Csms(answers=ANSWERS, tls=tls) as csms:
            keys = {
                "SIMU_KEY_KIND": kind,
                "SIMU_CONFIGURATION": json.dumps({"CpoName": "Operator"}),
            }
            async with charge_point(csms, directory, 3, **keys) as link:
                await link.seen(STATUS, status="Accepted")
                first = peer(csms)
                triggered = {"requestedMessage": "SignChargePointCertificate"}
                assert await ask(csms, "ExtendedTriggerMessage", triggered) == {
                    "status": "Accepted"
                }
                csr = (await csms.heard("SignCertificate"))["csr"]
                forged = {"certificateChain": Authority("Stranger").sign_csr(csr)}
                assert await ask(csms, "CertificateSigned", forged) == {"status": "Rejected"}
                await event(csms, "InvalidChargePointCertificate")
                chain = {"certificateChain": ROOT.sign_csr(csr)}
                assert await ask(csms, "CertificateSigned", chain) == {"status": "Accepted"}
                await connections(csms, 2)
                await event(csms, "ReconfigurationOfSecurityParameters")
                second = peer(csms)
                assert second is not None
                assert second != first
                assert "O=Operator" in second.subject.rfc4514_string()
            async with charge_point(csms, directory, 3) as link:
                await connections(csms, 3)
                assert peer(csms) == second

    run(scenario())


def test_what_is_no_ocpp_message_is_told(directory: Path) -> None:
    async def scenario() -> None:
        async with (
            Csms(answers=ANSWERS, login=("CP-1", OLD_KEY)) as csms,
            charge_point(csms, directory, 1) as link,
        ):
            await link.seen(STATUS, status="Accepted")
            await csms.send("not JSON")
            await event(csms, "InvalidMessages")
            told = csms.calls("SecurityEventNotification")[-1]["techInfo"]
            assert told.startswith("not JSON: ")

    run(scenario())


def test_roots_are_installed_named_and_deleted(directory: Path) -> None:
    async def scenario() -> None:
        async with (
            Csms(answers=ANSWERS, login=("CP-1", OLD_KEY)) as csms,
            charge_point(csms, directory, 1) as link,
        ):
            await link.seen(STATUS, status="Accepted")
            use = {"certificateType": "CentralSystemRootCertificate"}
            new = use | {"certificate": Authority("New root").pem}
            assert await ask(csms, "InstallCertificate", new) == {"status": "Accepted"}
            bad = use | {"certificate": ROOT.issue("leaf").pem}
            assert await ask(csms, "InstallCertificate", bad) == {"status": "Rejected"}
            found = await ask(csms, "GetInstalledCertificateIds", use)
            assert len(found["certificateHashData"]) == 2
            for named in found["certificateHashData"]:
                gone = {"certificateHashData": named}
                assert await ask(csms, "DeleteCertificate", gone) == {"status": "Accepted"}
                assert await ask(csms, "DeleteCertificate", gone) == {"status": "NotFound"}
            assert await ask(csms, "GetInstalledCertificateIds", use) == {"status": "NotFound"}

    run(scenario())


def test_a_security_log_is_uploaded(directory: Path) -> None:
    async def scenario() -> None:
        with http_files() as files:
            async with (
                Csms(answers=ANSWERS, login=("CP-1", OLD_KEY)) as csms,
                charge_point(csms, directory, 1) as link,
            ):
                await link.seen(STATUS, status="Accepted")
                answer = await ask(
                    csms,
                    "GetLog",
                    {
                        "logType": "SecurityLog",
                        "requestId": 4,
                        "log": {"remoteLocation": f"{files.url}/in"},
                    },
                )
                uploaded = {"status": "Uploaded", "requestId": 4}
                await csms.until(lambda: uploaded in csms.calls("LogStatusNotification"))
                text = gzip.decompress(files.files[f"/in/{answer['filename']}"]).decode()
                assert " StartupOfTheDevice\n" in text
                assert "[log]" not in text

    run(scenario())


@pytest.mark.parametrize("genuine", [True, False])
def test_signed_firmware_is_verified(directory: Path, *, genuine: bool) -> None:
    async def scenario() -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        content = b"firmware-version: 3.1.4\nbytes"
        signature = key.sign(content if genuine else b"other", ec.ECDSA(hashes.SHA256()))
        with http_files() as files:
            files.files["/fw.bin"] = content
            async with (
                Csms(answers=ANSWERS, login=("CP-1", OLD_KEY)) as csms,
                charge_point(csms, directory, 1, SIMU_CLOCK_RATE="100") as link,
            ):
                await link.seen(STATUS, status="Accepted")
                firmware = {
                    "location": f"{files.url}/fw.bin",
                    "retrieveDateTime": "2020-01-01T00:00:00Z",
                    "signingCertificate": ROOT.issue("Signer", key=key).pem,
                    "signature": base64.b64encode(signature).decode(),
                }
                answer = await ask(
                    csms, "SignedUpdateFirmware", {"requestId": 9, "firmware": firmware}
                )
                assert answer == {"status": "Accepted"}
                last = {
                    "status": "Installed" if genuine else "InvalidSignature",
                    "requestId": 9,
                }
                told = "SignedFirmwareStatusNotification"
                await csms.until(lambda: last in csms.calls(told))
                if genuine:
                    boot = await csms.heard("BootNotification", 2)
                    assert boot["firmwareVersion"] == "3.1.4"
                    await event(csms, "FirmwareUpdated")
                else:
                    await event(csms, "InvalidFirmwareSignature")

    run(scenario())


def test_what_is_not_verified_is_said_on_mqtt(
    directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        tls = Authority("Stranger").issue("other").server(tmp_path)
        async with (
            Csms(answers=ANSWERS, tls=tls, login=("CP-1", OLD_KEY)) as csms,
            charge_point(csms, directory, 2, SIMU_TLS_VERIFICATION="none") as link,
        ):
            status = await link.seen(STATUS, status="Accepted")
            assert status["reason"].startswith("UNSAFE: the certificate of the CSMS is not")

    with caplog.at_level(logging.WARNING):
        run(scenario())
    assert "UNSAFE" in caplog.text


def test_a_file_that_is_no_good_is_told_and_tried_again(directory: Path) -> None:
    async def scenario() -> None:
        (directory / secrets.DIRECTORY / secrets.ROOT_CA).write_text(ROOT.pem[:100])
        async with Csms(answers=ANSWERS) as csms:
            csms_url = csms.url
        csms.tls = None
        environ = {"SIMU_CENTRAL_SYSTEM": csms_url.replace("ws:", "wss:")}
        async with charge_point(csms, directory, 2, **environ) as link:
            status = await link.seen(STATUS, status="Disconnected")
            await link.until(lambda: link.on(STATUS)[-1]["reason"])
            status = link.on(STATUS)[-1]
            assert status["reason"].endswith("root_ca.pem: a certificate in it is not whole")

    run(scenario())
