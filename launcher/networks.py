"""Which of an environment's networks a charge point joins. Pure.

A Linux bridge holds 1023 ports, so a fleet that outgrows one gets another: ``ENV``, ``ENV_2``,
``ENV_3``… (an underscore, for another environment may be called ``ENV-2``).
"""

from collections.abc import Mapping
from typing import Final

LARGEST_BRIDGE: Final = 1000
"""Charge points per bridge: the rest of its ports is for the broker and for guests."""


def name(environment: str, number: int) -> str:
    """Return the name of an environment's network; they are counted from 1."""
    return environment if number == 1 else f"{environment}_{number}"


def is_of(environment: str, network: str) -> bool:
    """Whether a network is one of an environment's."""
    return network == environment or network.startswith(f"{environment}_")


def choose(environment: str, members: Mapping[str, int], largest: int) -> str:
    """Return the first network that has room.

    Args:
        environment: its name.
        members: how many charge points belong to each network, running or not.
        largest: how many a network may have.
    """
    number = 1
    while members.get(name(environment, number), 0) >= largest:
        number += 1
    return name(environment, number)
