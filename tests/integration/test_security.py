"""Every security profile in containers, against a real TLS server and a PKI made on the spot."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cp_image.mqtt_link import BrokerAddress, Message, MqttLink
from launcher.api import CommandType, secrets_volume
from launcher.fleet import read_specification
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.pki import Pki
from tests.integration.conftest import free_port
from tests.integration.fleet import Stage
from tests.integration.safe import ID, PASSWORD, WITHIN_S, Safe, csms, safety, told

RECONFIGURED = "ReconfigurationOfSecurityParameters"


@pytest.fixture
async def safe(where: Stage, tmp_path: Path) -> AsyncIterator[Safe]:
    async with safety(where, tmp_path) as ready:
        yield ready


async def test_profile_1_and_who_never_sees_the_password(safe: Safe) -> None:
    seen: list[Message] = []
    eavesdropper = MqttLink(
        address=BrokerAddress(host=safe.where.broker.host, port=safe.where.broker.port),
        client_id="eavesdropper",
        on_message=seen.append,
    )
    eavesdropper.subscribe_filter("#")
    await eavesdropper.connect()
    await eavesdropper.confirm_subscriptions()
    async with csms(safe, 1) as server:
        await safe.add(server, 1, "--password-file", safe.password_file)
        assert server.refusals == []
        new = "00" * 15 + "ff"
        answer = await server.call(
            ID, "ChangeConfiguration", {"key": "AuthorizationKey", "value": new}
        )
        assert answer == {"status": "Accepted"}
        server.set_password(ID, bytes.fromhex(new))
        await server.wait_for(lambda it: RECONFIGURED in told(it), WITHIN_S)
    await eavesdropper.close()
    # The engine and the broker know the charge point inside out, and not its passwords.
    assert any(message.topic.endswith(f"/cps/{ID}/status") for message in seen)
    container = safe.where.container(ID)
    known = json.dumps(container.attrs) + container.logs().decode()
    known += "".join(message.payload.decode() for message in seen)
    assert not [each for each in (PASSWORD.decode(), PASSWORD.hex(), new) if each in known]


async def test_profile_2_and_the_root_in_use(safe: Safe, tmp_path: Path) -> None:
    options = ["--password-file", safe.password_file, *safe.root_ca()]
    root = {"certificateType": "CentralSystemRootCertificate"}
    other = Pki.create(tmp_path / "other").root_ca.read_text()
    async with csms(safe, 2) as server:
        await safe.add(server, 2, *options)
        installed = await server.call(ID, "InstallCertificate", root | {"certificate": other})
        assert installed == {"status": "Accepted"}
        there = await server.call(ID, "GetInstalledCertificateIds", root)
        statuses = [
            (await server.call(ID, "DeleteCertificate", {"certificateHashData": each}))["status"]
            for each in there["certificateHashData"]
        ]
        assert statuses == ["Failed", "Accepted"]


async def test_a_profile_is_raised_or_falls_back_and_is_never_lowered(safe: Safe) -> None:
    port = free_port()
    options = ["--password-file", safe.password_file, *safe.root_ca()]
    async with csms(safe, 1, port=port) as server:
        await safe.add(server, 1, *options)
        assert await change_profile(server, 2) == "Accepted"
        # Here nobody speaks TLS.
        await server.wait_for(lambda it: RECONFIGURED in told(it), WITHIN_S)
        assert told(server)[RECONFIGURED].startswith(
            "security profile 2 does not work, back to what did: "
        )
        assert await change_profile(server, 2) == "Accepted"
        await server.wait_for(lambda it: ID not in it.connected, WITHIN_S)
    async with csms(safe, 2, port=port) as server:
        await server.wait_for(lambda it: RECONFIGURED in told(it), WITHIN_S)
        assert told(server)[RECONFIGURED] == "security profile 2"
        assert await change_profile(server, 1) == "Rejected"
        # Not even where it was started for another one.
        await safe.simuctl.good("kill", ID)
        await safe.simuctl.good("restart", ID)
        await server.wait_for(lambda it: ID in it.connected, WITHIN_S)


async def test_profile_3_outlives_the_power_and_a_clean_start(safe: Safe) -> None:
    volume = secrets_volume(safe.where.name, ID)
    async with csms(safe, 3) as server:
        await safe.add(server, 3, *safe.root_ca(), *safe.client())
        assert volume in safe.where.volumes()
        for command in (["restart", ID], ["kill", ID]):
            await safe.simuctl.good(*command)
        await server.wait_for(lambda it: ID not in it.connected, WITHIN_S)
        # Without simuctl the launcher starts it anew with the secrets that are there.
        async with safe.where.client() as simu:
            entry: dict[str, object] = {"id": ID, "type": "AC", "central_system": server.url}
            entry |= {"security_profile": 3, "secrets": True}
            again = read_specification(json.dumps(entry).encode())
            assert (await simu.start([again])).ok
            await server.wait_for(lambda it: ID in it.connected, WITHIN_S)
            assert (await simu.command(CommandType.REMOVE, [ID])).ok
        assert safe.where.volumes() == []


async def test_a_certificate_of_another_host_is_not_believed_unless_asked_to(safe: Safe) -> None:
    safe.pki.issue_csms(["csms.example.com"])
    options = ["--password-file", safe.password_file, *safe.root_ca()]
    async with csms(safe, 2) as server:
        await safe.add_in_vain(server, 2, "is not made out to", *options)
        await safe.simuctl.good("rm", ID, "--yes")
        await safe.add(server, 2, *options, "--any-host-name")


async def test_nothing_is_verified_where_that_is_asked_for(safe: Safe, tmp_path: Path) -> None:
    other = Pki.create(tmp_path / "other")
    options = ["--password-file", safe.password_file, "--root-ca", str(other.root_ca)]
    async with csms(safe, 2) as server:
        await safe.add(server, 2, *options, "--insecure-tls")


async def test_a_certificate_is_renewed(safe: Safe) -> None:
    async with csms(safe, 3) as server:
        await safe.add(server, 3, *safe.root_ca(), *safe.client())
        asked = await server.call(
            ID, "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}
        )
        assert asked == {"status": "Accepted"}
        await server.wait_for(
            lambda it: any(
                record.action == "CertificateSigned" and '"Accepted"' in record.text
                for record in it.frames
            ),
            WITHIN_S,
        )
        await server.wait_for(lambda it: RECONFIGURED in told(it), WITHIN_S)
        assert told(server)[RECONFIGURED] == "another certificate of the charge point"
        assert ID in server.connected


async def test_signed_firmware_is_installed_and_unsigned_is_not(safe: Safe, tmp_path: Path) -> None:
    safe.pki.issue_firmware()
    image = tmp_path / "files" / "fw-2.0.1.bin"
    image.parent.mkdir()
    image.write_bytes(b"firmware")
    signed = safe.pki.sign_firmware(image)
    with files_at(safe.where.gateway, image.parent) as url:
        firmware = {
            "location": f"{url}/{image.name}",
            "retrieveDateTime": "2026-01-01T00:00:00Z",
            "signingCertificate": signed.signing_certificate,
            "signature": signed.signature,
        }
        async with csms(safe, 1) as server:
            pki = ["--pki", str(safe.pki.directory)]
            await safe.add(server, 1, "--password-file", safe.password_file, *pki)
            image.write_bytes(b"something else")
            await update(server, 1, firmware)
            await server.wait_for(lambda it: "InvalidSignature" in firmware_statuses(it), WITHIN_S)
            await server.wait_for(lambda it: "InvalidFirmwareSignature" in told(it), WITHIN_S)
            image.write_bytes(b"firmware")
            await update(server, 2, firmware)
            await server.wait_for(lambda it: "Installed" in firmware_statuses(it), 2 * WITHIN_S)
            boot = server.calls(ID, "BootNotification")[-1].payload
            assert boot["firmwareVersion"] == "2.0.1"


@contextmanager
def files_at(address: str, directory: Path) -> Iterator[str]:
    """Serve the files of a directory over HTTP; yield the URL."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(directory))
    with ThreadingHTTPServer((address, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{address}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


async def update(server: DemoCsms, number: int, firmware: dict[str, str]) -> None:
    request = {"requestId": number, "firmware": firmware, "retries": 0}
    answer = await server.call(ID, "SignedUpdateFirmware", request)
    assert answer == {"status": "Accepted"}


def firmware_statuses(server: DemoCsms) -> list[str]:
    calls = server.calls(ID, "SignedFirmwareStatusNotification")
    return [call.payload["status"] for call in calls]


async def change_profile(server: DemoCsms, profile: int) -> str:
    request = {"key": "SecurityProfile", "value": str(profile)}
    answer = await server.call(ID, "ChangeConfiguration", request)
    return str(answer["status"])
