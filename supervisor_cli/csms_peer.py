"""A charge point that is connected to the central system in the box, and what it is asked."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from supervisor_cli.ocpp_frames import Call, CallErrorCode, Error, Frame, FrameError, Result


class NotConnectedError(ConnectionError):
    """The charge point is not connected, or the connection broke before it answered."""


class CallFailedError(Exception):
    """The charge point answered with a CALLERROR, in `error`."""

    def __init__(self, charge_point_id: str, action: str, error: Error) -> None:
        super().__init__(f"{charge_point_id}: {action}: {error.code}: {error.description}")
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenCall:
    action: str
    answer: asyncio.Future[Result | Error]


class Peer:
    """One connection of a charge point.

    Args:
        charge_point_id: as which it connected.
        connection: its WebSocket.
        send: sends, and records, a frame that belongs to an action.
    """

    def __init__(
        self,
        charge_point_id: str,
        connection: ServerConnection,
        send: Callable[["Peer", Frame, str], Awaitable[None]],
    ) -> None:
        self.charge_point_id = charge_point_id
        self.connection = connection
        self._send = send
        self._open: dict[str, _OpenCall] = {}
        self._turn = asyncio.Lock()

    async def ask(self, action: str, payload: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Send a call when no other is open and return the payload of the answer.

        Raises:
            NotConnectedError: the connection broke.
            CallFailedError: it answered with a CALLERROR.
            TimeoutError: it did not answer.
        """
        call = Call(unique_id=secrets.token_hex(8), action=action, payload=payload)
        async with self._turn:
            answer = await self._answer_to(call, timeout_s)
        if isinstance(answer, Error):
            raise CallFailedError(self.charge_point_id, action, answer)
        return answer.payload

    def action_of(self, frame: Result | Error) -> str:
        """Return the action an answer belongs to.

        Raises:
            FrameError: nothing was asked that it could answer.
        """
        call = self._open.get(frame.unique_id)
        if call is None:
            raise FrameError(
                f"an answer to {frame.unique_id}, which was not asked or has timed out",
                code=CallErrorCode.PROTOCOL_ERROR,
            )
        return call.action

    def settle(self, frame: Result | Error) -> None:
        """Hand an answer to whoever waits for it, if anybody does."""
        call = self._open.get(frame.unique_id)
        if call is not None and not call.answer.done():
            call.answer.set_result(frame)

    def abandon(self) -> None:
        """The connection is gone: no answer will come."""
        for call in self._open.values():
            if not call.answer.done():
                call.answer.set_exception(self._gone(call.action))

    async def _answer_to(self, call: Call, timeout_s: float) -> Result | Error:
        answer: asyncio.Future[Result | Error] = asyncio.get_running_loop().create_future()
        self._open[call.unique_id] = _OpenCall(action=call.action, answer=answer)
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(self, call, call.action)
                return await answer
        except ConnectionClosed as exc:
            raise self._gone(call.action) from exc
        except TimeoutError as exc:
            raise TimeoutError(
                f"charge point {self.charge_point_id} did not answer {call.action} in {timeout_s} s"
            ) from exc
        finally:
            del self._open[call.unique_id]
            if not answer.cancel() and not answer.cancelled():
                answer.exception()  # seen, even where the time was up before it was waited for

    def _gone(self, action: str) -> NotConnectedError:
        return NotConnectedError(
            f"charge point {self.charge_point_id} went away before it answered {action}"
        )
