"""Stories of the fleet: launcher, broker and containers that come, go and are refused."""

import asyncio

import docker
import msgspec
import pytest
from docker.errors import NotFound

from cp_image.api import topics
from cp_image.api.payloads import ChargePointState, ConnectorState
from cp_image.mqtt_link import Message
from launcher.api import CommandType, ErrorCode, LauncherState
from supervisor_cli import environment
from supervisor_cli.errors import SimuError
from tests.integration.conftest import free_port
from tests.integration.fleet import WITHIN_S, Stage, Story, launcher, stage, story


async def test_charge_points_outlive_a_launcher_that_is_killed(where: Stage) -> None:
    async with story(where) as tale:
        async with launcher(where) as first:
            await tale.until_launcher(LauncherState.ALIVE)
            await tale.add("CP-1")
            first.kill()
            await first.wait()
            await tale.until_launcher(LauncherState.DEAD)
        await tale.charge("CP-1", "TAG1")
        with pytest.raises(SimuError, match=r"launcher .* Dead"):
            await tale.command(CommandType.KILL, "CP-1")
        async with launcher(where):
            await tale.until_launcher(LauncherState.ALIVE)
            assert tale.simu.view.by_id["CP-1"].state is ChargePointState.ACCEPTED
            answer = await tale.command(CommandType.KILL, "CP-1")
            assert answer.ok, answer
            await tale.until_state("CP-1", ChargePointState.DEAD)
            answer = await tale.command(CommandType.RESTART, "CP-1")
            assert answer.ok, answer
            await tale.until_state("CP-1", ChargePointState.ACCEPTED)


async def test_one_bad_entry_never_stops_the_good_ones(tale: Story) -> None:
    await tale.add("ALIVE-1")
    before = tale.stage.container("ALIVE-1").id
    wrong_url = msgspec.structs.replace(
        tale.specification("URL-1"), central_system="http://not-a-websocket"
    )
    answer = await tale.simu.start(
        [tale.specification("ALIVE-1"), wrong_url, tale.specification("GOOD-1")]
    )
    assert not answer.ok
    alive, url, good = answer.results
    assert (alive.id, alive.ok, alive.code) == ("ALIVE-1", False, ErrorCode.ALIVE)
    assert (url.id, url.ok, url.code) == ("URL-1", False, ErrorCode.MALFORMED)
    assert "http://not-a-websocket" in url.text
    assert (good.id, good.ok) == ("GOOD-1", True)
    await tale.until_state("GOOD-1", ChargePointState.ACCEPTED)
    assert tale.stage.container("ALIVE-1").id == before
    answer = await tale.command(CommandType.KILL, "NOBODY", "GOOD-1")
    nobody, good = answer.results
    assert (nobody.code, good.ok) == (ErrorCode.UNKNOWN_CHARGE_POINT, True)
    assert "NOBODY" in nobody.text


async def test_a_broker_that_forgot_everything_hears_it_all_again(tale: Story) -> None:
    await tale.add("CP-1")
    await tale.add("CP-2")
    await tale.charge("CP-1", "TAG1")
    await tale.command(CommandType.KILL, "CP-2")
    await tale.until_state("CP-2", ChargePointState.DEAD)

    await asyncio.to_thread(tale.stage.broker_container.get_wrapped_container().restart, timeout=1)
    await tale.until_launcher(LauncherState.ALIVE)
    await tale.until_state("CP-2", ChargePointState.DEAD)
    await tale.until_state("CP-1", ChargePointState.ACCEPTED)
    await tale.until_connector("CP-1", ConnectorState.CHARGING)
    async with tale.stage.client() as newcomer:
        await newcomer.wait_for(
            lambda view: set(view.by_id) == {"CP-1", "CP-2"}, timeout_s=WITHIN_S
        )
    assert [transaction.reason for transaction in tale.csms.transactions] == [None]


async def test_start_begins_with_a_clean_volume_and_restart_keeps_it(tale: Story) -> None:
    await tale.add("CP-1")
    await tale.charge("CP-1", "TAG1")
    await tale.command(CommandType.KILL, "CP-1")
    await tale.command(CommandType.RESTART, "CP-1")
    await tale.until_connector("CP-1", ConnectorState.FINISHING)
    await tale.command(CommandType.KILL, "CP-1")
    await tale.until_state("CP-1", ChargePointState.DEAD)
    await tale.add("CP-1")
    await tale.until_connector("CP-1", ConnectorState.AVAILABLE)
    assert tale.simu.view.by_id["CP-1"].reported[1].register_wh == 0


@pytest.mark.parametrize("way", ["command", "empty retained status"])
async def test_a_removed_charge_point_leaves_nothing(tale: Story, way: str) -> None:
    await tale.add("CP-1", nb_connectors=2)
    await tale.add("CP-2")
    if way == "command":
        answer = await tale.command(CommandType.REMOVE, "CP-1")
        assert answer.ok, answer
    else:
        topic = topics.CP_STATUS.build(tale.simu.root, "CP-1")
        await tale.simu._link.publish_confirmed(Message(topic=topic, payload=b"", retain=True))
        # Commands for one charge point are carried out in order: when this is answered, it is gone.
        answer = await tale.command(CommandType.KILL, "CP-1")
        assert answer.results[0].code is ErrorCode.UNKNOWN_CHARGE_POINT
    await tale.until(lambda view: set(view.by_id) == {"CP-2"}, "CP-1 gone")
    with pytest.raises(NotFound):
        tale.stage.container("CP-1")
    assert tale.stage.volumes() == [f"{tale.stage.name}.CP-2"]
    async with tale.stage.client() as newcomer:
        assert set(newcomer.view.by_id) == {"CP-2"}


async def test_two_environments_with_the_same_ids_do_not_disturb_each_other(
    tale: Story, docker_client: docker.DockerClient
) -> None:
    other = f"{tale.stage.name}-b"
    await tale.add("CP-1")
    try:
        with stage(docker_client, other, free_port()) as there:
            async with launcher(there), story(there) as second:
                await second.until_launcher(LauncherState.ALIVE)
                await second.add("CP-1")
                await second.charge("CP-1", "TAG1")
                answer = await second.command(CommandType.KILL, "CP-1")
                assert answer.ok
                await second.until_state("CP-1", ChargePointState.DEAD)
            environment.down(docker_client, other, print)
    finally:
        environment.down(docker_client, other, print)
    assert tale.simu.view.by_id["CP-1"].state is ChargePointState.ACCEPTED
    assert tale.stage.container("CP-1").status == "running"
    assert tale.csms.transactions == ()


async def test_a_container_is_confined(tale: Story) -> None:
    await tale.add("CP-1")
    container = tale.stage.container("CP-1")
    host = container.attrs["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["PidsLimit"] > 0
    assert container.attrs["Config"]["User"] == "charge-point"
    listing = container.exec_run(["sh", "-c", "echo /opt/cp-simu/*"]).output
    assert isinstance(listing, bytes)
    assert listing.split() == [b"/opt/cp-simu/cp_image", b"/opt/cp-simu/lib"]


async def test_a_charge_point_that_dies_of_itself_is_reported(tale: Story) -> None:
    await tale.add("CP-1")
    # From outside, as the kernel's out-of-memory killer or an operator would.
    await asyncio.to_thread(tale.stage.container("CP-1").kill)
    await tale.until(lambda view: view.by_id["CP-1"].death is not None, "the report")
    death = tale.simu.view.by_id["CP-1"].death
    assert death is not None
    assert (death.exit_code, death.out_of_memory) == (137, False)
    assert any("connected to ws://" in line for line in death.last_log)
    await tale.until_state("CP-1", ChargePointState.DEAD)


async def test_close_ends_the_launcher_and_nothing_else(where: Stage) -> None:
    async with story(where) as tale, launcher(where) as running:
        await tale.until_launcher(LauncherState.ALIVE)
        await tale.add("CP-1")
        answer = await tale.command(CommandType.CLOSE)
        assert answer.ok
        assert await running.wait() == 0
        await tale.until_launcher(LauncherState.DEAD)
        await tale.charge("CP-1", "TAG1")
