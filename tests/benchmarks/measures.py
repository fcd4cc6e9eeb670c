"""One measurement after the other on the charge points of a stage."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from cp_image.api.payloads import CarInput, ChargePointState, ConnectorState, IdTagInput
from launcher.api import LAUNCHER_CMD
from supervisor_cli.fleet_view import FleetView
from tests.benchmarks import kernel
from tests.benchmarks.figure import Figure, Quantity
from tests.benchmarks.sleepers import LIBRARIES, Sleepers, sleepers
from tests.benchmarks.stage import INTERVAL_S, WITHIN_S, Stage
from tests.benchmarks.traffic import listener, percentile, round_trips_ms
from tests.benchmarks.typed import typed

_PLUGGED = CarInput(cable=32.0, ready=True, consumption_l1=16.0)
_UNPLUGGED = CarInput(cable=0.0, ready=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How thorough a run is.

    Attributes:
        settle_s: until charge points that have started are idle.
        idle_s: for which idle ones are watched.
        intervals: of MeterValues, for which charging ones are watched.
        floor_s: for which floors of CPU are watched.
        inputs: whose way to the status is timed.
        merging_s: between two looks at what the kernel has merged.
    """

    settle_s: float
    idle_s: float
    intervals: int
    floor_s: float
    inputs: int
    merging_s: float


async def measured(stage: Stage, number: int, length: Length) -> AsyncIterator[Figure]:
    """Yield the figures of so many charge points, which are gone afterwards."""
    with sleepers(stage.engine, stage.environment, stage.image) as idlers:
        floor_up_s = await asyncio.to_thread(idlers.start, number)
        await asyncio.sleep(2.0)  # until the threads that start a container have ended
        floor_cpu = await _cpu_pct(idlers.pids(), length.floor_s)
        floor_kill_s = await asyncio.to_thread(idlers.kill)
    value = await bring_up_s(stage, number)
    yield Figure(quantity=Quantity.BRING_UP, charge_points=number, value=value, floor=floor_up_s)
    await asyncio.sleep(length.settle_s)
    yield await memory(stage, number)
    async for figure in _idle(stage, number, length, floor_cpu):
        yield figure
    for figure in await _latency(stage, number, length):
        yield figure
    yield await _charging(stage, number, length)
    yield await _kill(stage, number, floor_kill_s)
    await stage.remove_all()


async def warm_up(stage: Stage) -> None:
    """Let the machine read from its disk what every run needs, and forget the run."""
    with sleepers(stage.engine, stage.environment, stage.image) as one:
        await asyncio.to_thread(one.start, 1)
    await bring_up_s(stage, 1)
    await stage.remove_all()


async def bring_up_s(stage: Stage, number: int) -> float:
    """Type `simuctl add`; return the seconds until the CSMS has accepted all."""
    began = time.monotonic()
    words = ("--count", str(number), "--id", "B-{n:04}", "-u", stage.csms)
    sampling = ("--config", f"MeterValueSampleInterval={INTERVAL_S}")
    async with typed(stage.environment, "add", *words, *sampling, "--timeout", str(WITHIN_S)):
        await stage.all_are(ChargePointState.ACCEPTED, number)
        return time.monotonic() - began


async def memory(stage: Stage, number: int) -> Figure:
    """Return the memory of a charge point, beside that of a bare Python."""
    value = kernel.mean_pss_mib(stage.pids())
    with sleepers(stage.engine, stage.environment, stage.image) as bare:
        await asyncio.to_thread(bare.start, 3, LIBRARIES)
        floor = await _settled_pss_mib(bare)
    return Figure(quantity=Quantity.MEMORY, charge_points=number, value=value, floor=floor)


async def _settled_pss_mib(bare: Sleepers) -> float:
    """Return their memory once it grows no more: they have imported all then."""
    last = 0.0
    async with asyncio.timeout(WITHIN_S):
        while True:
            await asyncio.sleep(2.0)
            now = kernel.mean_pss_mib(bare.pids())
            if now > 5.0 and abs(now - last) < 0.05:
                return now
            last = now


async def _cpu_pct(pids: list[int], watched_s: float) -> float:
    """Return the CPU that a process uses, in percent of a core."""
    before, began = kernel.cpu_s(pids), time.monotonic()
    await asyncio.sleep(watched_s)
    used_s, lasted_s = kernel.cpu_s(pids) - before, time.monotonic() - began
    return 100 * used_s / lasted_s / len(pids)


async def _idle(stage: Stage, number: int, length: Length, floor: float) -> AsyncIterator[Figure]:
    with listener(stage.broker, f"{stage.simu.root}/#") as ear:
        cpu = await _cpu_pct(stage.pids(), length.idle_s)
        topics = ear.topics()
    yield Figure(quantity=Quantity.IDLE_CPU, charge_points=number, value=cpu, floor=floor)
    yield Figure(
        quantity=Quantity.IDLE_MESSAGES,
        charge_points=number,
        value=float(len(topics)),
        note=f"in {length.idle_s:g} s {', '.join(sorted(set(topics))[:3])}".rstrip(),
    )


async def _latency(stage: Stage, number: int, length: Length) -> list[Figure]:
    floors = await asyncio.to_thread(round_trips_ms, stage.broker, length.inputs)
    ids = stage.ids()
    values: list[float] = []
    for turn in range(length.inputs):
        charge_point_id = ids[turn // 2 % len(ids)]
        plug = turn % 2 == 0
        values.append(await _input_ms(stage, charge_point_id, plug=plug))
    return [
        Figure(
            quantity=Quantity.LATENCY_MEDIAN,
            charge_points=number,
            value=statistics.median(values),
            floor=statistics.median(floors),
        ),
        Figure(
            quantity=Quantity.LATENCY_P99,
            charge_points=number,
            value=percentile(values, 99),
            floor=percentile(floors, 99),
        ),
    ]


async def _input_ms(stage: Stage, charge_point_id: str, *, plug: bool) -> float:
    """Plug a car in or unplug it; return the milliseconds until the status says so."""
    wanted = ConnectorState.PREPARING if plug else ConnectorState.AVAILABLE
    began = time.perf_counter()
    payload = _PLUGGED if plug else _UNPLUGGED
    answer = asyncio.create_task(stage.simu.send_input(charge_point_id, payload))
    await _connectors(stage, [charge_point_id], wanted)
    took_ms = (time.perf_counter() - began) * 1000
    await answer
    return took_ms


async def _connectors(stage: Stage, ids: list[str], wanted: ConnectorState) -> None:
    def there(view: FleetView) -> bool:
        return all(
            (said := view.by_id[each].reported.get(1)) is not None and said.status is wanted
            for each in ids
        )

    await stage.simu.wait_for(there, timeout_s=WITHIN_S, what=f"connectors {wanted}")


async def _charging(stage: Stage, number: int, length: Length) -> Figure:
    pids, ids = stage.pids(), stage.ids()
    idle = await _cpu_pct(pids, length.floor_s) * number
    for each in ids:
        await stage.simu.send_input(each, _PLUGGED)
        await stage.simu.send_input(each, IdTagInput(id="TAG1"))
    await _connectors(stage, ids, ConnectorState.CHARGING)
    await asyncio.sleep(INTERVAL_S)
    used = await _cpu_pct(pids, length.intervals * INTERVAL_S) * number
    return Figure(quantity=Quantity.CHARGING_CPU, charge_points=number, value=used, floor=idle)


async def _kill(stage: Stage, number: int, floor_s: float) -> Figure:
    """Type `simuctl kill --all`; time it until the broker has told an onlooker of every death."""
    with listener(stage.broker, LAUNCHER_CMD.build(stage.simu.root)) as ear:
        began = time.perf_counter()
        async with typed(stage.environment, "kill", "--all"):
            await stage.all_are(ChargePointState.DEAD, number)
            ended = time.perf_counter()
        _, commanded = ear.heard.get_nowait()
    return Figure(
        quantity=Quantity.KILL,
        charge_points=number,
        value=ended - began,
        floor=floor_s,
        note=f"containers that sleep; {ended - commanded:.2f} s from the command on MQTT",
    )
