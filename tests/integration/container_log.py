"""What a container prints, which the engine keeps a moment after it was said."""

import asyncio
from collections.abc import Callable, Sequence

from docker.models.containers import Container

WITHIN_S = 120.0
_LOOK_AGAIN_S = 0.2


async def until_logged(container: Container, there: Callable[[Sequence[str]], bool]) -> None:
    """Wait until the lines of a log are as wanted.

    Raises:
        AssertionError: they never are; says what they were last.
    """
    lines: list[str] = []
    try:
        async with asyncio.timeout(WITHIN_S):
            # Following it would not do: the engine may leave out the last lines.
            while not there(lines):
                lines = (await asyncio.to_thread(container.logs)).decode().splitlines()
                await asyncio.sleep(_LOOK_AGAIN_S)
    except TimeoutError as exc:
        raise AssertionError("never logged:\n" + "\n".join(lines)) from exc
