"""The launcher's hands on the real engine, with a throw-away image instead of the charge point."""

import asyncio
import gc
import io
import os
import re
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import docker
import msgspec
import pytest
import requests

from cp_image.api.payloads import ChargePointType
from launcher import container
from launcher.container import ContainerRequest, Mark, Surroundings, specification_of
from launcher.docker_host import DockerHost
from launcher.engine import (
    ContainerChanged,
    ContainerDied,
    ContainerRecord,
    ContainerState,
    Ending,
    EngineError,
    EngineEvent,
    ListeningBegan,
    Observation,
    PostMortem,
)
from launcher.fleet import read_specification
from tests.integration import engine_events

WAIT_S = 60.0
_T = TypeVar("_T")

DOCKERFILE = b"""FROM debian:trixie-slim
RUN mkdir -m 777 /data
USER %d:1000
ENTRYPOINT ["sh", "-c", "echo up; touch /data/up; [ $SIMU_MODEL = brief ] && exit 3; sleep 600"]
""" % (os.getuid() or 1000)


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="module")
def image(engine: docker.DockerClient) -> Iterator[str]:
    tag = f"test-{secrets.token_hex(4)}/charge-point"
    engine.images.build(fileobj=io.BytesIO(DOCKERFILE), tag=tag, rm=True, forcerm=True)
    yield tag
    engine.images.remove(tag, force=True)


@pytest.fixture
def environment(engine: docker.DockerClient) -> Iterator[str]:
    name = f"test-{secrets.token_hex(4)}"
    yield name
    ours: dict[str, str | list[str] | bool] = {"label": f"{container.ENVIRONMENT_LABEL}={name}"}
    for each in engine.containers.list(all=True, filters=ours):
        each.remove(force=True, v=True)
    for volume in engine.volumes.list(filters=ours):
        volume.remove(force=True)
    for network in engine.networks.list(filters=ours):
        network.remove()


def requested(
    environment: str, image: str, charge_point_id: str = "CP-1", model: str = "lasting"
) -> ContainerRequest:
    surroundings = Surroundings(
        environment=environment,
        image=image,
        broker="broker:1883",
        host_broker="127.0.0.1:1883",
        largest_bridge=1000,
        localhost_proxy=None,
        log_level="info",
    )
    entry = {
        "id": charge_point_id,
        "type": ChargePointType.AC,
        "model": model,
        "central_system": "ws://192.0.2.1",
    }
    specification = read_specification(msgspec.json.encode(entry))
    return container.request(specification, surroundings, csms_on_loopback=False)


def with_host(environment: str, body: Callable[[DockerHost], Awaitable[_T]]) -> _T:
    async def main() -> _T:
        host = DockerHost(environment)
        try:
            async with asyncio.timeout(2 * WAIT_S):
                await host.ensure_network()
                return await body(host)
        finally:
            await host.close()

    return asyncio.run(main())


async def killed(host: DockerHost, container_id: str) -> Ending:
    return await host.kill(container_id, lambda: None)


async def started(host: DockerHost, request: ContainerRequest) -> str:
    await host.create_volume(request)
    container_id = await host.create_container(request)
    await host.start(container_id)
    return container_id


def test_a_charge_point_from_start_to_removal(environment: str, image: str) -> None:
    async def body(host: DockerHost) -> None:
        assert await host.check()
        assert await host.observe() == Observation()
        request = requested(environment, image)
        container_id = await started(host, request)
        found = await host.find_container("CP-1")
        assert found is not None
        assert (found.container_id, found.state) == (container_id, ContainerState.RUNNING)
        assert found.specification is not None
        assert found.fingerprint == request.fingerprint
        assert found.image_id == await host.image_id(image)
        volume = await host.find_volume("CP-1")
        assert volume is not None
        assert volume.specification == found.specification
        assert await host.find_container("CP-2") is None
        assert await host.find_volume("CP-2") is None

        assert await killed(host, container_id) == Ending(exit_code=137)
        assert await killed(host, container_id) == Ending(exit_code=137, asked_for=False)
        found = await host.find_container("CP-1")
        assert found is not None
        assert found.state is ContainerState.EXITED
        await host.start(container_id)
        observed = await host.observe()
        assert observed.containers["CP-1"].alive
        assert list(observed.volumes) == ["CP-1"]

        await host.remove_container(container_id)
        await host.remove_volume(request.name)
        assert await host.observe() == Observation()
        await host.remove_container(container_id)
        await host.remove_volume(request.name)
        assert await host.post_mortem(container_id) is None

    with_host(environment, body)


def test_the_container_has_no_rights_it_does_not_need(
    environment: str, image: str, engine: docker.DockerClient
) -> None:
    container_id = with_host(environment, lambda host: started(host, requested(environment, image)))
    made = engine.containers.get(container_id)
    assert made.attrs is not None
    settings = made.attrs["HostConfig"]
    assert settings["ReadonlyRootfs"] is True
    assert settings["CapDrop"] == ["ALL"]
    assert settings["SecurityOpt"] == ["no-new-privileges"]
    assert settings["PidsLimit"] == 64
    assert settings["RestartPolicy"]["Name"] == "no"
    assert settings["Privileged"] is False
    assert settings["LogConfig"]["Type"] == "local"
    assert settings["LogConfig"]["Config"] == {"max-size": "1m", "max-file": "2"}
    assert settings["Memory"] == settings["MemorySwap"] == 128 * 2**20
    assert settings["NanoCpus"] == 10**9
    assert settings["NetworkMode"] == environment
    mounts = [(m["Type"], m["Name"], m["Destination"]) for m in made.attrs["Mounts"]]
    assert mounts == [("volume", f"{environment}.CP-1", "/data")]
    assert made.attrs["Config"]["Hostname"] == "CP-1"
    assert made.attrs["Config"]["StopTimeout"] == 10
    assert "SIMU_CONTAINER=" + f"{environment}.CP-1" in made.attrs["Config"]["Env"]
    # What is fixed holds: /data can be written, the rest cannot.
    assert made.exec_run(["test", "-f", "/data/up"]).exit_code == 0
    assert made.exec_run(["touch", "/etc/x"]).exit_code != 0
    assert made.exec_run(["touch", "/tmp/x"]).exit_code == 0


def test_environments_do_not_see_each_other(
    environment: str, image: str, engine: docker.DockerClient
) -> None:
    with_host(environment, lambda host: started(host, requested(environment, image)))
    other = DockerHost(f"{environment}x")

    async def look() -> Observation:
        try:
            return await other.observe()
        finally:
            await other.close()

    assert asyncio.run(look()) == Observation()


def test_the_network_is_made_once(environment: str, engine: docker.DockerClient) -> None:
    for _ in range(2):
        with_host(environment, lambda host: host.ensure_network())
    assert len(engine.networks.list(names=[f"^{environment}$"])) == 1


def test_deaths_are_told_with_their_causes(environment: str, image: str) -> None:
    async def body(host: DockerHost) -> None:
        async with aclosing(host.events()) as events:
            assert await next_event(events) == ListeningBegan()
            brief = await started(host, requested(environment, image, "CP-1", model="brief"))
            assert await next_death(events) == ContainerDied(
                charge_point_id="CP-1", container_id=brief, exit_code=3
            )
            end = await host.post_mortem(brief)
            assert end is not None
            assert 0 <= time.time() - end.finished_at < WAIT_S
            assert replace(end, finished_at=0.0) == PostMortem(
                exit_code=3, out_of_memory=False, last_log=("up",)
            )
            lasting = await started(host, requested(environment, image, "CP-2"))
            await host.remove_container(lasting)
            assert await next_death(events) == ContainerDied(
                charge_point_id="CP-2", container_id=lasting, exit_code=137
            )

    with_host(environment, body)


def test_a_listener_that_waits_can_be_cancelled(environment: str) -> None:
    async def body(host: DockerHost) -> None:
        async def listen(began: asyncio.Event) -> None:
            async with aclosing(host.events()) as events:
                async for _ in events:
                    began.set()

        began = asyncio.Event()
        listening = asyncio.create_task(listen(began))
        await began.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening

    with_host(environment, body)


def test_many_calls_at_once_are_served_by_few_threads(environment: str, image: str) -> None:
    async def body(host: DockerHost) -> None:
        async with asyncio.TaskGroup() as group:
            for n in range(8):
                group.create_task(started(host, requested(environment, image, f"CP-{n}")))
        assert len((await host.observe()).containers) == 8

    with_host(environment, body)


def test_an_engine_that_refuses_says_why(environment: str, image: str) -> None:
    async def body(host: DockerHost) -> None:
        request = requested(environment, f"{image}-missing")
        assert await host.image_id(request.image) is None
        with pytest.raises(EngineError, match=r"image test-.*-missing does not exist"):
            await host.create_container(request)
        good = requested(environment, image)
        await started(host, good)
        with pytest.raises(EngineError, match=r"refused: Conflict.*is already in use"):
            await host.create_container(good)
        with pytest.raises(EngineError, match=r"start of container nowhere: .*No such container"):
            await host.start("nowhere")

    with_host(environment, body)


# docker-py does not close a socket that could not be connected.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_an_engine_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    async def main() -> None:
        host = DockerHost("test-nowhere")
        try:
            with pytest.raises(EngineError, match="list of charge points: the Docker engine does"):
                await host.observe()
            async with aclosing(host.events()) as events:
                event = await next_event(events)
                assert "does not answer" in getattr(event, "reason", "")
        finally:
            await host.close()

    asyncio.run(main())
    gc.collect()


def test_marks_are_made_and_taken_away_at_one_stroke(environment: str) -> None:
    async def body(host: DockerHost) -> None:
        specification = specification_of(requested(environment, "none").labels)
        await host.set_mark("CP-1", Mark.CUT, specification, "192.0.2.7")
        await host.set_mark("CP-1", Mark.CUT, None)
        await host.set_mark("CP-1", Mark.OFF, None)
        found = await host.find("CP-1")
        assert found.marks.keys() == {Mark.CUT, Mark.OFF}
        assert found.marks[Mark.CUT].address == "192.0.2.7"
        assert found.specification == specification
        assert abs(found.marks[Mark.OFF].made_at - time.time()) < 60
        assert (await host.observe()).marks["CP-1"].keys() == {Mark.CUT, Mark.OFF}
        for _ in range(2):
            await host.clear_mark("CP-1", Mark.CUT)
        assert (await host.find("CP-1")).marks.keys() == {Mark.OFF}
        assert (await host.find("CP-1")).volume is None

    with_host(environment, body)


def test_a_volume_that_went_missing_is_made_with_its_labels(environment: str, image: str) -> None:
    async def body(host: DockerHost) -> None:
        container_id = await host.create_container(requested(environment, image))
        found = await host.find("CP-1")
        assert found.volume is not None
        assert found.container is not None
        assert found.volume.specification == found.container.specification
        await host.remove_container(container_id)
        # It has a name, so it is none of those that go with their container.
        assert (await host.find("CP-1")).volume == found.volume

    with_host(environment, body)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the calls to the engine, which grow; without versions and ids."""
    calls: list[str] = []
    send = docker.APIClient.send

    def count(
        self: docker.APIClient, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        call = f"{request.method} {urlsplit(str(request.url)).path}"
        calls.append(re.sub(r"[0-9a-f]{64}|/v[0-9.]+/", "", call))
        return send(self, request, **options)

    monkeypatch.setattr(docker.APIClient, "send", count)
    return calls


def test_a_start_takes_five_calls_to_the_engine(
    environment: str, image: str, made: list[str]
) -> None:
    async def body(host: DockerHost) -> None:
        made.clear()
        request = requested(environment, image)
        assert (await host.find("CP-1")).is_nothing
        await host.create_volume(request)
        container_id = await host.create_container(request)
        await host.start(container_id)
        assert made == [
            "GET containers/json",
            "GET volumes",
            "POST volumes/create",
            "POST containers/create",
            "POST containers//start",
        ]

    with_host(environment, body)


def test_orders_that_come_together_share_one_look_at_the_engine(
    environment: str, image: str, made: list[str]
) -> None:
    async def body(host: DockerHost) -> None:
        request = requested(environment, image, "CP-1")
        container_id = await started(host, request)
        await host.set_mark("CP-1", Mark.OFF, specification_of(dict(request.labels)))
        alone = await host.find("CP-1")
        made.clear()
        together = await asyncio.gather(*(host.find(f"CP-{n}") for n in (0, 1, 2, 3, 4)))
        assert made == ["GET containers/json", "GET volumes"]
        assert together[1] == alone
        assert alone.container is not None
        assert alone.container.container_id == container_id
        assert alone.volume is not None
        assert list(alone.marks) == [Mark.OFF]
        assert all(each.is_nothing for n, each in enumerate(together) if n != 1)

    with_host(environment, body)


def test_the_engine_is_asked_once_which_version_it_speaks(
    environment: str, image: str, made: list[str]
) -> None:
    async def body(host: DockerHost) -> None:
        ids = [await started(host, requested(environment, image, f"CP-{n}")) for n in range(3)]
        await asyncio.gather(*(killed(host, each) for each in ids))
        assert made.count("GET /version") == 1

    with_host(environment, body)


def test_a_container_is_frozen_cut_mended_and_stopped(environment: str, image: str) -> None:
    async def body(host: DockerHost) -> None:
        container_id = await started(host, requested(environment, image))

        async def look() -> ContainerRecord:
            found = await host.find_container("CP-1")
            assert found is not None
            return found

        for _ in range(2):
            await host.pause(container_id)
        assert (await look()).state is ContainerState.PAUSED
        for _ in range(2):
            await host.unpause(container_id)
        before = await look()
        assert (before.state, before.network) == (ContainerState.RUNNING, environment)
        for _ in range(2):
            await host.disconnect(before)
        cut = await look()
        assert (cut.connected, cut.address, cut.network) == (False, "", environment)
        # The power goes and comes back: what was cut stays cut.
        await killed(host, container_id)
        await host.start(container_id)
        assert not (await look()).connected
        for _ in range(2):
            await host.connect(cut, before.address)
        assert (await look()).address == before.address
        # Somebody else has the address meanwhile: then another one.
        await host.disconnect(before)
        await started(host, requested(environment, image, "CP-2"))
        await host.connect(cut, (await host.observe()).containers["CP-2"].address)
        assert (await look()).connected
        assert (await host.stop(container_id)).exit_code == 137
        stopped = await look()
        assert (stopped.alive, stopped.exit_code) == (False, 137)  # sh -c ignores SIGTERM
        await killed(host, container_id)

    with_host(environment, body)


async def _end(host: DockerHost, engine: docker.DockerClient, container_id: str) -> list[str]:
    began = time.time()
    assert await killed(host, container_id) == Ending(exit_code=137)
    return await asyncio.to_thread(engine_events.of_container, engine, container_id, began)


def test_power_is_cut_without_the_engine_which_hears_of_the_end(
    environment: str, image: str, engine: docker.DockerClient
) -> None:
    async def body(host: DockerHost) -> None:
        container_id = await started(host, requested(environment, image))
        told = await _end(host, engine, container_id)
        assert "die" in told
        assert "kill" not in told
        await host.start(container_id)
        assert (await host.observe()).containers["CP-1"].alive

    with_host(environment, body)


def test_one_that_is_frozen_is_killed_by_the_engine(
    environment: str, image: str, engine: docker.DockerClient
) -> None:
    async def body(host: DockerHost) -> None:
        container_id = await started(host, requested(environment, image))
        await host.pause(container_id)
        assert "kill" in await _end(host, engine, container_id)

    with_host(environment, body)


def test_one_that_the_engine_would_start_again_stays_dead(
    environment: str, image: str, engine: docker.DockerClient
) -> None:
    async def body(host: DockerHost) -> None:
        container_id = await started(host, requested(environment, image))
        engine.containers.get(container_id).update(restart_policy={"Name": "always"})
        assert "kill" in await _end(host, engine, container_id)
        assert not (await host.observe()).containers["CP-1"].alive

    with_host(environment, body)


def test_a_further_network_is_reached_by_the_broker(
    environment: str, image: str, engine: docker.DockerClient
) -> None:
    async def body(host: DockerHost) -> None:
        aliases = docker.types.EndpointConfig("1.40", aliases=["broker"])
        broker = engine.containers.create(
            image,
            environment={"SIMU_MODEL": "lasting"},
            labels={container.ENVIRONMENT_LABEL: environment},
            network=environment,
            networking_config={environment: aliases},
        )
        broker.start()
        second = f"{environment}_2"
        for _ in range(2):
            await host.ensure_network(second)
        broker.reload()
        assert broker.attrs is not None
        assert "broker" in broker.attrs["NetworkSettings"]["Networks"][second]["Aliases"]
        request = replace(requested(environment, image), network=second)
        neighbour = engine.containers.get(await started(host, request))
        assert neighbour.exec_run(["getent", "hosts", "broker"]).exit_code == 0

    with_host(environment, body)


async def next_death(events: AsyncGenerator[EngineEvent]) -> EngineEvent:
    while isinstance(event := await next_event(events), ContainerChanged):
        pass
    return event


async def next_event(events: AsyncGenerator[EngineEvent]) -> EngineEvent:
    async with asyncio.timeout(WAIT_S):
        return await anext(events)
