"""A handle of a connector: its plug, its card reader, its faults; from within an event loop."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from cp_image.api.payloads import (
    CarInput,
    ConnectorState,
    ConnectorStatus,
    ErrorCode,
    FaultedInput,
    IdTagInput,
)
from supervisor_cli.async_frames import LAST_FRAMES, AsyncFrames
from supervisor_cli.client import Input, SimuClient
from supervisor_cli.commands.car import battery_car, car
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ConnectorView, FleetView
from supervisor_cli.handle_errors import connector_seen, is_lost, member, not_so

__tracebackhide__ = True  # of interest in a failed test is the line that called
T = TypeVar("T")


class AsyncConnector:
    """A connector of a charge point.

    Attributes:
        id: 1 for the first.
        charge_point_id: whose it is.
    """

    def __init__(
        self,
        client: SimuClient,
        charge_point_id: str,
        connector_id: int,
        timeout_s: float,
        frames: AsyncFrames,
    ) -> None:
        self._frames = frames
        self.id = connector_id
        self.charge_point_id = charge_point_id
        self._client = client
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"<{self._seen()}>"

    @property
    def view(self) -> ConnectorView | None:
        """All that is known of it; None where it was not heard."""
        charge_point = self._client.view.get(self.charge_point_id)
        return charge_point.connector(self.id) if charge_point is not None else None

    @property
    def status(self) -> ConnectorState | None:
        """Its OCPP status; None where it was not heard, or its charge point is Dead."""
        return self.view.state if self.view is not None else None

    @property
    def reported(self) -> ConnectorStatus:
        """What it told last: setpoints, consumption, transaction, energy.

        Raises:
            SimuError: it was not heard.
        """
        if self.view is None:
            raise SimuError(self._seen())
        return self.view.reported

    async def plug(
        self,
        *,
        cable: float | None = None,
        draw: float | Sequence[float] | None = None,
        battery_wh: float | None = None,
        soc_pct: float | None = None,
        ready: bool = True,
    ) -> None:
        """Plug a car in.

        Args:
            cable: rating; None is 32 A for AC, 250 kW for DC.
            draw: what it asks for on each phase, or on L1, L2, L3; None is 16 A, 100 kW.
            battery_wh: gives it a battery of this capacity, which decides what it asks for.
            soc_pct: state of charge of that battery; None is 20.
            ready: whether it wants energy.

        Raises:
            SimuError: it is refused, or the charge point has no such phase.
        """
        charge_point = self._client.living(self.charge_point_id)
        if soc_pct is not None and battery_wh is None:
            raise SimuError(
                "soc_pct is of a battery: battery_wh gives it", exit_code=ExitCode.USAGE
            )
        if battery_wh is not None:
            if draw is not None:
                raise SimuError("a car has a battery or a draw, not both", exit_code=ExitCode.USAGE)
            payload, _ = battery_car(
                charge_point, cable=cable, battery_wh=battery_wh, soc_pct=soc_pct, ready=ready
            )
        else:
            each = draw if isinstance(draw, int | float) else None
            phases: list[float | None] = [None, None, None]
            if isinstance(draw, Sequence):
                phases = [*draw, None, None, None][:3]
            payload, _ = car(
                charge_point,
                cable=cable,
                draw=each,
                phases=(phases[0], phases[1], phases[2]),
                ready=ready,
            )
        await self._give(payload)

    async def unplug(self) -> None:
        """Pull the plug."""
        await self._give(CarInput(cable=0.0))

    async def ready(self) -> None:
        """Let the car want energy."""
        await self._give(CarInput(ready=True))

    async def suspend(self) -> None:
        """Let the car want none: the status becomes SuspendedEV while it charges."""
        await self._give(CarInput(ready=False))

    async def tag(self, id_tag: str) -> None:
        """Hold a card to the reader; what the CSMS thinks of it shows in the status."""
        await self._give(IdTagInput(id=id_tag))

    async def fault(
        self, error_code: ErrorCode | str | None = None, *, emergency: bool = False
    ) -> None:
        """Inject a fault.

        Args:
            error_code: which; None is InternalError.
            emergency: somebody hits the emergency stop.
        """
        code = member(ErrorCode, error_code) if error_code is not None else None
        await self._give(FaultedInput(faulted=True, error_code=code, emergency=emergency))

    async def unfault(self, error_code: ErrorCode | str | None = None) -> None:
        """Clear a fault; None clears all of them."""
        code = member(ErrorCode, error_code) if error_code is not None else None
        await self._give(FaultedInput(faulted=False, error_code=code))

    async def wait_for(
        self, state: ConnectorState | str, *, timeout_s: float | None = None
    ) -> ConnectorStatus:
        """Wait until it has a status, and return what it told then.

        Args:
            state: OCPP 1.6 §7.7: Available, Preparing, Charging, SuspendedEV, …
            timeout_s: how long; None is as long as usual.

        Raises:
            SimuError: it has not, in time; says how it is instead.
        """
        wished = member(ConnectorState, state)
        return await self._wait(
            lambda it: it.reported if it.state is wished else None, wished, timeout_s
        )

    async def wait_for_transaction(self, *, timeout_s: float | None = None) -> int:
        """Wait until the CSMS has given its transaction an id, and return that.

        Raises:
            SimuError: it has not, in time; says how the connector is instead.
        """
        return await self._wait(
            lambda it: it.reported.transaction_id if it.live else None,
            "in a transaction that has an id",
            timeout_s,
        )

    async def _wait(
        self, look: Callable[[ConnectorView], T | None], wished: str, timeout_s: float | None
    ) -> T:
        """Wait until `look` returns something, and return that."""
        found: list[T] = []

        def there(view: FleetView) -> bool:
            charge_point = view.get(self.charge_point_id)
            connector = charge_point.connector(self.id) if charge_point is not None else None
            sight = look(connector) if connector is not None else None
            if sight is not None:
                found.append(sight)
            return bool(found) or is_lost(charge_point)

        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        try:
            await self._client.wait_for(there, timeout_s=timeout_s, what=f"{self} {wished}")
        except SimuError as exc:
            if exc.exit_code is not ExitCode.TIMEOUT:
                raise
            raise self._not_so(wished, timeout_s) from None
        if not found:
            raise self._not_so(wished, timeout_s)
        return found[0]

    async def _give(self, payload: Input) -> None:
        result = await self._client.send_input(self.charge_point_id, payload, connector_id=self.id)
        if not result.ok:
            text = result.text or result.code or "refused without a reason"
            raise SimuError(f"{self.charge_point_id} connector {self.id}: {text}")

    def _seen(self) -> str:
        return connector_seen(
            self.charge_point_id, self._client.view.get(self.charge_point_id), self.id
        )

    def _not_so(self, wished: str, timeout_s: float) -> SimuError:
        charge_point = self._client.view.get(self.charge_point_id)
        return not_so(self._seen(), wished, timeout_s, charge_point, self._frames.told(LAST_FRAMES))
