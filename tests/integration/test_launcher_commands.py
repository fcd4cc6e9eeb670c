"""What the launcher can be told, on real containers."""

import asyncio

import docker
import msgspec
from testcontainers.core.container import DockerContainer

from cp_image.api.payloads import CarInput, ChargePointState, ConnectorState
from launcher.api import (
    Command,
    CommandType,
    ContainerCondition,
    ErrorCode,
    LauncherState,
    Outcome,
    Progress,
)
from launcher.fleet import entry
from supervisor_cli import environment, images
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.environment import EnvironmentSettings
from supervisor_cli.state import Broker
from tests.integration.agreement import agree
from tests.integration.fleet import Stage, Story, launcher, story

MASS = 50


async def until_condition(tale: Story, charge_point_id: str, state: ContainerCondition) -> None:
    def there() -> bool:
        charge_point = tale.simu.view.get(charge_point_id)
        container = charge_point.container if charge_point is not None else None
        return container is not None and container.state is state

    await tale.until(lambda _view: there(), f"{charge_point_id} {state}")


async def test_stop_is_orderly_and_kill_is_not(tale: Story) -> None:
    await tale.add("CP-1")
    await tale.add("CP-2")
    assert (await tale.command(CommandType.STOP, "CP-1")).ok
    assert (await tale.command(CommandType.KILL, "CP-2")).ok
    await agree(tale, [], ["CP-1", "CP-2"])
    codes = {}
    for each in ("CP-1", "CP-2"):
        await until_condition(tale, each, ContainerCondition.EXITED)
        container = tale.simu.view.by_id[each].container
        assert container is not None
        codes[each] = container.exit_code
        assert tale.stage.container(each).attrs["State"]["ExitCode"] == container.exit_code
        assert tale.simu.view.by_id[each].death is None
    assert codes == {"CP-1": 0, "CP-2": 137}


async def test_a_frozen_charge_point_hangs_and_goes_on(tale: Story) -> None:
    await tale.add("CP-1")
    await tale.charge("CP-1", "TAG1")
    assert (await tale.command(CommandType.FREEZE, "CP-1")).ok
    await until_condition(tale, "CP-1", ContainerCondition.FROZEN)
    assert tale.stage.container("CP-1").status == "paused"
    before = tale.stage.container("CP-1").id
    assert (await tale.command(CommandType.THAW, "CP-1")).ok
    await until_condition(tale, "CP-1", ContainerCondition.RUNNING)
    # The same process goes on with the same transaction.
    await tale.put("CP-1", CarInput(ready=False))
    await tale.until_connector("CP-1", ConnectorState.SUSPENDED_EV)
    assert tale.stage.container("CP-1").id == before
    assert [each.reason for each in tale.csms.transactions] == [None]
    # By hand, too, and told all the same.
    await asyncio.to_thread(tale.stage.container("CP-1").pause)
    await until_condition(tale, "CP-1", ContainerCondition.FROZEN)
    assert (await tale.command(CommandType.KILL, "CP-1")).ok
    await agree(tale, [], ["CP-1"])


async def test_a_cut_takes_the_network_and_leaves_the_car(tale: Story) -> None:
    await tale.add("CP-1")
    await tale.charge("CP-1", "TAG1")
    networks = tale.stage.container("CP-1").attrs["NetworkSettings"]["Networks"]
    address = networks[tale.stage.name]["IPAddress"]
    assert (await tale.command(CommandType.CUT, "CP-1")).ok
    await until_condition(tale, "CP-1", ContainerCondition.CUT)
    assert tale.stage.container("CP-1").attrs["NetworkSettings"]["Networks"] == {}
    assert tale.stage.container("CP-1").status == "running"
    assert (await tale.command(CommandType.MEND, "CP-1")).ok
    await until_condition(tale, "CP-1", ContainerCondition.RUNNING)
    networks = tale.stage.container("CP-1").attrs["NetworkSettings"]["Networks"]
    assert networks[tale.stage.name]["IPAddress"] == address
    # With its address it has its connections back, as after a cable was pulled for a moment.
    await tale.put("CP-1", CarInput(ready=False))
    await tale.until_connector("CP-1", ConnectorState.SUSPENDED_EV)
    assert [each.reason for each in tale.csms.transactions] == [None]


async def test_a_cut_outlives_the_power_and_the_launcher(where: Stage) -> None:
    async with story(where) as tale:
        async with launcher(where):
            await tale.until_launcher(LauncherState.ALIVE)
            await tale.add("CP-1")
            assert (await tale.command(CommandType.CUT, "CP-1")).ok
            assert (await tale.command(CommandType.KILL, "CP-1")).ok
            assert (await tale.command(CommandType.RESTART, "CP-1")).ok
            await until_condition(tale, "CP-1", ContainerCondition.CUT)
            assert where.container("CP-1").attrs["NetworkSettings"]["Networks"] == {}
        await tale.until_launcher(LauncherState.DEAD)
        await asyncio.to_thread(where.container("CP-1").remove, force=True)
        async with launcher(where):
            await tale.until_launcher(LauncherState.ALIVE)
            await until_condition(tale, "CP-1", ContainerCondition.CUT)
            assert (await tale.command(CommandType.MEND, "CP-1")).ok
            await agree(tale, ["CP-1"])
            assert where.volumes() == [f"{where.name}.CP-1"]


async def test_limits_are_those_of_the_entry(tale: Story) -> None:
    await tale.add("CP-1")
    await tale.add("CP-2", memory_mb=96, cpus=0.5, pids=32, log_mb=8)
    for charge_point_id, memory_mb, cpus, pids, log_mb in (
        ("CP-1", 128, 1.0, 64, 1),
        ("CP-2", 96, 0.5, 32, 8),
    ):
        host = tale.stage.container(charge_point_id).attrs["HostConfig"]
        assert host["Memory"] == memory_mb * 2**20
        assert host["NanoCpus"] == cpus * 1e9
        assert host["PidsLimit"] == pids
        assert host["LogConfig"]["Type"] == "local"
        assert host["LogConfig"]["Config"] == {"max-size": f"{log_mb}m", "max-file": "2"}


async def test_a_fleet_that_outgrows_a_network(where: Stage) -> None:
    ids = ["CP-1", "CP-2", "CP-3", "CP-4", "CP-5"]
    async with story(where) as tale:
        async with launcher(where, SIMU_LARGEST_BRIDGE="2"):
            await tale.until_launcher(LauncherState.ALIVE)
            answer = await tale.simu.start([tale.specification(each) for each in ids])
            assert answer.ok, answer
            await agree(tale, ids)
            networks = [where.container(each).attrs["HostConfig"]["NetworkMode"] for each in ids]
            name = where.name
            assert sorted(networks) == [name, name, f"{name}_2", f"{name}_2", f"{name}_3"]
        await tale.until_launcher(LauncherState.DEAD)
        # Another launcher knows which network has room.
        async with launcher(where, SIMU_LARGEST_BRIDGE="2"):
            await tale.until_launcher(LauncherState.ALIVE)
            await tale.add("CP-6")
            network = where.container("CP-6").attrs["HostConfig"]["NetworkMode"]
            assert network == f"{where.name}_3"


async def test_the_engines_own_network(tale: Story) -> None:
    await tale.add("CP-1", networking="host")
    container = tale.stage.container("CP-1")
    assert list(container.attrs["NetworkSettings"]["Networks"]) == ["host"]
    answer = await tale.command(CommandType.CUT, "CP-1")
    assert answer.results[0].code is ErrorCode.NOT_POSSIBLE
    assert (await tale.command(CommandType.RESTART, "CP-1")).ok
    await agree(tale, ["CP-1"])


async def test_every_network_reaches_this_machines_loopback(
    docker_client: docker.DockerClient, environment_name: str
) -> None:
    """The localhost proxy learns of further networks, and again whenever it was restarted."""
    settings = EnvironmentSettings(name=environment_name, broker_port=0, launcher=False)
    running = await asyncio.to_thread(environment.up, docker_client, settings, print)
    where = Stage(
        name=environment_name,
        gateway="127.0.0.1",
        # The broker is that of `up`; this one never starts.
        broker_container=DockerContainer(images.reference(images.BROKER)),
        broker=Broker(port=running.broker_port),
        engine=docker_client,
    )
    variables = {"SIMU_LOCALHOST_PROXY": running.localhost_proxy, "SIMU_LARGEST_BRIDGE": "1"}
    proxy = docker_client.containers.get(f"{environment_name}_localhost-proxy")
    async with DemoCsms("127.0.0.1") as csms, where.client() as simu:
        tale = Story(where, simu, csms)
        async with launcher(where, **variables):
            await tale.until_launcher(LauncherState.ALIVE)
            await tale.add("CP-1")
            await tale.add("CP-2")
            await asyncio.to_thread(proxy.restart, timeout=1)
            await tale.until_state("CP-2", ChargePointState.DISCONNECTED)
            await agree(tale, ["CP-1", "CP-2"])
        await tale.until_launcher(LauncherState.DEAD)
        await asyncio.to_thread(proxy.restart, timeout=1)
        async with launcher(where, **variables):
            await tale.until_launcher(LauncherState.ALIVE)
            assert (await tale.command(CommandType.RESTART, "CP-2")).ok
            await agree(tale, ["CP-1", "CP-2"])
    assert csms.violations == []


async def test_a_mass_start_is_one_command_and_kill_calls_it_off(tale: Story) -> None:
    ids = [f"CP-{number:03}" for number in range(1, MASS + 1)]
    spared, named = ids[: MASS - 10], ids[MASS - 10 :]
    heard: list[Progress] = []
    first_done = asyncio.Event()

    def hear(progress: Progress) -> None:
        heard.append(progress)
        first_done.set()

    async with asyncio.TaskGroup() as group:
        start = group.create_task(tale.simu.start([tale.specification(each) for each in ids], hear))
        await first_done.wait()
        kill = group.create_task(tale.simu.command(CommandType.KILL, named))
        kill_answer = await kill
        assert kill_answer.ok, kill_answer
        assert not start.done()
    answer = start.result()
    outcomes: dict[str, Outcome] = {each.id: each for each in answer.results}
    assert all(outcomes[each].ok for each in spared)
    cancelled = [each for each in named if outcomes[each].code is ErrorCode.CANCELLED]
    assert cancelled == named
    assert [each.done for each in heard] == list(range(1, MASS + 1))
    await agree(tale, spared, named)
    answer = await tale.simu.command(CommandType.RESTART, named)
    assert answer.ok, answer
    await agree(tale, ids)
    answer = await tale.simu.command(CommandType.REMOVE, ids)
    assert answer.ok, answer
    await agree(tale, [])
    assert tale.stage.volumes() == []


async def test_the_same_request_is_done_once(tale: Story) -> None:
    raw = msgspec.Raw(msgspec.json.encode(entry(tale.specification("CP-1"))))
    command = Command(type=CommandType.START, charge_points=[raw], request_id="once")
    first = await tale.simu.request(command)
    before = tale.stage.container("CP-1").id
    again = await tale.simu.request(command)
    assert first.ok
    assert again == first
    assert tale.stage.container("CP-1").id == before


async def test_simuctl_makes_the_faults(tale: Story) -> None:
    await tale.add("CP-1")
    simuctl = tale.stage.simuctl
    for word, shown in (("freeze", "frozen"), ("thaw", "Accepted"), ("cut", "cut")):
        await simuctl(word, "CP-1")
        assert f"CP-1  {shown}" in await simuctl("ls")
    assert "cut" in await simuctl("show", "CP-1")
    await simuctl("mend", "CP-1")
    await simuctl("stop", "CP-1")
    await tale.until_state("CP-1", ChargePointState.DEAD)


async def test_down_ends_a_launcher_that_is_no_container_first(where: Stage) -> None:
    async with story(where) as tale, launcher(where) as running:
        await tale.until_launcher(LauncherState.ALIVE)
        await tale.add("CP-1")
        await where.simuctl("down", "--yes")
        assert await running.wait() == 0
    assert where.volumes() == []
    left = where.engine.containers.list(
        all=True, filters={"label": f"cp-simu.environment={where.name}"}
    )
    assert left == []
