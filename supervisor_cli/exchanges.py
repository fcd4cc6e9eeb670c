"""What goes over MQTT: each topic with its payload, who writes it, and an example."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import msgspec

from cp_image.api import payloads, topics
from cp_image.api.payloads import (
    CarInput,
    ChargePointCommand,
    ChargePointState,
    ChargePointStatus,
    ChargePointType,
    ConnectorState,
    ConnectorStatus,
    FaultedInput,
    Frame,
    FrameDirection,
    IdTagInput,
    InputErrorCode,
    Result,
    StopReason,
    TransactionStopped,
)
from cp_image.api.topics import Topic
from launcher import api
from launcher.api import (
    Answer,
    Claim,
    Command,
    CommandType,
    ContainerCondition,
    ContainerStatus,
    ErrorCode,
    LauncherState,
    Outcome,
    Progress,
    Specification,
)
from launcher.fleet import read_specification


class Way(Enum):
    """Who writes a topic."""

    FROM_FLEET = auto()
    """a charge point or the launcher"""
    TO_FLEET = auto()
    """anyone"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A topic and what is said on it.

    Attributes:
        name: of the channel, the operation and the message in the AsyncAPI document.
        payload: its type.
        answered_by: name of the exchange with the answers; empty where there are none.
        correlates: whether the payload has a `request_id`.
    """

    name: str
    topic: Topic
    way: Way
    payload: Any
    summary: str
    examples: tuple[Any, ...]
    answered_by: str = ""
    correlates: bool = False

    @property
    def is_word(self) -> bool:
        """Whether the payload is a bare word instead of JSON."""
        return self.payload is LauncherState


_ENTRY: Final = b'{"id":"CP-0001","type":"AC","central_system":"ws://localhost:9000/ocpp"}'
_SPECIFICATION: Final = read_specification(_ENTRY)
_CHARGE_POINT: Final = ChargePointStatus(
    pid=1,
    status=ChargePointState.ACCEPTED,
    vendor="cp-simu",
    model="Simulated CP",
    serial="CP-0001",
    nb_phases=3,
    max_setpoint=32.0,
    central_system="ws://localhost:9000/ocpp",
    type=ChargePointType.AC,
    voltage=230.0,
    nb_connectors=1,
    container="cp-simu.CP-0001",
)
_CONNECTOR: Final = ConnectorStatus(
    status=ConnectorState.CHARGING,
    id_tag="TAG1",
    max_setpoint=32.0,
    ocpp_setpoint=16.0,
    setpoint=16.0,
    car_consumption_l1=10.3,
    car_consumption_l2=10.0,
    car_consumption_l3=0.0,
    car_cable_capacity=32.0,
    car_ready=True,
    consumption_l1=10.3,
    consumption_l2=10.0,
    consumption_l3=0.0,
    transaction_id=7,
    power_w=4669.0,
    register_wh=20_000.0,
    session_wh=1250.0,
    metered_at=1769860800.0,
)

EXCHANGES: Final = (
    Exchange(
        name="launcherStatus",
        topic=api.LAUNCHER_STATUS,
        way=Way.FROM_FLEET,
        payload=LauncherState,
        summary="Whether a launcher serves the environment: a bare word, and its will.",
        examples=(LauncherState.ALIVE, LauncherState.DEAD),
    ),
    Exchange(
        name="launcherCommand",
        topic=api.LAUNCHER_CMD,
        way=Way.TO_FLEET,
        payload=Command,
        summary="Starts, kills, restarts and removes charge points, and more.",
        examples=(
            Command(
                type=CommandType.START,
                charge_points=[msgspec.Raw(_ENTRY)],
                request_id="1",
            ),
            Command(
                type=CommandType.KILL,
                charge_points=[msgspec.Raw(b'{"id":"CP-0001"}')],
                request_id="2",
            ),
        ),
        answered_by="launcherResult",
        correlates=True,
    ),
    Exchange(
        name="launcherResult",
        topic=api.LAUNCHER_RESULT,
        way=Way.FROM_FLEET,
        payload=Answer,
        summary="The answer to each command, when all of it is done.",
        examples=(
            Answer(
                request_id="2",
                type=CommandType.KILL,
                ok=False,
                results=[
                    Outcome(
                        id="CP-0001",
                        ok=False,
                        code=ErrorCode.NOT_RUNNING,
                        text="CP-0001 is not running",
                    )
                ],
            ),
        ),
        correlates=True,
    ),
    Exchange(
        name="launcherEvent",
        topic=api.LAUNCHER_EVENT,
        way=Way.FROM_FLEET,
        payload=api.Event,
        summary="Progress of a command; a charge point that died of itself, and what came of it.",
        examples=(
            Progress(request_id="1", done=1, total=1, outcome=Outcome(id="CP-0001", ok=True)),
            api.Died(id="CP-0001", exit_code=137, out_of_memory=True, last_log=[]),
        ),
    ),
    Exchange(
        name="launcherClaim",
        topic=api.LAUNCHER_CLAIM,
        way=Way.FROM_FLEET,
        payload=Claim,
        summary="Among launchers: who serves the environment.",
        examples=(Claim(launcher="a1", since=1769860800.0, where="host, process 7", serves=True),),
    ),
    Exchange(
        name="chargePointSpecification",
        topic=api.CP_SPECIFICATION,
        way=Way.FROM_FLEET,
        payload=Specification,
        summary="What was asked for of a charge point, as its launcher knows it.",
        examples=(_SPECIFICATION,),
    ),
    Exchange(
        name="chargePointContainer",
        topic=api.CP_CONTAINER,
        way=Way.FROM_FLEET,
        payload=ContainerStatus,
        summary="How a charge point's container is, as its launcher knows it.",
        examples=(ContainerStatus(state=ContainerCondition.RUNNING, network="cp-simu"),),
    ),
    Exchange(
        name="chargePointStatus",
        topic=topics.CP_STATUS,
        way=Way.FROM_FLEET,
        payload=ChargePointStatus,
        summary="What a charge point is and how it is. An empty payload removes it.",
        examples=(_CHARGE_POINT,),
    ),
    Exchange(
        name="chargePointCommand",
        topic=topics.CP_CMD,
        way=Way.TO_FLEET,
        payload=ChargePointCommand,
        summary="A command to a charge point.",
        examples=(
            ChargePointCommand(type=payloads.CommandType.OCPP_CONFIG),
            ChargePointCommand(
                type=payloads.CommandType.TRACE, for_s=60.0, last=100, request_id="3"
            ),
        ),
        answered_by="chargePointResult",
        correlates=True,
    ),
    Exchange(
        name="chargePointResult",
        topic=topics.CP_RESULT,
        way=Way.FROM_FLEET,
        payload=Result,
        summary="The answer to an input or a command that has a request id.",
        examples=(
            Result(request_id="4", ok=True),
            Result(
                request_id="5",
                ok=False,
                code=InputErrorCode.UNKNOWN_CONNECTOR,
                text="connector 3 does not exist on CP-0001: it has connector 1 only",
            ),
        ),
        correlates=True,
    ),
    Exchange(
        name="chargePointEvent",
        topic=topics.CP_EVENT,
        way=Way.FROM_FLEET,
        payload=payloads.Event,
        summary="Transactions that start and stop, inputs and tags that are refused.",
        examples=(
            TransactionStopped(
                at=1769864400.0,
                connector_id=1,
                id_tag="TAG1",
                transaction_id=7,
                meter_start_wh=18_750,
                meter_stop_wh=20_000,
                reason=StopReason.LOCAL,
            ),
        ),
    ),
    Exchange(
        name="chargePointFrames",
        topic=topics.CP_FRAMES,
        way=Way.FROM_FLEET,
        payload=Frame,
        summary="The OCPP frames of a charge point, while somebody has asked for them.",
        examples=(
            Frame(
                n=7,
                started_at=1769860800.0,
                at=1769860812.5,
                direction=FrameDirection.SENT,
                message=[2, "1b9d", "Heartbeat", {}],
                action="Heartbeat",
                connection=1,
            ),
        ),
    ),
    Exchange(
        name="chargePointConfiguration",
        topic=topics.CP_OCPP_CONFIG,
        way=Way.FROM_FLEET,
        payload=dict[str, str],
        summary="The readable OCPP configuration keys that have a value.",
        examples=({"HeartbeatInterval": "300", "NumberOfConnectors": "1"},),
    ),
    Exchange(
        name="connectorStatus",
        topic=topics.CONNECTOR_STATUS,
        way=Way.FROM_FLEET,
        payload=ConnectorStatus,
        summary="How a connector is: status, setpoints, consumption, transaction, energy.",
        examples=(_CONNECTOR,),
    ),
    Exchange(
        name="connectorCar",
        topic=topics.CONNECTOR_CAR,
        way=Way.TO_FLEET,
        payload=CarInput,
        summary="The car at a connector: what is left out stays as it is.",
        examples=(
            CarInput(cable=32.0, ready=True, consumption_l1=16.0),
            CarInput(cable=32.0, battery_wh=60_000.0, soc_pct=20.0, request_id="4"),
            CarInput(cable=0.0),
        ),
        answered_by="chargePointResult",
        correlates=True,
    ),
    Exchange(
        name="connectorIdTag",
        topic=topics.CONNECTOR_ID_TAG,
        way=Way.TO_FLEET,
        payload=IdTagInput,
        summary="A card is held to the reader.",
        examples=(IdTagInput(id="TAG1"),),
        answered_by="chargePointResult",
        correlates=True,
    ),
    Exchange(
        name="connectorFaulted",
        topic=topics.CONNECTOR_FAULTED,
        way=Way.TO_FLEET,
        payload=FaultedInput,
        summary="A fault that is there or is not: a level, not an edge.",
        examples=(
            FaultedInput(faulted=True, error_code=payloads.ErrorCode.GROUND_FAILURE),
            FaultedInput(faulted=False),
        ),
        answered_by="chargePointResult",
        correlates=True,
    ),
)
"""Every topic of the interface."""
