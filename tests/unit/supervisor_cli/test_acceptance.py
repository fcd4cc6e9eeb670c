"""Waiting until the CSMS has accepted what was started: the order, the errors, and the pace."""

import asyncio

import pytest

from cp_image.api.payloads import ChargePointState, encode
from launcher.api import LAUNCHER_EVENT, Died
from supervisor_cli import acceptance
from supervisor_cli.client import SimuClient
from supervisor_cli.errors import ExitCode
from supervisor_cli.fleet_view import ChargePointView
from supervisor_cli.outcomes import Told
from supervisor_cli.state import Broker
from tests.unit.supervisor_cli.world import ROOT, World

PATIENCE_S = 30.0


def started(*names: str) -> list[Told]:
    return [Told(charge_point_id=name, text="started") for name in names]


def no_words(_text: str) -> None:
    """Hear what is going on, and say nothing."""


async def test_each_has_its_outcome_in_the_order_of_the_start() -> None:
    world = World()
    refused = Told(charge_point_id="CP-0", text="no room", exit_code=ExitCode.FAILED)
    steps: list[tuple[int, int]] = []
    async with SimuClient(broker=Broker(), link_factory=world.link) as simu:
        outcomes = [*started("CP-3"), refused, *started("CP-2", "CP-1")]
        told = asyncio.create_task(
            acceptance.accepted(
                simu,
                outcomes,
                PATIENCE_S,
                no_words,
                lambda _what, done, total: steps.append((done, total)),
            )
        )
        await asyncio.sleep(0)
        world.charge_point("CP-1")
        # What was accepted once is: a link that is lost afterwards is another matter.
        world.charge_point("CP-1", status=ChargePointState.DISCONNECTED)
        died = Died(id="CP-2", exit_code=1, out_of_memory=False, last_log=["bad voltage"])
        world.publish(LAUNCHER_EVENT.build(ROOT), encode(died))
        world.charge_point("CP-3")
        found = await told
    assert [(each.charge_point_id, each.ok, each.text) for each in found] == [
        ("CP-3", True, "started, Accepted"),
        ("CP-0", False, "no room"),
        ("CP-2", False, "CP-2 started, and died with exit code 1: bad voltage"),
        ("CP-1", True, "started, Accepted"),
    ]
    assert steps == [(0, 3), (1, 3), (2, 3)]


async def test_what_is_not_accepted_in_time_is_told_of_each() -> None:
    world = World()
    world.charge_point("CP-1")
    world.charge_point("CP-2", status=ChargePointState.DISCONNECTED)
    async with SimuClient(broker=Broker(), link_factory=world.link) as simu:
        found = await acceptance.accepted(simu, started("CP-1", "CP-2", "CP-3"), 0.0, no_words)
    assert [(each.text, each.exit_code) for each in found] == [
        ("started, Accepted", ExitCode.OK),
        (
            "CP-2 started, but is Disconnected, not Accepted, within 0 s",
            ExitCode.TIMEOUT,
        ),
        ("CP-3 started, but was not heard within 0 s", ExitCode.TIMEOUT),
    ]


async def test_what_is_removed_meanwhile_is_waited_for_no_longer() -> None:
    world = World()
    world.charge_point("CP-1", status=ChargePointState.DISCONNECTED)
    async with SimuClient(broker=Broker(), link_factory=world.link) as simu:
        told = asyncio.create_task(acceptance.accepted(simu, started("CP-1"), PATIENCE_S, no_words))
        await asyncio.sleep(0)
        for topic in [each for each in world.retained if "/cps/CP-1/" in each]:
            world.publish(topic, b"", retain=True)
        (found,) = await told
    assert (found.text, found.exit_code) == ("CP-1 started, and was removed", ExitCode.FAILED)


async def test_a_mass_start_looks_at_what_has_changed_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[str] = []
    is_settled = acceptance._is_settled

    def counted(charge_point: ChargePointView) -> bool:
        looks.append(charge_point.charge_point_id)
        return is_settled(charge_point)

    monkeypatch.setattr(acceptance, "_is_settled", counted)
    world = World()
    names = [f"CP-{number}" for number in range(200)]
    async with SimuClient(broker=Broker(), link_factory=world.link) as simu:
        told = asyncio.create_task(acceptance.accepted(simu, started(*names), PATIENCE_S, no_words))
        await asyncio.sleep(0)
        for name in names:
            world.charge_point(name)
        assert all(each.ok for each in await told)
    # Each says a word about its connector, and then that it is accepted.
    assert len(looks) == 2 * len(names)
