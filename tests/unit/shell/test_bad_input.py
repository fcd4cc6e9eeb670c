"""Bad input over a real WebSocket: the link stays open, and every CALL is answered once."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.support.schema_payloads import FROM_CSMS, full, schema_of, spoiled
from tests.unit.shell.peers import Csms, run
from tests.unit.shell.test_charge_point import (
    BASE,
    STATUS,
    charge_point,
    configuration,
    plug_and_tag,
)

GARBAGE: list[str | bytes] = [
    "",
    "not JSON",
    "[]",
    "{}",
    "null",
    "[2]",
    "[3]",
    '[2,7,"Reset",{}]',
    '[2,"' + "x" * 37 + '","Reset",{"type":"Soft"}]',
    '[3,"nobody-asked",{}]',
    '[4,"nobody-asked","InternalError","",{}]',
    '[9,"x",{}]',
    "[" * 100_000,
    '"' + "x" * 2**20 + '"',
    "\x00\x01",
    b"\x00\xff binary",
]


def barrage() -> dict[str, str]:
    """Return a frame for each message id: every request, spoiled in every way."""
    frames = {}
    for action in FROM_CSMS:
        for number, wrong in enumerate(spoiled(schema_of(action))):
            message_id = f"{action[:24]}-{number}"
            frames[message_id] = json.dumps([2, message_id, action, wrong.payload])
    frames["arity-3"] = '[2,"arity-3","Reset"]'
    frames["arity-5"] = '[2,"arity-5","Reset",{"type":"Soft"},{}]'
    frames["unknown"] = '[2,"unknown","MakeCoffee",{}]'
    frames["not-ours"] = '[2,"not-ours","StartTransaction",{}]'
    return frames


def test_the_link_stays_open_through_a_barrage(tmp_path: Path) -> None:
    frames = barrage()

    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            await link.seen(STATUS, status="Accepted")
            await plug_and_tag(link)
            for garbage in GARBAGE:
                await csms.send(garbage)
            for frame in frames.values():
                await csms.send(frame)
            await csms.until(lambda: len(errors(csms)) >= len(frames))
            await csms.send('[2,"last","GetLocalListVersion",{}]')
            await csms.until(lambda: any('"last"' in frame for frame in csms.frames))
            counts = Counter(errors(csms))
            assert counts.keys() == frames.keys()
            assert set(counts.values()) == {1}
            assert len(csms.paths) == 1
            assert link.on(f"{BASE}/connectors/1/status")[-1]["status"] == "Charging"

    run(scenario())


def errors(csms: Csms) -> list[str]:
    """Return the message ids that were answered with a CALLERROR."""
    return [frame[1] for frame in map(json.loads, csms.frames) if frame[0] == 4]


@pytest.mark.parametrize("action", FROM_CSMS)
def test_every_request_is_answered_over_the_wire(tmp_path: Path, action: str) -> None:
    async def scenario() -> None:
        async with Csms() as csms, charge_point(configuration(csms, tmp_path)) as (_, link):
            await link.seen(STATUS, status="Accepted")
            frame = json.dumps([2, "csms-1", action, full(schema_of(action))])
            await csms.send(frame)
            await csms.until(lambda: any(f.startswith('[3,"csms-1",') for f in csms.frames))

    run(scenario())
