"""Whether this machine's kernel merges pages that processes have in common (KSM). Changes nothing.

What is looked at: `Documentation/admin-guide/mm/ksm.rst` of the kernel.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_KSM: Final = Path("/sys/kernel/mm/ksm")
_FIRST_RELEASE: Final = (6, 4)
"""From here on a process can ask for all of its memory to be merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What keeps memory from being merged.

    Attributes:
        text: what it is.
        remedy: how to change it.
    """

    text: str
    remedy: str


def lack(ksm: Path = _KSM, release: str | None = None) -> Lack | None:
    """Return what the kernel lacks for dense mode; None where it merges.

    Args:
        ksm: where the kernel tells of it.
        release: of the kernel; None asks this one.
    """
    release = os.uname().release if release is None else release
    found = re.match(r"(\d+)\.(\d+)", release)
    if found is not None and (int(found[1]), int(found[2])) < _FIRST_RELEASE:
        return Lack(
            text=f"Linux {release} merges for no whole process", remedy="Linux 6.4 or later"
        )
    try:
        running = (ksm / "run").read_text("ascii").strip() == "1"
    except OSError:
        return Lack(text="this kernel merges no memory", remedy="a kernel with CONFIG_KSM")
    if running:
        return None
    return Lack(text="the kernel's ksmd is off", remedy=f"echo 1 | sudo tee {ksm / 'run'}")
