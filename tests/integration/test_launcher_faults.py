"""After any of these faults the fleet is what was asked for."""

import asyncio
import contextlib
import io
import os
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import docker
import pytest
from docker.models.containers import Container

from cp_image.api.payloads import ChargePointState, ChargePointType
from cp_image.api.topics import Topic
from cp_image.mqtt_link import Message, MqttLink
from launcher.api import (
    LAUNCHER_STATUS,
    CommandType,
    ContainerCondition,
    ErrorCode,
    LauncherState,
    Progress,
    topic_root,
)
from supervisor_cli import images
from supervisor_cli.errors import SimuError
from tests.integration.agreement import agree, listed
from tests.integration.fleet import WITHIN_S, Stage, Story, launcher, story

SLEEPER = b"""FROM debian:trixie-slim
RUN mkdir /data
ENTRYPOINT ["sleep", "600"]
"""
HUNGRY = b"""FROM debian:trixie-slim
RUN mkdir /data
ENTRYPOINT ["sh", "-c", "echo hungry; x=$(head -c 200000000 /dev/zero | tr '\\\\0' x); echo $x"]
"""


@pytest.fixture
def image_of(docker_client: docker.DockerClient) -> Iterator[dict[bytes, str]]:
    """Images from Dockerfiles; gone afterwards."""

    class Images(dict[bytes, str]):
        def __missing__(self, dockerfile: bytes) -> str:
            tag = f"test-{secrets.token_hex(4)}/charge-point"
            docker_client.images.build(
                fileobj=io.BytesIO(dockerfile), tag=tag, rm=True, forcerm=True
            )
            self[dockerfile] = tag
            return tag

    made = Images()
    yield made
    for tag in made.values():
        docker_client.images.remove(tag, force=True)


async def remove_by_hand(container: Container) -> None:
    await asyncio.to_thread(container.remove, force=True)


async def test_a_launcher_killed_in_the_middle_of_starting_twenty(where: Stage) -> None:
    ids = [f"CP-{number:02}" for number in range(1, 21)]
    async with story(where) as tale:
        async with launcher(where) as first:
            await tale.until_launcher(LauncherState.ALIVE)

            def kill_at_the_third(progress: Progress) -> None:
                assert progress.outcome.ok, progress
                if progress.done == 3:
                    first.kill()

            with pytest.raises(SimuError, match=r"launcher .* Dead"):
                await tale.simu.start([tale.specification(each) for each in ids], kill_at_the_third)
            await first.wait()
        async with launcher(where):
            await agree(tale, ids)
            assert where.volumes() == [f"{where.name}.{each}" for each in ids]


async def test_a_launcher_killed_in_the_middle_of_removing(where: Stage) -> None:
    ids = [f"CP-{number}" for number in range(1, 7)]
    async with story(where) as tale:
        async with launcher(where) as first:
            await tale.until_launcher(LauncherState.ALIVE)
            answer = await tale.simu.start([tale.specification(each) for each in ids])
            assert answer.ok, answer

            def kill_at_the_first(_progress: Progress) -> None:
                first.kill()

            with pytest.raises(SimuError, match=r"launcher .* Dead"):
                await tale.simu.command(CommandType.REMOVE, ids[:5], kill_at_the_first)
            await first.wait()
        async with launcher(where):
            # Whoever's removal had begun is gone; the others were not asked about yet.
            await tale.until_launcher(LauncherState.ALIVE)
            await tale.until(
                lambda view: (
                    len(view.by_id) < 6
                    and all(it.state is ChargePointState.ACCEPTED for it in view.charge_points)
                ),
                "what is left",
            )
            answer = await tale.command(CommandType.REMOVE, *ids[:5])
            assert {each.code for each in answer.results} <= {
                None,
                ErrorCode.UNKNOWN_CHARGE_POINT,
            }
            await agree(tale, ["CP-6"])
            assert where.volumes() == [f"{where.name}.CP-6"]


async def test_a_broker_that_forgot_everything(tale: Story) -> None:
    await tale.add("CP-1")
    await tale.add("CP-2")
    await tale.add("CP-3")
    await tale.command(CommandType.KILL, "CP-2")
    await tale.command(CommandType.STOP, "CP-3")
    await agree(tale, ["CP-1"], ["CP-2", "CP-3"])
    await asyncio.to_thread(tale.stage.broker_container.get_wrapped_container().restart, timeout=1)
    await tale.until_launcher(LauncherState.ALIVE)
    await agree(tale, ["CP-1"], ["CP-2", "CP-3"])
    await tale.until(
        lambda view: (
            {id_: it.container.state for id_, it in view.by_id.items() if it.container is not None}
            == {
                "CP-1": ContainerCondition.RUNNING,
                "CP-2": ContainerCondition.EXITED,
                "CP-3": ContainerCondition.EXITED,
            }
        ),
        "the containers' conditions",
    )


async def test_a_container_removed_by_hand(where: Stage) -> None:
    async with story(where) as tale:
        async with launcher(where):
            await tale.until_launcher(LauncherState.ALIVE)
            await tale.add("CP-1", nb_connectors=2)
            await tale.add("CP-2")
            await tale.charge("CP-1", "TAG1")
            await tale.command(CommandType.KILL, "CP-2")
            before = where.container("CP-1")
            await remove_by_hand(before)
            await remove_by_hand(where.container("CP-2"))
            # What it remembered is still there: the car is plugged, the transaction is ended.
            await tale.csms_sees(lambda csms: [it for it in csms.transactions if it.reason])
            await agree(tale, ["CP-1"], ["CP-2"])
            assert where.container("CP-1").id != before.id
            assert tale.simu.view.by_id["CP-1"].reported[1].car_cable_capacity == 32
        await tale.until_launcher(LauncherState.DEAD)
        await remove_by_hand(where.container("CP-1"))
        async with launcher(where):
            await agree(tale, ["CP-1"], ["CP-2"])
            answer = await tale.command(CommandType.RESTART, "CP-2")
            assert answer.ok, answer
            await agree(tale, ["CP-1", "CP-2"])


async def test_a_volume_removed_by_hand(where: Stage) -> None:
    async with story(where) as tale:
        async with launcher(where):
            await tale.until_launcher(LauncherState.ALIVE)
            for each in ("CP-1", "CP-2", "CP-3"):
                await tale.add(each)
            # One that is off: its mark still knows what it is.
            await tale.command(CommandType.KILL, "CP-1")
            await remove_by_hand(where.container("CP-1"))
            where.engine.volumes.get(f"{where.name}.CP-1").remove()
            await agree(tale, ["CP-2", "CP-3"], ["CP-1"])
            answer = await tale.command(CommandType.RESTART, "CP-1")
            assert answer.ok, answer
            await agree(tale, ["CP-1", "CP-2", "CP-3"])
        await tale.until_launcher(LauncherState.DEAD)
        # While no launcher is there, both of one that runs: nothing is left to know it by.
        await remove_by_hand(where.container("CP-2"))
        where.engine.volumes.get(f"{where.name}.CP-2").remove()
        async with launcher(where):
            await agree(tale, ["CP-1", "CP-3"])
            assert where.volumes() == [f"{where.name}.{each}" for each in ("CP-1", "CP-3")]


async def test_both_removed_by_hand_under_a_launcher_that_lives(tale: Story) -> None:
    await tale.add("CP-1")
    name = f"{tale.stage.name}.CP-1"

    def remove_both() -> None:
        api = tale.stage.engine.api
        api.pause(name)  # it cannot start again before the volume is gone
        api.remove_container(name, force=True)
        # Where the launcher is quicker, the volume is in use again, and all is well, too.
        with contextlib.suppress(docker.errors.APIError):
            api.remove_volume(name)

    await asyncio.to_thread(remove_both)
    await agree(tale, ["CP-1"])


async def test_a_missing_image(where: Stage, docker_client: docker.DockerClient) -> None:
    repository = f"test-{secrets.token_hex(4)}/charge-point"
    source = docker_client.images.get(images.reference(images.CHARGE_POINT))
    try:
        async with story(where) as tale, launcher(where, SIMU_CHARGE_POINT_IMAGE=repository):
            await tale.until_launcher(LauncherState.ALIVE)
            answer = await tale.simu.start([tale.specification("CP-1")])
            (outcome,) = answer.results
            assert outcome.code is ErrorCode.ENGINE
            assert f"image {repository} does not exist" in outcome.text
            await agree(tale, [])
            assert where.volumes() == []
            source.tag(repository)
            await tale.add("CP-1")
            await agree(tale, ["CP-1"])
            # It goes missing, and a charge point is to be made again.
            docker_client.images.remove(repository, force=True)
            await remove_by_hand(where.container("CP-1"))

            def complaint() -> str:
                container = tale.simu.view.by_id["CP-1"].container
                return container.text if container is not None else ""

            await tale.until(lambda _view: "does not exist" in complaint(), "a complaint")
            await agree(tale, [], ["CP-1"])
            source.tag(repository)
            await agree(tale, ["CP-1"])
            assert complaint() == ""
    finally:
        docker_client.images.remove(repository, force=True)


async def test_two_launchers_on_one_environment(tale: Story) -> None:
    await tale.add("CP-1")
    second = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "launcher",
        env={
            **os.environ,
            "SIMU_ENVIRONMENT": tale.stage.name,
            "SIMU_BROKER": str(tale.stage.broker),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(WITHIN_S):
        _, errors = await second.communicate()
    assert second.returncode == 4
    text = errors.decode().splitlines()[-1]
    assert f"another launcher serves environment {tale.stage.name}" in text
    await agree(tale, ["CP-1"])
    await tale.add("CP-2")
    assert tale.simu.view.launcher is LauncherState.ALIVE


@asynccontextmanager
async def heard(where: Stage, kind: Topic) -> AsyncIterator[Callable[[], Awaitable[Message]]]:
    """Listen to a topic; yield what waits for the next message."""
    messages: asyncio.Queue[Message] = asyncio.Queue()
    link = MqttLink(address=where.broker.address(), client_id="ear", on_message=messages.put_nowait)

    async def following() -> Message:
        async with asyncio.timeout(WITHIN_S):
            return await messages.get()

    try:
        await link.connect()
        link.subscribe(kind, topic_root(where.name))
        await link.confirm_subscriptions()
        yield following
    finally:
        await link.close()


async def test_a_launcher_that_was_killed_does_not_stand_in_the_way(where: Stage) -> None:
    async with story(where) as tale:
        async with launcher(where) as first:
            await tale.until_launcher(LauncherState.ALIVE)
            first.kill()
            await first.wait()
        await tale.until_launcher(LauncherState.DEAD)
        # As if its will had never come:
        status = LAUNCHER_STATUS.build(tale.simu.root)
        alive = Message(topic=status, payload=LauncherState.ALIVE.encode(), retain=True)
        await tale.simu._link.publish_confirmed(alive)
        async with heard(where, LAUNCHER_STATUS) as said, launcher(where):
            while (told := await said()).retain or told.payload != alive.payload:
                pass
            await tale.add("CP-1")
            await agree(tale, ["CP-1"])


async def test_a_charge_point_that_never_says_anything(
    where: Stage, image_of: dict[bytes, str]
) -> None:
    variables = {"SIMU_CHARGE_POINT_IMAGE": image_of[SLEEPER], "SIMU_HEARD_WITHIN": "2"}
    async with story(where) as tale:
        async with launcher(where, **variables):
            await tale.until_launcher(LauncherState.ALIVE)
            answer = await tale.simu.start([tale.specification("CP-1")])
            assert answer.ok, answer

            def silent() -> bool:
                charge_point = tale.simu.view.get("CP-1")
                return bool(
                    charge_point and charge_point.container and charge_point.container.unheard
                )

            await tale.until(lambda _view: silent(), "the launcher's word")
            assert where.container("CP-1").status == "running"
            assert await listed(tale) == {"CP-1": None}
        await tale.until_launcher(LauncherState.DEAD)
        # With an image that works it does as it was asked to.
        async with launcher(where):
            await tale.until_launcher(LauncherState.ALIVE)
            answer = await tale.command(CommandType.RESTART, "CP-1")
            assert answer.ok, answer
            await agree(tale, ["CP-1"])
            assert not silent()


async def test_an_out_of_memory_kill_is_named(where: Stage, image_of: dict[bytes, str]) -> None:
    async with story(where) as tale, launcher(where, SIMU_CHARGE_POINT_IMAGE=image_of[HUNGRY]):
        await tale.until_launcher(LauncherState.ALIVE)
        answer = await tale.simu.start([tale.specification("CP-1", memory_mb=32)])
        assert answer.ok, answer
        await tale.until(
            lambda view: "CP-1" in view.by_id and view.by_id["CP-1"].death is not None,
            "the report",
        )
        death = tale.simu.view.by_id["CP-1"].death
        assert death is not None
        assert death.out_of_memory
        assert death.last_log == ["hungry"]
        await agree(tale, [], ["CP-1"])
        status = tale.simu.view.by_id["CP-1"].status
        assert status is not None
        assert "out of memory" in status.reason


async def test_a_crash_is_followed_by_a_restart_if_asked_for(tale: Story) -> None:
    await tale.add("CP-1", on_crash="restart")
    await tale.charge("CP-1", "TAG1")
    before = tale.stage.container("CP-1").attrs["State"]["StartedAt"]
    await asyncio.to_thread(tale.stage.container("CP-1").kill)
    await tale.csms_sees(lambda csms: [it for it in csms.transactions if it.reason])
    await agree(tale, ["CP-1"])
    container = tale.simu.view.by_id["CP-1"].container
    assert container is not None
    assert container.restarts == 1
    assert tale.stage.container("CP-1").attrs["State"]["StartedAt"] != before
    assert tale.stage.container("CP-1").attrs["HostConfig"]["RestartPolicy"]["Name"] == "no"


async def test_a_charge_point_started_by_hand_is_adopted(tale: Story) -> None:
    def run() -> Container:
        return tale.stage.engine.containers.run(
            images.reference(images.CHARGE_POINT),
            detach=True,
            name=f"{tale.stage.name}-by-hand",
            network=tale.stage.name,
            labels={"cp-simu.environment": tale.stage.name},  # so that the fixture takes it away
            environment={
                "SIMU_ID": "HAND-1",
                "SIMU_CENTRAL_SYSTEM": tale.url,
                "SIMU_TYPE": ChargePointType.AC,
                "SIMU_BROKER": "broker:1883",
                "SIMU_TOPIC_ROOT": tale.simu.root,
                "SIMU_CONTAINER": f"{tale.stage.name}-by-hand",
            },
        )

    container = await asyncio.to_thread(run)
    await tale.until_state("HAND-1", ChargePointState.ACCEPTED)

    def looked_after() -> bool:
        charge_point = tale.simu.view.get("HAND-1")
        return charge_point is not None and charge_point.container is not None

    await tale.until(lambda _view: looked_after(), "the launcher's word")
    answer = await tale.command(CommandType.KILL, "HAND-1")
    assert answer.ok, answer
    await tale.until_state("HAND-1", ChargePointState.DEAD)
    answer = await tale.command(CommandType.RESTART, "HAND-1")
    assert answer.ok, answer
    await tale.until_state("HAND-1", ChargePointState.ACCEPTED)
    container.reload()
    assert container.status == "running"
    answer = await tale.command(CommandType.REMOVE, "HAND-1")
    assert answer.ok, answer
    await agree(tale, [])
