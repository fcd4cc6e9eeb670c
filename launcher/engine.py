"""What the launcher needs of a container engine, in its own words. Pure: no engine here."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from launcher.api import Specification
from launcher.container import ContainerRequest, Mark


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
        network: the one it belongs to, also while it is cut off.
        connected: whether it is in a network now, or will be when it runs.
        address: its own, where it has one now.
        exit_code: of the last process; None where there never was one, or one runs.
        out_of_memory: whether the kernel killed that; looked at where it matters only.
        started_at: epoch seconds; None where it did not matter.
        by_hand: whether somebody started it from our image without our labels.
    """

    charge_point_id: str
    container_id: str
    name: str
    state: ContainerState
    image_id: str
    specification: Specification | None
    fingerprint: str = ""
    network: str = ""
    connected: bool = True
    address: str = ""
    exit_code: int | None = None
    out_of_memory: bool = False
    started_at: float | None = None
    by_hand: bool = False

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
class MarkRecord:
    """A mark of a charge point.

    Attributes:
        specification: as it was when the mark was made; None where it was not known.
        made_at: epoch seconds.
        address: that the container had, for a mark of a cut; empty where it had none.
    """

    mark: Mark
    specification: Specification | None
    made_at: float
    address: str = ""


Marks = Mapping[Mark, MarkRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the engine has of one charge point."""

    container: ContainerRecord | None = None
    volume: VolumeRecord | None = None
    marks: Marks = field(default_factory=dict)

    @property
    def specification(self) -> Specification | None:
        """As it is to be: the newest that was asked for."""
        changed = self.marks.get(Mark.CHANGED)
        for each in (changed, self.container, self.volume, *self.marks.values()):
            if each is not None and each.specification is not None:
                return each.specification
        return None

    @property
    def is_nothing(self) -> bool:
        """Whether there is no trace of it."""
        return self.container is None and self.volume is None and not self.marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the engine has of one environment, by charge point id."""

    containers: Mapping[str, ContainerRecord] = field(default_factory=dict)
    volumes: Mapping[str, VolumeRecord] = field(default_factory=dict)
    marks: Mapping[str, Marks] = field(default_factory=dict)

    def of(self, charge_point_id: str) -> Found:
        """Return what there is of one charge point."""
        return Found(
            container=self.containers.get(charge_point_id),
            volume=self.volumes.get(charge_point_id),
            marks=self.marks.get(charge_point_id, {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMortem:
    """How the process in a container ended.

    Attributes:
        exit_code: 137 is SIGKILL.
        out_of_memory: whether the kernel killed it for memory.
        last_log: the last lines it printed.
        runs_again: whether the container has been started again since.
        finished_at: epoch seconds; tells the deaths of a container apart.
    """

    exit_code: int
    out_of_memory: bool
    last_log: tuple[str, ...]
    runs_again: bool = False
    finished_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a process was ended.

    Attributes:
        exit_code: 137 is SIGKILL.
        asked_for: False where it had ended by itself before it was told to.
    """

    exit_code: int
    asked_for: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDied:
    """The process of a charge point's container has ended."""

    charge_point_id: str
    container_id: str
    exit_code: int


class Change(StrEnum):
    """What happens to a container beside its death, in the engine's words."""

    START = "start"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerChanged:
    """Something has happened to a charge point's container."""

    charge_point_id: str
    container_id: str
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworksChanged:
    """A network of the environment, or who has to serve all of them, may not be as it was.

    Attributes:
        what: happened, for people.
    """

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningBegan:
    """From here on nothing is missed; what happened before was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningBroke:
    """The engine does not tell any more, for the reason given; it is asked again and again."""

    reason: str


EngineEvent = ContainerDied | ContainerChanged | NetworksChanged | ListeningBegan | ListeningBroke


class Engine(Protocol):
    """A container engine; every method may raise `EngineError`."""

    async def observe(self) -> Observation:
        """Return all charge points of the environment."""

    async def find(self, charge_point_id: str) -> Found:
        """Return all there is of a charge point."""

    async def set_mark(
        self,
        charge_point_id: str,
        mark: Mark,
        specification: Specification | None,
        address: str = "",
    ) -> None:
        """Make a mark; one that is there is kept as it is."""

    async def clear_mark(self, charge_point_id: str, mark: Mark) -> None:
        """Take a mark away; a missing one is no error."""

    async def ensure_network(self, network: str) -> None:
        """Make a network of the environment where it is missing, and let the broker in."""

    async def image_id(self, image: str) -> str | None:
        """Return what an image's name stands for now, or None where there is no such image."""

    async def create_volume(self, request: ContainerRequest) -> None:
        """Make the volume of a charge point; one that exists is kept as it is."""

    async def create_container(self, request: ContainerRequest) -> str:
        """Make the container of a charge point, not yet started; return its id.

        Its volumes are made, too, where they are missing.
        """

    async def start(self, container_id: str) -> None:
        """Start a container that is not running."""

    async def kill(self, container_id: str, on_death: Callable[[], None]) -> Ending:
        """SIGKILL, and wait until the process is gone.

        Args:
            container_id: its id.
            on_death: is called as soon as the process does nothing any more. That may be long
                before it is gone: the kernel has to clear up, and the engine to take note.
        """

    async def stop(self, container_id: str) -> Ending:
        """SIGTERM, SIGKILL where that does not help in time, and wait for the end."""

    async def pause(self, container_id: str) -> None:
        """Halt every process; one that is halted is no error."""

    async def unpause(self, container_id: str) -> None:
        """Let halted processes go on; one that is not halted is no error."""

    async def disconnect(self, found: ContainerRecord) -> None:
        """Take a container's network away; one that has none is no error."""

    async def connect(self, found: ContainerRecord, address: str) -> None:
        """Give a container its network back, with that address if it is still free."""

    async def remove_container(self, container_id: str) -> None:
        """Remove a container, killing it where it runs; a missing one is no error."""

    async def remove_volume(self, name: str) -> None:
        """Remove a volume; a missing one is no error."""

    async def post_mortem(self, container_id: str) -> PostMortem | None:
        """Return how a container ended, or None where it is gone."""

    def events(self) -> AsyncGenerator[EngineEvent]:
        """Tell of deaths and changes; `ListeningBegan` comes first and after each break."""

    async def close(self) -> None:
        """Let go of the engine."""
