"""What the kernel counts of processes, and of the pages it merges."""

import asyncio
import os
import select
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from supervisor_cli.page_sharing import Lack, lack
from tests.support.process_memory import of_process

_KSM = Path("/sys/kernel/mm/ksm")
_STEADY_LOOKS = 4
_MERGED_WITHIN_S = 300.0
_GONE_WITHIN_S = 60.0


def mean_pss_mib(pids: Iterable[int]) -> float:
    """Return the mean proportional set size."""
    sizes = [of_process(pid).pss_kib for pid in pids]
    return sum(sizes) / len(sizes) / 1024


def cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU time that processes have used together, in user mode and in the kernel."""
    # proc(5): nanoseconds on the processor; the ticks of /proc/PID/stat are 10 ms.
    return sum(_nanoseconds(pid) for pid in pids) / 1e9


def _nanoseconds(pid: int) -> int:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks)


def parent(pid: int) -> int:
    """Return the parent process: of a container's first process its containerd-shim."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid"))


def merging() -> Lack | None:
    """Return what keeps the kernel from merging; None where it does."""
    return lack()


@contextmanager
def deaths(pids: Iterable[int]) -> Iterator[Callable[[], None]]:
    """Watch processes; what is yielded waits until the last of them is gone.

    Raises:
        TimeoutError: one still lives after a minute.
    """
    with ExitStack() as stack, select.epoll() as ear:
        alive = set()
        for pid in pids:
            process = os.pidfd_open(pid)
            stack.callback(os.close, process)
            ear.register(process, select.EPOLLIN)
            alive.add(process)

        def wait() -> None:
            while alive:
                ended = ear.poll(_GONE_WITHIN_S)
                if not ended:
                    raise TimeoutError(f"{len(alive)} processes are not gone")
                for process, _ in ended:
                    ear.unregister(process)
                    alive.discard(process)

        yield wait


async def all_is_merged(between_looks_s: float) -> None:
    """Wait until ksmd finds hardly anything more to merge from one look to the next."""
    steady, last = 0, 0
    async with asyncio.timeout(_MERGED_WITHIN_S):
        while steady < _STEADY_LOOKS:
            await asyncio.sleep(between_looks_s)
            now = int((_KSM / "pages_sharing").read_text("ascii"))
            steady = steady + 1 if abs(now - last) <= max(now, last) / 200 else 0
            last = now


def machine(engine_version: str) -> str:
    """Return what the figures were measured on, for people."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {os.uname().release.split('-')[0]}, "
        f"Docker {engine_version}, load {os.getloadavg()[0]:.1f} before"
    )
