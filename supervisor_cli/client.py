"""An environment from Python: its live mirror, commands to its launcher, inputs to its cars.

from launcher.fleet import specification

async with SimuClient(environment="cp-simu") as simu:
    await simu.start([specification(id="CP-0001", type="AC", central_system=URL)])
    await simu.wait_for(lambda fleet: fleet.by_id["CP-0001"].alive, timeout_s=30)
    await simu.send_input("CP-0001", CarInput(cable=32, ready=True, consumption_l1=16))
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import msgspec

from cp_image.api.payloads import (
    encode,
)
from cp_image.mqtt_link import Message, MqttLink
from launcher.api import (
    DEFAULT_ENVIRONMENT,
    LAUNCHER_CMD,
    LAUNCHER_EVENT,
    LAUNCHER_RESULT,
    Answer,
    Command,
    CommandType,
    Event,
    LauncherState,
    Progress,
    Specification,
)
from launcher.fleet import entry
from supervisor_cli.charge_point_client import ChargePointClient, Input, decoded
from supervisor_cli.errors import ExitCode, NotUpError, SimuError
from supervisor_cli.mirror import LinkFactory
from supervisor_cli.state import Broker

__tracebackhide__ = True  # of interest in a failed test is the line that called
__all__ = ["Input", "OnProgress", "SimuClient", "ignore"]

OnProgress = Callable[[Progress], None]

_ANSWER: Final = msgspec.json.Decoder(Answer)
_EVENT: Final = msgspec.json.Decoder(Event)
_LAUNCHER_COMES_S: Final = 3.0


def ignore(_progress: Progress) -> None:
    """Take no notice of progress."""


@dataclass(slots=True, kw_only=True)
class _Request:
    """A command on its way: `heard` is called whenever the launcher says it is at it."""

    answer: asyncio.Future[Answer]
    heard: OnProgress


class SimuClient(ChargePointClient):
    """A live mirror of an environment, and a way to act on it; an async context manager.

    See `Mirror` for the arguments, `view` and `wait_for`, `ChargePointClient` for
    what it does with charge points, `TracingMirror` for `frames`.
    """

    def __init__(
        self,
        *,
        broker: Broker | None = None,
        environment: str = DEFAULT_ENVIRONMENT,
        link_factory: LinkFactory = MqttLink,
    ) -> None:
        super().__init__(broker=broker, environment=environment, link_factory=link_factory)
        self._requests: dict[str, _Request] = {}

    # -- the launcher ---------------------------------------------------------------------------

    async def request(
        self,
        command: Command,
        *,
        on_progress: OnProgress = ignore,
        silence_s: float = 60.0,
    ) -> Answer:
        """Send a command to the launcher and return its answer.

        Args:
            command: gets a request id of its own unless it has one.
            on_progress: called after each entry of the command.
            silence_s: how long the launcher may say nothing, neither progress nor answer.

        Raises:
            SimuError: no launcher lives (exit code 3), or it says nothing (exit code 4).
        """
        await self.need_launcher()
        request_id = command.request_id or uuid4().hex
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        try:
            async with asyncio.timeout(silence_s) as limit:

                def heard(progress: Progress) -> None:
                    if not limit.expired():
                        limit.reschedule(loop.time() + silence_s)
                    on_progress(progress)

                self._requests[request_id] = _Request(answer=answer, heard=heard)
                with self.watching(lambda: self._fail_without_launcher(answer)):
                    asked = msgspec.structs.replace(command, request_id=request_id)
                    self._publish(LAUNCHER_CMD.build(self.root), encode(asked))
                    return await answer
        except TimeoutError:
            raise SimuError(
                f"the launcher said nothing to {command.type} for {silence_s:g} s"
                f"{self._while_down()}",
                hint="simuctl doctor looks at the engine and the launcher",
                exit_code=ExitCode.TIMEOUT,
            ) from None
        finally:
            self._requests.pop(request_id, None)

    async def start(
        self,
        specifications: Sequence[Specification],
        on_progress: OnProgress = ignore,
    ) -> Answer:
        """Start charge points from a clean volume; see `request`."""
        entries = [msgspec.Raw(msgspec.json.encode(entry(each))) for each in specifications]
        command = Command(type=CommandType.START, charge_points=entries)
        return await self.request(command, on_progress=on_progress)

    async def command(
        self,
        kind: CommandType,
        charge_point_ids: Sequence[str],
        on_progress: OnProgress = ignore,
    ) -> Answer:
        """Kill, restart or remove charge points; see `request`."""
        entries = [msgspec.Raw(msgspec.json.encode({"id": each})) for each in charge_point_ids]
        command = Command(type=kind, charge_points=entries)
        return await self.request(command, on_progress=on_progress)

    # -- inside ---------------------------------------------------------------------------------

    def _heard(self, message: Message) -> None:
        super()._heard(message)
        if LAUNCHER_RESULT.parse(self.root, message.topic) is not None:
            self._answered(decoded(_ANSWER, message.payload))
        elif LAUNCHER_EVENT.parse(self.root, message.topic) is not None:
            event = decoded(_EVENT, message.payload)
            if isinstance(event, Progress):
                self._progressed(event)

    def _answered(self, answer: Answer | None) -> None:
        if answer is None or answer.request_id is None:
            return
        request = self._requests.get(answer.request_id)
        if request is not None and not request.answer.done():
            request.answer.set_result(answer)

    def _progressed(self, progress: Progress) -> None:
        request = self._requests.get(progress.request_id or "")
        if request is None or request.answer.done():
            return
        try:
            request.heard(progress)
        except Exception as exc:  # noqa: BLE001 - the caller's own, handed back to it
            request.answer.set_exception(exc)

    async def need_launcher(self) -> None:
        """Check that a launcher serves the environment, or wait for it if none ever has.

        Raises:
            SimuError: none does (exit code 3).
        """
        if self.view.launcher is None:
            # Where both have just been started, as by Docker Compose, the broker is there first.
            with contextlib.suppress(SimuError):
                await self.wait_for(
                    lambda view: view.launcher is not None, timeout_s=_LAUNCHER_COMES_S
                )
        if self.view.launcher is not LauncherState.ALIVE:
            raise self._no_launcher()

    def _fail_without_launcher(self, answer: asyncio.Future[Answer]) -> None:
        if self.view.launcher is not LauncherState.ALIVE and not answer.done():
            answer.set_exception(self._no_launcher())

    def _no_launcher(self) -> SimuError:
        what = "is Dead" if self.view.launcher is LauncherState.DEAD else "was never started"
        return NotUpError(
            f"the launcher of environment {self.environment} {what} (broker {self.broker})",
            environment=self.environment,
            hint="simuctl up starts it",
        )
