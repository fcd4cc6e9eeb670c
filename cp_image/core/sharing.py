"""Sharing a limit over connectors whose cars cannot charge with arbitrarily little."""

from collections.abc import Sequence

from cp_image.core.energy import shared_setpoints


def shared_above_minimums(
    limits: Sequence[float], minimums: Sequence[float], total: float
) -> list[float]:
    """Share a charge point's limit over connectors, none of which gets less than its minimum.

    Args:
        limits: what each connector could have on its own.
        minimums: below which each had better get nothing; 0 is no minimum.
        total: limit of them all together.

    Returns:
        The setpoint of each as `shared_setpoints` has it, or 0 where that is less than its
        minimum; what it leaves goes to the others, and the last of the connectors yields first.
    """
    asked = list(limits)
    while True:
        setpoints = shared_setpoints(asked, total)
        short = [
            number
            for number, (setpoint, minimum) in enumerate(zip(setpoints, minimums, strict=True))
            if asked[number] > 0 and setpoint < minimum
        ]
        if not short:
            return setpoints
        asked[short[-1]] = 0.0
