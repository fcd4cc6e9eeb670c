"""What a process holds of memory, as the kernel counts it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMemory:
    """Sizes in KiB.

    Attributes:
        pss_kib: its own pages, and its share of those it has together with others.
        private_kib: what is gone with it: written by itself, and shared with nobody.
    """

    pss_kib: int
    private_kib: int


def of_process(pid: int) -> ProcessMemory:
    """Return what a process holds.

    Raises:
        OSError: it is gone, is somebody else's, or the kernel tells it of no process.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]
    sizes = {
        name: int(size.split()[0]) for name, _, size in (line.partition(":") for line in lines)
    }
    return ProcessMemory(pss_kib=sizes["Pss"], private_kib=sizes["Private_Dirty"])
