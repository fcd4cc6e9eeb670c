"""How the script drives a charge point: see `cp_image.core.script`."""

from cp_image.api.value import Value


class Span(Value):
    """From `least` to `most`, both included; what is drawn from it is anything between."""

    least: float
    most: float


class ScriptSettings(Value):
    """What the drivers of a charge point do, each connector's on their own.

    Attributes:
        idle_s: how long nobody is there.
        handling_s: how long a driver takes from the plug to the tag, and from the stop to the
            unplugging.
        charge_s: how long a car charges before its driver stops it.
        consumption: what a car asks for; A on each phase for AC, W for DC.
        id_tags: one of them is held to the reader.
        sessions: of each connector, then nobody comes any more; 0 is without end.
    """

    idle_s: Span
    handling_s: Span
    charge_s: Span
    consumption: Span
    id_tags: tuple[str, ...]
    sessions: int
