"""How the launcher kills by signals and by the engine: an engine of glass, no process."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from docker.errors import NotFound

from launcher import docker_containers, docker_host, host_process
from launcher.container import Mark
from launcher.docker_host import DockerHost
from launcher.engine import Ending
from tests.unit.shell.peers import run

FLEET = ("c1", "c2", "c3")


class GlassEngine:
    """A client of an engine; what is asked of it, and what is signalled past it, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._more = threading.Condition()
        self.exit_code = 137
        self.gone = False
        self.holds_back = ""
        self.go_on = threading.Event()

    def inspect_container(self, container_id: str) -> dict[str, Any]:
        self._hold_back(f"inspect {container_id}")
        return {"Id": container_id}

    def create_volume(self, name: str, **_: Any) -> None:
        self._hold_back(f"volume {name}")

    def kill(self, container_id: str, **_: Any) -> None:
        self.told.append(f"kill {container_id}")

    def wait(self, container_id: str, **_: Any) -> dict[str, Any]:
        self.told.append(f"wait {container_id}")
        if self.gone:
            raise NotFound("no such container")
        return {"StatusCode": self.exit_code}

    def close(self) -> None:
        """Nothing to close."""

    def _hold_back(self, what: str) -> None:
        if what == self.holds_back:
            self.go_on.wait(60)
        with self._more:
            self.told.append(what)
            self._more.notify_all()

    def asked(self, times: int) -> bool:
        """Wait until so much was asked."""
        with self._more:
            return self._more.wait_for(lambda: len(self.told) >= times, 60)


class Victim:
    """A process that can be signalled, unless it cannot."""

    def __init__(self, engine: GlassEngine, container_id: str, *, struck: bool, ends: bool) -> None:
        self._engine = engine
        self._container_id = container_id
        self._struck = struck
        self._ends = ends
        self.closed = False

    def kill(self) -> bool:
        self._engine.told.append(f"signal {self._container_id}")
        return self._struck

    async def end(self) -> bool:
        return self._ends

    def close(self) -> None:
        self.closed = True


class World:
    """An engine, and the processes of its containers."""

    def __init__(self) -> None:
        self.engine = GlassEngine()
        self.seen, self.struck, self.ends = True, True, True
        self.victims: list[Victim] = []
        self.deaths: list[str] = []

    def of_container(self, inspection: dict[str, Any]) -> Victim | None:
        if not self.seen:
            return None
        victim = Victim(self.engine, inspection["Id"], struck=self.struck, ends=self.ends)
        self.victims.append(victim)
        return victim

    async def kill(self, host: DockerHost, container_id: str) -> Ending:
        return await host.kill(container_id, lambda: self.deaths.append(container_id))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()
    monkeypatch.setattr(docker_host, "connect", lambda **_: made.engine)
    monkeypatch.setattr(host_process, "of_container", made.of_container)
    yield made
    assert all(victim.closed for victim in made.victims)


def alone(world: World) -> tuple[Ending, list[str]]:
    endings = []

    async def scenario() -> None:
        host = DockerHost("ci-7")
        endings.append(await world.kill(host, "c1"))
        await host.close()

    run(scenario())
    return endings[0], world.engine.told


def test_one_is_signalled_and_the_engine_waited_for(world: World) -> None:
    ending, told = alone(world)
    assert ending == Ending(exit_code=137)
    assert told == ["inspect c1", "signal c1", "wait c1"]
    assert world.deaths == ["c1"]


def test_one_that_is_not_seen_is_killed_by_the_engine(world: World) -> None:
    world.seen = False
    assert alone(world) == (Ending(exit_code=137), ["inspect c1", "kill c1", "wait c1"])
    assert world.deaths == [], "the engine's answer tells of it"


def test_one_that_may_not_be_signalled_is_killed_by_the_engine(world: World) -> None:
    world.struck = False
    _, told = alone(world)
    assert told == ["inspect c1", "signal c1", "kill c1", "wait c1"]
    assert world.deaths == []


def test_one_that_does_not_end_is_killed_by_the_engine(world: World) -> None:
    world.ends = False
    _, told = alone(world)
    assert told == ["inspect c1", "signal c1", "kill c1", "wait c1"]


def test_one_that_ended_otherwise_was_not_killed(world: World) -> None:
    world.engine.exit_code = 3
    ending, _ = alone(world)
    assert ending == Ending(exit_code=3, asked_for=False)


def test_one_that_the_engine_removed_at_its_end_was_killed(world: World) -> None:
    world.engine.gone = True
    ending, _ = alone(world)
    assert ending == Ending(exit_code=docker_containers.SIGKILLED)


@pytest.mark.parametrize("last", ["inspect c2", "volume ci-7_off.c3"])
def test_nobody_dies_before_all_are_marked_and_looked_at(world: World, last: str) -> None:
    world.engine.holds_back = last

    async def cut(host: DockerHost, container_id: str) -> None:
        await host.set_mark(container_id, Mark.OFF, None)
        await world.kill(host, container_id)

    async def scenario() -> None:
        host = DockerHost("ci-7")
        async with asyncio.TaskGroup() as group:
            for each in FLEET:
                group.create_task(cut(host, each))
            # Each is marked and looked at; a mark that is late makes its look late, too.
            before = 2 * len(FLEET) - (1 if last.startswith("inspect") else 2)
            assert await asyncio.to_thread(world.engine.asked, before)
            assert not [each for each in world.engine.told if each.startswith("signal")]
            world.engine.go_on.set()
        await host.close()

    run(scenario())
    told = [each.split()[0] for each in world.engine.told]
    assert told[-6:] == ["signal"] * 3 + ["wait"] * 3
    assert sorted(world.deaths) == sorted(FLEET)
