"""What a charge point costs the machine it runs on."""

import pytest

from tests.integration.fleet import Story
from tests.support.process_memory import of_process

MOST_PRIVATE_KIB = 16.25 * 1024
"""Of a connected, idle charge point. What it shares with others, code and libraries, comes to less
the more of them there are: some 0.5 MiB each where 50 run."""


async def test_a_connected_charge_point_keeps_to_its_memory(tale: Story) -> None:
    await tale.add("CP-1")
    pid = tale.stage.container("CP-1").attrs["State"]["Pid"]
    try:
        memory = of_process(pid)
    except OSError as exc:
        pytest.skip(f"the engine's processes cannot be looked at from here: {exc.strerror}")
    assert memory.private_kib <= MOST_PRIVATE_KIB
