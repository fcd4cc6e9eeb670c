"""How a charge point gets its id from its environment, said once for itself and its launcher."""

from typing import Final

HOST_NAME: Final = "{hostname}"
"""Stands for the host name in ``SIMU_ID`` and ``SIMU_STATE_DIRECTORY``, so that copies of one
container have ids of their own, and may share a volume: the engine names each after its container,
and the name stays for the container's life."""


def charge_point_id(given: str, host_name: str) -> str:
    """Return the id that ``SIMU_ID`` asks for, not yet validated; empty asks for the host name."""
    return (given or HOST_NAME).replace(HOST_NAME, host_name)
