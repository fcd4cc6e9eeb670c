"""Dense mode for real: what the engine, its seccomp and the kernel make of it."""

from pathlib import Path

import pytest

from cp_image.api.payloads import ChargePointState, ConnectorState
from launcher.api import LauncherState
from tests.integration.fleet import Stage, launcher, story


def of_process(pid: int, file: str) -> str:
    try:
        return Path(f"/proc/{pid}/{file}").read_text("ascii")
    except OSError as exc:
        pytest.skip(f"the engine's processes cannot be looked at from here: {exc.strerror}")


async def test_dense_charge_points_charge_like_others_and_may_be_merged(where: Stage) -> None:
    async with launcher(where, SIMU_DENSE="1"), story(where) as tale:
        await tale.until_launcher(LauncherState.ALIVE)
        await tale.add("CP-1")
        await tale.charge("CP-1", "TAG1")
        await tale.until_connector("CP-1", ConnectorState.CHARGING)
        await tale.until_state("CP-1", ChargePointState.ACCEPTED)

        container = where.container("CP-1")
        assert b"SIMU_DENSE" not in container.logs()  # no warning
        pid = container.attrs["State"]["Pid"]
        assert of_process(pid, "personality").strip() == "00040000"
        merging = of_process(pid, "ksm_stat")
        if "ksm_merge_any" not in merging:
            pytest.skip("this kernel does not say whether a process is merged")
        assert "ksm_merge_any: yes" in merging
