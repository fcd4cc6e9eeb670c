"""A container's process, as the kernel of the engine's machine knows it.

The engine ends one container after the other, each with a process of runc, while it buries those
that are dead already: fifty take it most of a second, two hundred ten. When power fails, it fails
for all at the same time. So a launcher that sees the machine's processes signals them itself, and
leaves to the engine what comes after.
"""

import asyncio
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any, Final

_PROC: Final = Path("/proc")
_BACK_BY_ITSELF: Final = frozenset({"always", "unless-stopped", "on-failure"})

_KNOWS_PIDFDS: Final = hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal")
"""A Python that was built against old headers of Linux does not."""


class HostProcess:
    """The first process of a container; with it end all others there (pid_namespaces(7)).

    It is held on to by a pidfd: its number may be another's by the time of the signal.
    """

    def __init__(self, descriptor: int, *, dead_within_s: float = 10.0) -> None:
        self._descriptor = descriptor
        self._dead_within_s = dead_within_s

    def kill(self) -> bool:
        """SIGKILL, after which it does nothing any more; return False where it may not be sent.

        Or where it is gone already.
        """
        if _has_ended(self._descriptor):
            return False
        try:
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        except OSError:
            return False
        return True

    async def end(self) -> bool:
        """Wait until it is gone; return False of one that is frozen, or that the kernel keeps."""
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, gone.set)
        try:
            async with asyncio.timeout(self._dead_within_s):
                await gone.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(self._descriptor)
        return True

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


def of_container(inspection: dict[str, Any], *, proc: Path = _PROC) -> HostProcess | None:
    """Return the process of a container, or None where its end must be left to the engine.

    That is so where the launcher does not see it: it has no share in the PID namespace of the
    machine, or is on another machine. Nor does a frozen one take a signal; and where the engine is
    to start again what ends, it must hear that this end is meant.

    Args:
        inspection: of the container.
        proc: where the kernel tells of processes.
    """
    state = inspection["State"]
    policy = (inspection["HostConfig"].get("RestartPolicy") or {}).get("Name")
    if state.get("Status") != "running" or policy in _BACK_BY_ITSELF:
        return None
    return _find(int(state["Pid"]), str(inspection["Id"]), proc)


def _find(pid: int, container_id: str, proc: Path) -> HostProcess | None:
    if sys.platform != "linux" or not _KNOWS_PIDFDS:
        return None
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:  # none of that number, or the kernel or a seccomp profile refuses
        return None
    process = HostProcess(descriptor)
    # In another PID namespace somebody else may have that number: cgroups(7) tells whose it is. It
    # is read after the process is held, and counts only if that has not ended meanwhile.
    if _is_in(container_id, proc / str(pid) / "cgroup") and not _has_ended(descriptor):
        return process
    process.close()
    return None


def _is_in(container_id: str, cgroups: Path) -> bool:
    try:
        return container_id in cgroups.read_text("utf-8", "replace")
    except OSError:
        return False


def _has_ended(descriptor: int) -> bool:
    look = select.poll()
    look.register(descriptor, select.POLLIN)
    return bool(look.poll(0))
