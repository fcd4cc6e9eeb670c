"""Whether `docker ps`, the retained topics and `simuctl ls` all say what was asked for."""

import asyncio
import json
from collections.abc import Collection

from cp_image.api.payloads import ChargePointState
from supervisor_cli.fleet_view import FleetView
from tests.integration.fleet import Story

WITHIN_S = 180.0
_LOOK_AGAIN_S = 0.2


def running(tale: Story) -> set[str]:
    """Return the charge points that `docker ps` shows."""
    mine = [f"cp-simu.environment={tale.stage.name}", "cp-simu.role=charge-point"]
    found = tale.stage.engine.containers.list(filters={"label": mine})
    return {each.labels["cp-simu.charge-point-id"] for each in found}


async def listed(tale: Story) -> dict[str, str | None]:
    """Return what `simuctl ls` says: status by charge point id; None was never heard."""
    shown = json.loads(await tale.stage.simuctl("ls", "--json"))
    return {each["id"]: each["status"] for each in shown}


async def agree(tale: Story, alive: Collection[str], dead: Collection[str] = ()) -> None:
    """Wait until the fleet is as asked for, and check that everybody says so."""
    wanted = {
        **dict.fromkeys(alive, ChargePointState.ACCEPTED),
        **dict.fromkeys(dead, ChargePointState.DEAD),
    }

    def as_wanted(view: FleetView) -> bool:
        return {each.charge_point_id: each.state for each in view.charge_points} == wanted

    async with asyncio.timeout(WITHIN_S):
        # The engine tells of events before it lists what they mean: so it is looked at.
        while await asyncio.to_thread(running, tale) != set(alive):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_AGAIN_S)
    await tale.simu.wait_for(as_wanted, timeout_s=WITHIN_S, what=f"a fleet of {len(wanted)}")
    assert await asyncio.to_thread(running, tale) == set(alive)
    assert await listed(tale) == {key: str(state) for key, state in wanted.items()}
    async with tale.stage.client() as newcomer:
        assert as_wanted(newcomer.view)
