"""An environment from Python, with a handle for each charge point.

with Simu() as simu:
    cp = simu.add(central_system="ws://localhost:9000/ocpp")
    cp.connector(1).plug()
    cp.connector(1).tag("TAG1")
    cp.connector(1).wait_for("Charging")

`supervisor_cli.async_simu.AsyncSimu` is the same with async and await; what is documented there
holds here.
"""

import functools
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, Unpack

from cp_image.api.payloads import ChargePointState, ConnectorState, ConnectorStatus
from cp_image.mqtt_link import MqttLink
from supervisor_cli.async_charge_point import AsyncChargePoint
from supervisor_cli.async_connector import AsyncConnector
from supervisor_cli.async_frames import SHOWN_FRAMES, AsyncFrames
from supervisor_cli.async_simu import TIMEOUT_S, AsyncSimu
from supervisor_cli.charge_point_options import ChargePointOptions
from supervisor_cli.fleet_view import ChargePointView, ConnectorView, FleetView
from supervisor_cli.frame_log import SeenFrame
from supervisor_cli.hosted_loop import HostedLoop
from supervisor_cli.mirror import LinkFactory
from supervisor_cli.state import Broker

A = TypeVar("A")
P = ParamSpec("P")
T = TypeVar("T")
__tracebackhide__ = True  # of interest in a failed test is the line that called


class Handle(Generic[A]):
    """Does what its twin does, in the loop of that, and returns when it is done."""

    def __init__(self, loop: HostedLoop[AsyncSimu], twin: A) -> None:
        self._loop = loop
        self._twin = twin

    def __repr__(self) -> str:
        return repr(self._twin)


def _blocking(
    method: Callable[Concatenate[A, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Handle[A], P], T]:
    """Return a method of a handle: that of its twin, waited for."""

    @functools.wraps(method)
    def call(handle: Handle[A], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return handle._loop.run(method(handle._twin, *args, **kwargs))  # noqa: SLF001

    return call


class Frames(Handle[AsyncFrames]):
    """What passed between a charge point and its CSMS; see `AsyncFrames`."""

    wait_for = _blocking(AsyncFrames.wait_for)
    wait_for_answer = _blocking(AsyncFrames.wait_for_answer)
    answer = _blocking(AsyncFrames.answer)
    all = _blocking(AsyncFrames.all)
    none = _blocking(AsyncFrames.none)

    @property
    def last(self) -> SeenFrame | None:
        """The newest that was heard; None before the first. Serves as `after`."""
        return self._twin.last

    @property
    def heard(self) -> tuple[SeenFrame, ...]:
        """All that were heard, calls and answers, in order."""
        return self._twin.heard

    def told(self, most: int = SHOWN_FRAMES) -> str:
        """Return the newest frames for people, a line each."""
        return self._twin.told(most)


class Connector(Handle[AsyncConnector]):
    """A connector of a charge point; see `AsyncConnector`."""

    plug = _blocking(AsyncConnector.plug)
    unplug = _blocking(AsyncConnector.unplug)
    ready = _blocking(AsyncConnector.ready)
    suspend = _blocking(AsyncConnector.suspend)
    tag = _blocking(AsyncConnector.tag)
    fault = _blocking(AsyncConnector.fault)
    unfault = _blocking(AsyncConnector.unfault)
    wait_for = _blocking(AsyncConnector.wait_for)
    wait_for_transaction = _blocking(AsyncConnector.wait_for_transaction)

    @property
    def id(self) -> int:
        """1 for the first."""
        return self._twin.id

    @property
    def view(self) -> ConnectorView | None:
        """All that is known of it; None where it was not heard."""
        return self._twin.view

    @property
    def status(self) -> ConnectorState | None:
        """Its OCPP status; None where it was not heard, or its charge point is Dead."""
        return self._twin.status

    @property
    def reported(self) -> ConnectorStatus:
        """What it told last: setpoints, consumption, transaction, energy."""
        return self._twin.reported


class ChargePoint(Handle[AsyncChargePoint]):
    """A charge point of an environment; see `AsyncChargePoint`."""

    kill = _blocking(AsyncChargePoint.kill)
    stop = _blocking(AsyncChargePoint.stop)
    restart = _blocking(AsyncChargePoint.restart)
    freeze = _blocking(AsyncChargePoint.freeze)
    thaw = _blocking(AsyncChargePoint.thaw)
    cut = _blocking(AsyncChargePoint.cut)
    mend = _blocking(AsyncChargePoint.mend)
    remove = _blocking(AsyncChargePoint.remove)
    configure = _blocking(AsyncChargePoint.configure)
    wait_for = _blocking(AsyncChargePoint.wait_for)

    @property
    def id(self) -> str:
        """Its own."""
        return self._twin.id

    @property
    def view(self) -> ChargePointView | None:
        """All it has told about itself; None where it was not heard."""
        return self._twin.view

    @property
    def status(self) -> ChargePointState | None:
        """What it says of itself; None where it was not heard."""
        return self._twin.status

    @property
    def frames(self) -> Frames:
        """What passed between it and its CSMS."""
        return Frames(self._loop, self._twin.frames)

    @property
    def configuration(self) -> dict[str, str]:
        """Its readable OCPP configuration keys, asked for now."""
        return self._loop.run(self._twin.configuration())

    def connector(self, connector_id: int = 1) -> Connector:
        """Return one of its connectors.

        Raises:
            SimuError: it has none of that number.
        """
        return Connector(self._loop, self._twin.connector(connector_id))


class Simu(Handle[AsyncSimu]):
    """An environment that is up. Connects at once; `close` it, or use it as a context manager.

    Closing it leaves the charge points as they are; `remove` takes away those added here. It can
    be used from several threads.

    Args:
        environment: its name; None: ``SIMU_ENVIRONMENT``, else ``cp-simu``.
        broker: where its broker is; None: ``SIMU_BROKER``, else where `simuctl up` started it.
        timeout_s: how long to wait where nothing else is said.
        record_frames: see `AsyncSimu`.
        link_factory: makes the MQTT connection; for tests.

    Raises:
        SimuError: the broker cannot be reached (exit code 3).
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
        def open_twin() -> AsyncSimu:
            return AsyncSimu(
                environment=environment,
                broker=broker,
                timeout_s=timeout_s,
                record_frames=record_frames,
                link_factory=link_factory,
            )

        loop = HostedLoop(open_twin, name="simu")
        super().__init__(loop, loop.entered)

    remove = _blocking(AsyncSimu.remove)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect; twice is no harm."""
        self._loop.close()

    @property
    def environment(self) -> str:
        """Its name."""
        return self._twin.environment

    @property
    def view(self) -> FleetView:
        """All that is known of the environment now."""
        return self._twin.view

    @property
    def charge_points(self) -> list[ChargePoint]:
        """Those that were added here, in that order, unless they were removed."""
        return [ChargePoint(self._loop, each) for each in self._twin.charge_points]

    def charge_point(self, charge_point_id: str) -> ChargePoint:
        """Return a charge point that is there, whoever has added it.

        Raises:
            SimuError: there is none of that id.
        """
        return ChargePoint(self._loop, self._twin.charge_point(charge_point_id))

    def add(
        self,
        *,
        central_system: str,
        id: str | None = None,  # noqa: A002 - the field's name in the contract
        until: ChargePointState | str | None = ChargePointState.ACCEPTED,
        timeout_s: float | None = None,
        **options: Unpack[ChargePointOptions],
    ) -> ChargePoint:
        """Start a charge point and return it when the CSMS has accepted it; see `AsyncSimu.add`."""
        work = self._twin.add(
            central_system=central_system, id=id, until=until, timeout_s=timeout_s, **options
        )
        return ChargePoint(self._loop, self._loop.run(work))

    def add_many(
        self,
        ids: Sequence[str],
        *,
        central_system: str,
        until: ChargePointState | str | None = ChargePointState.ACCEPTED,
        timeout_s: float | None = None,
        **options: Unpack[ChargePointOptions],
    ) -> list[ChargePoint]:
        """Start charge points that differ in their ids alone; see `add`."""
        work = self._twin.add_many(
            ids, central_system=central_system, until=until, timeout_s=timeout_s, **options
        )
        return [ChargePoint(self._loop, each) for each in self._loop.run(work)]
