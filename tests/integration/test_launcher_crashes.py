"""Charge points that crash: reported, started again later each time, given up in the end."""

import asyncio
import io
import itertools
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final, Self

import docker
import msgspec
import pytest

from cp_image.mqtt_link import BrokerAddress, Message, MqttLink
from launcher.api import (
    LAUNCHER_EVENT,
    CommandType,
    ContainerCondition,
    ContainerStatus,
    Died,
    Event,
    GaveUp,
    LauncherState,
    Restarted,
    topic_root,
)
from tests.integration.agreement import agree
from tests.integration.fleet import WITHIN_S, Stage, Story, launcher, story

CRASHES: Final = 4
CRASHING: Final = b"""FROM debian:trixie-slim
RUN mkdir /data
ENTRYPOINT ["sh", "-c", "echo begun; echo out of luck; exit 7"]
"""


@pytest.fixture
def crashing(docker_client: docker.DockerClient) -> Iterator[str]:
    """An image whose process fails at once."""
    tag = f"test-{secrets.token_hex(4)}/charge-point"
    docker_client.images.build(fileobj=io.BytesIO(CRASHING), tag=tag, rm=True, forcerm=True)
    yield tag
    docker_client.images.remove(tag, force=True)


class Listener:
    """Hears what the launcher tells of."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._heard = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def at(cls, where: Stage) -> AsyncIterator[Self]:
        listener = cls()
        address = BrokerAddress(host=where.broker.host, port=where.broker.port)
        link = MqttLink(address=address, client_id="listener", on_message=listener.hear)
        try:
            await link.connect()
            link.subscribe(LAUNCHER_EVENT, topic_root(where.name))
            await link.confirm_subscriptions()
            yield listener
        finally:
            await link.close()

    def hear(self, message: Message) -> None:
        self.events.append(msgspec.json.decode(message.payload, type=Event))
        self._heard.set()

    async def until(self, there: Callable[[list[Event]], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not there(self.events):
                self._heard.clear()
                await self._heard.wait()


def of_container(tale: Story) -> ContainerStatus | None:
    charge_point = tale.simu.view.get("CP-1")
    return charge_point.container if charge_point is not None else None


async def test_a_crash_loop_ends_in_a_stated_error(where: Stage, crashing: str) -> None:
    conditions: list[ContainerStatus] = []
    variables = {"SIMU_CHARGE_POINT_IMAGE": crashing, "SIMU_MOST_CRASHES": str(CRASHES)}
    async with story(where) as tale, Listener.at(where) as listener:
        async with launcher(where, **variables):
            await tale.until_launcher(LauncherState.ALIVE)
            answer = await tale.simu.start([tale.specification("CP-1", on_crash="restart")])
            assert answer.ok, answer

            def given_up() -> bool:
                status = of_container(tale)
                if status is not None and (not conditions or conditions[-1] != status):
                    conditions.append(status)
                return status is not None and "crash loop" in status.text

            await tale.until(lambda _view: given_up(), "the end of the loop")
            # Its own connection may be behind that of the other listener.
            await listener.until(
                lambda events: (
                    any(isinstance(each, GaveUp) for each in events)
                    and sum(isinstance(each, Died) for each in events) == CRASHES
                )
            )

            # It waited, longer each time, and said for how long.
            waits = [each for each in conditions if each.state is ContainerCondition.WAITING]
            assert [each.restarts for each in waits] == list(range(CRASHES - 1))
            instants = [each.restart_at or 0.0 for each in waits]
            gaps = [after - before for before, after in itertools.pairwise(instants)]
            assert gaps == sorted(gaps)
            assert gaps[0] >= 2
            assert gaps[1] >= 4
            last = conditions[-1]
            assert (last.state, last.exit_code, last.restarts) == (
                ContainerCondition.EXITED,
                7,
                CRASHES - 1,
            )
            assert last.text == f"crash loop: {CRASHES} crashes in a row, the last with exit code 7"
            died = [each for each in listener.events if isinstance(each, Died)]
            assert [each.exit_code for each in died] == [7] * CRASHES
            assert {line for each in died for line in each.last_log} == {"begun", "out of luck"}
            restarts = [each.restarts for each in listener.events if isinstance(each, Restarted)]
            assert restarts == list(range(1, CRASHES))
            (end,) = [each for each in listener.events if isinstance(each, GaveUp)]
            assert (end.id, end.crashes) == ("CP-1", CRASHES)
            await agree(tale, [], ["CP-1"])
        await tale.until_launcher(LauncherState.DEAD)
        started = where.container("CP-1").attrs["State"]["StartedAt"]
        # Another launcher does not begin anew with it, and an order does.
        async with launcher(where):
            await tale.until_launcher(LauncherState.ALIVE)
            await agree(tale, [], ["CP-1"])
            assert where.container("CP-1").attrs["State"]["StartedAt"] == started
            answer = await tale.command(CommandType.RESTART, "CP-1")
            assert answer.ok, answer
            await agree(tale, ["CP-1"])


async def test_simuctl_says_what_a_crash_was(where: Stage, crashing: str) -> None:
    async with story(where) as tale, launcher(where, SIMU_CHARGE_POINT_IMAGE=crashing):
        await tale.until_launcher(LauncherState.ALIVE)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "supervisor_cli", "--environment", where.name),
            *("--broker", str(where.broker), "add", "CP-1", "-u", tale.url),
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(WITHIN_S):
            _, errors = await process.communicate()
        assert process.returncode == 1
        assert "exit code 7" in errors.decode()
        assert "out of luck" in errors.decode()
        await agree(tale, [], ["CP-1"])
