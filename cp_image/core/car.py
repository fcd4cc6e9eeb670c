"""The car at a connector: part of the physical world, so it survives a power cut."""

from msgspec import UNSET, UnsetType

from cp_image.api.payloads import CarInput
from cp_image.api.value import Value
from cp_image.core.battery import DEFAULT_SOC_PCT, Battery
from cp_image.core.energy import Phases, Supply
from cp_image.core.errors import NotNowError


class Car(Value):
    """What is plugged in, and what it asks for. A for AC, W for DC.

    Attributes:
        cable: rating of the plugged cable; 0 is unplugged.
        ready: whether the car wants energy.
        wanted: what it asks for on L1, L2, L3 where it has no battery.
        battery: what decides instead; None leaves it to `wanted`.
    """

    cable: float = 0.0
    ready: bool = True
    wanted: tuple[float, float, float] = (0.0, 0.0, 0.0)
    battery: Battery | None = None

    @property
    def plugged(self) -> bool:
        """Whether a cable is in."""
        return self.cable > 0

    def asks(self, supply: Supply) -> Phases:
        """Return what it asks a supply for on L1, L2, L3, ready or not."""
        return self.wanted if self.battery is None else self.battery.wanted(supply)

    def changed(self, change: CarInput) -> "Car":
        """Return the car after an input; what the input leaves out stays.

        Raises:
            NotNowError: something of a battery changes, and there is none.
        """
        l1, l2, l3 = self.wanted
        return Car(
            cable=_either(change.cable, self.cable),
            ready=self.ready if change.ready is UNSET else change.ready,
            wanted=(
                _either(change.consumption_l1, l1),
                _either(change.consumption_l2, l2),
                _either(change.consumption_l3, l3),
            ),
            battery=None if change.speaks_of_consumption else _battery(self.battery, change),
        )


def _either(new: float | UnsetType, old: float) -> float:
    return old if new is UNSET else float(new)


def _battery(before: Battery | None, change: CarInput) -> Battery | None:
    if not change.speaks_of_battery:
        return before
    capacity_wh = before.capacity_wh if before else None
    if change.battery_wh is not UNSET:
        capacity_wh = change.battery_wh
    if capacity_wh is None:
        raise NotNowError(
            "the car has no battery: battery_wh comes with the first of soc_pct, max_power_w, "
            "max_current_a, nb_phases and taper_from_pct"
        )
    battery = before or Battery(capacity_wh=capacity_wh, stored_wh=0.0)
    soc_pct = _either(change.soc_pct, before.soc_pct if before else DEFAULT_SOC_PCT)
    return Battery(
        capacity_wh=capacity_wh,
        stored_wh=min(capacity_wh, capacity_wh * soc_pct / 100),
        max_power_w=battery.max_power_w if change.max_power_w is UNSET else change.max_power_w,
        max_current_a=_either(change.max_current_a, battery.max_current_a),
        nb_phases=battery.nb_phases if change.nb_phases is UNSET else change.nb_phases,
        taper_from_pct=_either(change.taper_from_pct, battery.taper_from_pct),
    )
