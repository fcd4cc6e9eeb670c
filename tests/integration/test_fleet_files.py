"""Stories of fleets that come from files and go into files, told by simuctl on real containers."""

import json
from pathlib import Path

from launcher.api import LauncherState, secrets_volume
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.fleets import Fleet, apply, load_fleet
from supervisor_cli.pki import Pki
from supervisor_cli.secret_volumes import SecretVolumes
from tests.integration.fleet import Stage, launcher
from tests.integration.test_simuctl import Simuctl

WITHIN_S = 120.0

FLEET = """\
# A site with AC, DC, and security.
defaults:
  serial: '{{id}}'
  configuration: {{HeartbeatInterval: 300, MeterValueSampleInterval: 60}}
templates:
  plain: {{type: AC, central_system: '{plain}'}}
  twin: {{extends: plain, nb_phases: 3, nb_connectors: 2, max_setpoint: 40}}
  fast: {{extends: plain, type: DC, configuration: {{HeartbeatInterval: 60}}}}
  safe: {{type: AC, central_system: '{safe}', pki: pki, security_profile: 3}}
charge_points:
  - {{id: 'AC-{{n:02}}', count: 2, template: plain}}
  - {{id: TWIN-1, template: twin, on_crash: restart, memory_mb: 96}}
  - {{id: FAST-1, template: fast}}
  - {{id: 'SAFE-{{n}}', count: 2, template: safe}}
"""
IDS = ["AC-01", "AC-02", "FAST-1", "SAFE-1", "SAFE-2", "TWIN-1"]


def labels(where: Stage) -> dict[str, object]:
    """Return what the engine knows of what was asked for, by charge point id."""
    mine = [f"cp-simu.environment={where.name}", "cp-simu.role=charge-point"]
    return {
        each.labels["cp-simu.charge-point-id"]: json.loads(each.labels["cp-simu.specification"])
        for each in where.engine.containers.list(filters={"label": mine})
    }


async def test_a_fleet_goes_into_a_file_and_comes_back(where: Stage, tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki")
    pki.issue_csms([where.gateway])
    for each in ("SAFE-1", "SAFE-2"):
        pki.issue_charge_point(each)
    simuctl = Simuctl(where.name, tmp_path)
    simuctl.variables |= {"SIMU_BROKER": str(where.broker), "XDG_DATA_HOME": str(tmp_path)}
    tls = pki.server_context(require_client_certificate=True)
    async with (
        launcher(where),
        where.client() as simu,
        DemoCsms(where.gateway) as plain,
        DemoCsms(where.gateway, ssl=tls, require_client_certificate=True) as safe,
    ):
        await simu.wait_for(lambda fleet: fleet.launcher is LauncherState.ALIVE, timeout_s=WITHIN_S)
        file = tmp_path / "fleet.yaml"
        file.write_text(FLEET.format(plain=plain.url, safe=safe.url))
        out = await simuctl.good("add", "-f", str(file))
        assert sorted(out.splitlines()) == [f"✓ {each}: started, Accepted" for each in IDS]
        assert safe.connected == {"SAFE-1", "SAFE-2"}
        asked = labels(where)
        assert sorted(asked) == IDS

        # Both kinds of file say the same, and no secret.
        for name in ("saved.json", "saved.yaml"):
            await simuctl.good("setup", "save", str(tmp_path / name))
            assert "PRIVATE KEY" not in (tmp_path / name).read_text()
        err = await simuctl.bad(2, "setup", "save", str(tmp_path / "saved.json"))
        assert "--yes" in err

        for name in ("saved.yaml", "saved.json"):
            await simuctl.good("rm", "--all", "--yes")
            assert where.volumes() == []
            saved = str(tmp_path / name)
            err = await simuctl.bad(2, "setup", "load", saved)
            assert "SAFE-1 needs root_ca" in err
            await simuctl.good("setup", "load", saved, "--pki", str(tmp_path / "pki"))
            assert labels(where) == asked
            assert secrets_volume(where.name, "SAFE-2") in where.volumes()

        # A file that differs: who is asked for otherwise is another one, who is not is gone.
        changed = FLEET.replace("count: 2, template: plain", "count: 1, template: plain")
        changed = changed.replace("max_setpoint: 40", "max_setpoint: 50")
        file.write_text(changed.format(plain=plain.url, safe=safe.url))
        kept = where.container("FAST-1").id
        await simuctl.good("kill", "SAFE-1")
        err = await simuctl.bad(2, "setup", "load", str(file))
        assert "remove 1: AC-02" in err
        assert "start anew 1: TWIN-1 (max_setpoint, max_setpoint_per_connector)" in err
        assert "restart 1: SAFE-1" in err
        assert sorted(labels(where)) == [each for each in IDS if each != "SAFE-1"]
        await simuctl.good("setup", "load", str(file), "--yes")
        assert sorted(labels(where)) == [each for each in IDS if each != "AC-02"]
        assert where.container("FAST-1").id == kept
        assert plain.violations == []
        assert safe.violations == []


async def test_a_fleet_from_python(where: Stage, tmp_path: Path) -> None:
    async with launcher(where), where.client() as simu, DemoCsms(where.gateway) as csms:
        await simu.wait_for(lambda fleet: fleet.launcher is LauncherState.ALIVE, timeout_s=WITHIN_S)
        file = tmp_path / "fleet.yaml"
        file.write_text(
            f"defaults: {{type: AC, central_system: '{csms.url}'}}\n"
            "charge_points: [{id: 'CP-{n}', count: 2}]\n"
        )
        fleet = load_fleet(file)
        todo = fleet.plan(simu.view)
        told = await apply(simu, todo, lambda: SecretVolumes(where.name))
        assert [(each.charge_point_id, each.ok) for each in told] == [
            ("CP-1", True),
            ("CP-2", True),
        ]
        await csms.wait_for(lambda it: it.connected == {"CP-1", "CP-2"}, WITHIN_S)
        await simu.wait_for(
            lambda view: fleet.plan(view).keep == ("CP-1", "CP-2"), timeout_s=WITHIN_S
        )
        empty = Fleet(charge_points=())
        told = await apply(simu, empty.plan(simu.view), lambda: SecretVolumes(where.name))
        assert [each.text for each in told] == ["removed", "removed"]
        assert where.volumes() == []
