"""The car at a connector: part of the physical world, so it survives a power cut."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from cp_image.api.payloads import CarInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """What is plugged in, and what it asks for. A for AC, W for DC.

    Attributes:
        cable: rating of the plugged cable; 0 is unplugged.
        ready: whether the car wants energy.
        wanted: what it asks for on L1, L2, L3.
    """

    cable: float = 0.0
    ready: bool = True
    wanted: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def plugged(self) -> bool:
        """Whether a cable is in."""
        return self.cable > 0

    def changed(self, change: CarInput) -> "Car":
        """Return the car after an input; what the input leaves out stays."""
        l1, l2, l3 = self.wanted
        return Car(
            cable=_either(change.cable, self.cable),
            ready=self.ready if change.ready is UNSET else change.ready,
            wanted=(
                _either(change.consumption_l1, l1),
                _either(change.consumption_l2, l2),
                _either(change.consumption_l3, l3),
            ),
        )


def _either(new: float | UnsetType, old: float) -> float:
    return old if new is UNSET else float(new)
