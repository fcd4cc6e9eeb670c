"""What a charge point may load and hold while it is connected and idle; no clock is asked."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.shell.peers import Csms, run

PROBE = """
import json, signal, sys
from cp_image import __main__, late_modules

def tell(*_):
    loaded = [name for name, module in sys.modules.items()
              if module is not None and type(module).__name__ != "_LateModule"]
    with open("/proc/self/smaps_rollup") as rollup:
        sizes = dict(line.split(":") for line in rollup.read().splitlines()[1:])
    private_kib = int(sizes["Private_Dirty"].split()[0])
    print(json.dumps({"modules": loaded, "private_kib": private_kib}), flush=True)

signal.signal(signal.SIGUSR1, tell)
sys.argv = ["simu-cp"]
__main__.main()
"""

ALLOWED = """
    __future__ __main__ abc array ast asyncio atexit base64 binascii bisect builtins codecs
    collections concurrent contextlib contextvars copy copyreg cp_image dataclasses datetime decimal
    dis encodings enum errno fnmatch functools genericpath glob grp hashlib heapq hmac http
    importlib inspect io ipaddress itertools json keyword linecache logging marshal math msgspec
    ntpath numbers opcode operator os paho pathlib platform posix posixpath pwd random re reprlib
    secrets select selectors signal site sitecustomize socket sqlite3 stat string struct sys
    threading time token tokenize traceback types typing typing_extensions urllib uuid warnings
    weakref websockets zipimport zlib
"""
"""Top-level modules; a further one costs every charge point memory and time. Those of C and of the
interpreter itself, with an underscore, come with these."""

NEVER = {
    "asyncio.sslproto",
    "email",
    "http.client",
    "importlib.metadata",
    "msgspec.inspect",
    "ssl",
    "subprocess",
    "urllib.request",
    "cp_image.shell.key_maker",
    "cp_image.shell.transfers",
    "cp_image.shell.x509_reader",
}
"""What an ordinary charge point has no use for."""

MOST_PRIVATE_KIB = 17.75 * 1024
"""Of this Python; in the image, whose code is compiled without docstrings, it is less."""


async def idle_charge_point(directory: Path) -> dict[str, Any]:
    """Return what a connected charge point says of itself."""
    async with Csms() as csms:
        environ = {name: value for name, value in os.environ.items() if name[:5] != "SIMU_"}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROBE,
            env=environ
            | {
                "SIMU_ID": "CP-1",
                "SIMU_CENTRAL_SYSTEM": csms.url,
                "SIMU_STATE_DIRECTORY": str(directory),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await csms.heard("StatusNotification", 2)
            process.send_signal(signal.SIGUSR1)
            assert process.stdout is not None
            told: dict[str, Any] = json.loads(await process.stdout.readline())
        finally:
            process.kill()
            await process.wait()
    return told


@pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="this kernel tells no process's memory"
)
def test_an_idle_charge_point_keeps_to_its_budget(tmp_path: Path) -> None:
    async def scenario() -> None:
        told = await idle_charge_point(tmp_path)
        modules = set(told["modules"])
        public = {name.partition(".")[0] for name in modules if not name.startswith("_")}
        assert public - set(ALLOWED.split()) == set()
        assert modules & NEVER == set()
        assert told["private_kib"] <= MOST_PRIVATE_KIB

    run(scenario())
