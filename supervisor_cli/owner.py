"""The process that an environment belongs to, so that others see when it is gone."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

LABEL_OWNER: Final = "cp-simu.owner"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_STALE_S: Final = 86_400.0
"""What lives in a container of its own cannot be looked at: after a day it is taken for gone."""
_START_TIME_FIELD: Final = 19  # proc(5): field 22, of those behind the name 20th
_PARTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process of this machine, told from every other one, also after a reboot.

    Attributes:
        boot: of the machine.
        pids: the namespace in which `pid` holds.
        started: in clock ticks since the boot; a later process may have the same pid.
        at: epoch seconds at which this was written.
    """

    boot: str
    pids: str
    pid: int
    started: int
    at: int

    @classmethod
    def this_process(cls) -> Self:
        """Return the process that asks."""
        pid = os.getpid()
        return cls(
            boot=_BOOT.read_text("ascii").strip(),
            pids=_namespace(),
            pid=pid,
            started=_started(pid) or 0,
            at=int(time.time()),
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` writes; of somebody else's text nothing is known to live."""
        parts = text.split("/")
        if len(parts) != _PARTS or not all(each.isdecimal() for each in parts[2:]):
            return cls(boot="", pids="", pid=0, started=0, at=0)
        boot, pids, pid, started, at = parts
        return cls(boot=boot, pids=pids, pid=int(pid), started=int(started), at=int(at))

    def __str__(self) -> str:
        return f"{self.boot}/{self.pids}/{self.pid}/{self.started}/{self.at}"

    def is_gone(self) -> bool:
        """Whether the process is known not to live any more."""
        if self.boot != _BOOT.read_text("ascii").strip():
            return True
        if self.pids != _namespace():
            return time.time() - self.at > _STALE_S
        return _started(self.pid) != self.started


def _namespace() -> str:
    return Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")


def _started(pid: int) -> int | None:
    """Return when a process began; None where there is none, or it is dead but not reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[_START_TIME_FIELD])
