"""What is measured: a figure, its target, and its floor from the same run."""

from dataclasses import dataclass
from enum import StrEnum


class Quantity(StrEnum):
    """What a figure is of; the value is its name in JSON."""

    BRING_UP = "bring_up"
    MEMORY = "memory"
    DENSE_MEMORY = "dense_memory"
    IDLE_CPU = "idle_cpu"
    IDLE_MESSAGES = "idle_messages"
    LATENCY_MEDIAN = "latency_median"
    LATENCY_P99 = "latency_p99"
    KILL = "kill"
    CHARGING_CPU = "charging_cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What is known of a quantity before it is measured.

    Attributes:
        name: for people.
        unit: of figure, target and floor.
        target: at most; None sets none.
        floor_name: what the floor is.
        times_floor: whether the target counts floors rather than units.
    """

    name: str
    unit: str
    target: float | None
    floor_name: str
    times_floor: bool = False


DEFINITIONS = {
    Quantity.BRING_UP: Definition(
        name="bring-up until all are Accepted",
        unit="s",
        target=2.0,
        floor_name="containers that sleep",
        times_floor=True,
    ),
    Quantity.MEMORY: Definition(
        name="memory of a charge point (PSS)",
        unit="MiB",
        target=18.0,
        floor_name="Python with the libraries",
    ),
    Quantity.DENSE_MEMORY: Definition(
        name="the same in dense mode",
        unit="MiB",
        target=6.0,
        floor_name="containerd-shim of each",
    ),
    Quantity.IDLE_CPU: Definition(
        name="idle CPU of a charge point",
        unit="% of a core",
        target=0.02,
        floor_name="a container that sleeps",
    ),
    Quantity.IDLE_MESSAGES: Definition(
        name="MQTT messages while idle",
        unit="",
        target=0.0,
        floor_name="",
    ),
    Quantity.LATENCY_MEDIAN: Definition(
        name="MQTT input to retained status, median",
        unit="ms",
        target=10.0,
        floor_name="broker there and back",
    ),
    Quantity.LATENCY_P99: Definition(
        name="MQTT input to retained status, p99",
        unit="ms",
        target=50.0,
        floor_name="broker there and back",
    ),
    Quantity.KILL: Definition(
        name="kill of all until seen Dead",
        unit="s",
        target=1.0,
        floor_name="containers that sleep",
    ),
    Quantity.CHARGING_CPU: Definition(
        name="all charging, MeterValues every 5 s",
        unit="% of a core",
        target=10.0,
        floor_name="all idle",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured.

    Attributes:
        charge_points: with how many running.
        value: None: could not be measured, `note` says why.
        floor: None where there is none.
    """

    quantity: Quantity
    charge_points: int
    value: float | None
    floor: float | None = None
    note: str = ""

    @property
    def definition(self) -> Definition:
        """What is known of its quantity."""
        return DEFINITIONS[self.quantity]

    @property
    def limit(self) -> float | None:
        """The target in the figure's unit."""
        target = self.definition.target
        if target is None or not self.definition.times_floor:
            return target
        return None if self.floor is None else target * self.floor

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is nothing to compare."""
        if self.value is None or self.limit is None:
            return None
        return self.value <= self.limit
