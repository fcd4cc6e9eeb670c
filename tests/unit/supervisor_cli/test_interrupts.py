"""Ctrl-C at moments when there is nothing yet, or half of it."""

import asyncio
import inspect
import sys
import threading
from collections.abc import Mapping, Sequence

import pytest

from cp_image.api import secrets
from cp_image.api.payloads import ChargePointType
from launcher.fleet import specification
from supervisor_cli import __main__ as console_script
from supervisor_cli import context, secret_delivery
from supervisor_cli.client import SimuClient
from supervisor_cli.state import Broker
from tests.unit.supervisor_cli.world import World

WITHIN_S = 30.0


class Interrupting:
    """A finder of modules at which somebody presses Ctrl-C."""

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: object = None) -> None:
        if name == "supervisor_cli.command_line":
            raise KeyboardInterrupt


def test_while_the_commands_are_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "supervisor_cli.command_line", raising=False)
    monkeypatch.delattr("supervisor_cli.command_line", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        console_script.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_before_the_work_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> None:
        pass

    def interrupted(_work: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupted)
    work = nothing()
    with pytest.raises(KeyboardInterrupt):
        context.run(work)
    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED


class SlowStore:
    """Keeps secrets, when it is let to."""

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def write(self, charge_point_id: str, _files: Mapping[str, bytes]) -> None:
        self.begun.set()
        assert self.go_on.wait(WITHIN_S)
        self.kept.add(charge_point_id)

    def discard(self, charge_point_id: str) -> None:
        self.kept.discard(charge_point_id)


class Password:
    def read(self, _charge_point_id: str) -> dict[str, bytes]:
        return {secrets.AUTHORIZATION_KEY: b"a password of some length"}


async def test_while_secrets_are_kept_none_is_left_behind() -> None:
    world, store = World(), SlowStore()
    wanted = [
        specification(
            id=f"CP-{number}",
            type=ChargePointType.AC,
            central_system="ws://h",
            security_profile=1,
            secrets=True,
        )
        for number in range(6)
    ]
    async with SimuClient(broker=Broker(), link_factory=world.link) as simu:
        starting = asyncio.create_task(
            secret_delivery.start(simu, wanted, lambda _progress: None, lambda: store, Password())
        )
        assert await asyncio.to_thread(store.begun.wait, WITHIN_S)
        starting.cancel()
        await asyncio.sleep(0)
        store.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(WITHIN_S):
                await starting
    assert store.kept == set()
    assert world.commands() == []
