"""The client on a broker, a launcher and charge points in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import pytest

from cp_image.api import topics
from cp_image.api.payloads import (
    CarInput,
    ChargePointCommand,
    ChargePointState,
    ChargePointType,
    InputErrorCode,
    Result,
)
from cp_image.api.payloads import CommandType as ChargePointCommandType
from launcher.api import (
    LAUNCHER_EVENT,
    LAUNCHER_RESULT,
    Command,
    CommandType,
    ErrorCode,
    LauncherState,
    Outcome,
    Progress,
)
from launcher.fleet import specification
from supervisor_cli.client import SimuClient
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.state import Broker
from tests.unit.supervisor_cli.world import CHARGING, ROOT, World, connector_status

T = TypeVar("T")

SPECIFICATION = specification(
    id="CP-1", type=ChargePointType.AC, central_system="ws://localhost:9000"
)


def on(world: World, act: Callable[[SimuClient], Awaitable[T]]) -> T:
    """Return what `act` returns with a client of the world."""

    async def inside() -> T:
        async with (
            asyncio.timeout(60),
            SimuClient(broker=Broker(), link_factory=world.link) as simu,
        ):
            return await act(simu)

    return asyncio.run(inside())


def error_on(world: World, act: Callable[[SimuClient], Awaitable[object]]) -> SimuError:
    with pytest.raises(SimuError) as caught:
        on(world, act)
    return caught.value


async def turn() -> None:
    """Let everything happen that is due."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_the_mirror_is_complete_on_entry() -> None:
    world = World()
    for number in range(50):
        world.charge_point(f"CP-{number}", CHARGING, connector_status())

    async def look(simu: SimuClient) -> int:
        assert simu.view.launcher is LauncherState.ALIVE
        return sum(len(each.connectors) for each in simu.view.charge_points)

    assert on(world, look) == 100


def test_the_mirror_follows() -> None:
    world = World()

    async def follow(simu: SimuClient) -> None:
        assert simu.view.by_id == {}
        world.charge_point("CP-1")
        assert simu.view.by_id["CP-1"].alive

    on(world, follow)


def test_clients_do_not_take_each_others_place() -> None:
    world = World()

    async def look(_simu: SimuClient) -> None:
        """Nothing more than connect."""

    on(world, look)
    on(world, look)
    assert len(set(world.client_ids)) == 2


def test_an_unreachable_broker() -> None:
    async def never(_simu: SimuClient) -> None:
        pytest.fail("entered")

    error = error_on(World(reachable=False), never)
    assert str(error) == "broker 127.0.0.1:1883: connection refused"
    assert "simuctl up" in error.hint
    assert error.exit_code is ExitCode.UNREACHABLE


def test_what_was_removed_while_the_connection_was_lost_is_gone_afterwards() -> None:
    world = World()
    world.charge_point("CP-1")
    world.charge_point("CP-2")

    async def lose(simu: SimuClient) -> None:
        link = world.links[0]
        link.lose()
        world.publish("cp_simu/cps/CP-1/status", b"", retain=True)
        world.publish("cp_simu/cps/CP-1/connectors/1/status", b"", retain=True)
        assert set(simu.view.by_id) == {"CP-1", "CP-2"}
        link.reconnect()
        seen: list[set[str]] = []

        def is_gone(view: FleetView) -> bool:
            seen.append(set(view.by_id))
            return "CP-1" not in view.by_id

        await simu.wait_for(is_gone, timeout_s=60)
        assert simu.view.launcher is LauncherState.ALIVE
        # The old mirror stands until the new one is complete: never was CP-2 missing.
        assert all("CP-2" in each for each in seen)

    on(world, lose)


def test_what_the_caller_raises_comes_out_as_it_is() -> None:
    async def fail(_simu: SimuClient) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        on(World(), fail)


def test_a_link_that_fails_ends_the_client() -> None:
    world = World()

    async def fail(_simu: SimuClient) -> None:
        world.links[0].failure = RuntimeError("broken")
        world.links[0].closed.set()
        await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        on(world, fail)
    assert caught.value.subgroup(lambda each: str(each) == "broken") is not None


def test_the_client_can_be_cancelled() -> None:
    world = World()

    async def inside() -> None:
        entered = asyncio.Event()

        async def stay() -> None:
            async with SimuClient(broker=Broker(), link_factory=world.link):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(stay())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(inside())
    assert world.links[0].closed.is_set()


# -- wait_for --------------------------------------------------------------------------------------


def test_wait_for_what_is_so_already() -> None:
    world = World()
    world.charge_point("CP-1")

    async def wait(simu: SimuClient) -> None:
        view = await simu.wait_for(lambda view: "CP-1" in view.by_id, timeout_s=0.001)
        assert view is simu.view

    on(world, wait)


def test_wait_for_what_comes() -> None:
    world = World()

    async def wait(simu: SimuClient) -> None:
        asyncio.get_running_loop().call_soon(world.charge_point, "CP-1")
        await simu.wait_for(lambda view: "CP-1" in view.by_id, timeout_s=60)

    on(world, wait)


def test_wait_for_what_does_not_come() -> None:
    async def wait(simu: SimuClient) -> None:
        await simu.wait_for(lambda _view: False, timeout_s=0.01, what="CP-1 Charging")

    error = error_on(World(), wait)
    assert str(error) == "CP-1 Charging did not come within 0.01 s"
    assert error.exit_code is ExitCode.TIMEOUT


def test_a_lost_connection_is_named_when_nothing_comes() -> None:
    world = World()

    async def wait(simu: SimuClient) -> None:
        world.links[0].lose()
        await simu.wait_for(lambda _view: False, timeout_s=0.01)

    assert "(connection lost)" in str(error_on(world, wait))


def test_a_predicate_that_raises_reaches_its_caller() -> None:
    world = World()

    async def wait(simu: SimuClient) -> None:
        asyncio.get_running_loop().call_soon(world.charge_point, "CP-1")
        await simu.wait_for(
            lambda view: bool(view.by_id) and view.by_id["CP-9"].alive, timeout_s=60
        )

    with pytest.raises(KeyError, match="CP-9"):
        on(world, wait)


# -- the launcher ----------------------------------------------------------------------------------


def test_start_is_answered_by_its_request_id() -> None:
    world = World()
    seen: list[Progress] = []

    def say_something_else(command: Command) -> None:
        del command
        other = b'{"request_id":"other","type":"start","ok":false}'
        world.publish(LAUNCHER_RESULT.build(ROOT), other)
        world.publish(LAUNCHER_RESULT.build(ROOT), b"not JSON")
        world.publish(LAUNCHER_RESULT.build(ROOT), b'{"request_id":null,"type":null,"ok":false}')

    world.on_command = say_something_else

    async def start(simu: SimuClient) -> None:
        answer = await simu.start([SPECIFICATION], seen.append)
        assert answer.ok
        assert answer.results == [Outcome(id="CP-1", ok=True)]

    on(world, start)
    assert [(each.done, each.total) for each in seen] == [(1, 1)]
    assert world.commands()[0]["charge_points"][0]["central_system"] == "ws://localhost:9000"


def test_one_bad_entry_does_not_stop_the_others() -> None:
    world = World()
    world.charge_point("CP-1")

    async def kill(simu: SimuClient) -> None:
        answer = await simu.command(CommandType.KILL, ["CP-1", "CP-9"])
        assert [(each.id, each.ok, each.code) for each in answer.results] == [
            ("CP-1", True, None),
            ("CP-9", False, ErrorCode.UNKNOWN_CHARGE_POINT),
        ]

    on(world, kill)


@pytest.mark.parametrize(
    ("state", "text"), [(LauncherState.DEAD, "is Dead"), (None, "was never started")]
)
def test_no_launcher(
    state: LauncherState | None, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor_cli.client._LAUNCHER_COMES_S", 0.01)
    world = World()
    world.launcher(state)

    async def start(simu: SimuClient) -> None:
        await simu.start([SPECIFICATION])

    error = error_on(world, start)
    assert text in str(error)
    assert "simuctl up" in error.hint
    assert error.exit_code is ExitCode.UNREACHABLE
    assert world.commands() == []


def test_a_launcher_that_starts_with_its_broker_is_waited_for() -> None:
    world = World()
    world.launcher(None)

    async def start(simu: SimuClient) -> None:
        asyncio.get_running_loop().call_soon(world.launcher, LauncherState.ALIVE)
        assert (await simu.start([SPECIFICATION])).ok

    on(world, start)


def test_a_launcher_that_dies_during_a_command() -> None:
    world = World(launcher_answers=False)
    world.on_command = lambda _command: world.launcher(LauncherState.DEAD)

    async def start(simu: SimuClient) -> None:
        await simu.start([SPECIFICATION])

    assert error_on(world, start).exit_code is ExitCode.UNREACHABLE


def test_a_launcher_that_says_nothing() -> None:
    async def start(simu: SimuClient) -> None:
        await simu.request(Command(type=CommandType.KILL), silence_s=0.01)

    error = error_on(World(launcher_answers=False), start)
    assert str(error) == "the launcher said nothing to kill for 0.01 s"
    assert error.exit_code is ExitCode.TIMEOUT


def test_progress_gives_more_time() -> None:
    world = World(launcher_answers=False)
    silence_s = 2.0

    async def start(simu: SimuClient) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()

        def keep_going(command: Command, done: int) -> None:
            if loop.time() - begun > 1.2 * silence_s:
                world.answer(command)
                return
            outcome = Outcome(id="CP-1", ok=True)
            progress = Progress(request_id=command.request_id, done=done, total=9, outcome=outcome)
            world.publish(LAUNCHER_EVENT.build(ROOT), msgspec.json.encode(progress))
            loop.call_later(silence_s / 50, keep_going, command, done + 1)

        world.on_command = lambda command: keep_going(command, 1)
        answer = await simu.request(Command(type=CommandType.KILL), silence_s=silence_s)
        assert answer.ok
        assert loop.time() - begun > silence_s

    on(world, start)


def test_a_progress_callback_that_raises_reaches_its_caller() -> None:
    def fail(_progress: Progress) -> None:
        raise ValueError("mine")

    async def start(simu: SimuClient) -> None:
        await simu.start([SPECIFICATION], fail)

    with pytest.raises(ValueError, match="mine"):
        on(World(), start)


# -- charge points ---------------------------------------------------------------------------------


def test_an_input_and_its_result() -> None:
    world = World()
    world.charge_point("CP-1", connector_status(), connector_status())

    async def plug(simu: SimuClient) -> None:
        result = await simu.send_input("CP-1", CarInput(cable=32.0, ready=True), connector_id=2)
        assert result.ok

    on(world, plug)
    assert world.inputs(topics.CONNECTOR_CAR) == [
        ("cp_simu/cps/CP-1/connectors/2/car", {"cable": 32.0, "ready": True})
    ]


def test_a_refused_input_is_a_result() -> None:
    world = World(
        refuse_input=Result(request_id="", ok=False, code=InputErrorCode.NOT_NOW, text="no cable")
    )
    world.charge_point("CP-1")

    async def plug(simu: SimuClient) -> Result:
        return await simu.send_input("CP-1", CarInput(ready=True))

    assert on(world, plug).text == "no cable"


def test_an_unknown_charge_point_names_those_like_it() -> None:
    world = World()
    world.charge_point("CP-0001")

    async def plug(simu: SimuClient) -> None:
        await simu.send_input("cp-001", CarInput(cable=0.0))

    error = error_on(world, plug)
    assert str(error) == "there is no charge point cp-001 in environment cp-simu"
    assert error.hint == "did you mean CP-0001?"
    assert error.exit_code is ExitCode.FAILED


@pytest.mark.parametrize(
    ("nb_connectors", "text"), [(2, "connectors 1 to 2"), (1, "connector 1 only")]
)
def test_a_connector_that_does_not_exist(nb_connectors: int, text: str) -> None:
    world = World()
    world.charge_point("CP-1", *[connector_status()] * nb_connectors)

    async def plug(simu: SimuClient) -> None:
        await simu.send_input("CP-1", CarInput(cable=0.0), connector_id=9)

    error = error_on(world, plug)
    assert str(error) == f"connector 9 does not exist on CP-1: it has {text}"
    assert error.exit_code is ExitCode.FAILED
    assert world.inputs(topics.CONNECTOR_CAR) == []


def test_a_dead_charge_point_takes_no_input() -> None:
    world = World()
    world.charge_point("CP-1", status=ChargePointState.DEAD)

    async def plug(simu: SimuClient) -> None:
        await simu.send_input("CP-1", CarInput(cable=0.0))

    error = error_on(world, plug)
    assert "is Dead" in str(error)
    assert error.hint == "simuctl restart CP-1"


def test_a_charge_point_that_does_not_answer() -> None:
    world = World(charge_points_answer=False)
    world.charge_point("CP-1")

    async def config(simu: SimuClient) -> None:
        command = ChargePointCommand(type=ChargePointCommandType.OCPP_CONFIG)
        await simu.send_input("CP-1", command, connector_id=9, timeout_s=0.01)

    error = error_on(world, config)
    assert str(error) == "CP-1 did not answer within 0.01 s"
    assert error.exit_code is ExitCode.TIMEOUT
    assert world.inputs(topics.CP_CMD) == [("cp_simu/cps/CP-1/cmd", {"type": "ocpp_config"})]


def test_clear_removes_everything_that_is_retained_status_last() -> None:
    world = World()
    world.charge_point("CP-1", connector_status(), connector_status())
    world.publish("cp_simu/cps/CP-1/ocpp_config", b"{}", retain=True)

    async def clear(simu: SimuClient) -> None:
        await simu.clear("CP-1")
        await turn()
        assert simu.view.by_id == {}

    on(world, clear)
    assert list(world.retained) == ["cp_simu/launcher/status"]
    assert [each.topic for each in world.heard if not each.payload][-1] == "cp_simu/cps/CP-1/status"
