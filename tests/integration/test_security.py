"""Every security profile in containers, against a real TLS server and a PKI made on the spot."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cp_image.api.payloads import ChargePointState
from launcher.api import CommandType, LauncherState, secrets_volume
from launcher.fleet import read_specification
from supervisor_cli.certificates import Validity, When
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.pki import Pki
from tests.integration.fleet import Stage, launcher
from tests.integration.test_simuctl import Simuctl

WITHIN_S = 30.0
PASSWORD = b"a password of 20 b.."
ID = "CP-1"


@dataclass(frozen=True, kw_only=True)
class Safe:
    """An environment, a PKI for it, and simuctl on it."""

    where: Stage
    pki: Pki
    simuctl: Simuctl
    home: Path

    @property
    def password_file(self) -> str:
        path = self.home / "pw"
        path.write_bytes(PASSWORD + b"\n")
        return str(path)

    def root_ca(self) -> list[str]:
        return ["--root-ca", str(self.pki.root_ca)]

    def client(self) -> list[str]:
        certificate, key = self.pki.charge_point(ID)
        return ["--client-cert", str(certificate), "--client-key", str(key)]

    async def add(self, csms: DemoCsms, profile: int, *words: str) -> None:
        """Start a charge point, and wait until the CSMS has accepted it."""
        said = await self.simuctl.good(
            "add", ID, "-u", csms.url, "--security-profile", str(profile), *words
        )
        assert said == f"✓ {ID}: started, Accepted\n"

    async def add_in_vain(self, csms: DemoCsms, profile: int, reason: str, *words: str) -> None:
        """Start a charge point that cannot connect, and wait until `show` says why."""
        options = ["--security-profile", str(profile), "--no-wait", *words]
        await self.simuctl.good("add", ID, "-u", csms.url, *options)
        await self.until_shown(reason)
        assert csms.connected == frozenset()

    async def until_shown(self, reason: str) -> None:
        async with self.where.client() as simu:
            await simu.wait_for(
                lambda fleet: (
                    (found := fleet.get(ID)) is not None
                    and found.status is not None
                    and found.state is ChargePointState.DISCONNECTED
                    and reason in found.status.reason
                ),
                timeout_s=WITHIN_S,
                what=f"{ID} Disconnected: {reason}",
            )
        assert reason in await self.simuctl.good("show", ID)


@pytest.fixture
async def safe(where: Stage, tmp_path: Path) -> AsyncIterator[Safe]:
    pki = Pki.create(tmp_path / "pki")
    pki.issue_csms([where.gateway])
    pki.issue_charge_point(ID)
    simuctl = Simuctl(where.name, tmp_path)
    simuctl.variables["SIMU_BROKER"] = str(where.broker)
    async with launcher(where), where.client() as simu:
        await simu.wait_for(lambda fleet: fleet.launcher is LauncherState.ALIVE, timeout_s=WITHIN_S)
        yield Safe(where=where, pki=pki, simuctl=simuctl, home=tmp_path)


@asynccontextmanager
async def csms(safe: Safe, profile: int, **options: Any) -> AsyncIterator[DemoCsms]:
    """Serve a security profile; at the end no frame may have broken a rule."""
    if profile in {1, 2}:
        options.setdefault("passwords", {ID: PASSWORD})
    if profile in {2, 3}:
        options["ssl"] = safe.pki.server_context(require_client_certificate=profile == 3)
        options["require_client_certificate"] = profile == 3
    async with DemoCsms(safe.where.gateway, issuer=safe.pki.sign, **options) as server:
        yield server
        assert server.violations == []


async def test_profile_1(safe: Safe) -> None:
    async with csms(safe, 1) as server:
        await safe.add(server, 1, "--password-file", safe.password_file)
        assert server.refusals == []
        # The engine knows the charge point inside out, and not its password.
        container = safe.where.container(ID)
        known = json.dumps(container.attrs) + container.logs().decode()
        hidden = [PASSWORD.decode(), PASSWORD.hex()]
        assert not [each for each in hidden if each in known]


async def test_a_wrong_password_is_told(safe: Safe) -> None:
    async with csms(safe, 1, passwords={ID: b"another"}) as server:
        await safe.add_in_vain(server, 1, "HTTP 401", "--password-file", safe.password_file)
        assert server.refusals[0].text == "wrong password"


async def test_profile_2(safe: Safe) -> None:
    options = ["--password-file", safe.password_file, *safe.root_ca()]
    async with csms(safe, 2) as server:
        await safe.add(server, 2, *options)


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


async def test_a_csms_of_another_pki_is_not_believed(safe: Safe, tmp_path: Path) -> None:
    other = Pki.create(tmp_path / "other")
    options = ["--password-file", safe.password_file, "--root-ca", str(other.root_ca)]
    async with csms(safe, 2) as server:
        await safe.add_in_vain(server, 2, "not among the root certificates", *options)


@pytest.mark.parametrize("when", [When.EXPIRED, When.NOT_YET])
async def test_a_certificate_at_the_wrong_time_is_not_believed(safe: Safe, when: When) -> None:
    safe.pki.issue_csms([safe.where.gateway], validity=Validity.of(30, when))
    options = ["--password-file", safe.password_file, *safe.root_ca()]
    word = {When.EXPIRED: "has expired", When.NOT_YET: "is not valid yet"}[when]
    async with csms(safe, 2) as server:
        await safe.add_in_vain(server, 2, word, *options)


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
