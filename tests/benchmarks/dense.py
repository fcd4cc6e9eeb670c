"""What is left of a charge point's memory where the kernel merges what all have in common."""

import asyncio

from tests.benchmarks import kernel
from tests.benchmarks.figure import Figure, Quantity
from tests.benchmarks.measures import Length, bring_up_s
from tests.benchmarks.stage import stage


async def dense_memory(number: int, length: Length) -> Figure:
    """Return the memory of a dense charge point, beside that of its containerd-shim."""
    lack = kernel.merging()
    if lack is not None:
        return Figure(
            quantity=Quantity.DENSE_MEMORY,
            charge_points=number,
            value=None,
            note=f"{lack.text}: {lack.remedy}",
        )
    async with stage(dense=True) as dense:
        await bring_up_s(dense, number)
        await kernel.all_is_merged(length.merging_s)
        pids = dense.pids()
        value = await asyncio.to_thread(kernel.mean_pss_mib, pids)
        floor = kernel.mean_pss_mib({kernel.parent(pid) for pid in pids})
        await dense.remove_all()
    return Figure(quantity=Quantity.DENSE_MEMORY, charge_points=number, value=value, floor=floor)
