"""What the launcher needs of a container engine, in its own words. Pure: no engine here."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from launcher.api import Specification
from launcher.container import ContainerRequest


class EngineError(Exception):
    """The engine refused or could not be reached; the text is for people."""


class ContainerState(StrEnum):
    """The engine's own words; one that it has not told us yet counts as dead."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"

    @classmethod
    def _missing_(cls, _value: object) -> "ContainerState":
        return cls.DEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRecord:
    """The container of a charge point.

    Attributes:
        specification: None where its label cannot be read.
        fingerprint: of the request it was made from; empty where unknown.
    """

    charge_point_id: str
    container_id: str
    name: str
    state: ContainerState
    image_id: str
    specification: Specification | None
    fingerprint: str = ""

    @property
    def alive(self) -> bool:
        """Whether the charge point has a process."""
        return self.state in {
            ContainerState.RUNNING,
            ContainerState.PAUSED,
            ContainerState.RESTARTING,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRecord:
    """The volume of a charge point; `specification` is None where its label cannot be read."""

    charge_point_id: str
    name: str
    specification: Specification | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the engine has of one environment, by charge point id."""

    containers: Mapping[str, ContainerRecord] = field(default_factory=dict)
    volumes: Mapping[str, VolumeRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMortem:
    """How the process in a container ended.

    Attributes:
        exit_code: 137 is SIGKILL.
        out_of_memory: whether the kernel killed it for memory.
        last_log: the last lines it printed.
        runs_again: whether the container has been started again since.
    """

    exit_code: int
    out_of_memory: bool
    last_log: tuple[str, ...]
    runs_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDied:
    """The process of a charge point's container has ended."""

    charge_point_id: str
    container_id: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningBegan:
    """From here on nothing is missed; what happened before was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningBroke:
    """The engine does not tell any more, for the reason given; it is asked again and again."""

    reason: str


EngineEvent = ContainerDied | ListeningBegan | ListeningBroke


class Engine(Protocol):
    """A container engine; every method may raise `EngineError`."""

    async def observe(self) -> Observation:
        """Return all charge points of the environment."""

    async def find_container(self, charge_point_id: str) -> ContainerRecord | None:
        """Return the container of a charge point, running or not."""

    async def find_volume(self, charge_point_id: str) -> VolumeRecord | None:
        """Return the volume of a charge point."""

    async def image_id(self, image: str) -> str | None:
        """Return what an image's name stands for now, or None where there is no such image."""

    async def create_volume(self, request: ContainerRequest) -> None:
        """Make the volume of a charge point; one that exists is kept as it is."""

    async def create_container(self, request: ContainerRequest) -> str:
        """Make the container of a charge point, not yet started; return its id."""

    async def start(self, container_id: str) -> None:
        """Start a container that is not running."""

    async def kill(self, container_id: str) -> None:
        """SIGKILL, and wait until the process is gone."""

    async def remove_container(self, container_id: str) -> None:
        """Remove a container, killing it where it runs; a missing one is no error."""

    async def remove_volume(self, name: str) -> None:
        """Remove a volume; a missing one is no error."""

    async def post_mortem(self, container_id: str) -> PostMortem | None:
        """Return how a container ended, or None where it is gone."""

    def events(self) -> AsyncGenerator[EngineEvent]:
        """Tell of deaths until closed; `ListeningBegan` comes first and after each break."""

    async def close(self) -> None:
        """Let go of the engine."""
