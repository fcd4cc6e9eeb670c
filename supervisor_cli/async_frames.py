"""The OCPP frames of a charge point, to be waited for and asserted on; within an event loop."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, Final

from cp_image.api.payloads import ChargePointCommand, CommandType, FrameDirection
from supervisor_cli.client import SimuClient
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.frame_log import FrameLog, SeenFrame, Wanted, is_answer
from supervisor_cli.handle_errors import member

__tracebackhide__ = True  # of interest in a failed test is the line that called
_ALL_KEPT: Final = 1000
"""More than a charge point keeps."""
SHOWN_FRAMES: Final = 30
"""As many are told where they are the news."""
LAST_FRAMES: Final = 5
"""As many are told where something else is the news."""

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"""Starts a task that ends with whoever owns it."""


class AsyncFrames:
    """What passed between a charge point and its CSMS, from its first frame on.

    Fields of the payload are given by name and as OCPP spells them. Of an object the fields that
    are named must be so, of a list each element that is named must be there, and a function is
    asked: ``wait_for("StopTransaction", reason="PowerLoss", meterStop=lambda wh: wh > 0)``.
    """

    def __init__(
        self, client: SimuClient, charge_point_id: str, timeout_s: float, spawn: Spawn
    ) -> None:
        self._spawn = spawn
        self._client = client
        self._charge_point_id = charge_point_id
        self._timeout_s = timeout_s
        self._log = FrameLog()
        self._recording: asyncio.Task[None] | None = None
        self._refusal = ""

    def __repr__(self) -> str:
        return f"<frames of {self._charge_point_id}: {len(self._log)}>"

    @property
    def last(self) -> SeenFrame | None:
        """The newest that was heard; None before the first. Serves as `after`."""
        return self._log.last

    @property
    def heard(self) -> tuple[SeenFrame, ...]:
        """All that were heard, calls and answers, in order."""
        return tuple(self._log)

    async def wait_for(
        self,
        action: str,
        /,
        *,
        direction: FrameDirection | str | None = None,
        after: SeenFrame | None = None,
        timeout_s: float | None = None,
        **fields: Any,
    ) -> SeenFrame:
        """Wait for a call, and return the first that is as wanted; it may have passed already.

        Args:
            action: as OCPP spells it: StartTransaction.
            direction: sent or received, seen from the charge point; None is either.
            after: only frames that came after this one; None is from the first on.
            timeout_s: how long; None is as long as usual.
            **fields: of the payload.

        Raises:
            SimuError: it does not come, in time; says what came instead.
        """
        wanted = _wanted(action, direction, after, fields)
        self.record()
        there = self._log.all(wanted)
        return there[0] if there else await self._next(wanted.fits, str(wanted), timeout_s)

    async def wait_for_answer(
        self,
        action: str,
        /,
        *,
        direction: FrameDirection | str | None = None,
        after: SeenFrame | None = None,
        timeout_s: float | None = None,
        **fields: Any,
    ) -> SeenFrame:
        """Wait for a call as `wait_for` does, and then for its answer, and return that.

        Raises:
            SimuError: one of them does not come, in time.
        """
        call = await self.wait_for(
            action, direction=direction, after=after, timeout_s=timeout_s, **fields
        )
        return await self.answer(call, timeout_s=timeout_s)

    async def answer(self, call: SeenFrame, *, timeout_s: float | None = None) -> SeenFrame:
        """Wait for the answer to a call, and return it: a result, or an error.

        Raises:
            SimuError: it does not come, in time.
        """
        there = self._log.answer(call)
        if there is not None:
            return there
        return await self._next(lambda seen: is_answer(seen, call), f"answer to {call}", timeout_s)

    async def all(
        self,
        action: str | None = None,
        /,
        *,
        direction: FrameDirection | str | None = None,
        after: SeenFrame | None = None,
        **fields: Any,
    ) -> list[SeenFrame]:
        """Return the calls until now that are as wanted, in order; see `wait_for`."""
        wanted = _wanted(action, direction, after, fields)
        await self._catch_up()
        return self._log.all(wanted)

    async def none(
        self,
        action: str,
        /,
        *,
        direction: FrameDirection | str | None = None,
        after: SeenFrame | None = None,
        **fields: Any,
    ) -> None:
        """Check that no such call has passed until now; see `wait_for`.

        Raises:
            SimuError: one has.
        """
        found = await self.all(action, direction=direction, after=after, **fields)
        if found:
            wanted = _wanted(action, direction, after, fields)
            raise SimuError(
                f"{self._charge_point_id} has {len(found)} {wanted}, wanted is none:\n"
                + "\n".join(f"  {each}" for each in found)
            )

    def told(self, most: int = SHOWN_FRAMES) -> str:
        """Return the newest frames for people, a line each; empty where none were asked for."""
        if self._recording is None:
            return ""
        return f"  not told: {self._refusal}" if self._refusal else self._log.told(most)

    # -- recording ------------------------------------------------------------------------------

    def record(self) -> None:
        """Take its frames from now on, and those it has kept; twice is no harm."""
        if self._recording is None:
            self._recording = self._spawn(self._record())

    def stop_recording(self) -> None:
        """Take no more frames."""
        if self._recording is not None:
            self._recording.cancel()

    async def _record(self) -> None:
        await self._client.wait_for(
            lambda view: view.get(self._charge_point_id) is not None, timeout_s=float("inf")
        )
        try:
            async with aclosing(
                self._client.frames([self._charge_point_id], last=_ALL_KEPT)
            ) as frames:
                async for traced in frames:
                    self._log.add(traced.frame)
        except SimuError as exc:
            self._refusal = str(exc)

    async def _catch_up(self) -> None:
        """Let come in what has passed: a charge point publishes its frames before its answer."""
        self.record()
        if self._client.is_alive(self._charge_point_id):
            command = ChargePointCommand(type=CommandType.TRACE, last=0)
            await self._client.send_input(self._charge_point_id, command)
            await asyncio.sleep(0)  # the one who records has its turn

    async def _next(
        self, fits: Callable[[SeenFrame], bool], wanted: str, timeout_s: float | None
    ) -> SeenFrame:
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        found: asyncio.Future[SeenFrame] = asyncio.get_running_loop().create_future()

        def listen(seen: SeenFrame) -> None:
            if not found.done() and fits(seen):
                found.set_result(seen)

        end = self._log.listen(listen)
        try:
            async with asyncio.timeout(timeout_s):
                return await found
        except TimeoutError:
            raise SimuError(
                f"{self._charge_point_id}: no {wanted} within {timeout_s:g} s; there are:\n"
                f"{self.told()}",
                exit_code=ExitCode.TIMEOUT,
            ) from None
        finally:
            end()


def _wanted(
    action: str | None,
    direction: FrameDirection | str | None,
    after: SeenFrame | None,
    fields: dict[str, Any],
) -> Wanted:
    way = member(FrameDirection, direction) if direction is not None else None
    return Wanted(action=action, fields=fields, direction=way, after=after)
