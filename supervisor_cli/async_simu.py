"""An environment from Python, with a handle for each charge point.

async with AsyncSimu() as simu:
    cp = await simu.add(central_system="ws://localhost:9000/ocpp")
    await cp.connector(1).plug()
    await cp.connector(1).tag("TAG1")
    await cp.connector(1).wait_for("Charging")

`supervisor_cli.simu.Simu` is the same without async and await.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, Self, Unpack

from cp_image.api.payloads import ChargePointState
from cp_image.mqtt_link import MqttLink
from launcher.api import Answer, CommandType, ErrorCode, Specification
from supervisor_cli.async_charge_point import AsyncChargePoint
from supervisor_cli.charge_point_options import (
    ChargePointOptions,
    secret_sources,
    specification,
)
from supervisor_cli.client import SimuClient, ignore
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.handle_errors import raise_refusals
from supervisor_cli.mirror import LinkFactory
from supervisor_cli.outcomes import from_answer
from supervisor_cli.secret_files import SecretSources
from supervisor_cli.selection import next_free_id, unknown_charge_point
from supervisor_cli.state import Broker, resolve_environment

__tracebackhide__ = True  # of interest in a failed test is the line that called
TIMEOUT_S: Final = 30.0


class AsyncSimu:
    """An environment that is up, from within an event loop; an async context manager.

    Leaving it leaves the charge points as they are.

    Args:
        environment: its name; None: ``SIMU_ENVIRONMENT``, else ``cp-simu``.
        broker: where its broker is; None: ``SIMU_BROKER``, else where `simuctl up` started it.
        timeout_s: how long to wait where nothing else is said.
        record_frames: whether the OCPP frames of charge points that are added are recorded from
            their first on; else from when they are first asked for, and what is kept till then.
        link_factory: makes the MQTT connection; for tests.

    Attributes:
        client: the connection beneath, for what has no method here.

    Raises:
        SimuError: on entering: the broker cannot be reached (exit code 3).
    """

    def __init__(
        self,
        *,
        environment: str | None = None,
        broker: Broker | None = None,
        timeout_s: float = TIMEOUT_S,
        record_frames: bool = True,
        link_factory: LinkFactory = MqttLink,
    ) -> None:
        self.client = SimuClient(
            broker=broker,
            environment=resolve_environment(environment),
            link_factory=link_factory,
        )
        self.timeout_s = timeout_s
        self._record_frames = record_frames
        self._tasks = asyncio.TaskGroup()
        self._recordings: set[asyncio.Task[None]] = set()
        self._added: dict[str, AsyncChargePoint] = {}

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            for task in self._recordings:
                task.cancel()
            # As in `Mirror`: a group would wrap what the caller raised, but judges cancellations.
            judged = isinstance(error, asyncio.CancelledError)
            await self._tasks.__aexit__(*((kind, error, trace) if judged else (None, None, None)))
        finally:
            await self.client.__aexit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<environment {self.environment}: {len(self._added)} charge points added>"

    @property
    def environment(self) -> str:
        """Its name."""
        return self.client.environment

    @property
    def view(self) -> FleetView:
        """All that is known of the environment now."""
        return self.client.view

    @property
    def charge_points(self) -> list[AsyncChargePoint]:
        """Those that were added here, in that order, unless they were removed."""
        return [each for each in self._added.values() if not each.removed]

    def charge_point(self, charge_point_id: str) -> AsyncChargePoint:
        """Return a charge point that is there, whoever has added it.

        Raises:
            SimuError: there is none of that id.
        """
        if self.client.view.get(charge_point_id) is None:
            raise unknown_charge_point(
                charge_point_id, self.client.view.by_id, self.client.environment
            )
        return self._handle(charge_point_id)

    async def add(
        self,
        *,
        central_system: str,
        id: str | None = None,  # noqa: A002 - the field's name in the contract
        until: ChargePointState | str | None = ChargePointState.ACCEPTED,
        timeout_s: float | None = None,
        **options: Unpack[ChargePointOptions],
    ) -> AsyncChargePoint:
        """Start a charge point from a clean volume, and return it when the CSMS has accepted it.

        Args:
            central_system: CSMS URL without the charge point id; localhost is this machine.
            id: None is the next free one of CP-0001, CP-0002, …
            until: the state to wait for; None does not wait.
            timeout_s: how long; None is that of this object.
            **options: see `charge_point_options.ChargePointOptions`.

        Raises:
            SimuError: an option is off, the id is alive, or the CSMS does not accept it in time.
        """
        charge_point_id = id or next_free_id(self.client.view.by_id.keys() | self._added.keys())
        (made,) = await self.add_many(
            [charge_point_id],
            central_system=central_system,
            until=until,
            timeout_s=timeout_s,
            **options,
        )
        return made

    async def add_many(
        self,
        ids: Sequence[str],
        *,
        central_system: str,
        until: ChargePointState | str | None = ChargePointState.ACCEPTED,
        timeout_s: float | None = None,
        **options: Unpack[ChargePointOptions],
    ) -> list[AsyncChargePoint]:
        """Start charge points that differ in their ids alone; see `add`."""
        wanted = [specification(each, central_system, options) for each in ids]
        made = [self._handle(each.id) for each in wanted]
        if self._record_frames:
            for each in made:
                each.frames.record()
        # Before they are asked for: what a silent launcher may yet start is to be removed, too.
        self._added.update({each.id: each for each in made})
        answer = await self._start(wanted, secret_sources(options))
        for outcome in answer.results:
            if not outcome.ok:
                self._added.pop(outcome.id, None)
        raise_refusals(from_answer(answer, done="started", about=self.client))
        if until is not None:
            for each in made:
                await each.wait_for(until, timeout_s=timeout_s)
        return made

    async def remove(self) -> None:
        """Remove all charge points that were added here, with all they remember.

        Raises:
            SimuError: the launcher refuses, or does not answer.
        """
        ids = [each.id for each in self.charge_points]
        if ids:
            answer = await self.client.command(CommandType.REMOVE, ids)
            outcomes = from_answer(answer, done="removed", about=self.client)
            raise_refusals([it for it in outcomes if it.code != ErrorCode.UNKNOWN_CHARGE_POINT])
        for each in self._added.values():
            each.frames.stop_recording()
        self._added.clear()

    async def _start(self, wanted: Sequence[Specification], sources: SecretSources) -> Answer:
        if sources.is_empty:
            return await self.client.start(wanted)
        from supervisor_cli import secret_delivery  # noqa: PLC0415 - the engine's client: 200 ms
        from supervisor_cli.secret_volumes import SecretVolumes  # noqa: PLC0415

        for each in wanted:
            sources.require(each.security_profile, each.tls_verification)
        return await secret_delivery.start(
            self.client, wanted, ignore, lambda: SecretVolumes(self.environment), sources
        )

    def _handle(self, charge_point_id: str) -> AsyncChargePoint:
        known = self._added.get(charge_point_id)
        if known is not None and not known.removed:
            return known
        return AsyncChargePoint(self.client, charge_point_id, self.timeout_s, self._spawn)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self._tasks.create_task(work, name="record frames")
        self._recordings.add(task)
        task.add_done_callback(self._recordings.discard)
        return task
