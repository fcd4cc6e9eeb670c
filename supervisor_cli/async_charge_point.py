"""Handles of a charge point and its connectors, from within an event loop."""

from cp_image.api.payloads import ChargePointState
from launcher.api import CommandType
from supervisor_cli.async_connector import AsyncConnector
from supervisor_cli.async_frames import LAST_FRAMES, AsyncFrames, Spawn
from supervisor_cli.client import SimuClient
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import ChargePointView, FleetView
from supervisor_cli.handle_errors import is_lost, member, not_so, raise_refusals, seen
from supervisor_cli.outcomes import from_answer
from supervisor_cli.selection import need_connector

__tracebackhide__ = True  # of interest in a failed test is the line that called


class AsyncChargePoint:
    """A charge point of an environment.

    Attributes:
        id: its own.
        frames: what passed between it and its CSMS.
        removed: whether `remove` was called here.
    """

    def __init__(
        self, client: SimuClient, charge_point_id: str, timeout_s: float, spawn: Spawn
    ) -> None:
        self.id = charge_point_id
        self.frames = AsyncFrames(client, charge_point_id, timeout_s, spawn)
        self.removed = False
        self._client = client
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"<charge point {seen(self.id, self.view)}>"

    @property
    def view(self) -> ChargePointView | None:
        """All it has told about itself; None where it was not heard."""
        return self._client.view.get(self.id)

    @property
    def status(self) -> ChargePointState | None:
        """What it says of itself; None where it was not heard."""
        return self.view.state if self.view is not None else None

    def connector(self, connector_id: int = 1) -> AsyncConnector:
        """Return one of its connectors.

        Raises:
            SimuError: it has none of that number.
        """
        if self.view is not None:
            need_connector(self.view, connector_id)
        return AsyncConnector(self._client, self.id, connector_id, self._timeout_s, self.frames)

    async def wait_for(
        self, state: ChargePointState | str, *, timeout_s: float | None = None
    ) -> None:
        """Wait until it is in a state: Disconnected, Rejected, Pending, Accepted or Dead.

        Raises:
            SimuError: it is not, in time; says how it is instead.
        """
        wished = member(ChargePointState, state)

        def there(view: FleetView) -> bool:
            charge_point = view.get(self.id)
            if charge_point is None:
                return False
            return charge_point.state is wished or is_lost(charge_point)

        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        try:
            await self._client.wait_for(there, timeout_s=timeout_s, what=f"{self.id} {wished}")
        except SimuError as exc:
            if exc.exit_code is not ExitCode.TIMEOUT:
                raise
            raise self._not_so(wished, timeout_s) from None
        if self.status is not wished and is_lost(self.view):
            raise self._not_so(wished, timeout_s)

    async def kill(self) -> None:
        """Cut its power; what it remembers stays, and the car stays plugged."""
        await self._command(CommandType.KILL, "killed")
        await self.wait_for(ChargePointState.DEAD)

    async def stop(self) -> None:
        """End it in order: the CSMS hears a farewell; what it remembers stays."""
        await self._command(CommandType.STOP, "stopped")
        await self.wait_for(ChargePointState.DEAD)

    async def restart(
        self,
        *,
        until: ChargePointState | str | None = ChargePointState.ACCEPTED,
        timeout_s: float | None = None,
    ) -> None:
        """Give it its power back, with all it remembers; a living one is cut first.

        Args:
            until: the state to wait for; None does not wait.
            timeout_s: how long; None is as long as usual.
        """
        await self._command(CommandType.RESTART, "restarted")
        if until is not None:
            await self.wait_for(until, timeout_s=timeout_s)

    async def freeze(self) -> None:
        """Hang it: it does nothing any more, but its connections stay open."""
        await self._command(CommandType.FREEZE, "frozen")

    async def thaw(self) -> None:
        """Let it go on where it hung."""
        await self._command(CommandType.THAW, "thawed")

    async def cut(self) -> None:
        """Take its network until it is mended: CSMS and broker; the car stays, and charges on."""
        await self._command(CommandType.CUT, "cut off")

    async def mend(self) -> None:
        """Give it its network back."""
        await self._command(CommandType.MEND, "mended")

    async def remove(self) -> None:
        """Remove it with all it remembers."""
        await self._command(CommandType.REMOVE, "removed")
        self.removed = True
        self.frames.stop_recording()

    async def configuration(self) -> dict[str, str]:
        """Return its readable OCPP configuration keys.

        Raises:
            SimuError: it does not answer (exit code 4).
        """
        return await self._client.configuration(self.id)

    async def configure(self, key: str, value: str) -> None:
        """Give an OCPP configuration key another value, as a person at the charge point would.

        Raises:
            SimuError: there is no such key, it is read-only, or the value is none for it.
        """
        result = await self._client.configure(self.id, key, value)
        if not result.ok:
            raise SimuError(f"{self.id}: {result.text or result.code}")

    async def _command(self, kind: CommandType, done: str) -> None:
        answer = await self._client.command(kind, [self.id])
        raise_refusals(from_answer(answer, done=done, about=self._client))

    def _not_so(self, wished: str, timeout_s: float) -> SimuError:
        frames = self.frames.told(LAST_FRAMES)
        return not_so(seen(self.id, self.view), wished, timeout_s, self.view, frames)
