"""Lets the kernel merge pages that are the same in many charge points (KSM).

Two processes have the same pages only where everything lies at the same address: without
address-space randomisation, and with one seed for the hashes of text. Both are settled when a
process begins, so that it has to begin again. What is given up stands in the README.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

VARIABLE: Final = "SIMU_DENSE"
MEANING: Final = (
    "1 lets the kernel merge memory with that of other charge points, at the price of "
    "address-space randomisation [no]"
)

_AGAIN: Final = "again"
_HASH_SEED: Final = {"PYTHONHASHSEED": "0"}
_ADDR_NO_RANDOMIZE: Final = 0x0040000
"""personality(2)."""
_PR_SET_MEMORY_MERGE: Final = 67
"""prctl(2), Linux 6.4; what is run next inherits it from Linux 6.7 on."""


def settle(environment: Mapping[str, str]) -> Sequence[str]:
    """Settle this process, by beginning it again where that is necessary.

    Returns:
        What could not be done, for people.
    """
    asked = environment.get(VARIABLE, "")
    if asked not in {"1", _AGAIN}:
        return [f"{VARIABLE} is {asked!r}: only 1 means something"] if asked else []
    if asked == _AGAIN and _merges():
        return []
    # Only where it has something to do: it stays in memory. A process that begins again is rid of
    # it, and has been told to merge before.
    import ctypes  # noqa: PLC0415

    libc = ctypes.CDLL(None, use_errno=True)
    problems: list[str] = []
    if libc.prctl(_PR_SET_MEMORY_MERGE, 1, 0, 0, 0) != 0:
        problems.append(
            f"{VARIABLE}: this kernel merges no memory ({os.strerror(ctypes.get_errno())}): "
            "it takes Linux 6.4 with CONFIG_KSM"
        )
    if asked == _AGAIN:
        return problems
    if libc.personality(_ADDR_NO_RANDOMIZE) == -1:
        problems.append(
            f"{VARIABLE}: addresses stay random and little is merged: the seccomp profile of the "
            f"container does not allow personality(2) ({os.strerror(ctypes.get_errno())})"
        )
    if not problems:
        _begin_again({**environment, **_HASH_SEED, VARIABLE: _AGAIN})
    return problems


def _begin_again(environment: Mapping[str, str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, sys.orig_argv, environment)  # noqa: S606 - this very program


def _merges() -> bool:
    """Whether this process has been told to merge; False where the kernel does not say."""
    try:
        return "ksm_merge_any: yes" in Path("/proc/self/ksm_stat").read_text("ascii")
    except OSError:
        return False
