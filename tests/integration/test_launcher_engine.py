"""The launcher with an engine that goes down, is full, and is remote (DOCKER_HOST with TLS)."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cp_image.api.payloads import ChargePointState
from launcher.api import CommandType, ErrorCode, LauncherState
from tests.integration.agreement import agree
from tests.integration.conftest import free_port
from tests.integration.fleet import Stage, launcher, story
from tests.integration.own_engine import OwnEngine, own_engine


@pytest.fixture
def engine(where: Stage, tmp_path: Path) -> Iterator[OwnEngine]:
    with own_engine(where, tmp_path, free_port()) as ready:
        yield ready


@pytest.fixture
def variables(where: Stage, engine: OwnEngine) -> dict[str, str]:
    """What a launcher needs to use the engine; the broker is another engine's container."""
    broker = where.broker_container.get_wrapped_container()
    broker.reload()
    address = broker.attrs["NetworkSettings"]["Networks"][where.name]["IPAddress"]
    return {**engine.variables, "SIMU_CHARGE_POINT_BROKER": f"{address}:1883"}


async def test_an_engine_that_goes_down_and_comes_back(
    where: Stage, engine: OwnEngine, variables: dict[str, str]
) -> None:
    where = replace(where, engine=engine.client)
    alive, dead = ["CP-1", "CP-2", "CP-3", "CUT-1"], ["KILLED-1", "STOPPED-1"]
    async with story(where) as tale:
        async with launcher(where, **variables):
            await tale.until_launcher(LauncherState.ALIVE)
            asked = [tale.specification(each) for each in (*alive[:2], *dead)]
            asked.append(tale.specification("CP-3", on_crash="restart"))
            asked.append(tale.specification("CUT-1"))
            answer = await tale.simu.start(asked)
            assert answer.ok, answer
            await agree(tale, [*alive, *dead])
            await tale.charge("CP-1", "TAG1")
            await tale.command(CommandType.KILL, "KILLED-1")
            await tale.command(CommandType.STOP, "STOPPED-1")
            await agree(tale, alive, dead)

            # In order, with a launcher that looks on.
            await asyncio.to_thread(engine.stop)
            await tale.until_state("CP-1", ChargePointState.DEAD)
            await asyncio.to_thread(engine.start)
            await agree(tale, alive, dead)
            assert len(await tale.csms_sees(lambda csms: csms.transactions)) == 1

            # Suddenly, as with the machine's power.
            await asyncio.to_thread(engine.crash)
            await asyncio.to_thread(engine.start)
            await agree(tale, alive, dead)
        await tale.until_launcher(LauncherState.DEAD)

        # While no launcher is there, and with one whose network is cut.
        async with launcher(where, **variables):
            await tale.until_launcher(LauncherState.ALIVE)
            answer = await tale.command(CommandType.CUT, "CUT-1")
            assert answer.ok, answer
        await tale.until_launcher(LauncherState.DEAD)
        await asyncio.to_thread(engine.stop)
        await asyncio.to_thread(engine.start)
        async with launcher(where, **variables):
            await tale.until_launcher(LauncherState.ALIVE)
            # It may or may not run again already.
            answer = await tale.command(CommandType.MEND, "CUT-1")
            assert answer.ok, answer
            await agree(tale, alive, dead)


async def test_a_disk_that_is_full(
    where: Stage, engine: OwnEngine, variables: dict[str, str]
) -> None:
    where = replace(where, engine=engine.client)
    async with story(where) as tale, launcher(where, **variables):
        await tale.until_launcher(LauncherState.ALIVE)
        await tale.add("CP-1")
        await asyncio.to_thread(engine.fill_up)
        answer = await tale.simu.start([tale.specification("CP-2"), tale.specification("CP-3")])
        assert [each.code for each in answer.results] == [ErrorCode.ENGINE, ErrorCode.ENGINE]
        assert "no space left on device" in answer.results[0].text
        await asyncio.to_thread(engine.make_room)
        await agree(tale, ["CP-1"])
        assert where.volumes() == [f"{where.name}.CP-1"]
        await tale.add("CP-2")
        await agree(tale, ["CP-1", "CP-2"])
