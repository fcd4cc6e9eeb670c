"""Which network each charge point has its place in, and that the networks in use are there."""

import asyncio
from collections import Counter

from launcher import networks
from launcher.container import Surroundings
from launcher.engine import Engine


class NetworkPlaces:
    """Gives charge points their places in the networks of an environment.

    Args:
        engine: where the networks are.
        surroundings: what the environment is called, and how many a network may have.
    """

    def __init__(self, engine: Engine, surroundings: Surroundings) -> None:
        self._engine = engine
        self._surroundings = surroundings
        self._network_of: dict[str, str] = {}
        self._ensured: set[str] = set()
        self._lock = asyncio.Lock()

    def notice(self, charge_point_id: str, network: str) -> None:
        """Take in to which network a charge point belongs."""
        self._network_of[charge_point_id] = network

    def reserve(self, charge_point_id: str, network: str | None = None) -> str:
        """Return the network a charge point belongs to, with a place in it reserved.

        Args:
            charge_point_id: of the charge point.
            network: to which its container belongs; None where it has none.
        """
        if network is None:
            network = self._network_of.get(charge_point_id, "")
        environment = self._surroundings.environment
        if not networks.is_of(environment, network):
            members = Counter(
                each for id_, each in self._network_of.items() if id_ != charge_point_id
            )
            network = networks.choose(environment, members, self._surroundings.largest_bridge)
        self._network_of[charge_point_id] = network
        return network

    def free(self, charge_point_id: str) -> None:
        """A charge point needs its place no more."""
        self._network_of.pop(charge_point_id, None)

    async def ensure(self, network: str) -> None:
        """See to it that a network of the environment is there, served by broker and proxy.

        Raises:
            EngineError: it cannot be made.
        """
        async with self._lock:
            ours = networks.is_of(self._surroundings.environment, network)
            if ours and network not in self._ensured:
                await self._engine.ensure_network(network)
                self._ensured.add(network)

    async def ensure_all(self) -> None:
        """See to it that every network in use is there; see `ensure`."""
        for network in sorted(set(self._network_of.values())):
            await self.ensure(network)

    def look_anew(self) -> None:
        """A network, or who serves it, may not be as it was: `ensure` looks at all again."""
        self._ensured.clear()
