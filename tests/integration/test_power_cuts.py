"""A charge point that is killed at random instants, hundreds of times, against a CSMS that counts.

Nothing that it has written down is lost, nothing is told twice after its answer was seen, and its
register never falls.
"""

import asyncio
import json
import multiprocessing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.frame_line import Direction
from supervisor_cli.ocpp_frames import Call
from tests.support import mortal

LIVES = 300
MOST_REPORTS = 12
"""A life ends after so many at most: on a busy machine it takes its time to come that far."""
LONGEST_REPRIEVE_S = 0.05
REPORTED_WITHIN_S = 120.0

Identity = tuple[str, str]


@dataclass
class Promises:
    """What the charge point has reported from all its lives."""

    kept: set[Identity] = field(default_factory=set)
    told_at: dict[Identity, float] = field(default_factory=dict)
    registers_wh: list[float] = field(default_factory=list)

    def hear(self, reports: Connection) -> None:
        """Take in what a life has left in its pipe."""
        while reports.poll():
            try:
                self._take(reports.recv_bytes())
            except EOFError:
                return

    def hear_of(self, number: int, reports: Connection) -> None:
        """Wait until a life has reported so often."""
        for _ in range(number):
            assert reports.poll(REPORTED_WITHIN_S), "a life says nothing any more"
            self._take(reports.recv_bytes())

    def _take(self, report: bytes) -> None:
        what, *rest = json.loads(report)
        if what == "register":
            self.registers_wh.append(rest[0])
        elif what == "kept":
            self.kept.add((rest[0], rest[1]))
        else:
            self.told_at[rest[0], rest[1]] = rest[2]


def begin(
    context: Any, csms: DemoCsms, directory: Path, seed: int
) -> tuple[BaseProcess, Connection]:
    reports, pen = context.Pipe(duplex=False)
    process = context.Process(target=mortal.live, args=(csms.url, directory, seed, pen))
    process.start()
    pen.close()
    return process, reports


def transaction_frames(csms: DemoCsms) -> list[tuple[Identity, float]]:
    """Return the transaction messages the CSMS heard, with the time of each."""
    heard = []
    for record in csms.frames:
        frame = record.frame
        if record.direction is not Direction.TO_CSMS or not isinstance(frame, Call):
            continue
        payload = frame.payload
        if frame.action in {"StartTransaction", "StopTransaction"}:
            timestamp = payload["timestamp"]
        elif frame.action == "MeterValues":
            timestamp = payload["meterValue"][0]["timestamp"]
        else:
            continue
        heard.append(((frame.action, timestamp), record.at_utc.timestamp()))
    return heard


async def test_hundreds_of_power_cuts_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.mortal"])
    random = Random(20160401)
    promises = Promises()
    async with DemoCsms() as csms:
        for life in range(LIVES):
            process, reports = await asyncio.to_thread(begin, context, csms, tmp_path, life)
            await asyncio.to_thread(promises.hear_of, random.randint(0, MOST_REPORTS), reports)
            # Not a wait for anything: the random instant is what is tested.
            await asyncio.sleep(random.uniform(0.0, LONGEST_REPRIEVE_S))
            assert process.is_alive(), f"life {life} ended of itself"
            process.kill()
            await asyncio.to_thread(process.join)
            promises.hear(reports)
            reports.close()
        process, reports = await asyncio.to_thread(begin, context, csms, tmp_path, -1)

        def everything_told(server: DemoCsms) -> bool:
            promises.hear(reports)
            told = {identity for identity, _ in transaction_frames(server)}
            return promises.kept <= told and all(
                transaction.meter_stop_wh is not None for transaction in server.transactions
            )

        try:
            await csms.wait_for(everything_told, 120)
        finally:
            process.kill()
            await asyncio.to_thread(process.join)
            promises.hear(reports)
            reports.close()
        heard = transaction_frames(csms)
        violations = csms.violations
        transactions = csms.transactions

    assert violations == []
    assert len(promises.kept) > LIVES / 2
    assert {identity for identity, _ in heard} >= promises.kept
    again = [
        (identity, at)
        for identity, at in heard
        if identity in promises.told_at and at > promises.told_at[identity]
    ]
    assert again == []
    assert promises.registers_wh == sorted(promises.registers_wh)
    meters = [it for each in transactions for it in (each.meter_start_wh, each.meter_stop_wh)]
    told = [meter for meter in meters if meter is not None]
    assert told == sorted(told)
    assert any(action == "MeterValues" for action, _ in promises.kept)
