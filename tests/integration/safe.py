"""An environment with a PKI of its own, for stories of security."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cp_image.api.payloads import ChargePointState
from launcher.api import LauncherState
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.pki import Pki
from tests.integration.fleet import Stage, launcher
from tests.integration.test_simuctl import Simuctl

WITHIN_S = 120.0
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

    def client(self, charge_point_id: str = ID) -> list[str]:
        certificate, key = self.pki.charge_point(charge_point_id)
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
        await self.until_shown(ID, reason)
        assert csms.connected == frozenset()

    async def until_shown(self, charge_point_id: str, reason: str) -> None:
        """Wait until `show` says why a charge point is not connected."""
        async with self.where.client() as simu:
            await simu.wait_for(
                lambda fleet: (
                    (found := fleet.get(charge_point_id)) is not None
                    and found.status is not None
                    and found.state is ChargePointState.DISCONNECTED
                    and reason in found.status.reason
                ),
                timeout_s=WITHIN_S,
                what=f"{charge_point_id} Disconnected: {reason}",
            )
        shown = await self.simuctl.good("show", charge_point_id)
        assert reason in shown, shown


@asynccontextmanager
async def safety(where: Stage, home: Path) -> AsyncIterator[Safe]:
    """Run a launcher on a stage, with a PKI that has issued the CSMS's certificate and one more."""
    pki = Pki.create(home / "pki")
    pki.issue_csms([where.gateway])
    pki.issue_charge_point(ID)
    simuctl = Simuctl(where.name, home)
    simuctl.variables["SIMU_BROKER"] = str(where.broker)
    simuctl.variables["XDG_DATA_HOME"] = str(home / "share")
    async with launcher(where), where.client() as simu:
        await simu.wait_for(lambda fleet: fleet.launcher is LauncherState.ALIVE, timeout_s=WITHIN_S)
        yield Safe(where=where, pki=pki, simuctl=simuctl, home=home)


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


def told(server: DemoCsms, charge_point_id: str = ID) -> dict[str, str]:
    """Return the security events of a charge point with what was said of the last of each."""
    calls = server.calls(charge_point_id, "SecurityEventNotification")
    return {call.payload["type"]: call.payload.get("techInfo", "") for call in calls}
