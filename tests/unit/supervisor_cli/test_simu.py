"""The Python library on a broker, a launcher and charge points in memory."""

import asyncio
import inspect
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

import supervisor_cli
from cp_image.api import topics
from cp_image.api.payloads import (
    ChargePointState,
    ConnectorState,
    InputErrorCode,
    Result,
    encode,
)
from launcher.api import LAUNCHER_EVENT, CommandType, Died, LauncherState, Specification
from supervisor_cli.async_charge_point import AsyncChargePoint
from supervisor_cli.async_connector import AsyncConnector
from supervisor_cli.async_frames import AsyncFrames
from supervisor_cli.async_simu import AsyncSimu
from supervisor_cli.charge_point_options import Options, Secrets
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.simu import ChargePoint, Connector, Frames, Simu
from supervisor_cli.state import Broker
from tests.support.readme import README
from tests.unit.supervisor_cli.world import CHARGING, ROOT, World, connector_status

URL = "ws://localhost:9000/ocpp"


@pytest.fixture
def simu(world: World) -> Iterator[Simu]:
    with Simu(broker=Broker(), link_factory=world.link, timeout_s=60) as simu:
        yield simu


def in_loop(simu: Simu, world: World, act: str, *args: object, **fields: object) -> None:
    """Let the world do something where its links live."""

    async def there() -> None:
        getattr(world, act)(*args, **fields)

    simu._loop.run(there())


def charge_point(simu: Simu, world: World, *connectors: object, **fields: object) -> ChargePoint:
    in_loop(simu, world, "charge_point", "CP-1", *connectors, **fields)
    return simu.charge_point("CP-1")


def test_a_charge_point_that_is_added_is_accepted(simu: Simu, world: World) -> None:
    cp = simu.add(central_system=URL)
    assert (cp.id, cp.status) == ("CP-0001", "Accepted")
    (started,) = world.commands()
    assert started["type"] == "start"
    assert started["charge_points"][0]["central_system"] == URL
    assert started["charge_points"][0]["serial"] == "CP-0001"


def test_every_option_reaches_the_launcher(simu: Simu, world: World) -> None:
    simu.add(
        central_system=URL,
        id="FAST",
        type="DC",
        serial="S",
        nb_connectors=2,
        configuration={"HeartbeatInterval": "60"},
        clock_rate=60,
        on_crash="restart",
    )
    (entry,) = world.commands()[0]["charge_points"]
    assert entry["type"] == "DC"
    assert entry["serial"] == "S"
    assert entry["configuration"] == {"HeartbeatInterval": "60"}
    assert entry["clock_rate"] == 60
    assert entry["on_crash"] == "restart"


def test_the_options_are_those_of_a_specification() -> None:
    settled = {"id", "central_system", "secrets"}
    assert set(Options.__annotations__) == set(Specification.__struct_fields__) - settled
    assert set(Secrets.__annotations__).isdisjoint(Options.__annotations__)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"clock_rte": 60}, "a charge point has no option clock_rte"),
        ({"nb_connectors": 0}, "nb_connectors is 0"),
        ({"type": "XY"}, 'type is "XY"'),
        ({"vendor": object()}, "object"),
        ({"security_profile": 2}, "security profile 2 needs a wss:// URL"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_asked(
    simu: Simu, world: World, options: dict[str, object], told: str
) -> None:
    with pytest.raises(SimuError, match=told) as caught:
        simu.add(central_system=URL, **options)  # type: ignore[arg-type]
    assert caught.value.exit_code is ExitCode.USAGE
    assert world.commands() == []


def test_several_charge_points_start_with_one_command(simu: Simu, world: World) -> None:
    made = simu.add_many(["A", "B"], central_system=URL)
    assert [(each.id, each.status) for each in made] == [("A", "Accepted"), ("B", "Accepted")]
    assert len(world.commands()) == 1
    assert [each.id for each in simu.charge_points] == ["A", "B"]


def test_a_csms_that_does_not_accept_is_told(simu: Simu, world: World) -> None:
    world.accepts = ChargePointState.DISCONNECTED
    with pytest.raises(SimuError) as caught:
        simu.add(central_system=URL, timeout_s=0.05)
    assert str(caught.value) == (
        "CP-0001 is Disconnected after 0.05 s, not Accepted; last frames:\n  no frames"
    )
    assert caught.value.__notes__ == ["hint: does a CSMS listen on ws://localhost:9000?"]
    assert caught.value.exit_code is ExitCode.TIMEOUT
    assert [each.id for each in simu.charge_points] == ["CP-0001"]  # and is removed with the rest


def test_another_state_can_be_waited_for(simu: Simu, world: World) -> None:
    world.accepts = ChargePointState.REJECTED
    assert simu.add(central_system=URL, until="Rejected").status == "Rejected"
    world.accepts = None
    assert simu.add(central_system=URL, until=None).status is None


def test_an_id_that_lives_is_refused_and_stays_with_its_owner(simu: Simu, world: World) -> None:
    charge_point(simu, world)
    with pytest.raises(SimuError, match="CP-1 is alive"):
        simu.add(central_system=URL, id="CP-1")
    simu.remove()
    assert simu.charge_point("CP-1").status == "Accepted"


def test_what_was_added_is_removed(simu: Simu, world: World) -> None:
    charge_point(simu, world)
    simu.add(central_system=URL, id="A")
    simu.add(central_system=URL, id="B").remove()
    simu.remove()
    assert list(simu.view.by_id) == ["CP-1"]
    assert simu.charge_points == []
    simu.remove()
    assert [each["type"] for each in world.commands()].count("remove") == 2


def test_what_is_gone_already_is_no_failure_to_remove(simu: Simu, world: World) -> None:
    simu.add(central_system=URL, id="A")
    world.containers.clear()
    simu.remove()
    assert simu.charge_points == []


def test_what_a_silent_launcher_may_yet_start_is_removed(simu: Simu, world: World) -> None:
    world.launcher_answers = False
    world.on_command = lambda _command: world.launcher(LauncherState.DEAD)
    with pytest.raises(SimuError, match="the launcher of environment cp-simu is Dead") as caught:
        simu.add(central_system=URL, id="A")
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert [each.id for each in simu.charge_points] == ["A"]


def test_a_car_is_plugged_and_a_tag_presented(simu: Simu, world: World) -> None:
    connector = charge_point(simu, world, nb_phases=3).connector()
    connector.plug(cable=20, draw=10)
    connector.tag("ABC")
    connector.suspend()
    connector.ready()
    connector.unplug()
    assert [payload for _, payload in world.inputs(topics.CONNECTOR_ID_TAG)] == [{"id": "ABC"}]
    assert [payload for _, payload in world.inputs(topics.CONNECTOR_CAR)] == [
        {
            "cable": 20,
            "ready": True,
            "consumption_l1": 10,
            "consumption_l2": 10,
            "consumption_l3": 10,
        },
        {"ready": False},
        {"ready": True},
        {"cable": 0},
    ]


def test_a_car_says_what_it_draws_on_each_phase(simu: Simu, world: World) -> None:
    charge_point(simu, world, nb_phases=3).connector().plug(draw=(16, 8))
    ((_, car),) = world.inputs(topics.CONNECTOR_CAR)
    assert [car[f"consumption_l{phase}"] for phase in (1, 2, 3)] == [16, 8, 0]


def test_a_car_has_a_battery_or_a_draw(simu: Simu, world: World) -> None:
    connector = charge_point(simu, world).connector()
    connector.plug(battery_wh=60_000, soc_pct=80)
    ((_, car),) = world.inputs(topics.CONNECTOR_CAR)
    assert car == {"cable": 32, "ready": True, "battery_wh": 60_000, "soc_pct": 80}
    with pytest.raises(SimuError, match="a battery or a draw"):
        connector.plug(battery_wh=60_000, draw=16)
    with pytest.raises(SimuError, match="soc_pct is of a battery"):
        connector.plug(soc_pct=20)


def test_faults_are_injected_and_cleared(simu: Simu, world: World) -> None:
    connector = charge_point(simu, world).connector()
    connector.fault()
    connector.fault("GroundFailure", emergency=True)
    connector.unfault("GroundFailure")
    connector.unfault()
    assert [payload for _, payload in world.inputs(topics.CONNECTOR_FAULTED)] == [
        {"faulted": True},
        {"faulted": True, "error_code": "GroundFailure", "emergency": True},
        {"faulted": False, "error_code": "GroundFailure"},
        {"faulted": False},
    ]
    with pytest.raises(SimuError, match="'Gremlin' is none of ConnectorLockFailure, "):
        connector.fault("Gremlin")


def test_a_refused_input_raises(simu: Simu, world: World) -> None:
    connector = charge_point(simu, world).connector()
    world.refuse_input = Result(
        request_id="", ok=False, code=InputErrorCode.NOT_NOW, text="no car is plugged"
    )
    with pytest.raises(SimuError, match="CP-1 connector 1: no car is plugged"):
        connector.ready()


def test_a_failed_test_shows_the_line_that_called_and_none_of_ours(
    simu: Simu, world: World
) -> None:
    connector = charge_point(simu, world, connector_status()).connector(1)
    with pytest.raises(SimuError) as caught:
        connector.wait_for("Charging", timeout_s=0.01)
    shown = caught.traceback.filter(caught)
    assert [str(entry.path) for entry in shown] == [__file__]
    with pytest.raises(SimuError) as caught:
        connector.fault("Gremlin")
    assert [str(entry.path) for entry in caught.traceback.filter(caught)] == [__file__]


def test_a_status_that_is_there_is_not_waited_for(simu: Simu, world: World) -> None:
    connector = charge_point(simu, world, CHARGING).connector(1)
    assert connector.status is ConnectorState.CHARGING
    assert connector.wait_for("Charging").transaction_id == 7
    assert connector.reported.id_tag == "TAG1"


def test_a_transaction_is_waited_for_until_it_has_an_id(simu: Simu, world: World) -> None:
    nameless = msgspec.structs.replace(CHARGING, transaction_id=None)
    connector = charge_point(simu, world, nameless).connector(1)
    with pytest.raises(
        SimuError, match=r"is Charging after 0\.01 s, not in a transaction that has"
    ):
        connector.wait_for_transaction(timeout_s=0.01)
    charge_point(simu, world, msgspec.structs.replace(CHARGING, transaction_id=0))
    assert connector.wait_for_transaction() == 0


def test_a_status_that_passes_at_once_is_not_missed(simu: Simu, world: World) -> None:
    connector = charge_point(simu, world, connector_status()).connector(1)

    async def pass_through() -> None:
        for status in (CHARGING, connector_status()):
            world.connector("CP-1", 1, status)

    async def both() -> ConnectorState:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(connector._twin.wait_for("Charging"))
            await asyncio.sleep(0)
            await pass_through()
        return waiting.result().status

    assert simu._loop.run(both()) == "Charging"


def test_what_does_not_come_is_no_chain_of_errors(simu: Simu, world: World) -> None:
    """A failed test shows all of a chain, and how a clock ran down says nothing."""
    cp = charge_point(simu, world, connector_status())
    waits: tuple[Callable[[], object], ...] = (
        lambda: cp.wait_for("Rejected", timeout_s=0.01),
        lambda: cp.connector(1).wait_for("Charging", timeout_s=0.01),
        lambda: cp.connector(1).wait_for_transaction(timeout_s=0.01),
        lambda: cp.frames.wait_for("Heartbeat", timeout_s=0.01),
        lambda: simu.add(central_system="ws://localhost:9", until="Rejected", timeout_s=0.01),
    )
    for wait in waits:
        with pytest.raises(SimuError) as caught:
            wait()
        assert caught.value.exit_code is ExitCode.TIMEOUT
        assert "".join(traceback.format_exception(caught.value)).count("Traceback") == 1


def test_what_does_not_come_says_what_is_there_instead(simu: Simu, world: World) -> None:
    preparing = connector_status(status=ConnectorState.PREPARING)
    connector = charge_point(simu, world, preparing).connector(1)
    with pytest.raises(SimuError) as caught:
        connector.wait_for("Charging", timeout_s=0.01)
    said = str(caught.value)
    assert said == "CP-1 connector 1 is Preparing after 0.01 s, not Charging"
    quoted = re.search("`CP-0001 (.*)`, and the last frames", README.read_text("utf-8"))
    assert quoted is not None
    assert f"CP-1 {quoted[1]}".replace("10 s", "0.01 s") == said
    charge_point(simu, world, preparing, status=ChargePointState.DISCONNECTED, reason="refused")
    with pytest.raises(SimuError) as caught:
        connector.wait_for("Charging", timeout_s=0.01)
    assert str(caught.value) == (
        "CP-1 connector 1 is Preparing, the charge point Disconnected (refused) after 0.01 s, "
        "not Charging"
    )


def test_a_dead_charge_point_is_not_waited_for(simu: Simu, world: World) -> None:
    cp = charge_point(simu, world, status=ChargePointState.DEAD)
    died = Died(id="CP-1", exit_code=1, out_of_memory=False, last_log=["Boom | at line 3"])
    in_loop(simu, world, "publish", LAUNCHER_EVENT.build(ROOT), encode(died))
    with pytest.raises(SimuError, match="CP-1 died with exit code 1: Boom, instead of Accepted"):
        cp.wait_for("Accepted", timeout_s=60)
    with pytest.raises(SimuError, match=r"CP-1 died .* instead of Charging"):
        cp.connector(1).wait_for("Charging", timeout_s=60)


@pytest.mark.parametrize("act", ["kill", "stop", "freeze", "thaw", "cut", "mend", "remove"])
def test_containers_are_treated(simu: Simu, world: World, act: str) -> None:
    cp = charge_point(simu, world)
    getattr(cp, act)()
    assert world.commands() == [{"type": act, "charge_points": [{"id": "CP-1"}]}]
    assert (cp.status == "Dead") == (act in {"kill", "stop"})


def test_a_killed_charge_point_gets_its_power_back(simu: Simu, world: World) -> None:
    cp = charge_point(simu, world)
    cp.kill()
    cp.restart()
    assert cp.status == "Accepted"


def test_one_that_is_gone_is_told(simu: Simu, world: World) -> None:
    cp = charge_point(simu, world)
    world.containers.clear()
    with pytest.raises(SimuError, match="there is no charge point CP-1"):
        cp.kill()


def test_the_configuration_is_read(simu: Simu, world: World) -> None:
    cp = charge_point(simu, world)
    world.configuration = {"HeartbeatInterval": "60"}
    assert cp.configuration == {"HeartbeatInterval": "60"}
    world.configuration = {"HeartbeatInterval": "90"}
    assert cp.configuration == {"HeartbeatInterval": "90"}


def test_a_configuration_key_is_changed(simu: Simu, world: World) -> None:
    cp = charge_point(simu, world)
    cp.configure("HeartbeatInterval", "60")
    assert [payload for _, payload in world.inputs(topics.CP_CMD)] == [
        {"type": "configure", "key": "HeartbeatInterval", "value": "60"}
    ]
    world.refuse_input = Result(
        request_id="", ok=False, code=InputErrorCode.NOT_NOW, text="Nonsense is no key"
    )
    with pytest.raises(SimuError, match="CP-1: Nonsense is no key"):
        cp.configure("Nonsense", "1")


def test_what_is_not_there_is_said(simu: Simu, world: World) -> None:
    with pytest.raises(SimuError, match="no charge point NONE"):
        simu.charge_point("NONE")
    with pytest.raises(SimuError, match="connector 3 does not exist on CP-1"):
        charge_point(simu, world).connector(3)
    with pytest.raises(SimuError, match="'Charged' is none of Available, "):
        charge_point(simu, world).connector(1).wait_for("Charged")


def test_a_broker_that_does_not_answer_is_told_at_once(world: World) -> None:
    world.reachable = False
    before = threading.active_count()
    with pytest.raises(SimuError, match="connection refused") as caught:
        Simu(broker=Broker(), link_factory=world.link)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert threading.active_count() == before


def test_closing_ends_the_thread_and_twice_is_no_harm(world: World) -> None:
    before = threading.active_count()
    simu = Simu(broker=Broker(), link_factory=world.link)
    assert threading.active_count() == before + 1
    simu.close()
    simu.close()
    assert threading.active_count() == before
    assert world.links[0].closed.is_set()
    with pytest.raises(SimuError, match="the connection to the environment is closed"):
        simu.add(central_system=URL)


def test_a_connection_that_breaks_for_good_ends_what_waits(simu: Simu, world: World) -> None:
    cp = charge_point(simu, world)

    async def break_it() -> None:
        (link,) = world.links
        link.failure = RuntimeError("out of order")
        link.closed.set()

    with pytest.raises(SimuError, match="is closed"):
        simu._loop.run(asyncio.wait_for(_both(break_it(), cp._twin.wait_for("Dead")), 60))


async def _both(first: object, second: object) -> None:
    assert inspect.isawaitable(first)
    assert inspect.isawaitable(second)
    await first
    await second


def test_a_loop_that_stands_still_is_named_as_the_reason(simu: Simu, world: World) -> None:
    cp = charge_point(simu, world)

    async def a_test_with_a_csms_of_its_own() -> None:
        cp.wait_for("Rejected", timeout_s=0.01)

    with pytest.raises(SimuError) as caught:
        asyncio.run(a_test_with_a_csms_of_its_own())
    assert any("await AsyncSimu" in note for note in caught.value.__notes__)


def test_the_same_with_async_and_await(world: World) -> None:
    async def story() -> None:
        async with AsyncSimu(broker=Broker(), link_factory=world.link) as simu:
            cp = await simu.add(central_system=URL)
            await cp.connector(1).tag("ABC")
            await simu.remove()
            assert simu.environment == "cp-simu"

    asyncio.run(story())
    assert [each["type"] for each in world.commands()] == ["start", "remove"]


@pytest.mark.parametrize("error", [SimuError("no"), pytest.skip.Exception("not today")])
def test_what_is_raised_within_comes_out_as_it_is(world: World, error: BaseException) -> None:
    async def story() -> None:
        async with AsyncSimu(broker=Broker(), link_factory=world.link) as simu:
            await simu.add(central_system=URL)
            raise error

    with pytest.raises(type(error)) as caught:
        asyncio.run(story())
    assert caught.value is error


def test_two_that_are_added_at_once_get_ids_of_their_own(world: World) -> None:
    async def story() -> list[str]:
        async with AsyncSimu(broker=Broker(), link_factory=world.link) as simu:
            adding = (simu.add(central_system=URL), simu.add(central_system=URL))
            return [each.id for each in await asyncio.gather(*adding)]

    assert asyncio.run(story()) == ["CP-0001", "CP-0002"]


@pytest.mark.parametrize(
    ("blocking", "twin"),
    [
        (Simu, AsyncSimu),
        (ChargePoint, AsyncChargePoint),
        (Connector, AsyncConnector),
        (Frames, AsyncFrames),
    ],
)
def test_both_have_the_same_words(blocking: type, twin: type) -> None:
    def words(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert words(twin) - words(blocking) <= {"record", "stop_recording"}
    assert words(blocking) - words(twin) <= {"close", "id", "frames"}
    for name in words(blocking):
        documented = inspect.getattr_static(blocking, name).__doc__
        assert documented, name


def test_the_package_offers_the_library() -> None:
    assert supervisor_cli.Simu is Simu
    assert supervisor_cli.AsyncSimu is AsyncSimu
    assert supervisor_cli.SimuError is SimuError
    with pytest.raises(AttributeError, match="has no attribute 'Sumi'"):
        supervisor_cli.Sumi  # noqa: B018


@pytest.mark.parametrize("package", ["cp_image", "launcher", "supervisor_cli"])
def test_the_packages_are_marked_as_typed(package: str) -> None:
    assert (Path(__file__).parents[3] / package / "py.typed").is_file()


def test_commands_and_methods_have_the_same_names() -> None:
    for kind in CommandType:
        if kind not in {CommandType.START, CommandType.CLOSE}:
            assert hasattr(ChargePoint, kind)
