"""All that can be wrong with security: each fault is shown, logged, told, and can be mended.

The charge points of a story fail side by side, each at a central system of its own.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cp_image.api import secrets
from supervisor_cli.certificates import Validity, When
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.pki import Pki
from supervisor_cli.secret_volumes import SecretVolumes
from tests.integration.conftest import free_port
from tests.integration.container_log import until_logged
from tests.integration.fleet import Stage
from tests.integration.safe import PASSWORD, WITHIN_S, Safe, safety, told
from tests.support.certificates import name_of, sign, weak_key

Context = ssl.SSLContext


@pytest.fixture
async def safe(where: Stage, tmp_path: Path) -> AsyncIterator[Safe]:
    async with safety(where, tmp_path) as ready:
        yield ready


# -- faults of the central system, or that it finds ------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a central system, seen from a charge point.

    Attributes:
        id: of the charge point that meets it.
        profile: of both.
        spoil: makes of the PKI of the charge point and the one it is spoiled with what the
            central system listens with; None is what it listens with when mended, too.
        reason: what is shown, in part.
        event: what the central system is told when it is mended.
        password: what it wants until then.
    """

    id: str
    profile: int = 2
    spoil: Callable[[Safe, Pki], Context] | None = None
    reason: str
    event: str = "InvalidCentralSystemCertificate"
    password: bytes = PASSWORD


def listening(pki: Pki, **more: Any) -> Context:
    return pki.server_context(require_client_certificate=False, **more)


def at_another_time(when: When) -> Callable[[Safe, Pki], Context]:
    def spoil(safe: Safe, _other: Pki) -> Context:
        safe.pki.issue_csms([safe.where.gateway], validity=Validity.of(30, when))
        return listening(safe.pki)

    return spoil


def of_another_host(safe: Safe, _other: Pki) -> Context:
    safe.pki.issue_csms(["csms.example.com"])
    return listening(safe.pki)


def of_another_pki(safe: Safe, other: Pki) -> Context:
    other.issue_csms([safe.where.gateway])
    return listening(other)


def with_a_weak_key(safe: Safe, other: Pki) -> Context:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    root, key = (safe.pki.directory / f"root_ca.{kind}" for kind in ("pem", "key"))
    certificate = sign(
        subject=name_of("csms"),
        public_key=weak_key().public_key(),
        issuer=x509.load_pem_x509_certificate(root.read_bytes()).subject,
        key=serialization.load_pem_private_key(key.read_bytes(), None),  # type: ignore[arg-type]
        names=[x509.IPAddress(ip_address(safe.where.gateway))],
    )
    paths = other.csms
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        weak_key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context.load_cert_chain(*paths)
    return context


def of_an_old_version(safe: Safe, _other: Pki) -> Context:
    context = listening(safe.pki)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = (
        ssl.TLSVersion.TLSv1,
        ssl.TLSVersion.TLSv1_1,
    )
    return context


def with_an_odd_cipher_suite(safe: Safe, _other: Pki) -> Context:
    context = listening(safe.pki, only_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    return context


def for_its_own_charge_points(safe: Safe, other: Pki) -> Context:
    context = listening(safe.pki)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(other.root_ca)
    return context


FAULTS = (
    Fault(id="EXPIRED", spoil=at_another_time(When.EXPIRED), reason="CSMS has expired"),
    Fault(id="EARLY", spoil=at_another_time(When.NOT_YET), reason="CSMS is not valid yet"),
    Fault(id="HOST", spoil=of_another_host, reason="CSMS is not made out to "),
    Fault(id="CA", spoil=of_another_pki, reason="is not among the root certificates"),
    Fault(id="WEAK", spoil=with_a_weak_key, reason="CSMS has a key that is too weak"),
    Fault(
        id="OLD-TLS",
        spoil=of_an_old_version,
        reason="the CSMS takes none of TLS 1.2 and 1.3",
        event="InvalidTLSVersion",
    ),
    Fault(
        id="CIPHER",
        spoil=with_an_odd_cipher_suite,
        reason="the CSMS takes none of the cipher suites offered",
        event="InvalidTLSCipherSuite",
    ),
    Fault(
        id="PASSWORD",
        profile=1,
        password=b"another",
        reason="HTTP 401 Unauthorized: the CSMS refuses user or password",
        event="FailedToAuthenticateAtCentralSystem",
    ),
    Fault(
        id="CLIENT",
        profile=3,
        spoil=for_its_own_charge_points,
        reason="the CSMS does not know who made the charge point's certificate",
        event="FailedToAuthenticateAtCentralSystem",
    ),
)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_a_fault_is_shown_and_told_when_it_is_mended(safe: Safe, tmp_path: Path) -> None:
    meetings = [Meeting(safe, fault, tmp_path / fault.id) for fault in FAULTS]
    async with AsyncExitStack() as stack:
        for meeting in meetings:
            await stack.enter_async_context(meeting.spoiled())
        await each(meetings, Meeting.fail)
        servers = [meeting.server for meeting in meetings]
        await each(servers, tries_again_and_waits_before_it)
    safe.pki.issue_csms([safe.where.gateway])
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(it.mended()) for it in meetings]
        await each(list(zip(meetings, servers, strict=True)), lambda pair: pair[0].be_told(pair[1]))


async def tries_again_and_waits_before_it(server: DemoCsms) -> None:
    await server.wait_for(lambda it: len(it.refusals) >= 3, WITHIN_S)
    at = [refusal.at_utc.timestamp() for refusal in server.refusals]
    assert min(later - earlier for earlier, later in pairwise(at)) >= 0.9, at


class Meeting:
    """A charge point and its central system, which is spoiled first, and mended then.

    Attributes:
        server: the spoiled one, once it was made.
    """

    server: DemoCsms

    def __init__(self, safe: Safe, fault: Fault, directory: Path) -> None:
        self._safe = safe
        self._fault = fault
        self._port = free_port()
        self._other = Pki.create(directory)

    def spoiled(self) -> DemoCsms:
        fault = self._fault
        self._safe.pki.issue_csms([self._safe.where.gateway])  # another one may have spoiled it
        tls = None if fault.spoil is None else fault.spoil(self._safe, self._other)
        self.server = self._csms(tls, fault.password)
        return self.server

    def mended(self) -> DemoCsms:
        mutual = self._fault.profile == 3
        pki = self._safe.pki
        tls = pki.server_context(require_client_certificate=mutual)
        return self._csms(None if self._fault.profile == 1 else tls, PASSWORD)

    def _csms(self, tls: Context | None, password: bytes) -> DemoCsms:
        logins = None if self._fault.profile == 3 else {self._fault.id: password}
        return DemoCsms(self._safe.where.gateway, self._port, ssl=tls, passwords=logins)

    async def fail(self) -> None:
        fault, safe = self._fault, self._safe
        options = ["--security-profile", str(fault.profile), *safe.root_ca(), "--no-wait"]
        if fault.profile == 3:
            safe.pki.issue_charge_point(fault.id)
            options += safe.client(fault.id)
        else:
            options += ["--password-file", safe.password_file]
        scheme = "ws" if fault.profile == 1 else "wss"
        url = f"{scheme}://{safe.where.gateway}:{self._port}/ocpp"
        await safe.simuctl.good("add", fault.id, "-u", url, *options)
        await safe.until_shown(fault.id, fault.reason)
        await until_logged(
            safe.where.container(fault.id),
            lambda lines: any(fault.reason in line and " WARNING " in line for line in lines),
        )

    async def be_told(self, server: DemoCsms) -> None:
        fault = self._fault
        await server.wait_for(lambda it: fault.event in told(it, fault.id), 2 * WITHIN_S)
        assert fault.reason in told(server, fault.id)[fault.event]
        events = [
            call.payload["type"] for call in server.calls(fault.id, "SecurityEventNotification")
        ]
        # However often it was tried.
        assert events.count(fault.event) == 1
        assert server.violations == []


async def each(them: list[Any], do: Callable[[Any], Any]) -> None:
    """Do something with all of them at once."""
    async with asyncio.TaskGroup() as group:
        for one in them:
            group.create_task(do(one))


# -- faults of the charge point's own files --------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class OwnFault:
    """What is wrong with the files of a charge point.

    Attributes:
        spoil: returns the files that are no good, of those that are and those of another one.
    """

    id: str
    spoil: Callable[[Mapping[str, bytes], Mapping[str, bytes]], Mapping[str, bytes]]
    reason: str


def _weak(good: Mapping[str, bytes], _other: Mapping[str, bytes]) -> Mapping[str, bytes]:
    name, key = name_of("WEAK-KEY"), weak_key()
    certificate = sign(subject=name, public_key=key.public_key(), issuer=name, key=key)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return {**good, secrets.CLIENT_CERT: pem, secrets.CLIENT_KEY: private}


OWN_FAULTS = (
    OwnFault(
        id="WRONG-KEY",
        spoil=lambda good, other: {**good, secrets.CLIENT_KEY: other[secrets.CLIENT_KEY]},
        reason="client_key.pem is not the key of client_cert.pem",
    ),
    OwnFault(
        id="HALF-CERT",
        spoil=lambda good, _: {**good, secrets.CLIENT_CERT: good[secrets.CLIENT_CERT][:300]},
        reason="client_cert.pem: a certificate in it is not whole",
    ),
    OwnFault(
        id="HALF-KEY",
        spoil=lambda good, _: {**good, secrets.CLIENT_KEY: good[secrets.CLIENT_KEY][:100]},
        reason="client_key.pem is no whole PEM key",
    ),
    OwnFault(
        id="HALF-ROOT",
        spoil=lambda good, _: {**good, secrets.ROOT_CA: good[secrets.ROOT_CA][:300]},
        reason="root_ca.pem: a certificate in it is not whole",
    ),
    OwnFault(id="WEAK-KEY", spoil=_weak, reason="the key of client_cert.pem is too weak"),
)


async def test_own_files_that_are_no_good_are_told_when_they_are_mended(safe: Safe) -> None:
    safe.pki.issue_charge_point("OTHER")
    tls = safe.pki.server_context(require_client_certificate=True)
    store = SecretVolumes(safe.where.name, safe.where.engine)
    async with DemoCsms(safe.where.gateway, ssl=tls, require_client_certificate=True) as server:
        await each(
            [Files(safe, fault, store, server) for fault in OWN_FAULTS], Files.fail_and_be_mended
        )
        assert server.violations == []


@dataclass(frozen=True)
class Files:
    """A charge point whose files are no good."""

    safe: Safe
    fault: OwnFault
    store: SecretVolumes
    server: DemoCsms

    async def fail_and_be_mended(self) -> None:
        safe, fault, server = self.safe, self.fault, self.server
        safe.pki.issue_charge_point(fault.id)
        good = self._files(fault.id)
        spoiled = fault.spoil(good, self._files("OTHER"))
        directory = safe.home / fault.id
        directory.mkdir()
        for name, content in spoiled.items():
            (directory / name).write_bytes(content)
        options = ["--root-ca", str(directory / secrets.ROOT_CA)]
        options += ["--client-cert", str(directory / secrets.CLIENT_CERT)]
        options += ["--client-key", str(directory / secrets.CLIENT_KEY)]
        await safe.simuctl.good(
            *("add", fault.id, "-u", server.url, "--security-profile", "3", "--no-wait", *options)
        )
        await safe.until_shown(fault.id, fault.reason)
        assert fault.id not in server.connected
        await asyncio.to_thread(self.store.write, fault.id, good)
        await safe.simuctl.good("restart", fault.id)
        name = "InvalidChargePointCertificate"
        await server.wait_for(lambda it: name in told(it, fault.id), WITHIN_S)
        assert fault.reason in told(server, fault.id)[name]

    def _files(self, charge_point_id: str) -> dict[str, bytes]:
        certificate, key = self.safe.pki.charge_point(charge_point_id)
        return {
            secrets.ROOT_CA: self.safe.pki.root_ca.read_bytes(),
            secrets.CLIENT_CERT: certificate.read_bytes(),
            secrets.CLIENT_KEY: key.read_bytes(),
        }
