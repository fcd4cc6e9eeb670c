"""Security profiles 0 to 3 against real servers, and everything that can be wrong with them."""

import asyncio
import logging
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from pathlib import Path
from random import Random
from socket import SHUT_WR, create_server, socket
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cp_image.api import secrets
from cp_image.api.secrets import SecurityProfile, TlsVerification
from cp_image.core.certificates import split_pem
from cp_image.core.effects import SetCredentials
from cp_image.core.events import CsmsConnected, CsmsDisconnected
from cp_image.core.identity import GIVEN, Identity
from cp_image.core.link_faults import LinkFault
from cp_image.dialects.ocpp16.dialect import Ocpp16
from cp_image.shell.csms import CsmsLink
from cp_image.shell.csms_access import CsmsAccess
from cp_image.shell.secret_files import SecretFiles
from tests.support.certificates import DAY, NOW, Authority, Issued, Key, weak_key
from tests.unit.shell.peers import Csms, run
from tests.unit.shell.test_csms import QUICK, Ear

KEY = bytes(range(0xF0, 0x100)) + b":\n"
ROOT = Authority.shared()
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
P = SecurityProfile


class ChargePoint:
    """The files of a charge point, and the link it makes with them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "secrets"
        self.directory.mkdir()
        self.write(secrets.AUTHORIZATION_KEY, secrets.authorization_key_file(KEY))
        self.write(secrets.ROOT_CA, ROOT.pem)
        self.show(ROOT.issue("CP-1"))

    def write(self, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        (self.directory / name).write_bytes(data)

    def remove(self, name: str) -> None:
        (self.directory / name).unlink()

    def show(self, issued: Issued) -> None:
        self.write(secrets.CLIENT_CERT, issued.pem)
        self.write(secrets.CLIENT_KEY, issued.key_pem)

    def access(self, url: str, profile: SecurityProfile, **more: Any) -> CsmsAccess:
        files = SecretFiles(self.directory)
        given = files.given()
        access = CsmsAccess(
            central_system=url,
            charge_point_id="CP-1",
            files=files,
            problems=given.problems,
            **more,
        )
        chain = given.client_cert
        access.set(
            SetCredentials(
                profile=profile,
                authorization_key=given.authorization_key,
                roots=split_pem(given.root_ca),
                identity=Identity(number=GIVEN, chain=chain) if chain else None,
            )
        )
        return access

    @asynccontextmanager
    async def link(self, url: str, profile: SecurityProfile, **more: Any) -> AsyncIterator[Ear]:
        ear = Ear()
        link = CsmsLink(
            door=self.access(url, profile, **more),
            dialect=Ocpp16(),
            on_event=ear,
            random=Random(1),
            timing=QUICK,
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(link.run())
            yield ear
            task.cancel()

    async def connects(self, url: str, profile: SecurityProfile, **more: Any) -> None:
        async with self.link(url, profile, **more) as ear:
            await ear.until(lambda: ear.events)
            assert isinstance(ear.events[0], CsmsConnected)

    async def fails(self, url: str, profile: SecurityProfile, **more: Any) -> CsmsDisconnected:
        """Return the first failure; it must try again, and fail in the same way."""
        async with self.link(url, profile, **more) as ear:
            first: CsmsDisconnected = await ear.heard(CsmsDisconnected)
            second = await ear.heard(CsmsDisconnected, 2)
            assert second == first
            assert not any(isinstance(event, CsmsConnected) for event in ear.events)
            return first


@pytest.fixture
def cp(tmp_path: Path) -> ChargePoint:
    return ChargePoint(tmp_path)


@pytest.fixture
def good(tmp_path: Path) -> ssl.SSLContext:
    return ROOT.issue("csms", hosts=("localhost",)).server(tmp_path)


def server(tmp_path: Path, issued: Issued, version: ssl.TLSVersion, **more: Any) -> ssl.SSLContext:
    context = issued.server(tmp_path, **more)
    context.minimum_version = context.maximum_version = version
    return context


def ec_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key() -> Key:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def csms_certificate(authority: Authority = ROOT, **more: Any) -> Issued:
    return authority.issue("csms", **({"hosts": ("localhost",)} | more))


# -- what works ------------------------------------------------------------------------------


def test_profile_0_shows_nothing(cp: ChargePoint) -> None:
    async def scenario() -> None:
        async with Csms() as csms:
            await cp.connects(csms.url, P.NONE)
            assert csms.connection is not None
            assert csms.connection.request is not None
            assert "Authorization" not in csms.connection.request.headers

    run(scenario())


def test_profile_0_takes_tls_and_a_password_in_the_url_as_they_come(
    cp: ChargePoint, good: ssl.SSLContext
) -> None:
    async def scenario() -> None:
        async with Csms(tls=good, login=("me", b"word")) as csms:
            await cp.connects(csms.url.replace("//", "//me:word@"), P.NONE)

    run(scenario())


def test_profile_1_shows_the_raw_bytes_of_the_key(cp: ChargePoint) -> None:
    async def scenario() -> None:
        async with Csms(login=("CP-1", KEY)) as csms:
            await cp.connects(csms.url, P.BASIC)
            await cp.connects(csms.url.replace("//", "//me:word@"), P.BASIC)
        async with Csms(login=("somebody else", KEY)) as csms:
            await cp.connects(csms.url, P.BASIC, user="somebody else")

    run(scenario())


def test_profile_1_over_tls(cp: ChargePoint, good: ssl.SSLContext) -> None:
    async def scenario() -> None:
        async with Csms(login=("CP-1", KEY), tls=good) as csms:
            await cp.connects(csms.url, P.BASIC)

    run(scenario())


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_profile_2(cp: ChargePoint, tmp_path: Path, version: ssl.TLSVersion) -> None:
    async def scenario() -> None:
        async with Csms(
            login=("CP-1", KEY), tls=server(tmp_path, csms_certificate(), version)
        ) as csms:
            await cp.connects(csms.url, P.TLS)
            assert csms.connection is not None
            told = csms.connection.transport.get_extra_info("ssl_object")
            assert told.version() == version.name.replace("_", ".")
            # A ws:// URL from the days of profile 1: the profile asks for TLS all the same.
            await cp.connects(csms.url.replace("wss", "ws"), P.TLS)

    run(scenario())


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_profile_3(cp: ChargePoint, tmp_path: Path, version: ssl.TLSVersion) -> None:
    async def scenario() -> None:
        tls = server(tmp_path, csms_certificate(), version, clients=ROOT)
        async with Csms(tls=tls) as csms:
            await cp.connects(csms.url, P.MUTUAL_TLS)
            assert csms.connection is not None
            assert csms.connection.request is not None
            assert "Authorization" not in csms.connection.request.headers
            peer = csms.connection.transport.get_extra_info("peercert")
            assert peer["subject"] == ((("commonName", "CP-1"),),)

    run(scenario())


def test_an_authority_between_is_shown_along(cp: ChargePoint, tmp_path: Path) -> None:
    async def scenario() -> None:
        between = Authority("Between", issuer=ROOT)
        cp.show(between.issue("CP-1"))
        tls = csms_certificate(between).server(tmp_path, clients=ROOT)
        async with Csms(tls=tls) as csms:
            await cp.connects(csms.url, P.MUTUAL_TLS)

    run(scenario())


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_it_is_told_on_whose_word_the_csms_is_believed(
    cp: ChargePoint, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    async def scenario() -> None:
        between = Authority("Between", issuer=ROOT)
        cp.write(secrets.ROOT_CA, Authority("Other").pem + ROOT.pem)
        tls = server(tmp_path, csms_certificate(between), version)
        async with Csms(login=("CP-1", KEY), tls=tls) as csms:
            async with cp.link(csms.url, P.TLS) as ear:
                assert await ear.heard(CsmsConnected) == CsmsConnected(root=ROOT.pem)
            async with cp.link(csms.url, P.TLS, verification=TlsVerification.NONE) as ear:
                assert await ear.heard(CsmsConnected) == CsmsConnected()
        async with Csms() as csms, cp.link(csms.url, P.NONE) as ear:
            assert await ear.heard(CsmsConnected) == CsmsConnected()

    run(scenario())


def test_a_self_signed_certificate_among_the_roots_is_trusted(
    cp: ChargePoint, tmp_path: Path
) -> None:
    async def scenario() -> None:
        issued = csms_certificate()
        cp.write(secrets.ROOT_CA, issued.pem)
        async with Csms(login=("CP-1", KEY), tls=issued.server(tmp_path)) as csms:
            await cp.connects(csms.url, P.TLS)

    run(scenario())


# -- what the CSMS may have wrong ------------------------------------------------------------

LONG_AGO: dict[str, Any] = {"begins": NOW - 20 * DAY, "ends": NOW - DAY}
LATER: dict[str, Any] = {"begins": NOW + DAY, "ends": NOW + 20 * DAY}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("profile", [P.TLS, P.MUTUAL_TLS])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: csms_certificate(**LONG_AGO), "has expired"),
        (lambda: csms_certificate(**LATER), "is not valid yet"),
        (lambda: csms_certificate(hosts=("elsewhere",)), "is not made out to localhost"),
        (
            lambda: csms_certificate(Authority("Stranger")),
            "comes from an authority that is not among the root certificates",
        ),
        (lambda: csms_certificate(key=weak_key()), "has a key that is too weak"),
    ],
    ids=["expired", "not-yet-valid", "wrong-host", "unknown-ca", "weak-key"],
)
def test_a_certificate_of_the_csms_that_is_no_good(
    cp: ChargePoint,
    tmp_path: Path,
    make: Callable[[], Issued],
    words: str,
    profile: SecurityProfile,
    version: ssl.TLSVersion,
) -> None:
    async def scenario() -> None:
        tls = server(tmp_path, make(), version, clients=ROOT)
        async with Csms(login=("CP-1", KEY), tls=tls) as csms:
            failed = await cp.fails(csms.url, profile)
            shown = f"cannot connect to {csms.url}/CP-1: TLS: the certificate of the CSMS {words}"
            assert failed == CsmsDisconnected(reason=shown, fault=LinkFault.CSMS_CERTIFICATE)

    run(scenario())


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize(
    ("make", "alert"),
    [
        (lambda: csms_certificate(**LONG_AGO), "CERTIFICATE_EXPIRED"),
        (lambda: csms_certificate(hosts=("elsewhere",)), "BAD_CERTIFICATE"),
        (lambda: csms_certificate(Authority("Stranger")), "UNKNOWN_CA"),
    ],
    ids=["expired", "wrong-host", "unknown-ca"],
)
def test_the_csms_is_told_by_an_alert(
    cp: ChargePoint,
    tmp_path: Path,
    make: Callable[[], Issued],
    alert: str,
    version: ssl.TLSVersion,
) -> None:
    async def scenario() -> None:
        heard: list[ssl.SSLError] = []
        with blunt_server(server(tmp_path, make(), version), heard) as url:
            await cp.fails(url, P.TLS)
        assert alert in (heard[0].reason or "")

    run(scenario())


def test_no_profile_with_tls_goes_down_to_a_server_without(cp: ChargePoint) -> None:
    async def scenario() -> None:
        async with Csms(login=("CP-1", KEY)) as csms:
            failed = await cp.fails(csms.url, P.TLS)
            assert failed.reason.startswith(f"cannot connect to wss://127.0.0.1:{csms.port}/")
            assert csms.paths == []

    run(scenario())


# -- what the charge point may have wrong ----------------------------------------------------


@pytest.mark.parametrize("profile", [P.BASIC, P.TLS])
def test_a_wrong_password(cp: ChargePoint, good: ssl.SSLContext, profile: SecurityProfile) -> None:
    async def scenario() -> None:
        async with Csms(login=("CP-1", b"another"), tls=good) as csms:
            failed = await cp.fails(csms.url, profile)
            assert failed.reason.endswith(
                ": HTTP 401 Unauthorized: the CSMS refuses user or password"
            )
            assert failed.fault is LinkFault.PASSWORD

    run(scenario())


@pytest.mark.parametrize(
    ("profile", "name", "content", "words"),
    [
        (P.BASIC, secrets.AUTHORIZATION_KEY, None, "security profile 1 takes authorization_key"),
        (P.BASIC, secrets.AUTHORIZATION_KEY, b"\n", "authorization_key: an authorization key has"),
        (P.BASIC, secrets.AUTHORIZATION_KEY, b"hex:0g", "authorization_key: behind hex:"),
        (P.TLS, secrets.AUTHORIZATION_KEY, None, "security profile 2 takes authorization_key"),
        (P.TLS, secrets.ROOT_CA, None, "security profile 2 takes root_ca.pem, which is not in"),
        (P.TLS, secrets.ROOT_CA, ROOT.pem[:200], "root_ca.pem: a certificate in it is not whole"),
        (P.TLS, secrets.ROOT_CA, b"\0\xff", "root_ca.pem: it has no PEM certificate"),
        (P.BASIC, secrets.ROOT_CA, b"\0\xff", "root_ca.pem: it has no PEM certificate"),
        (
            P.TLS,
            secrets.ROOT_CA,
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "the root certificates cannot be read",
        ),
        (P.MUTUAL_TLS, secrets.CLIENT_CERT, None, "security profile 3 takes client_cert.pem"),
        (P.MUTUAL_TLS, secrets.CLIENT_KEY, None, "client_key.pem is not in"),
        (P.MUTUAL_TLS, secrets.CLIENT_CERT, ROOT.pem[:300], "a certificate in it is not whole"),
        pytest.param(
            P.MUTUAL_TLS,
            secrets.CLIENT_KEY,
            ROOT.issue("x").key_pem[:100],
            "client_key.pem is no whole PEM key",
            id="truncated key",
        ),
        (
            P.MUTUAL_TLS,
            secrets.CLIENT_KEY,
            ROOT.issue("x").key_pem,
            "client_key.pem is not the key of client_cert.pem",
        ),
    ],
)
def test_own_files_that_are_no_good(
    cp: ChargePoint,
    good: ssl.SSLContext,
    profile: SecurityProfile,
    name: str,
    content: str | bytes | None,
    words: str,
) -> None:
    async def scenario() -> None:
        if content is None:
            cp.remove(name)
        else:
            cp.write(name, content)
        async with Csms(tls=good) as csms:
            failed = await cp.fails(csms.url, profile)
            assert words in failed.reason
            assert failed.fault is LinkFault.OWN_SECRETS
            assert csms.paths == []

    run(scenario())


def test_an_encrypted_and_a_weak_key(cp: ChargePoint) -> None:
    async def scenario() -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        cp.show(ROOT.issue("CP-1", key=key))
        locked = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"word"),
        )
        cp.write(secrets.CLIENT_KEY, locked)
        failed = await cp.fails("wss://localhost:1", P.MUTUAL_TLS)
        assert "client_key.pem is encrypted" in failed.reason
        cp.show(ROOT.issue("CP-1", key=weak_key()))
        failed = await cp.fails("wss://localhost:1", P.MUTUAL_TLS)
        assert "the key of client_cert.pem is too weak" in failed.reason

    run(scenario())


@contextmanager
def blunt_server(context: ssl.SSLContext, heard: list[ssl.SSLError] | None = None) -> Iterator[str]:
    """A TLS server on threads: unlike asyncio's it says in an alert why it hangs up.

    What handshakes fail with goes into `heard`.
    """
    listener = create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            tls = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            with tls, suppress(OSError):
                try:
                    tls.do_handshake()
                except OSError as exc:
                    if heard is not None and isinstance(exc, ssl.SSLError):
                        heard.append(exc)
                    # What is unread when a socket is closed would take the alert with it.
                    tls.shutdown(SHUT_WR)
                    while socket.recv(tls, 4096):
                        pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"wss://localhost:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(2)
        listener.close()
        thread.join()


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ROOT.issue("CP-1", **LONG_AGO), "the charge point's certificate has expired"),
        (lambda: ROOT.issue("CP-1", **LATER), "refuses the charge point's certificate"),
        (lambda: Authority("Stranger").issue("CP-1"), "does not know who made"),
    ],
    ids=["expired", "not-yet-valid", "unknown-ca"],
)
def test_a_certificate_of_the_charge_point_that_the_csms_refuses(
    cp: ChargePoint,
    tmp_path: Path,
    make: Callable[[], Issued],
    words: str,
    version: ssl.TLSVersion,
) -> None:
    async def scenario() -> None:
        cp.show(make())
        with blunt_server(server(tmp_path, csms_certificate(), version, clients=ROOT)) as url:
            failed = await cp.fails(url, P.MUTUAL_TLS)
            assert words in failed.reason
            assert failed.fault is LinkFault.CLIENT_CERTIFICATE

    run(scenario())


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_csms_that_refuses_without_a_word(
    cp: ChargePoint, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    async def scenario() -> None:
        cp.show(Authority("Stranger").issue("CP-1"))
        tls = server(tmp_path, csms_certificate(), version, clients=ROOT)
        async with Csms(tls=tls) as csms:
            failed = await cp.fails(csms.url, P.MUTUAL_TLS)
            assert "seems to refuse the charge point's certificate" in failed.reason
            assert failed.fault is LinkFault.CLIENT_CERTIFICATE

    run(scenario())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_and_odd_cipher_suites(cp: ChargePoint, tmp_path: Path) -> None:
    async def scenario() -> None:
        old = server(tmp_path, csms_certificate(), ssl.TLSVersion.TLSv1_1)
        old.minimum_version = ssl.TLSVersion.TLSv1
        with blunt_server(old) as url:
            failed = await cp.fails(url, P.TLS)
            assert failed.reason.endswith("TLS: the CSMS takes none of TLS 1.2 and 1.3")
            assert failed.fault is LinkFault.TLS_VERSION
        odd = server(tmp_path, csms_certificate(), ssl.TLSVersion.TLSv1_2)
        odd.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        with blunt_server(odd) as url:
            failed = await cp.fails(url, P.TLS)
            assert failed.reason.endswith("the CSMS takes none of the cipher suites offered")
            assert failed.fault is LinkFault.TLS_CIPHER_SUITE

    run(scenario())


@pytest.mark.parametrize(
    ("suite", "key"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", ec_key),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", ec_key),
        ("ECDHE-RSA-AES128-GCM-SHA256", rsa_key),
        ("AES128-GCM-SHA256", rsa_key),
        ("AES256-GCM-SHA384", rsa_key),
    ],
)
def test_the_cipher_suites_of_the_whitepaper(
    cp: ChargePoint, tmp_path: Path, suite: str, key: Callable[[], Key]
) -> None:
    async def scenario() -> None:
        tls = server(tmp_path, csms_certificate(key=key()), ssl.TLSVersion.TLSv1_2)
        tls.set_ciphers(suite)
        async with Csms(login=("CP-1", KEY), tls=tls) as csms:
            await cp.connects(csms.url, P.TLS)

    run(scenario())


def test_no_more_cipher_suites_are_offered_than_these(cp: ChargePoint) -> None:
    tls = cp.access("wss://localhost/ocpp", P.TLS).open().tls
    assert tls is not None
    offered = {str(each["name"]) for each in tls.get_ciphers()}
    assert {each for each in offered if each.endswith("-SHA") or "PSK" in each} == set()


# -- the loud opt-out ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verification", "certificate"),
    [
        (TlsVerification.NO_HOST_NAME, lambda: csms_certificate(hosts=("elsewhere",))),
        (TlsVerification.NONE, lambda: csms_certificate(Authority("Stranger"), **LONG_AGO)),
    ],
)
def test_less_is_verified_where_it_is_asked_for_and_said_aloud(
    cp: ChargePoint,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    verification: TlsVerification,
    certificate: Callable[[], Issued],
) -> None:
    async def scenario() -> None:
        async with Csms(login=("CP-1", KEY), tls=certificate().server(tmp_path)) as csms:
            await cp.fails(csms.url, P.TLS)
            with caplog.at_level(logging.WARNING):
                await cp.connects(csms.url, P.TLS, verification=verification)
            said = f"(SIMU_TLS_VERIFICATION={verification})"
            assert any("UNSAFE" in line and said in line for line in caplog.messages)

    run(scenario())


def test_without_a_host_name_the_authority_counts_all_the_same(
    cp: ChargePoint, tmp_path: Path
) -> None:
    async def scenario() -> None:
        tls = csms_certificate(Authority("Stranger")).server(tmp_path)
        async with Csms(login=("CP-1", KEY), tls=tls) as csms:
            failed = await cp.fails(csms.url, P.TLS, verification=TlsVerification.NO_HOST_NAME)
            assert failed.fault is LinkFault.CSMS_CERTIFICATE

    run(scenario())


def test_no_secret_is_ever_logged(cp: ChargePoint, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        cp.write(secrets.AUTHORIZATION_KEY, "open-sesame-1234")
        async with Csms(login=("CP-1", b"open-sesame-1234")) as csms:
            with caplog.at_level(logging.DEBUG, logger="cp_image"):
                async with cp.link(csms.url, P.BASIC) as ear:
                    await ear.heard(CsmsConnected)
                    await csms.send(
                        '[2,"1","ChangeConfiguration",'
                        '{"key":"AuthorizationKey","value":"6f70656e"}]'
                    )
                    await ear.until(lambda: len(ear.events) > 1)
        assert '"key":"AuthorizationKey","value":"***"' in caplog.text
        assert "6f70656e" not in caplog.text
        assert "open-sesame" not in caplog.text
        assert "b3Blbi1zZXNhbWU" not in caplog.text

    run(scenario())
