"""The demo: three charge points, a charging session on each connector, and what came of it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from rich.table import Table

from cp_image.api import topics
from cp_image.api.payloads import (
    CarInput,
    ChargePointType,
    ConnectorState,
    Event,
    IdTagInput,
    StopReason,
    TransactionStopped,
)
from cp_image.mqtt_link import Message
from launcher.api import CommandType, Specification
from launcher.fleet import specification
from supervisor_cli.acceptance import accepted
from supervisor_cli.client import SimuClient
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.outcomes import Told, from_answer
from supervisor_cli.state import Broker

_CHARGING_S: Final = 6.0
_WAIT_S: Final = 60.0
_EVENT: Final = msgspec.json.Decoder(Event)

Report = Callable[[str], None]


def fleet(central_system: str) -> list[Specification]:
    """Return the charge points of the demo."""
    return [
        specification(
            id="DEMO-AC1",
            type=ChargePointType.AC,
            serial="DEMO-AC1",
            central_system=central_system,
        ),
        specification(
            id="DEMO-AC3",
            type=ChargePointType.AC,
            serial="DEMO-AC3",
            nb_phases=3,
            nb_connectors=2,
            max_setpoint=40.0,
            central_system=central_system,
        ),
        specification(
            id="DEMO-DC",
            type=ChargePointType.DC,
            serial="DEMO-DC",
            central_system=central_system,
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A charging session to drive: whose, with which car and tag, and how it ends."""

    charge_point_id: str
    connector_id: int
    id_tag: str
    car: CarInput
    ends_by: StopReason


SESSIONS: Final = (
    Session(
        charge_point_id="DEMO-AC1",
        connector_id=1,
        id_tag="ALICE",
        car=CarInput(cable=20.0, ready=True, consumption_l1=16.0),
        ends_by=StopReason.LOCAL,
    ),
    Session(
        charge_point_id="DEMO-AC3",
        connector_id=1,
        id_tag="BOB",
        car=CarInput(
            cable=32.0, ready=True, consumption_l1=32.0, consumption_l2=32.0, consumption_l3=32.0
        ),
        ends_by=StopReason.LOCAL,
    ),
    Session(
        charge_point_id="DEMO-AC3",
        connector_id=2,
        id_tag="CAROL",
        car=CarInput(cable=32.0, ready=True, consumption_l1=16.0),
        ends_by=StopReason.EV_DISCONNECTED,
    ),
    Session(
        charge_point_id="DEMO-DC",
        connector_id=1,
        id_tag="DAVE",
        car=CarInput(cable=250_000.0, ready=True, consumption_l1=120_000.0),
        ends_by=StopReason.EV_DISCONNECTED,
    ),
)


Driven = tuple[Session, TransactionStopped]
"""A session, and how it ended."""


class DemoClient(SimuClient):
    """A client that also hears how transactions end."""

    def __init__(self, *, broker: Broker, environment: str) -> None:
        super().__init__(broker=broker, environment=environment)
        self._stopped: dict[tuple[str, int], asyncio.Future[TransactionStopped]] = {}
        self._link.subscribe(topics.CP_EVENT, self.root)

    def next_stop(
        self, charge_point_id: str, connector_id: int
    ) -> "asyncio.Future[TransactionStopped]":
        """Return the future of the next transaction that ends on a connector."""
        future: asyncio.Future[TransactionStopped] = asyncio.get_running_loop().create_future()
        self._stopped[charge_point_id, connector_id] = future
        return future

    def _heard(self, message: Message) -> None:
        super()._heard(message)
        address = topics.CP_EVENT.parse(self.root, message.topic)
        if address is None or address.charge_point_id is None:
            return
        try:
            event = _EVENT.decode(message.payload)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return  # somebody else's words, and nobody's transaction
        if isinstance(event, TransactionStopped):
            future = self._stopped.pop((address.charge_point_id, event.connector_id), None)
            if future is not None and not future.done():
                future.set_result(event)


async def bring_to_accepted(
    simu: SimuClient, wanted: Sequence[Specification], report: Report
) -> None:
    """Start the charge points that are missing, restart the dead, and wait until all are Accepted.

    Raises:
        SimuError: the launcher refuses one, or the CSMS does not accept it.
    """
    known = {each.id: simu.view.get(each.id) for each in wanted}
    missing = [each for each in wanted if known[each.id] is None]
    dead = [name for name, view in known.items() if view is not None and not view.alive]
    outcomes = [
        Told(charge_point_id=name, text="runs")
        for name, view in known.items()
        if view is not None and view.alive
    ]
    if missing:
        report(f"adding {', '.join(each.id for each in missing)}")
        outcomes += from_answer(await simu.start(missing), done="started", about=simu)
    if dead:
        report(f"restarting {', '.join(dead)}")
        answer = await simu.command(CommandType.RESTART, dead)
        outcomes += from_answer(answer, done="restarted", about=simu)
    for told in await accepted(simu, outcomes, _WAIT_S, report):
        if not told.ok:
            raise SimuError(told.text, hint=told.hint, exit_code=told.exit_code)


async def drive(simu: DemoClient, sessions: Sequence[Session], report: Report) -> list[Driven]:
    """Drive the sessions side by side; return how each ended.

    Raises:
        SimuError: a charge point refuses an input, or does not do what it should.
    """
    report(f"charging {len(sessions)} cars for {_CHARGING_S:g} s")
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_drive_one(simu, session)) for session in sessions]
    except ExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from group_of_errors
    return [(session, task.result()) for session, task in zip(sessions, tasks, strict=True)]


def rows(results: Sequence[Driven]) -> list[dict[str, Any]]:
    """Return what happened for programs."""
    return [
        {
            "id": session.charge_point_id,
            "connector_id": session.connector_id,
            "id_tag": session.id_tag,
            "transaction_id": stopped.transaction_id,
            "energy_wh": stopped.meter_stop_wh - stopped.meter_start_wh,
            "reason": str(stopped.reason),
        }
        for session, stopped in results
    ]


def render(results: Sequence[Driven]) -> Table:
    """Return the table of what happened."""
    table = Table(title="What happened")
    table.add_column("charge point")
    table.add_column("connector", justify="right")
    table.add_column("tag")
    table.add_column("transaction", justify="right")
    table.add_column("energy", justify="right")
    table.add_column("stop reason")
    for session, stopped in results:
        table.add_row(
            session.charge_point_id,
            str(session.connector_id),
            session.id_tag,
            "" if stopped.transaction_id is None else str(stopped.transaction_id),
            f"{stopped.meter_stop_wh - stopped.meter_start_wh} Wh",
            str(stopped.reason),
        )
    return table


async def _drive_one(simu: DemoClient, session: Session) -> TransactionStopped:
    unplug = CarInput(cable=0.0)
    await _input(simu, session, unplug)  # whatever an earlier run or a person left there
    await _wait_connector(simu, session, ConnectorState.AVAILABLE)
    stopped = simu.next_stop(session.charge_point_id, session.connector_id)
    await _input(simu, session, session.car)
    await _wait_connector(simu, session, ConnectorState.PREPARING)
    await _input(simu, session, IdTagInput(id=session.id_tag))
    await _wait_connector(simu, session, ConnectorState.CHARGING)
    await asyncio.sleep(_CHARGING_S)
    if session.ends_by is StopReason.LOCAL:
        await _input(simu, session, IdTagInput(id=session.id_tag))
        await _wait_connector(simu, session, ConnectorState.FINISHING)
    await _input(simu, session, unplug)
    await _wait_connector(simu, session, ConnectorState.AVAILABLE)
    try:
        async with asyncio.timeout(_WAIT_S):
            return await stopped
    except TimeoutError as exc:
        raise SimuError(
            f"{session.charge_point_id} connector {session.connector_id} told of no transaction",
            hint=f"docker logs of its container: simuctl show {session.charge_point_id}",
            exit_code=ExitCode.TIMEOUT,
        ) from exc


async def _input(simu: SimuClient, session: Session, payload: CarInput | IdTagInput) -> None:
    result = await simu.send_input(
        session.charge_point_id, payload, connector_id=session.connector_id
    )
    if not result.ok:
        raise SimuError(f"{session.charge_point_id} refused an input: {result.text}")


async def _wait_connector(simu: SimuClient, session: Session, state: ConnectorState) -> None:
    def there(fleet: FleetView) -> bool:
        charge_point = fleet.get(session.charge_point_id)
        connector = charge_point.connector(session.connector_id) if charge_point else None
        return connector is not None and connector.state is state

    await simu.wait_for(
        there,
        timeout_s=_WAIT_S,
        what=f"{session.charge_point_id} connector {session.connector_id} {state}",
    )
