"""Removes an environment when the process that started it is gone, however it went.

It reads its standard input, which only that process holds open: `python -m supervisor_cli.sweeper
NAME`. The word ``done`` before the end says that it is removed already.
"""

import sys
from typing import Final

DONE: Final = b"done"


def main() -> None:
    """Wait for the end of the other process; then remove what is left of the environment."""
    if sys.stdin.buffer.read() == DONE:
        return
    # Not before they are needed: it waits for as long as tests run.
    from supervisor_cli import engine, environment, state  # noqa: PLC0415
    from supervisor_cli.session_lock import session_lock  # noqa: PLC0415

    (name,) = sys.argv[1:]
    with session_lock():  # a session that begins now may be at it already
        environment.down(engine.connect(), name, lambda _step: None)
        state.forget(name)


if __name__ == "__main__":
    main()
