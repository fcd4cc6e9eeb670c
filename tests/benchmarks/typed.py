"""What somebody types: `simuctl` as a process of its own, from its first instruction on."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def typed(environment: str, *words: str) -> AsyncIterator[None]:
    """Let a command run beside the body, and wait for its end.

    Raises:
        RuntimeError: it failed; a figure without it would mean nothing.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "supervisor_cli", "--environment", environment, *words),
        env={**os.environ, "NO_COLOR": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        # Read meanwhile: a command that talks a lot would wait for its reader.
        talk = asyncio.create_task(process.communicate())
        yield
        _, stderr = await talk
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        said = stderr.decode(errors="replace").strip()
        raise RuntimeError(f"simuctl {' '.join(words)} ended with {process.returncode}: {said}")
